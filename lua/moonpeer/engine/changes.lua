--- changes - policies of an engine put in place, replaced and tried.
local core = require "moonpeer.core"
local follow = require "moonpeer.policy.follow"
local listeners = require "moonpeer.engine.listeners"
local log = require "moonpeer.log"
local live = require "moonpeer.policy.live"
local misuse = require "moonpeer.misuse"
local schedule = require "moonpeer.schedule"
local shadow = require "moonpeer.policy.shadow"

misuse.own_file()

local changes = {}

local methods = core.methods "moonpeer.engine"
local set_rules, end_tasks = methods.set_rules, methods.end_tasks
local spawn_on = methods.spawn_on
methods.set_rules, methods.end_tasks = nil, nil

local function text_of(value)
  if type(value) ~= "table" then
    return ("%q"):format(value)
  end
  local parts = {}
  for _, name in ipairs(misuse.names(value)) do
    local part = value[name]
    parts[#parts + 1] = name .. "="
      .. text_of(part == nil and value[tonumber(name)] or part)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

--- Rules that are as before go on counting.
local function put_rules(self, handlers, entries)
  local list = handlers.stack:rules(entries)
  local text = text_of(list)
  if handlers.rules_text == text then
    return true
  end
  local good, message, code = set_rules(self, list)
  handlers.rules_text = good and text or handlers.rules_text
  return good, message, code
end

--- Puts other jobs of the configuration in place, with those of the policies.
---@param given table  name -> job, or false for none
---@param jobs table[]  of schedule.jobs, made of these
function changes.put_jobs(self, given, jobs)
  local handlers = listeners.of(self)
  handlers.given_jobs, handlers.jobs = given, jobs
  if handlers.schedule then
    handlers.schedule:change(jobs)
  end
end

--- Puts in place what the members of the stack declare besides functions.
---@return true|nil, string?, string?  nil, message, code
function changes.settle(self)
  local handlers = listeners.of(self)
  local good, message, code = put_rules(self, handlers)
  if not good then
    return nil, message, code
  end
  for _, entry in ipairs(handlers.stack.entries) do
    if not entry.is_settled then
      message = live.set_up(entry, handlers.budget.event, self)
      if message then
        return nil, message, "invalid_configuration"
      end
      entry.is_settled = true
      listeners.declare(self, entry)
    end
  end
  changes.put_jobs(self, handlers.given_jobs,
    schedule.jobs(handlers.given_jobs, handlers.stack.entries))
  return true
end

--- Whether what other members would declare makes sense: nil, or why not.
local function check(self, entries)
  local handlers = listeners.of(self)
  local good, message = pcall(schedule.jobs, handlers.given_jobs, entries)
  if not good then
    return misuse.bare(message)
  end
  good, message = put_rules(self, handlers, entries)
  return not good and message or nil
end

--- Lets the stack decide, and who is on trial beside it.
function changes.install(self)
  local handlers = listeners.of(self)
  handlers.stack:install(handlers)
  if handlers.shadow then
    handlers.shadow_report = shadow.install(handlers.shadow, handlers)
  end
end

--- Puts a member on trial, or nobody.
---@param one? moonpeer.Policy|string  what the member was made of
---@param entry? table  the member
function changes.put_shadow(self, one, entry)
  local handlers = listeners.of(self)
  handlers.given_shadow, handlers.shadow = one, entry
  handlers.shadow_report = nil
  changes.install(self)
end

--- What a change of policies needs of the engine.
local function changes_of(self)
  return {
    engine = self, stack = listeners.of(self).stack,
    install = function()
      changes.install(self)
    end,
    retire = function(entry)
      entry.is_settled = false
      listeners.retire(self, entry)
      end_tasks(self, entry.generation)
    end,
    check = function(entries)
      return check(self, entries)
    end,
    settle = function()
      local _, message = changes.settle(self)
      return message
    end,
    complain = function(text)
      log.say("policy", text, true)
      self:complain(text)
    end,
    watch = function(fn)
      listeners.of(self).watching = spawn_on(self, { owned = true }, fn)
    end,
  }
end

--- In a task, and without waiting: nothing else happens meanwhile.
local function reload_now(self, handlers)
  handlers.reload, handlers.is_reloading = nil, true
  local results = table.pack(pcall(live.reload, changes_of(self)))
  handlers.is_reloading = false
  if not results[1] then
    error(results[2], 0)
  end
  return table.pack(table.unpack(results, 2, results.n))
end

--- Reads the policies that came from files again, from the next turn on. What
--- does not compile, check or pass a trial changes nothing; what fails within
--- 30 s after is taken back. In a task it waits for the outcome.
---@return true|nil, string?, string?  nil, message, code
function methods:reload()
  local handlers = listeners.of(self)
  if handlers.is_reloading then
    error("reload is under way; setup, save and restore cannot ask for "
      .. "another", 2)
  end
  if handlers.watching then
    handlers.watching:cancel()
  end
  local task = handlers.reload or misuse.guard("reload", spawn_on, self,
    { owned = true }, reload_now, self, handlers)
  handlers.reload = task
  if not core.in_task() then
    return true
  end
  local results, message, code = task:wait()
  if not results then
    return nil, message, code
  end
  return table.unpack(results, 1, results.n)
end

--- Reloads by itself when a policy's file changes, until it is called with
--- false. What is wrong with the file policy_failed tells, and nothing changes.
---@param every? number|string|false  how often it looks; 0.5 s
function methods:watch(every)
  local handlers = listeners.of(self)
  if handlers.following then
    handlers.following:cancel()
    handlers.following = nil
  end
  if every == false then
    return
  end
  local seconds = misuse.duration("watch", every or 0.5)
  handlers.following = misuse.guard("watch", spawn_on, self, { owned = true },
    follow.run, handlers.stack.entries, math.max(seconds, 0.01), function()
      self:reload()
    end)
end

--- Lets a policy decide beside the active ones, without effect; nil ends that.
---@param one? moonpeer.Policy|string  a table or a file name
---@return true|nil, string?, string?  nil, message, code
function methods:try(one)
  local entry, message
  if one ~= nil then
    entry, message = listeners.of(self).stack:member(one)
    if not entry then
      return nil, message, "invalid_configuration"
    end
  end
  changes.put_shadow(self, one, entry)
  return true
end

--- How the policy of try would have decided: asked, differs, differences.
---@return table|nil
function methods:trial()
  return listeners.of(self).shadow_report
end

return changes
