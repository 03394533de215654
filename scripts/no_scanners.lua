--- no_scanners - a policy that keeps scanners out for a week, to copy and to
--- change: policies = { dofile "no_scanners.lua" }.
local moonpeer = require "moonpeer"

---@type moonpeer.Policy
local policy = {
  name = "no-scanners",

  validate = function(_, _, version)
    if moonpeer.glob(version.user_agent, "*scanner*") then
      return "offence", "banned_user_agent"
    end
  end,

  judge = function(_, _, offence)
    if offence.code == "banned_user_agent" then
      return "ban", "scanner", { time = "7d" }
    end
  end,
}

return policy
