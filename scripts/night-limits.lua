--- night-limits - lets fewer in by day than by night, when the line is free.
---
---   moonpeer.engine {
---     listen = true, policies = { "scripts/night-limits.lua" },
---   }
---
--- The hours are those of the machine's own time zone.
local day = { from = 7, to = 23, inbound = 4 }

local function is_day()
  local hour = tonumber(os.date "%H")
  return hour >= day.from and hour < day.to
end

---@type moonpeer.Policy
local policy = {
  name = "night-limits",
  accept = function(engine)
    if is_day() and engine:counts().inbound >= day.inbound then
      return false, "by day there are fewer slots"
    end
  end,
}

return policy
