--- fields - what a policy may consist of, and whether a table is one.
local core = require "moonpeer.core"
local rules = require "moonpeer.policy.rules"
local sorted = require "moonpeer.sorted"

local fields = {}

--- The decisions, in the order in which they are explained.
fields.decisions = {
  "accept", "validate", "judge", "select", "retry", "evict", "keep",
}

--- The version of this interface; a policy may say which one it is for.
fields.api = 1

--- Everything a policy may have, and its type; what else it has is its own
--- business, unless it is a function or looks like a slip of the pen.
local known = {
  name = "string", version = "string", api = "number", about = "string",
  on = "table", rules = "table", schedule = "table",
  setup = "function", save = "function", restore = "function",
}
for _, decision in ipairs(fields.decisions) do
  known[decision] = "function"
end

local names = {}
for name in pairs(known) do -- any order: sorts them
  names[#names + 1] = name
end
table.sort(names)

--- The names of all fields.
fields.names = names

local function check_field(what, key, value)
  local expected = known[key]
  if expected and type(value) ~= expected then
    return ("%s.%s: expected a %s, got %s"):format(what, key, expected,
      type(value))
  elseif expected or type(key) ~= "string" then
    return nil
  end
  local near = core.nearest(key, names)
  if near or type(value) == "function" then
    return ("%s: unknown field %q%s"):format(what, key,
      near and ("; the nearest known is %q"):format(near) or "")
  end
end

local function check_listeners(what, listeners)
  for event, fn in sorted(listeners) do
    local near = core.nearest(tostring(event), core.events)
    local is_known = false
    for _, name in ipairs(core.events) do
      is_known = is_known or name == event
    end
    if not is_known then
      return ("%s.on: unknown event %q%s"):format(what, tostring(event),
        near and ("; the nearest known is %q"):format(near) or "")
    elseif type(fn) ~= "function" then
      return ("%s.on.%s: expected a function, got %s"):format(what, event,
        type(fn))
    end
  end
end

--- What is wrong with a policy, in words; nil when it is one.
---@param what string    its place: "policies[1]" or a file name
---@param policy any
---@return string|nil
function fields.complaint(what, policy)
  if type(policy) ~= "table" then
    return ("%s: expected a table of functions, got %s"):format(what,
      type(policy))
  end
  for key, value in sorted(policy) do
    local wrong = check_field(what, key, value)
    if wrong then
      return wrong
    end
  end
  if policy.api and policy.api ~= fields.api then
    return ("%s.api: expected %d, got %s: it is for another version"):format(
      what, fields.api, tostring(policy.api))
  end
  local _, message = rules.of(what, policy.rules)
  return message or policy.on and check_listeners(what, policy.on) or nil
end

return fields
