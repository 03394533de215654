# linkage - what the built files show, and what they need.
set -eu

fail() {
  echo "$1"
  exit 1
}

# The core knows no Lua.
symbols=$(nm --undefined-only "$MOONPEER_CORE" | grep -E ' U luaL?_' || true)
[ -z "$symbols" ] || fail "the core calls Lua: $symbols"

# The module exports two functions, has no liblua, and is never unloaded.
shown=$(nm -D --defined-only "$MOONPEER_MODULE" | awk '{print $3}' | sort |
  tr '\n' ' ')
[ "$shown" = "luaopen_moonpeer luaopen_moonpeer_core " ] ||
  fail "the module exports: $shown"
dynamic=$(readelf -d "$MOONPEER_MODULE")
grep -q 'NODELETE' <<<"$dynamic" || fail "the module can be unloaded"
! grep -q 'NEEDED.*liblua' <<<"$dynamic" || fail "the module has its own Lua"

# The executable has Lua's functions for modules in C.
readelf -d "$MOONPEER" | grep -q 'NEEDED.*liblua5.4' ||
  fail "the executable does not link liblua5.4"
"$MOONPEER" -e 'assert(require "lfs".currentdir())' ||
  fail "a module in C does not load"
