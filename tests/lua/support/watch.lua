--- watch - what an engine tells, written down; with a full collection in
--- every hook.
local core = require "moonpeer.core"

local watch = {}

--- The same function, with everything that is garbage gone before and after.
function watch.collected(fn)
  return function(...)
    collectgarbage()
    local results = table.pack(fn(...))
    collectgarbage()
    return table.unpack(results, 1, results.n)
  end
end

local function note(log, event)
  local row = {}
  for _, name in ipairs {
    "type", "code", "reason", "address", "verdict", "verdict_reason", "count",
  } do
    row[name] = event[name]
  end
  row.state = event.connection and event.connection.state
  row.inbound = event.connection and event.connection.inbound
  log[#log + 1] = row
end

--- Writes down every event but messages.
---@return table[]  also a function of it: log:find(type) -> first row
function watch.events(engine)
  local log = {}
  function log:find(kind, code)
    for _, row in ipairs(self) do
      if row.type == kind and (not code or row.code == code) then
        return row
      end
    end
  end
  function log:count(kind)
    local n = 0
    for _, row in ipairs(self) do
      n = n + (row.type == kind and 1 or 0)
    end
    return n
  end
  for _, name in ipairs(core.events) do
    if name ~= "message" and name ~= "chunk" then
      engine:on(name, "watch", watch.collected(function(event)
        note(log, event)
      end))
    end
  end
  return log
end

--- A policy whose every decision is fn(decision, ...), with collections.
function watch.policy(decisions)
  local policy = { name = "spec" }
  for name, fn in pairs(decisions) do
    policy[name] = watch.collected(fn)
  end
  return policy
end

return watch
