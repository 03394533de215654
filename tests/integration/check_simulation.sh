# check_simulation - scripts/check-simulation sees what would make a world differ
# from the real one, and nothing else.
set -eu
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
check=$PWD/scripts/check-simulation

# put <file> <line>: it stands on the second line of the file.
put() {
  rm -rf "${folder:?}"/*
  mkdir -p "$folder/src" "$folder/lua/moonpeer" "$(dirname "$folder/$1")"
  printf '\n%s\n' "$2" >"$folder/$1"
}

# refuses <file> <line> <part of the complaint>
refuses() {
  put "$1" "$2"
  if "$check" "$folder" 2>"$folder/err"; then
    echo "$1 may say: $2"
    exit 1
  fi
  if ! grep -qF "$1:2: " "$folder/err" || ! grep -qF "$3" "$folder/err"; then
    echo "expected $1:2: ... $3"
    cat "$folder/err"
    exit 1
  fi
}

# allows <file> <line>
allows() {
  put "$1" "$2"
  "$check" "$folder" || { echo "$1 may not say: $2"; exit 1; }
}

"$check" # what there is

refuses src/engine/a.c '  clock_gettime(CLOCK_MONOTONIC, &t);' mp_loop_now
refuses src/peer/a.c '  int64_t now = time(NULL);' mp_loop_time
refuses src/wire/a.c '  return clock ();' 'reads a clock'
refuses src/script/a.c '  localtime_r(&t, &parts);' timegm
refuses src/engine/a.c '  usleep(10);' mp_timer_start
refuses src/peer/a.c '  if (rand() % 2)' mp_loop_random
refuses src/base/a.c '  getrandom(bytes, n, 0);' mp_loop_random
refuses src/engine/a.c '#include <sys/socket.h>' 'what net/ is for'
refuses src/store/a.c '#include <pthread.h>' 'what net/ is for'
refuses src/engine/a.c '#include "moonpeer/world.h"' 'the world it is in'
refuses src/engine/a.c '  if (loop->io == &sim_io)' 'the world it is in'
refuses src/script/a.c '  if (mp_world_of(loop))' 'the world it is in'
refuses src/script/a.c '  if (script->in_world)' 'behaves differently'
refuses src/engine/a.c '#ifdef MOONPEER_SIMULATION' 'compiled differently'
refuses src/engine/a.c '#elif SIMULATION' 'compiled differently'
refuses lua/moonpeer/a.lua 'local time = os.time' 'keeps the real clock'
refuses lua/moonpeer/a.lua 'local random = math.random' 'chance'
refuses lua/moonpeer/a.lua 'call(os.clock, 1)' 'keeps the real clock'
refuses lua/moonpeer/a.lua 'os.execute("sleep 1")' waits
refuses lua/moonpeer/a.lua 'local socket = require "socket"' 'behind the loop'
refuses lua/moonpeer/engine.lua 'require "moonpeer.sim"' 'the world it is in'
refuses lua/moonpeer/a.lua 'for key in pairs(t) do' 'order that is chance'
refuses lua/moonpeer/a.lua 'for key in next, t do' 'order that is chance'
refuses lua/moonpeer/a.lua 'for k in pairs(t) do -- any order:' 'any order: why'

allows src/net/io_uv.c '  clock_gettime(CLOCK_MONOTONIC, &t);'
allows src/app/a.c '#include <poll.h>'
allows src/engine/a.c '  return loop->io->time(loop);'
allows src/engine/a.c 'static int64_t time(struct mp_loop *loop) {'
allows src/engine/a.c '  /* time() is not asked */ puts("time(x)");'
allows src/engine/a.h '#ifndef ENGINE_A_H'
allows src/engine/a.c '  uptime(3);'
allows src/script/sim_run.c '#include "moonpeer/world.h"'
allows lua/moonpeer/a.lua 'return os.time() + math.random(3)'
allows lua/moonpeer/a.lua '-- local time = os.time'
allows lua/moonpeer/cli/a.lua 'local clock = os.clock'
allows lua/moonpeer/a.lua 'for key in pairs(t) do -- any order: counts'
allows lua/moonpeer/a.lua 'for i, one in ipairs(list) do'
allows lua/moonpeer/a.lua 'return next(t) ~= nil'
