--- shadow - a policy that decides beside the active ones, without effect: where
--- it would have answered differently is kept and reported.
local core = require "moonpeer.core"
local fields = require "moonpeer.policy.fields"
local log = require "moonpeer.log"
local quiet = require "moonpeer.policy.quiet"

local shadow = {}

local kept_most = 256

local function same_options(a, b)
  a, b = a or {}, b or {}
  return a.time == b.time and (a.scope or "address") == (b.scope or "address")
end

--- An answer in words; of a list of peers their addresses.
local function in_words(answer)
  if type(answer) ~= "table" then
    return type(answer) == "userdata" and answer.address or tostring(answer)
  end
  local words = {}
  for i, peer in ipairs(answer) do
    words[i] = type(peer) == "string" and peer
      or ("%s:%d"):format(peer.ip, peer.port)
  end
  return table.concat(words, " ")
end

local function differs(decision, a, b, a_options, b_options)
  if decision == "select" then
    return in_words(a) ~= in_words(b)
  end
  return a ~= b or decision == "judge" and a == "ban"
    and not same_options(a_options, b_options)
end

local function keep(self, row)
  local report = self.report
  report.differs = report.differs + 1
  self.at = self.at % kept_most + 1
  report.differences[self.at] = row
  if report.differs & (report.differs - 1) == 0 then
    log.say("shadow", ("shadow %q differs in %s%s: %s instead of %s (%d times "
      .. "so far)"):format(self.name, row.decision, row.address and " of "
        .. row.address or "", row.shadow, row.active, report.differs))
  end
end

local function subject_of(decision, first, second)
  if decision == "judge" or decision == "validate" then
    return first.address
  elseif decision == "retry" then
    return second.address
  end
  return type(first) == "string" and first or nil
end

--- The active function with the trial beside it. The trial comes first, so
--- that what is written down is the active one's.
local function beside(self, decision, active, trial)
  return function(engine, ...)
    self.engine = self.engine or quiet.engine(engine)
    local other, other_reason, other_options =
      trial(self.engine, quiet.arguments(decision, ...))
    other = quiet.original(other)
    local answer, reason, options = active(engine, ...)
    self.report.asked = self.report.asked + 1
    if other ~= nil
      and differs(decision, answer, other, options, other_options) then
      keep(self, {
        time = core.time(), decision = decision,
        address = subject_of(decision, ...), active = in_words(answer),
        shadow = in_words(other), reason = other_reason,
        active_reason = reason,
      })
    end
    return answer, reason, options
  end
end

--- Puts the trial of a member of a stack beside the functions in a table.
---@param entry table      with guards
---@param handlers table
---@return table  the report: asked, differs, differences
function shadow.install(entry, handlers)
  local self = {
    name = entry.name, at = 0,
    report = { policy = entry.name, asked = 0, differs = 0, differences = {} },
  }
  for _, decision in ipairs(fields.decisions) do
    local guard = entry.guards[decision]
    if guard then
      handlers[decision] = beside(self, decision, handlers[decision],
        core.chain { guard })
    end
  end
  return self.report
end

return shadow
