--- prompt_bench - what people at a prompt wait for, and what consoles take of
--- an engine's loop: prints JSON lines as the benches in C do.
---   build/release/moonpeer tests/bench/prompt_bench.lua
local moonpeer = require "moonpeer"
local remote = require "moonpeer.repl.remote"
local repl = require "moonpeer.repl"

local executable = arg and arg[-1] or "build/release/moonpeer"

local function report(name, value, unit, limit)
  print(('{"name": "%s", "value": %.4g, "unit": "%s", "limit": %.4g}'):format(
    name, value, unit, limit))
end

local function median(list)
  table.sort(list)
  return list[#list // 2 + 1]
end

--- From the start of the process to its prompt on a terminal, in seconds: the
--- best of many, for what else the machine does is not ours.
local function start_to_prompt()
  local place = executable:match "^(.*)/[^/]*$" or "."
  local pty = assert(package.loadlib(place .. "/tests/integration/pty.so",
    "luaopen_pty"))()
  local times = {}
  for i = 1, 25 do
    local before = moonpeer.now()
    local terminal = pty.open("/usr/bin/env",
      { "MOONPEER_HISTORY=", executable })
    local shown = ""
    while not shown:find("> ", 1, true) do
      shown = shown .. assert(terminal:read(10))
    end
    times[i] = moonpeer.now() - before
    terminal:kill(9)
    terminal:wait(5)
  end
  return math.min(table.unpack(times))
end

--- The slowest of the kinds of completion while 10,000 peers are known.
local function completion()
  local engine <close> = assert(moonpeer.engine { network = "regtest" })
  for i = 0, 9999 do
    assert(engine.store:create {
      ip = ("44.%d.%d.%d"):format(i // 2500, i // 50 % 50, i % 50), port = 8333,
    })
  end
  local session = repl.new { print = print }
  local slowest = 0
  for _, text in ipairs {
    "engine:dial '44.", "engine:dial '44.3.49.49", "engine:dial '9",
    "engine:", "moonpeer.", "moonpeer.engine { ", ":explain 44.1", "e", "",
    "engine:on('", "string.", "engine.store:",
  } do
    local times = {}
    for i = 1, 9 do
      local before = moonpeer.now()
      session:complete(text)
      times[i] = moonpeer.now() - before
    end
    slowest = math.max(slowest, median(times))
  end
  return slowest
end

-- --- consoles beside an engine that has always something to do -------------

local server = [[
local moonpeer = require "moonpeer"
require("moonpeer.log").configure { write = function() end }
local engine = assert(moonpeer.engine {
  network = "regtest", listen = "127.0.0.1:0", trusted = { "127.0.0.0/8" },
})
delivered = 0
engine:on("message", "bench", function(event)
  delivered = delivered + #event.command // 5
end, { command = "xyzzy" })
engine:start()
assert(require("moonpeer.console").serve(arg[1]))
moonpeer.run()
]]

--- Sends more than can be taken.
local flooder = [[
local moonpeer = require "moonpeer"
moonpeer.run(function()
  local options = { network = "regtest" }
  local peer = assert(moonpeer.connect(arg[1], options))
  assert(peer:handshake())
  local frame = moonpeer.message.encode("xyzzy", ("x"):rep(100), options)
  local many = frame:rep(4000)
  while true do
    local _, _, code = peer:send_raw(many)
    if code == "closed" then return end
    if code then moonpeer.sleep "1ms" end
  end
end)
]]

local function start(code, argument)
  local path = os.tmpname()
  local file <close> = assert(io.open(path, "w"))
  file:write(code)
  file:close()
  local pipe <close> = io.popen(("%s %s %s >/dev/null 2>&1 & echo $!"):format(
    executable, path, argument))
  local id = pipe:read "l"
  return function()
    os.execute(("kill -9 %s 2>/dev/null"):format(id))
    os.remove(path)
  end
end

local function attach(path)
  for _ = 1, 200 do
    local client = remote.attach(path)
    if client then
      moonpeer.spawn(client.listen, client, print)
      return client
    end
    moonpeer.sleep "20ms"
  end
  error "no console came"
end

local busy = [[local stop = os.clock() + 0.001 repeat until os.clock() > stop]]

--- Messages delivered, the engine's processor time, and how often a client
--- evaluated 1 ms, one after the other, in so many seconds, or did not.
local function delivery(client, evaluates, seconds)
  local look = "delivered, os.clock()"
  local before = client:ask { eval = look }.results
  local stop, n = moonpeer.now() + seconds, 0
  if evaluates then
    while moonpeer.now() < stop do
      for _ = 1, 9 do -- so that one always waits
        client:send { eval = busy }
      end
      client:ask { eval = busy } -- they are done in order
      client.answers, n = {}, n + 10
    end
  else
    moonpeer.sleep(seconds)
  end
  local after = client:ask { eval = look }.results
  return after[1] - before[1], after[2] - before[2], n
end

--- Messages a second of its processor time: what else the machine does is not
--- ours. What a console has saved up while it was quiet it may use at once
--- (20 ms); that is let go by.
local function slow_down()
  local path = os.tmpname()
  os.remove(path)
  local stop_server = start(server, path)
  local client = attach(path)
  local stop_flooder = start(flooder,
    client:ask { eval = "engine:address()" }.results[1])
  moonpeer.sleep "500ms"
  local alone = { delivered = 0, time = 0, n = 0 }
  local together = { delivered = 0, time = 0, n = 0 }
  local function add(to, messages, time, n)
    to.delivered, to.time = to.delivered + messages, to.time + time
    to.n = to.n + n
  end
  for _ = 1, 10 do
    add(alone, delivery(client, false, 0.4))
    delivery(client, true, 0.3)
    add(together, delivery(client, true, 0.4))
  end
  client:close()
  stop_flooder()
  stop_server()
  return 100 * (1 - together.delivered / together.time
    / (alone.delivered / alone.time)), 100 * together.n * 0.001 / together.time
end

report("start_to_prompt", 1000 * start_to_prompt(), "ms", 10)
report("complete_10000_peers", 1000 * completion(), "ms", 10)
local slower, share = moonpeer.run(slow_down)
report("console_share_of_busy_loop", share, "%", 5)
report("console_slows_delivery", slower, "%", 10)
