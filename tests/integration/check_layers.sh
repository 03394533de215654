# check_layers - scripts/check-layers sees every arrow that goes the wrong way.
set -eu
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
check=$PWD/scripts/check-layers

# put <file under src> <include> ...
put() {
  file=$folder/src/$1
  shift
  mkdir -p "$(dirname "$file")"
  printf '#include %s\n' "$@" >"$file"
}

# expect <file under src> <part of the complaint> <include>
expect() {
  rm -rf "$folder/src"
  put "$1" '<stdio.h>' "$3"
  if "$check" "$folder" 2>"$folder/err"; then
    echo "$1 may include $3"
    exit 1
  fi
  if ! grep -qF "src/$1:2: " "$folder/err" || ! grep -qF "$2" "$folder/err"
  then
    echo "expected src/$1:2: ... $2"
    cat "$folder/err"
    exit 1
  fi
}

put base/buf.c '"base/buf.h"' '<string.h>'
put wire/frame.c '"wire/frame.h"' '"base/buf.h"' '"moonpeer/error.h"'
put store/backend_sqlite.c '"peer/peer.h"' '<sqlite3.h>'
put net/io_uv.c '<uv.h>' '<sys/stat.h>'
put engine/engine.c '"net/io.h"' '"store/backend.h"' '"wire/frame.h"'
put script/module.c '<lua.h>' '"moonpeer.h"' '"base/mem.h"' '<cjson/cJSON.h>'
put app/line.c '<histedit.h>' '<lua.h>' '"script/module.h"'
"$check" "$folder"

expect base/buf.c 'base -> wire: base may include base, moonpeer' \
  '"wire/frame.h"'
expect wire/frame.c 'wire -> net' '"net/io.h"'
expect peer/peer.c 'peer -> store' '"store/backend.h"'
expect net/loop.c 'net -> wire' '"wire/frame.h"'
expect engine/engine.c 'engine -> script' '"script/module.h"'
expect script/engine.c 'script -> engine' '"engine/engine.h"'
expect app/main.c 'app -> base' '"base/mem.h"'
expect moonpeer.h 'moonpeer -> base' '"base/buf.h"'
expect moonpeer/loop.h 'moonpeer -> net' '"net/io.h"'
expect engine/engine.c '"engine.h" is in no layer' '"engine.h"'
expect net/loop.c 'net -> libuv: only net/io_uv*.* may' '<uv.h>'
expect engine/engine.c 'engine -> Lua: only script/, app/ may' '<lua.h>'
expect wire/frame.c 'wire -> openssl: only base/hash.c may' '<openssl/evp.h>'
expect store/backend_json.c 'store -> SQLite' '<sqlite3.h>'
expect engine/config.c 'engine -> cJSON' '<cjson/cJSON.h>'
expect script/repl.c 'script -> libedit: only app/ may' '<histedit.h>'
expect base/log.c 'no library of ours' '<glib/gstring.h>'
