--- places - which socket a command is to attach to.
local console = require "moonpeer.console"

local places = {}

--- The sockets of this user's processes.
---@return string[]
function places.find()
  return console.paths()
end

--- The path that was given, or the only one there is.
---@param path? string
---@return string|nil, string?
function places.choose(path)
  if path then
    return path
  end
  local all = console.paths()
  if #all == 1 then
    return all[1]
  elseif #all == 0 then
    return nil, "no moonpeer of yours is running (moonpeer run opens a "
      .. "socket); a path may be given"
  end
  return nil, "several are running, choose one:\n  "
    .. table.concat(all, "\n  ")
end

return places
