--- hourly-report - a line every hour: who is there, and what happened since.
---
---   moonpeer.engine { policies = { "scripts/hourly-report.lua" } }
local before = {}

local function since(counts, name)
  local n = counts[name] - (before[name] or 0)
  before[name] = counts[name]
  return n
end

---@type moonpeer.Policy
local policy = {
  name = "hourly-report",
  schedule = {
    hourly = {
      every = "1h",
      run = function(engine)
        local counts = engine:counts()
        print(("%s: %d connected; in this hour %d handshakes, %d rejected, "
          .. "%d bans"):format(os.date "!%Y-%m-%d %H:%M", counts.connected,
          since(counts, "handshakes"), since(counts, "rejected"),
          since(counts, "bans")))
      end,
    },
  },
}

return policy
