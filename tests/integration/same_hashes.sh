#!/usr/bin/env bash
# same_hashes - every simulated spec, played in two processes: what came of each
# world must be the same, byte for byte. The processes differ in what must not
# matter: interpreter, places in memory, time zone, locale, and the order of
# Lua's pairs.
#   same_hashes.sh [executable ...]
# Several executables, as of the builds dev, release and asan, are compared with
# each other; one alone, $MOONPEER when none is given, with itself. What the
# tests have just played (see ../CMakeLists.txt) is not played again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ $# -gt 0 ] || set -- "$MOONPEER"
export MOONPEER_LUA=$PWD/lua
output=$(mktemp)
trap 'rm "$output"' EXIT

specs=$(grep -lE 'moonpeer\.sim|support\.(worlds|stage|generated|field)' \
  tests/lua/*_spec.lua)

# Whether a file of hashes is younger than all that it depends on.
is_fresh() {
  [ -e "$2" ] && [ "$2" -nt "$1" ] &&
    [ -z "$(find lua tests/lua scripts/*.lua -name '*.lua' -newer "$2")" ]
}

is_sanitized() {
  grep -q __asan_init "$1"
}

# play executable folder: plays the specs whose hashes in there are not fresh.
play() {
  local executable=$1 folder=$2 sanitize=(-u MOONPEER_SANITIZE) spec name
  is_sanitized "$executable" && sanitize=(MOONPEER_SANITIZE=address)
  mkdir -p "$folder"
  for spec in $specs; do
    name=$(basename "$spec" _spec.lua)
    is_fresh "$executable" "$folder/$name" && continue
    if ! MOONPEER=$executable MOONPEER_HASHES=$folder/$name \
      env "${sanitize[@]}" "${BUSTED:-busted}" \
      --lua="$executable" --cpath="$(dirname "$1")/?.so" \
      --helper=support.hashes --filter-out=on.sockets \
      --output=plainTerminal "$spec" >"$output" 2>&1; then
      tail -n 50 "$output" >&2
      exit 1
    fi
  done
}

# The hashes that an executable's build has, and how often all was played.
compare() {
  local file name
  for spec in $specs; do
    name=$(basename "$spec" _spec.lua)
    if ! diff "$1/$name" "$2/$name" >"$output"; then
      head -n 20 "$output" >&2
      echo "$spec: not the same in $1 and $2; play it with" \
        "--helper=support.hashes and MOONPEER_TRACES to see more" >&2
      exit 1
    fi
  done
}

if [ $# -eq 1 ]; then
  first=$(dirname "$1")/hashes/lua second=$(dirname "$1")/hashes/lua54
  play "$1" "$first"
  MOONPEER_SHUFFLE=2 TZ=UTC+5 LC_ALL=C play "$1" "$second"
  compare "$first" "$second"
else
  first=$(dirname "$1")/hashes/lua
  for executable; do
    play "$executable" "$(dirname "$executable")/hashes/lua"
    compare "$first" "$(dirname "$executable")/hashes/lua"
  done
fi
lines=$(cat "$first"/* | wc -l)
[ "$lines" -ge 600 ] || { echo "only $lines worlds were hashed" >&2; exit 1; }
echo "$lines worlds: the same"
