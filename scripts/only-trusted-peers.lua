--- only-trusted-peers - talks to nobody but those named here.
---
---   moonpeer.engine { policies = { "scripts/only-trusted-peers.lua" } }
---
--- Globs of addresses with their ports. To dial them, too, give their
--- addresses as `peers` in the configuration.
local moonpeer = require "moonpeer"

local trusted = { "127.0.0.1:*", "10.*", "[fd00:*" }

local function is_trusted(address)
  for _, glob in ipairs(trusted) do
    if moonpeer.glob(address, glob) then
      return true
    end
  end
  return false
end

---@type moonpeer.Policy
local policy = {
  name = "only-trusted-peers",
  accept = function(_, address)
    return is_trusted(address), "is nobody we know"
  end,
  keep = function(_, address)
    return is_trusted(address)
  end,
  select = function(engine, n)
    local list = {}
    for _, status in ipairs { "valid", "unknown" } do
      for _, peer in ipairs(engine:pick(256, status)) do
        if #list < n and is_trusted(peer) then
          list[#list + 1] = peer
        end
      end
    end
    return list
  end,
}

return policy
