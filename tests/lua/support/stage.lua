--- stage - where peers of a spec meet: the same play runs on each. A stage has
---   host(n)                           the ip of the n-th host, without a port
---   listen(address, fn, options)      as moonpeer.listen
---   connect(address, options)         as moonpeer.connect
---   engine{...}                       as moonpeer.engine, and started
---   spawn(fn, ...), sleep(t), now()
---   run(fn, name)                     runs the play in a task; then all that
---                                     the stage has opened is closed, and
---                                     nothing may be left
local busted = require "busted"
local moonpeer = require "moonpeer"
local simulated = require "support.simulated"
local watch = require "support.watch"

local stage = {}

local sockets = { name = "on sockets", limit = 20 }

function sockets.host(n)
  return "127.0.0." .. n
end

sockets.sleep, sockets.now = moonpeer.sleep, moonpeer.now
sockets.spawn = moonpeer.spawn

local open = {}

local function keep(thing, ...)
  if thing then
    open[#open + 1] = thing
  end
  return thing, ...
end

function sockets.connect(address, options)
  return keep(moonpeer.connect(address, options))
end

function sockets.listen(address, fn, options)
  return keep(moonpeer.listen(address, function(connection)
    return fn(keep(connection))
  end, options))
end

function sockets.engine(config)
  local engine = assert(keep(moonpeer.engine(config)))
  assert(engine:start())
  return engine
end

local function close_all()
  for i = #open, 1, -1 do
    open[i]:close()
    open[i] = nil
  end
end

--- Ends the whole process when a play hangs.
local function guard(limit)
  moonpeer.sleep(limit)
  io.stderr:write("a play on the stage takes too long\n")
  os.exit(false)
end

function sockets.run(fn)
  local good, message = pcall(moonpeer.run, function()
    local _ <close> = moonpeer.spawn(guard, sockets.limit)
    fn()
  end)
  close_all()
  collectgarbage()
  assert(moonpeer.run())
  if not good then
    error(message, 0)
  end
end

--- Adds what every stage has in common.
local function complete(one)
  --- Waits until the condition holds; that it does is a check of the spec.
  function one.await(what, condition)
    local late = one.now() + 10
    while not condition() do
      assert(one.now() < late, "expected " .. what)
      one.sleep(0.002)
    end
  end

  --- An engine that runs, what it tells, and where it listens if it does.
  ---@return moonpeer.Engine, table[], string?
  function one.watched(config)
    local engine = one.engine(config)
    local log = watch.events(engine)
    if config.listen then
      one.await("a listener", function()
        return engine:address()
      end)
    end
    return engine, log, (engine:address())
  end

  --- An engine that listens on regtest, and a peer that has dialled it and
  --- has said nothing.
  function one.visited(config, options)
    config = config or {}
    config.network = config.network or "regtest"
    config.listen = one.host(1) .. ":0"
    local engine, log, address = one.watched(config)
    options = options or {}
    options.network = options.network or config.network
    return engine, log, assert(one.connect(address, options))
  end

  --- An engine on regtest that dials a peer, and that peer, which has said
  --- nothing.
  function one.visiting(config)
    local peer
    local listener = assert(one.listen(one.host(2) .. ":0", function(accepted)
      peer = accepted
    end, { network = "regtest" }))
    config = config or {}
    config.network, config.peers = "regtest", { listener.address }
    local engine, log = one.watched(config)
    one.await("a dial", function()
      return peer
    end)
    return engine, log, peer
  end

  --- Waits for an event, and gives its row.
  function one.event(log, kind, code)
    one.await(kind .. " " .. (code or ""), function()
      return log:find(kind, code)
    end)
    return log:find(kind, code)
  end

  --- Runs a play as an it.
  function one.it(name, fn)
    busted.it(name .. " (" .. one.name .. ")", function()
      one.run(fn, name)
    end)
  end
  return one
end

--- Describes something on every stage: fn(stage).
function stage.describe(name, fn)
  busted.describe(name, function()
    for _, one in ipairs { complete(sockets), complete(simulated) } do
      fn(one)
    end
  end)
end

return stage
