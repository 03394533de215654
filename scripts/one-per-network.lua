--- one-per-network - keeps to one peer of each network group at most: an
--- autonomous system when the store has an asmap, else a /16 (IPv4) or /32.
---
---   moonpeer.engine { policies = { "scripts/one-per-network.lua" } }
---@param engine moonpeer.Engine
local function groups_of(engine)
  local groups = {}
  for connection in engine:connections() do
    groups[engine.store:group(connection.address)] = true
  end
  return groups
end

--- Of more candidates than are needed, those of new groups.
---@param engine moonpeer.Engine
---@param n integer
local function select_new(engine, n)
  local groups, list = groups_of(engine), {}
  for _, status in ipairs { "valid", "unknown" } do
    for _, peer in ipairs(engine:pick(math.min(256, 8 * n), status)) do
      local group = engine.store:group(peer)
      if #list < n and not groups[group] then
        groups[group] = true
        list[#list + 1] = peer
      end
    end
  end
  return list
end

---@type moonpeer.Policy
local policy = {
  name = "one-per-network",
  select = select_new,
  accept = function(engine, address)
    if groups_of(engine)[engine.store:group(address)] then
      return false, "there is a peer of this network already"
    end
  end,
}

return policy
