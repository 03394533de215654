--- configure - the configuration of an engine, changed while it runs: all of
--- what is asked for, or nothing.
local changes = require "moonpeer.engine.changes"
local core = require "moonpeer.core"
local listeners = require "moonpeer.engine.listeners"
local misuse = require "moonpeer.misuse"
local schedule = require "moonpeer.schedule"

misuse.own_file()

local methods = core.methods "moonpeer.engine"
local configure_core = methods.configure

-- --- what lasts as long as the engine --------------------------------------

--- The same value, or a table of the same fields.
local function is_same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  for key, value in pairs(a) do -- any order: all must hold
    if b[key] ~= value then
      return false
    end
  end
  for key in pairs(b) do -- any order: all must hold
    if a[key] == nil then
      return false
    end
  end
  return true
end

local function is_own_store(self, store)
  return store == self.store or store == self.store.url
end

--- Of keys that cannot change: whether it is as it was, and what to do instead.
local lasting = {
  { "policies", function(self, given)
    return is_same(given, listeners.of(self).given.policies or {})
  end, "change their files and call engine:reload" },
  { "store", is_own_store, "make another engine with it" },
  { "budget", function(self, given)
    return is_same(given, listeners.of(self).given.budget or {})
  end, "make another engine with it" },
}

---@return string|nil  what is wrong
local function check_lasting(self, wanted)
  for _, row in ipairs(lasting) do
    local key, is_kept, instead = table.unpack(row)
    if wanted[key] ~= nil and not is_kept(self, wanted[key]) then
      return ("%s: expected what the engine was made with, which cannot "
        .. "change while it lives, got another; %s"):format(key, instead)
    end
  end
end

-- --- what Lua keeps --------------------------------------------------------

--- Another schedule, made but not put in place: nil when there is none.
local function make_jobs(self, given)
  local handlers = listeners.of(self)
  if given == nil or given == handlers.given_jobs then
    return
  end
  return schedule.jobs(given, handlers.stack.entries)
end

--- Another policy on trial, likewise; false for none any more.
---@return table|false|nil, string?
local function make_shadow(self, given)
  local handlers = listeners.of(self)
  if given == nil or given == (handlers.given_shadow or false) then
    return
  elseif given == false then
    return false
  end
  return handlers.stack:member(given)
end

-- --- what is reported ------------------------------------------------------

local listed = { "listen", "mode", "peers", "trusted" }

local function report_listed(report, before, now)
  for _, key in ipairs(listed) do
    if not is_same(before[key], now[key]) then
      report[key] = { before[key], now[key] }
    end
  end
end

--- Puts jobs and a shadow in place that were made; both may be nil.
local function put(self, wanted, jobs, shadow, report)
  local handlers = listeners.of(self)
  if jobs then
    report.schedule = { handlers.given_jobs or {}, wanted.schedule }
    changes.put_jobs(self, wanted.schedule, jobs)
  end
  if shadow ~= nil then
    report.shadow = { handlers.given_shadow or false, wanted.shadow }
    changes.put_shadow(self, wanted.shadow or nil, shadow or nil)
  end
end

--- Changes the configuration while it runs: all of it, or nothing when
--- something is wrong. A schedule takes the place of the one before; a shadow
--- of false ends the trial; policies, store, budget and network cannot change.
---@param wanted table  options
---@return table|nil, string?, string?  key -> { before, now }, of what
---  changed; nil, message, code
function methods:configure(wanted)
  if type(wanted) ~= "table" then
    misuse.raise("configure: expected a table of options, got %s",
      type(wanted))
  end
  local before = misuse.guard("configure", self.config, self)
  local wrong = check_lasting(self, wanted)
  if wrong then
    return nil, wrong, "invalid_configuration"
  end
  local jobs = make_jobs(self, wanted.schedule)
  local shadow, message = make_shadow(self, wanted.shadow)
  if message then
    return nil, message, "invalid_configuration"
  end
  local report, code
  report, message, code =
    misuse.guard("configure", configure_core, self, wanted)
  if not report then
    return nil, message, code
  end
  report_listed(report, before, self:config())
  put(self, wanted, jobs, shadow, report)
  return report
end
