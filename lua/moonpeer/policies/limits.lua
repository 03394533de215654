--- limits - how much of what any line or peer may do wrong now and then is
--- borne within a minute, and what then.
---
--- The core counts the offences of each kind and connection, for a minute from
--- the first; the ladders below say from which count on which answer holds.
--- They are data: a policy of your own may take this one over and change them,
--- or one of the functions in `answers`:
---   local limits = require "moonpeer.policies.limits"
---   limits.ladders.flood = { { count = 1, verdict = "disconnect" } }
---   return limits
--- They are not in a policy's `rules`, which count in C but decide before any
--- policy is asked: what is stock must be the last to answer.
local limits = { name = "limits" }

--- offence -> steps with rising counts.
limits.ladders = {
  --- A line that breaks bytes now and then is no attack.
  checksum_error = {
    { count = 1, verdict = "observe" },
    { count = 10, verdict = "disconnect" },
  },
  --- The message that is one too many has been dropped; who goes on sending
  --- them is read more slowly, and in the end not at all.
  flood = {
    { count = 1, verdict = "throttle" },
    { count = 5, verdict = "disconnect" },
  },
}

--- Whom the configuration trusts gets this instead: he is never slowed down.
limits.trusted = { flood = "observe" }

--- The verdict of the last step that the count has reached.
local function climb(ladder, offence)
  local verdict
  for _, step in ipairs(ladder) do
    if offence.count >= step.count then
      verdict = step.verdict
    end
  end
  return verdict, offence.message
end

--- code -> function(offence) that answers.
local answers = {}
limits.answers = answers

function answers.checksum_error(offence)
  return climb(limits.ladders.checksum_error, offence)
end

function answers.flood(offence)
  return climb(limits.ladders.flood, offence)
end

function limits.judge(engine, connection, offence)
  local answer = answers[offence.code]
  if not answer then
    return nil
  end
  local instead = limits.trusted[offence.code]
  if instead and engine:trusts(connection.address) then
    return instead, offence.message
  end
  return answer(offence)
end

return limits
