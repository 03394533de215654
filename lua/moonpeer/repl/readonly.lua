--- readonly - the names of a session that only looks: copies and plain data,
--- nothing through which anything could be changed.
local core = require "moonpeer.core"
local tables = require "moonpeer.policy.tables"

local readonly = {}

local harmless = {
  "assert", "error", "ipairs", "next", "pairs", "pcall", "select", "tonumber",
  "tostring", "type", "_VERSION",
}

local function copy(t, names)
  local made = {}
  for name, value in pairs(t) do
    made[name] = value
  end
  for _, name in ipairs(names or {}) do
    made[name] = nil
  end
  return made
end

local function plain_connection(connection)
  return {
    address = connection.address, inbound = connection.inbound,
    state = connection.state, rtt = connection.rtt,
    version = connection.version and copy(connection.version),
  }
end

--- A network is data; so is its copy.
local function deep(t)
  local made = {}
  for key, value in pairs(t) do
    made[key] = type(value) == "table" and deep(value) or value
  end
  return made
end

--- What may be asked of an engine, as plain data.
local function view(engine)
  local methods = {}
  function methods.connections(_, filter)
    local all, i = {}, 0
    for connection in engine:connections(filter) do
      all[#all + 1] = plain_connection(connection)
    end
    return function()
      i = i + 1
      return all[i]
    end
  end
  for _, name in ipairs { "address", "anchors", "config", "counts", "network",
    "explain", "policies", "stats" } do
    methods[name] = engine[name] and function(_, ...)
      return engine[name](engine, ...)
    end
  end
  return methods
end

local function lookup(session)
  return {
    engine = function()
      local engine = session:engine()
      return engine and view(engine)
    end,
    engines = function()
      return function()
        local all = {}
        for i, engine in ipairs(core.engines()) do
          all[i] = view(engine)
        end
        return all
      end
    end,
    moonpeer = function()
      return {
        version = core.version, network = deep(core.network),
        glob = core.glob, hex = core.hex, now = core.now, time = core.time,
        sleep = core.sleep,
      }
    end,
    help = function()
      return function(what)
        session.print(require("moonpeer.help").text(what))
      end
    end,
  }
end

--- The environment of a session that only looks.
---@param session table
---@return table
function readonly.environment(session)
  local own, lazy = session.own, lookup(session)
  for name in pairs(own) do
    own[name] = name == "print" and own[name] or nil
  end
  for _, name in ipairs(harmless) do
    own[name] = _G[name]
  end
  own.string, own.table = core.confined().string, tables.new()
  own.math = copy(math, { "randomseed" })
  own.utf8 = copy(utf8)
  return setmetatable({}, {
    __index = function(_, name)
      local value = own[name]
      if value == nil and lazy[name] then
        return lazy[name]()
      end
      return value
    end,
    __newindex = own,
    __metatable = "protected",
  })
end

return readonly
