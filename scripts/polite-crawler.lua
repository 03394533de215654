--- polite-crawler - a selection for who wants to see everybody and bother
--- nobody: peers never met come first, few of them at once, and who does not
--- answer is left alone for an hour.
---
---   moonpeer.engine {
---     policies = { "scripts/polite-crawler.lua" }, target_connections = 100,
---     max_connections = 120,
---   }
local at_once = 10 -- dials for each time the engine asks

---@type moonpeer.Policy
local policy = {
  name = "polite-crawler",
  select = function(engine, n)
    local list = engine:pick(math.min(n, at_once), "unknown")
    if #list == 0 then
      list = engine:pick(math.min(n, at_once), "valid")
    end
    return list
  end,
  retry = function(_, _, failure)
    if failure.attempts >= 3 then
      return false, "does not answer"
    end
    return "1h", "later"
  end,
}

return policy
