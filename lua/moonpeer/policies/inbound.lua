--- inbound - who may come in, and who goes when all slots are taken.
---
--- The core has refused who is banned, and who comes from an address or group
--- that has many connections already.
local inbound = { name = "inbound" }

function inbound.accept()
  return true
end

--- The candidates are ranked: those that merit protection (groups that are
--- rare, the least round trips, the longest stay) say so; of the others the
--- first is the youngest of the largest group.
function inbound.evict(_, candidates)
  local first = candidates[1]
  if not first or first.protected then
    return false, "all who could go merit protection"
  end
  return first.connection, "the youngest of the largest group without merits"
end

return inbound
