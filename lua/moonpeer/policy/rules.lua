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
local sorted = require "moonpeer.sorted"

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
  for key in sorted(t) do
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

local function is_count(value)
  return math.type(value) == "integer" and value >= 1
end

local function is_verdict(value)
  return type(value) == "string" and core.is_answer(value)
end

local function is_ban_time(value)
  return value == nil or value == "forever" or is_duration(value)
end

local function is_ban_scope(value)
  return value == nil or value == "address" or value == "group"
end

--- Of a step: field, what it may be, and the words for when it is not.
local step_checks = {
  { "count", is_count, "expected a whole number from 1 as count, got %s" },
  { "verdict", is_verdict, "unknown verdict %s" },
  { "time", is_ban_time, "expected a duration as time, got %s" },
  { "scope", is_ban_scope,
    'expected "address" or "group" as scope, got %s' },
}

--- The first field that fails its check, in words.
local function complaint(what, t, checks)
  for _, check in ipairs(checks) do
    local field, is_good, words = table.unpack(check)
    if not is_good(t[field]) then
      return ("%s: " .. words):format(what, tostring(t[field]))
    end
  end
end

--- A step of a ladder made regular: nil and what is wrong.
local function step_of(what, step)
  if type(step) ~= "table" then
    return nil, what .. ": expected a table as a step of the ladder"
  end
  local wrong = unknown(what, step, step_known)
    or complaint(what, step, step_checks)
  if wrong then
    return nil, wrong
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

--- How many within which time a rule without a ladder bears: nil and what is
--- wrong.
local function limit_of(what, rule)
  if not rule.rate then
    return rule.count or false, rule.within
  end
  local count, within = split_rate(rule.rate)
  if not count then
    return nil, ('%s: expected a rate such as "2000/10s", got %s'):format(
      what, tostring(rule.rate))
  end
  return count, within
end

-- as in src/moonpeer/rules.h
local steps_most, exempt_most = 5, 16

local function is_ladder(value)
  return value == nil or type(value) == "table" and #value >= 1
    and #value <= steps_most
end

--- The steps and the window: nil and what is wrong.
local function ladder_of(what, rule)
  local count, within = limit_of(what, rule)
  if count == nil then
    return nil, within
  elseif not is_duration(within) or core.duration(within) <= 0 then
    return nil, ("%s: expected within, a duration, got %s"):format(what,
      tostring(within))
  elseif not is_ladder(rule.ladder) then
    return nil, ("%s: expected a list of 1 to %d steps as ladder"):format(
      what, steps_most)
  end
  local only = { {
    count = count or nil, verdict = rule.verdict, time = rule.time,
    scope = rule.scope,
  } }
  local steps = {}
  for i, step in ipairs(rule.ladder or only) do
    local made, message = step_of(what, step)
    if not made then
      return nil, message
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

local function is_command(value)
  return value == nil
    or type(value) == "string" and #value >= 1 and #value <= 12
end

local function is_offence(value)
  return value == nil or value == "any"
    or type(value) == "string" and core.is_offence(value)
end

local function is_key(value)
  return value == nil or type(value) == "string" and keys[value] == true
end

local function is_exempt(value)
  return value == nil or type(value) == "table" and #value <= exempt_most
end

local rule_checks = {
  { "on", is_command, "expected a command as on, got %s" },
  { "offence", is_offence, "unknown offence %s" },
  { "key", is_key, 'expected "peer", "address" or "group" as key, got %s' },
  { "exempt", is_exempt, "expected up to 16 prefixes as exempt, got %s" },
}

local function check_rule(what, rule)
  if type(rule) ~= "table" then
    return ("%s: expected a table, got %s"):format(what, type(rule))
  elseif (rule.on == nil) == (rule.offence == nil) then
    return unknown(what, rule, known)
      or what .. ": expected either on, a command, or offence, a code"
  end
  return unknown(what, rule, known) or complaint(what, rule, rule_checks)
end

--- Makes one rule regular: nil and what is wrong.
local function rule_of(what, rule, default_name)
  local wrong = check_rule(what, rule)
  if wrong then
    return nil, wrong
  end
  local steps, window = ladder_of(what, rule)
  if not steps then
    return nil, window
  end
  local exempt, trusted = exempt_of(what, rule)
  if not exempt then
    return nil, trusted
  end
  local offence = rule.offence ~= "any" and rule.offence or nil
  return {
    name = tostring(rule.name or default_name):sub(1, 31), command = rule.on,
    offence = offence, key = rule.key or "peer", window = window,
    steps = steps, exempt = exempt, trusted = trusted,
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
