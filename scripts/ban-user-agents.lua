--- ban-user-agents - keeps out who calls himself what you do not like.
---
---   moonpeer.engine { policies = { "scripts/ban-user-agents.lua" } }
---
--- Globs: * is anything, ? any one character; upper or lower case is the same.
local moonpeer = require "moonpeer"

local unwanted = { "*scanner*", "*spy*", "/Satoshi:*" }

---@type moonpeer.Policy
local policy = {
  name = "ban-user-agents",
  validate = function(_, _, version)
    for _, glob in ipairs(unwanted) do
      if moonpeer.glob(version.user_agent, glob) then
        return "offence", "banned_user_agent", "matches " .. glob
      end
    end
  end,
  judge = function(_, _, offence)
    if offence.code == "banned_user_agent" then
      return "ban", offence.message, { time = "7d" }
    end
  end,
}

return policy
