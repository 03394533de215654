--- save-on-change - saves the peers when enough has changed, and at once after
--- a ban, instead of every five minutes.
---
---   moonpeer.engine {
---     store = "sqlite:peers.db", policies = { "scripts/save-on-change.lua" },
---   }

---@type moonpeer.Policy
local policy = {
  name = "save-on-change",
  schedule = {
    save = { changes = 100, after_ban = true, every = "1h", jitter = 0.1 },
  },
}

return policy
