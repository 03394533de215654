--- offences - what to do about something that a peer did wrong.
---
--- The answers are, from mild to hard: "observe" (only log), "throttle",
--- "disconnect", "discourage" (and prefer others), "ban". A policy before this
--- one may answer differently, for one offence or for all. What is borne so
--- many times within a minute (checksum_error, flood) is in limits.lua.
local offences = { name = "offences" }

--- code -> function(offence) that answers. A policy of your own may take these
--- over, and change one:
---   local offences = require "moonpeer.policies.offences"
---   function offences.answers.protocol_error() return "disconnect" end
---   return offences
local judge = {}
offences.answers = judge

--- For the engine's ban_time; { time = "7d", scope = "group" } as a third value
--- would say for how long and whom.
local function ban(offence)
  return "ban", offence.message
end

judge.network_mismatch = ban
judge.blockchain_mismatch = ban
judge.banned_user_agent = ban

function judge.oversize_message(offence)
  return "discourage", offence.message
end

--- What a conforming node would drop in silence is no reason to part.
function judge.protocol_error(offence)
  return offence.dropped and "observe" or "discourage", offence.message
end

function judge.obsolete_version(offence)
  return "disconnect", offence.message
end

judge.self_connection = judge.obsolete_version

--- Whom the configuration trusts is never banned or slowed down.
local milder = {
  ban = "disconnect", discourage = "disconnect", throttle = "observe",
}

function offences.judge(engine, connection, offence)
  local answer = judge[offence.code]
  if not answer then
    return nil
  elseif engine:trusts(connection.address) then
    local hard = answer(offence)
    return milder[hard] or hard, offence.message
  end
  return answer(offence)
end

return offences
