--- rules - what is declared in Lua and runs in C: how many messages of a
--- command, or offences of a code, are borne within a time.
---
---   { on = "inv", rate = "2000/10s", verdict = "throttle" }
---   { offence = "checksum_error", count = 3, within = "10m",
---     verdict = "ban", time = "1h", scope = "group", key = "address" }
---   { on = "addr", within = "1m", ladder = {
---     { count = 5, verdict = "observe" }, { count = 50, verdict = "ban" } },
---     exempt = { "10.0.0.0/8", "trusted" } }
local core = require "moonpeer.core"

local rules = {}

local known = {
  "name", "on", "offence", "rate", "count", "within", "key", "verdict",
  "time", "scope", "ladder", "exempt",
}
local step_known = { "count", "verdict", "time", "scope" }
local keys = { peer = true, address = true, group = true }

--- The first key that is not among the names, in words.
local function unknown(what, t, names)
  local is_known = {}
  for _, name in ipairs(names) do
    is_known[name] = true
  end
  for key in pairs(t) do
    if not is_known[key] then
      local near = core.nearest(tostring(key), names)
      return ("%s: unknown field %q%s"):format(what, tostring(key),
        near and ("; the nearest known is %q"):format(near) or "")
    end
  end
end

local function is_duration(value)
  return (pcall(core.duration, value))
end

--- A step of a ladder made regular: nil and what is wrong.
local function step_of(what, step)
  if type(step) ~= "table" then
    return nil, what .. ": expected a table as a step of the ladder"
  elseif math.type(step.count) ~= "integer" or step.count < 1 then
    return nil, ("%s: expected a whole number from 1 as count, got %s")
      :format(what, tostring(step.count))
  elseif type(step.verdict) ~= "string" or not core.is_answer(step.verdict)
  then
    return nil, ("%s: unknown verdict %s"):format(what,
      tostring(step.verdict))
  elseif step.time ~= nil and step.time ~= "forever"
    and not is_duration(step.time) then
    return nil, ("%s: expected a duration as time, got %s"):format(what,
      tostring(step.time))
  elseif step.scope ~= nil and step.scope ~= "address"
    and step.scope ~= "group" then
    return nil, ('%s: expected "address" or "group" as scope, got %s')
      :format(what, tostring(step.scope))
  end
  return {
    count = step.count, answer = step.verdict, time = step.time,
    group = step.scope == "group",
  }
end

--- "2000/10s" into its parts.
local function split_rate(rate)
  local count, within = tostring(rate):match "^(%d+)/(.+)$"
  if within and within:match "^%a" then
    within = "1" .. within
  end
  return math.tointeger(tonumber(count)), within
end

--- The steps and the window.
local function ladder_of(what, rule)
  local count, within = rule.count, rule.within
  if rule.rate then
    count, within = split_rate(rule.rate)
    if not count then
      return nil, ('%s: expected a rate such as "2000/10s", got %s'):format(
        what, tostring(rule.rate))
    end
  end
  if not is_duration(within) or core.duration(within) <= 0 then
    return nil, ("%s: expected within, a duration, got %s"):format(what,
      tostring(within))
  end
  local steps = {}
  for i, step in ipairs(rule.ladder or { {
    count = count, verdict = rule.verdict, time = rule.time,
    scope = rule.scope,
  } }) do
    local wrong = type(step) == "table" and unknown(what, step, step_known)
    local made, message = step_of(what, step)
    if wrong or not made then
      return nil, wrong or message
    end
    steps[i] = made
  end
  return steps, core.duration(within)
end

local function exempt_of(what, rule)
  local prefixes, trusted = {}, false
  for _, text in ipairs(rule.exempt or {}) do
    if text == "trusted" then
      trusted = true
    elseif type(text) ~= "string" or not core.is_scope(text)
      or text == "address" or text == "group" then
      return nil, ('%s: expected prefixes or "trusted" as exempt, got %s')
        :format(what, tostring(text))
    else
      prefixes[#prefixes + 1] = text
    end
  end
  return prefixes, trusted
end

local function check_subject(what, rule)
  if (rule.on == nil) == (rule.offence == nil) then
    return what .. ": expected either on, a command, or offence, a code"
  elseif rule.on ~= nil
    and (type(rule.on) ~= "string" or #rule.on < 1 or #rule.on > 12) then
    return ("%s: expected a command as on, got %s"):format(what,
      tostring(rule.on))
  elseif rule.offence ~= nil and rule.offence ~= "any"
    and (type(rule.offence) ~= "string"
      or not core.is_offence(rule.offence)) then
    return ("%s: unknown offence %s"):format(what, tostring(rule.offence))
  elseif rule.key ~= nil and not keys[rule.key] then
    return ('%s: expected "peer", "address" or "group" as key, got %s')
      :format(what, tostring(rule.key))
  end
end

--- Makes one rule regular: nil and what is wrong.
local function rule_of(what, rule, default_name)
  if type(rule) ~= "table" then
    return nil, ("%s: expected a table, got %s"):format(what, type(rule))
  end
  local wrong = unknown(what, rule, known) or check_subject(what, rule)
  if wrong then
    return nil, wrong
  end
  local steps, window = ladder_of(what, rule)
  local exempt, trusted = exempt_of(what, rule)
  if not steps or not exempt then
    return nil, not steps and window or trusted
  end
  return {
    name = tostring(rule.name or default_name):sub(1, 31), command = rule.on,
    offence = rule.offence ~= "any" and rule.offence or nil,
    key = rule.key or "peer", window = window, steps = steps,
    exempt = exempt, trusted = trusted,
  }
end

--- All rules of a policy: nil and what is wrong.
---@param what string    its name
---@param list table[]
---@return table[]|nil, string?
function rules.of(what, list)
  local made = {}
  for i, rule in ipairs(list or {}) do
    local place = ("%s.rules[%d]"):format(what, i)
    local message
    made[i], message = rule_of(place, rule, ("%s %d"):format(what, i))
    if not made[i] then
      return nil, message
    end
  end
  return made
end

return rules
