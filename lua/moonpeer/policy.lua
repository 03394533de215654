--- policy - a stack of policies: each decision asks them in turn, and the first
--- answer wins. What can go wrong with one of their functions, its guard takes
--- care of (src/script/guard.h).
local core = require "moonpeer.core"
local fields = require "moonpeer.policy.fields"
local load_policy = require "moonpeer.policy.load"
local misuse = require "moonpeer.misuse"
local rules = require "moonpeer.policy.rules"
local sorted = require "moonpeer.sorted"

misuse.own_file()

local policy = {}

--- The stock policies, asked after all others.
local stock = {
  require "moonpeer.policies.handshake",
  require "moonpeer.policies.limits",
  require "moonpeer.policies.offences",
  require "moonpeer.policies.inbound",
  require "moonpeer.policies.selection",
  require "moonpeer.policies.retry",
  require "moonpeer.policies.addresses",
  require "moonpeer.policies.schedules",
}

--- Real time that one call may take, in seconds.
local budgets = { decision = 0.01, event = 0.05, load = 0.5 }

local budget_known = { memory = true }
for name in pairs(budgets) do -- any order: makes a set
  budget_known[name] = true
end

local function take_memory(bytes)
  if bytes == nil then
    return
  elseif math.type(bytes) ~= "integer" or bytes < 1 then
    misuse.raise("budget: expected a number of bytes as memory, got %s",
      tostring(bytes))
  end
  core.memory_limit(bytes)
end

--- Takes the configuration's budget: { decision, event, load, memory }.
---@param given? table
---@return table
function policy.budget(given)
  misuse.check_options("budget", given, budget_known)
  given = given or {}
  local budget = {}
  for name, seconds in sorted(budgets) do
    local value = given[name]
    budget[name] = value and misuse.duration(name, value) or seconds
  end
  take_memory(given.memory)
  return budget
end

local generations = 0

--- A number no policy has had.
function policy.next_generation()
  generations = generations + 1
  return generations
end

--- A member of a stack: a policy, and where it came from.
local function entry_of_table(one, i)
  local wrong = fields.complaint(("policies[%d]"):format(i), one)
  if wrong then
    misuse.raise("%s", wrong)
  end
  return {
    policy = one, name = one.name or ("policies[%d]"):format(i),
    generation = policy.next_generation(), confined = false,
  }
end

--- Loads a file as a member of a stack.
---@return table|nil, string?
function policy.entry_of_file(path, budget)
  local generation = policy.next_generation()
  local one, text = load_policy.file(path, budget.load, generation)
  if not one then
    return nil, text
  end
  return {
    policy = one, name = one.name or path, path = path, text = text,
    generation = generation, confined = true,
  }
end

local stack = {}
stack.__index = stack

--- Makes the guards of a member, one for each of its decisions.
local function guard(entry, budget)
  entry.guards = {}
  for _, decision in ipairs(fields.decisions) do
    if entry.policy[decision] then
      entry.guards[decision] = core.guard {
        fn = entry.policy[decision], policy = entry.name, name = decision,
        decision = decision, budget = budget.decision,
        generation = entry.generation, confined = entry.confined,
      }
    end
  end
  return entry
end

--- A stack of a list of tables and file names, the stock policies below.
--- Raises for what is neither; a file that cannot be used is a failure.
---@param list? (moonpeer.Policy|string)[]
---@param budget table  of policy.budget
---@return table|nil, string?
function policy.stack(list, budget)
  if list ~= nil and type(list) ~= "table" then
    misuse.raise("policies: expected a list of tables and file names, got %s",
      type(list))
  end
  local self = setmetatable({ entries = {}, budget = budget }, stack)
  for i, one in ipairs(list or {}) do
    local entry, message
    if type(one) == "string" then
      entry, message = policy.entry_of_file(one, budget)
      if not entry then
        return nil, message
      end
    else
      entry = entry_of_table(one, i)
    end
    self.entries[i] = guard(entry, budget)
  end
  for _, one in ipairs(stock) do
    self.entries[#self.entries + 1] = guard({
      policy = one, name = one.name, generation = 0, confined = false,
      is_stock = true,
    }, budget)
  end
  return self
end

--- Loads a file as a member that is not in the stack yet.
---@return table|nil, string?
function stack:load(path)
  local entry, message = policy.entry_of_file(path, self.budget)
  return entry and guard(entry, self.budget), message
end

--- A member that is not in the stack, of a table or a file name.
---@return table|nil, string?
function stack:member(one)
  if type(one) == "string" then
    return self:load(one)
  end
  return guard(entry_of_table(one, 0), self.budget)
end

--- Puts a function for each decision into a table.
---@param handlers table
function stack:install(handlers)
  for _, decision in ipairs(fields.decisions) do
    local guards = {}
    for _, entry in ipairs(self.entries) do
      guards[#guards + 1] = entry.guards[decision]
    end
    handlers[decision] = core.chain(guards)
  end
end

--- The rules of all policies, in order.
---@param entries? table[]  members; those of the stack
---@return table[]
function stack:rules(entries)
  local all = {}
  for _, entry in ipairs(entries or self.entries) do
    for _, rule in ipairs(rules.of(entry.name, entry.policy.rules)) do
      all[#all + 1] = rule
    end
  end
  return all
end

--- What each function has done so far.
---@return table[]
function stack:counts()
  local list = {}
  for _, entry in ipairs(self.entries) do
    for _, decision in ipairs(fields.decisions) do
      local one = entry.guards[decision]
      list[#list + 1] = one and one:counts()
    end
  end
  return list
end

return policy
