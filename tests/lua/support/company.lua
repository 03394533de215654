--- company - engines in processes of their own, and what they tell.
local busted = require "busted"
local child = require "support.child"
local core = require "moonpeer.core"
local moonpeer = require "moonpeer"
local process = require "support.process"

local company = {}

local LATE = 40 -- seconds that a process may take for anything

--- Waits, in a task.
function company.wait_for(what, condition)
  local late = moonpeer.now() + LATE
  while not condition() do
    if moonpeer.now() > late then
      error("expected " .. what, 2)
    end
    moonpeer.sleep "5ms"
  end
end

--- A configuration on loopback that is quick about everything but calling
--- somebody late: who is slow on a loaded machine is not gone, and one dial
--- that is not answered in time must not be the last for a day.
function company.config(changes)
  local config = {
    network = "regtest", listen = "127.0.0.1:0", connect_timeout = "20s",
    handshake_timeout = "20s", ping_interval = "0.3s", ping_timeout = "30s",
    initial_backoff = "0.1s", max_backoff = "0.5s", max_retries = 1000,
    inaccessible_time = "1s",
  }
  for key, value in pairs(changes or {}) do
    config[key] = value
  end
  return config
end

local program = {}
program.__index = program
local programs = {} -- that were started and not stopped

--- Waits for a line that the pattern is in, and decodes it.
function program:await(pattern)
  local line
  local good = pcall(company.wait_for, pattern, function()
    line = self.child:line(pattern)
    return line
  end)
  if not good then
    error(("expected %s, got\n%s"):format(pattern, self.child:text()), 2)
  end
  return core.json_decode(line)
end

--- What it has told last of what it holds.
function program:state()
  local last
  for line in self.child:text():gmatch '([^\n]*"event":"state"[^\n]*)\n' do
    last = line
  end
  return last and core.json_decode(last) or {}
end

function program:signal(name)
  if self.pid then
    os.execute(("kill -%s %d 2>/dev/null"):format(name, self.pid))
  end
end

local function stop_all()
  for i, one in pairs(programs) do
    one:signal "CONT" -- who stands still cannot end
    one.child:stop()
    programs[i] = nil
  end
end

--- Runs fn as a task, as an it; nothing it has started lasts longer.
function company.it(name, fn)
  busted.it(name, function()
    moonpeer.run(function()
      local good, message = xpcall(fn, debug.traceback)
      stop_all()
      assert(good, message)
    end)
  end)
end

--- Starts a command that tells its "pid"; waits until it has.
function company.start(command, pattern)
  local started = setmetatable({ child = child.start(command, 120) }, program)
  programs[#programs + 1] = started
  local first = started:await(pattern)
  started.pid, started.address = first.pid, first.address
  started.port = first.port
  return started
end

--- An engine: config, and `descriptors`, which it may have.
function company.engine(config, event)
  local limit = ""
  if config.descriptors then
    limit = ("sh -c 'ulimit -n %d && exec \"$@\"' sh "):format(
      config.descriptors)
    config.descriptors = nil
  end
  local started = company.start(
    ("%s%s tests/integration/engine_process.lua %s"):format(limit,
      process.quote(process.executable),
      process.quote(core.json_encode(config))),
    ('"event":"%s"'):format(event or "listening"))
  started.config = config
  return started
end

return company
