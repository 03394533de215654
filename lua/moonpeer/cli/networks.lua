--- networks - a network that a command was given by name.
local core = require "moonpeer.core"
local misuse = require "moonpeer.misuse"

local networks = {}

--- A built-in network, or nil and which is the nearest, or which there are.
---@param name string
---@return table|nil network, string?
function networks.find(name)
  local network = core.network[name]
  if network then
    return network
  end
  local names = misuse.names(core.network)
  local near = core.nearest(name, names)
  return nil, ("unknown network %q; %s"):format(name,
    near and ("the nearest known is %q"):format(near)
      or "there are " .. table.concat(names, ", "))
end

return networks
