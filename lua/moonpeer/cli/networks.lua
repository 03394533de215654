--- networks - a network that a command was given by name.
local core = require "moonpeer.core"
local misuse = require "moonpeer.misuse"

local networks = {}

--- A built-in network, or nil and which ones there are.
---@param name string
---@return table|nil network, string?
function networks.find(name)
  local network = core.network[name]
  if network then
    return network
  end
  return nil, ("unknown network %q; there are %s"):format(name,
    table.concat(misuse.names(core.network), ", "))
end

return networks
