--- moonpeer - a peer-to-peer engine for the Bitcoin SV network.
local core = require "moonpeer.core"

local moonpeer = {
  --- This version: "major.minor.patch".
  version = core.version,
}

return moonpeer
