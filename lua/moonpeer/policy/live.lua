--- live - changing an engine's policies while it runs, as a transaction: what
--- is new is compiled, checked, tried on recent decisions, then swapped in
--- between two turns and watched for a while; when it fails, what was there
--- before comes back.
local core = require "moonpeer.core"
local fields = require "moonpeer.policy.fields"
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
  for _, decision in ipairs(fields.decisions) do
    local guard = entry.guards[decision]
    local counts = guard and guard:counts()
    if counts and (counts.errors > allowed or counts.state ~= "works") then
      return ("%s failed in %s: %s"):format(entry.name, decision,
        first_line(counts.last_error))
    end
  end
end

--- Asks it again what was decided last, without effect. Nil when it went
--- well.
local function probe(engine, entry)
  local stand_in = quiet.engine(engine)
  for _, row in ipairs(engine:decisions()) do
    local guard = entry.guards[row.decision]
    if guard then
      guard:call(nil, stand_in, quiet.replay(row))
    end
  end
  return complaint_of(entry, 0)
end

--- Takes over what the old one has saved.
local function hand_over(old, new, budget)
  local good, state = call(old, "save", budget.event)
  if good and state ~= nil then
    call(new, "restore", budget.event, state)
  end
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
        return nil, first_line(message)
      end
      entries[i], fresh[#fresh + 1] = made, { old = entry, new = made }
    end
  end
  return entries, fresh
end

--- Swaps members: what belongs to a generation comes and goes with it.
local function swap(self, entries, pairs_of)
  for _, pair in ipairs(pairs_of) do
    hand_over(pair.old, pair.new, self.stack.budget)
  end
  self.stack.entries = entries
  self.install()
  for _, pair in ipairs(pairs_of) do
    self.retire(pair.old)
  end
  self.settle()
end

local function watch(self, before, fresh)
  local due = core.now() + (self.probation or probation)
  while core.now() < due do
    core.sleep(math.min(1, due - core.now()))
    for _, pair in ipairs(fresh) do
      local message = complaint_of(pair.new, 2)
      if message then
        local back = {}
        for i, one in ipairs(fresh) do
          back[i] = { old = one.new, new = one.old }
        end
        swap(self, before, back)
        self.complain(("rolled back: %s"):format(message))
        return
      end
    end
  end
end

--- Does it, in a task.
---@param self table  engine, stack, install(), retire(entry), settle(),
---  complain(text), watch(fn): a task of the engine
---@return true|nil, string?, string?  nil, message, code
function live.reload(self)
  local entries, fresh = load_all(self.stack, self.engine)
  if not entries then
    self.complain(("reload refused, the policies are as before: %s")
      :format(fresh))
    return nil, fresh, "invalid_configuration"
  end
  local before = self.stack.entries
  swap(self, entries, fresh)
  self.watch(function()
    watch(self, before, fresh)
  end)
  return true
end

return live
