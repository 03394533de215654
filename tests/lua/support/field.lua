--- field - worlds for specs of engines: engines that write down what they
--- tell, with the time, and remotes of one word.
local busted = require "busted"
local core = require "moonpeer.core"
local sim = require "moonpeer.sim"
local watch = require "support.watch"
local wire = require "support.wire"

local field = {}

local hello = table.concat { wire.hello() }

local taken = {
  "type", "code", "reason", "address", "verdict", "verdict_reason", "count",
  "prefix", "time", "expires", "ban_reason", "origin",
}

--- Writes down every event but messages; each row has `at`, the world's time,
--- and `state` and `inbound` of its connection.
---@return table[]  also log:find(type, code), log:all(type, code)
function field.log(world, engine)
  local log = {}
  function log:all(kind, code)
    local rows = {}
    for _, row in ipairs(self) do
      if row.type == kind and (not code or row.code == code) then
        rows[#rows + 1] = row
      end
    end
    return rows
  end
  function log:find(kind, code)
    return self:all(kind, code)[1]
  end
  for _, name in ipairs(core.events) do
    if name ~= "message" and name ~= "chunk" and name ~= "decision" then
      engine:on(name, "log", watch.collected(function(event)
        local row = { at = world:now() }
        for _, key in ipairs(taken) do
          row[key] = event[key]
        end
        local connection = event.connection
        row.connection = connection
        row.state = connection and connection.state
        row.inbound = connection and connection.inbound
        log[#log + 1] = row
      end))
    end
  end
  return log
end

--- An engine and its log.
function field.engine(world, address, config)
  local engine = world:engine(address, config)
  return engine, field.log(world, engine)
end

--- A remote that dials, has shaken hands by raw bytes, and then does
--- fn(connection, remote); gives what became of it: connection, code, is_in.
---@param at string        the engine's address
---@param version? string  the bytes it says first
function field.guest(world, address, at, fn, version)
  local seen = {}
  seen.remote = world:remote(address, function(remote)
    local connection, _, code = remote:dial(at)
    seen.connection, seen.code = connection, code
    if not connection then
      return
    end
    connection:send_raw(version or hello)
    if connection:receive("verack", 5) then
      seen.is_in = true
      fn(connection, remote)
    end
  end)
  return seen
end

--- A remote that shakes hands with everyone and stays; its count of visitors
--- is `visits`, their times are in `times`.
function field.node(world, address, overrides, stay)
  local seen = { visits = 0, times = {} }
  seen.remote = world:remote(address, function(remote)
    remote:serve(function(connection)
      seen.visits = seen.visits + 1
      seen.times[seen.visits] = world:now()
      seen.last = connection
      if connection:handshake(overrides) then
        (stay or connection.receive)(connection, "nothing")
      end
    end)
  end)
  return seen
end

--- A remote that takes every connection and says nothing.
function field.silent(world, address)
  local seen = { visits = 0, times = {} }
  seen.remote = world:remote(address, function(remote)
    remote:serve(function(connection)
      seen.visits = seen.visits + 1
      seen.times[seen.visits] = world:now()
      connection:receive "nothing"
    end)
  end)
  return seen
end

--- A host where nobody listens: dials are refused.
function field.empty(world, address)
  return world:remote(address, function() end)
end

--- The times between rows.
function field.gaps(rows)
  local gaps = {}
  for i = 2, #rows do
    gaps[i - 1] = rows[i].at - rows[i - 1].at
  end
  return gaps
end

--- Runs fn(world) as an it; nothing may be left when it is over.
---@param options? table  of the world: seed, network, trace
function field.it(name, fn, options)
  busted.it(name, function()
    options = options or {}
    local world <close> = sim.world {
      seed = options.seed or 1, network = options.network or "regtest",
      trace = options.trace,
    }
    fn(world)
  end)
end

return field
