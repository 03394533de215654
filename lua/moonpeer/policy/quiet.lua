--- quiet - stand-ins for an engine and what it hands to policies: they answer
--- questions, and what they are told to do they do not. For policies that are
--- only tried.
local quiet = {}

local questions = {
  engine = {
    "address", "network", "config", "counts", "backoff", "anchors", "pick",
    "policies", "rules", "schedule", "decisions", "explain", "peers", "stats",
    "trusts", "trial",
  },
  store = {
    "read", "list_all", "find_by_status", "find_by_ip_port",
    "count_by_status", "each", "pick", "group", "is_discouraged", "value",
    "values",
  },
  bans = { "get", "find", "each", "count", "export" },
}

local function nothing()
  return true
end

local fields = {
  "address", "inbound", "state", "version", "rtt", "peer",
}

--- Stand-ins and what they stand for.
local originals = setmetatable({}, { __mode = "k" })

--- What an answer of who was handed stand-ins means.
function quiet.original(value)
  return originals[value] or value
end

--- A copy of what is plain data, tables in it too: the one who decides after
--- a trial sees nothing of what the trial wrote there.
local function copied(value)
  if type(value) ~= "table" or originals[value] then
    return value
  end
  local copy = {}
  for name, field in pairs(value) do -- any order: copies
    copy[name] = copied(field)
  end
  return copy
end

--- What has the answers of another, to some questions; all else does nothing.
local function ask_only(other, names)
  local made = {}
  for _, name in ipairs(names) do
    made[name] = function(_, ...)
      local fn = other[name]
      if fn then
        return fn(other, ...)
      end
    end
  end
  return setmetatable(made, {
    __index = function()
      return nothing
    end,
    __len = function()
      return #other
    end,
    __tostring = function()
      return tostring(other) .. " (trial)"
    end,
  })
end

--- A connection that cannot be closed or talked on. Its fields are those of
--- now.
---@param connection moonpeer.Connection|table
---@return table
function quiet.connection(connection)
  local copy = {}
  for _, name in ipairs(fields) do
    local good, value = pcall(function()
      return connection[name]
    end)
    copy[name] = good and copied(value) or nil
  end
  originals[copy] = connection
  return setmetatable(copy, {
    __index = function(_, name)
      return type(name) == "string" and name ~= "version" and name ~= "rtt"
        and name ~= "peer" and nothing or nil
    end,
    __tostring = function()
      return "connection " .. tostring(copy.address)
    end,
  })
end

--- An engine that cannot be told anything.
---@param engine moonpeer.Engine
---@return table
function quiet.engine(engine)
  local made = ask_only(engine, questions.engine)
  made.store = ask_only(engine.store, questions.store)
  made.store.bans = ask_only(engine.store.bans, questions.bans)
  function made.connections(_, filter)
    local next_one = engine:connections(filter)
    return function()
      local connection = next_one()
      return connection and quiet.connection(connection)
    end
  end
  return made
end

local function quiet_candidates(candidates)
  local list = {}
  for i, one in ipairs(candidates) do
    list[i] = copied(one)
    list[i].connection = quiet.connection(one.connection)
  end
  return list
end

--- The arguments of a decision, after the engine.
---@param decision string
function quiet.arguments(decision, first, second)
  if decision == "judge" or decision == "validate" then
    first = quiet.connection(first)
  elseif decision == "evict" then
    first = quiet_candidates(first)
  end
  return first, copied(second)
end

--- The arguments of a decision that was written down (engine:decisions), as
--- near as they can be had.
---@param row table
---@param store table  where its peer may be
---@return any ...
function quiet.replay(row, store)
  local inputs = row.inputs
  local connection = quiet.connection {
    address = inputs.address, inbound = inputs.inbound, state = "connected",
    version = { user_agent = inputs.user_agent, version = inputs.version },
  }
  local made = {
    accept = { inputs.address }, keep = { inputs.address, inputs.source },
    retry = { inputs.address and store:find_by_ip_port(inputs.address) or nil,
      { code = inputs.code, attempts = inputs.count,
        address = inputs.address } },
    select = { inputs.count }, evict = { {}, inputs.address },
    judge = { connection, { code = inputs.code, message = inputs.message,
      count = inputs.count, dropped = inputs.dropped } },
    validate = { connection, { user_agent = inputs.user_agent or "",
      version = inputs.version } },
  }
  return table.unpack(made[row.decision], 1, 2)
end

return quiet
