--- live - changing an engine's policies while it runs, as a transaction: what
--- is new is compiled, checked, tried on recent decisions, then swapped in
--- between two turns and watched for a while; when it fails, what was there
--- before comes back.
local core = require "moonpeer.core"
local fields = require "moonpeer.policy.fields"
local misuse = require "moonpeer.misuse"
local quiet = require "moonpeer.policy.quiet"

local live = {}

local probation = 30 -- seconds in which a failing policy is taken back

--- Calls one of the policy's own functions as everything of it is called.
local function call(entry, name, budget, ...)
  local fn = entry.policy[name]
  if not fn then
    return true
  end
  local result
  local guard = core.guard {
    fn = function(...)
      result = fn(...)
    end,
    policy = entry.name, name = name, budget = budget,
    generation = entry.generation, confined = entry.confined,
  }
  guard:call(nil, ...)
  local counts = guard:counts()
  return counts.errors == 0, result, counts.last_error
end

live.call = call

local function first_line(text)
  return tostring(text):match "^[^\n]*"
end

--- What has gone wrong in a member's functions so far.
local function complaint_of(entry, allowed)
  local guards = {}
  for _, decision in ipairs(fields.decisions) do
    guards[#guards + 1] = entry.guards[decision]
  end
  for _, event in ipairs(misuse.names(entry.listeners or {})) do
    guards[#guards + 1] = entry.listeners[event]
  end
  for _, guard in ipairs(guards) do
    local counts = guard:counts()
    if counts.errors > allowed or counts.state ~= "works" then
      return ("%s failed in %s: %s"):format(entry.name, counts.name,
        first_line(counts.last_error))
    end
  end
end

--- Asks it again what was decided last, without effect; but not whom to
--- evict, as those who were to choose from are gone. Nil when it went well.
local function probe(engine, entry)
  local stand_in = quiet.engine(engine)
  for _, row in ipairs(engine:decisions()) do
    local guard = entry.guards[row.decision]
    if guard and row.decision ~= "evict" then
      guard:call(nil, stand_in, quiet.replay(row, stand_in.store))
    end
  end
  return complaint_of(entry, 0)
end

--- What setup said of itself when it failed; nil when it went well.
---@param entry table   of a stack
---@param budget number  seconds
---@return string|nil
function live.set_up(entry, budget, engine)
  local good, _, message = call(entry, "setup", budget, engine)
  return not good
    and ("%s failed in setup: %s"):format(entry.name, first_line(message))
    or nil
end

--- New members for those that came from files; nil and why not.
local function load_all(stack, engine)
  local entries, fresh = {}, {}
  for i, entry in ipairs(stack.entries) do
    entries[i] = entry
    if entry.path then
      local made, message = stack:load(entry.path)
      if made then
        message = probe(engine, made)
      end
      if message then
        return nil, message
      end
      entries[i], fresh[#fresh + 1] = made, { old = entry, new = made }
    end
  end
  return entries, fresh
end

--- What the old ones wish to hand over: entry -> state.
local function save_all(fresh, budget)
  local states = {}
  for _, pair in ipairs(fresh) do
    local good, state = call(pair.old, "save", budget.event)
    states[pair.new] = good and state or nil
  end
  return states
end

--- Hands it over. Nil when it went well.
local function restore_all(states, fresh, budget)
  for _, pair in ipairs(fresh) do
    local state = states[pair.new]
    if state ~= nil then
      local good, _, message = call(pair.new, "restore", budget.event, state)
      if not good then
        return ("%s failed in restore: %s"):format(pair.new.name,
          first_line(message))
      end
    end
  end
end

--- Swaps members: what belongs to a generation comes and goes with it. Nil
--- when it went well, else why those that came cannot be used.
local function swap(self, entries, pairs_of)
  self.stack.entries = entries
  self.install()
  for _, pair in ipairs(pairs_of) do
    self.retire(pair.old)
  end
  return self.settle()
end

--- The same members the other way round.
local function reversed(pairs_of)
  local back = {}
  for i, one in ipairs(pairs_of) do
    back[i] = { old = one.new, new = one.old }
  end
  return back
end

local function watch(self, before, fresh)
  local due = core.now() + (self.probation or probation)
  while core.now() < due do
    core.sleep(math.min(1, due - core.now()))
    for _, pair in ipairs(fresh) do
      local message = complaint_of(pair.new, 2)
      if message then
        swap(self, before, reversed(fresh))
        self.complain(("rolled back: %s"):format(message))
        return
      end
    end
  end
end

--- Does it, in a task.
---@param self table  engine, stack, check(entries), install(),
---  retire(entry), settle(), complain(text), watch(fn): a task of the engine
---@return true|nil, string?, string?  nil, message, code
function live.reload(self)
  local function refuse(message)
    message = first_line(message)
    self.complain(("reload refused, the policies are as before: %s")
      :format(message))
    return nil, message, "invalid_configuration"
  end
  local entries, fresh = load_all(self.stack, self.engine)
  local wrong = not entries and fresh or self.check(entries)
  if wrong then
    return refuse(wrong)
  end
  local before, budget = self.stack.entries, self.stack.budget
  local states = save_all(fresh, budget)
  wrong = swap(self, entries, fresh) or restore_all(states, fresh, budget)
  if wrong then
    swap(self, before, reversed(fresh))
    return refuse(wrong)
  end
  self.watch(function()
    watch(self, before, fresh)
  end)
  return true
end

return live
