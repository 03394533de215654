--- policy - a list of policies as one: the first answer wins.
local core = require "moonpeer.core"
local words = require "moonpeer.words"

local policy = {}

--- The stock policies, asked after all others.
local stock = {
  require "moonpeer.policies.handshake",
  require "moonpeer.policies.offences",
  require "moonpeer.policies.inbound",
  require "moonpeer.policies.selection",
  require "moonpeer.policies.retry",
}

--- Whether a decision's values make sense; what does not is an error, and the
--- next policy is asked.
local function is_boolean(answer)
  return type(answer) == "boolean"
end

local function is_duration(value)
  return (pcall(core.duration, value))
end

local verdict_options = {
  time = is_duration,
  scope = function(value)
    return type(value) == "string" and core.is_scope(value)
  end,
}

local function are_options(options)
  if type(options) ~= "table" then
    return options == nil
  end
  for key, value in pairs(options) do
    local is_good = verdict_options[key]
    if not is_good or not is_good(value) then
      return false
    end
  end
  return true
end

local checks = {
  accept = is_boolean,
  keep = is_boolean,
  select = function(answer)
    return type(answer) == "table"
  end,
  retry = function(answer)
    return answer == false or is_duration(answer)
  end,
  evict = function(answer)
    return answer == false or type(answer) == "userdata"
  end,
  validate = function(answer, code)
    return answer == "ok"
      or (answer == "offence" and type(code) == "string"
        and core.is_offence(code))
  end,
  judge = function(answer, reason, options)
    return type(answer) == "string" and core.is_answer(answer)
      and (reason == nil or type(reason) == "string")
      and are_options(options)
  end,
}

local function report(one, decision, message)
  io.stderr:write(("moonpeer: policy %q failed in %s: %s\n"):format(
    one.name or "?", decision, message))
end

--- Keeps a good answer; reports an error or nonsense.
local function take(one, decision, good, answer, second, third)
  if not good then
    report(one, decision, words.raised(answer))
  elseif answer ~= nil then
    if checks[decision](answer, second, third) then
      return true
    end
    report(one, decision, ("nonsense answer %s, %s"):format(
      words.raised(answer), words.raised(second)))
  end
  return false
end

--- One function that asks each policy in turn.
local function ask(list, decision)
  return function(...)
    for _, one in ipairs(list) do
      if one[decision] then
        local good, answer, second, third =
          xpcall(one[decision], debug.traceback, ...)
        if take(one, decision, good, answer, second, third) then
          return answer, second, third
        end
      end
    end
  end
end

local function check(one, i)
  if type(one) ~= "table" then
    error(("policies[%d]: expected a table of functions, got %s"):format(
      i, type(one)), 4)
  end
  for decision in pairs(checks) do
    if one[decision] ~= nil and type(one[decision]) ~= "function" then
      error(("policies[%d].%s: expected a function, got %s"):format(
        i, decision, type(one[decision])), 4)
    end
  end
end

--- Turns a list of policies into one table of decisions, stock policies last.
---@param list moonpeer.Policy[]  the first answer wins
---@return table  a function for each decision
function policy.chain(list)
  local all = {}
  if type(list) ~= "table" then
    error("policies: expected a list of tables, got " .. type(list), 3)
  end
  for i, one in ipairs(list) do
    check(one, i)
    all[i] = one
  end
  table.move(stock, 1, #stock, #all + 1, all)
  local chain = {}
  for decision in pairs(checks) do
    chain[decision] = ask(all, decision)
  end
  return chain
end

return policy
