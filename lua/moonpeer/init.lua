--- moonpeer - a peer-to-peer engine for the Bitcoin SV network.
local core = require "moonpeer.core"
local dial = require "moonpeer.dial"
local engine = require "moonpeer.engine"
local misuse = require "moonpeer.misuse"
local store = require "moonpeer.store"
require "moonpeer.conversation"

misuse.own_file()

---@type moonpeer
local moonpeer = {
  --- This version: "major.minor.patch".
  version = core.version,
  --- What is known of each network, by name.
  network = core.network,
  engine = engine.new,
  glob = core.glob,
  hex = core.hex,
  listen = core.listen,
  message = require "moonpeer.message",
  now = core.now,
  resolve = core.resolve,
  run = core.run,
  sleep = core.sleep,
  spawn = core.spawn,
  store = store.open,
  time = core.time,
}

--- Dials a peer: a connection without engine, store or policies behind it.
---@param address string  "1.2.3.4:8333", "[::1]:8333" or "name:8333"; without
---  a port the network's is used
---@param options? table  network, user_agent, protocol_version, keepalive,
---  connect_timeout, handshake_timeout, ping_interval, ping_timeout,
---  receive_memory, send_memory
---@return moonpeer.Connection|nil, string?, string?  nil, message, code
function moonpeer.connect(address, options)
  if not core.in_task() then
    misuse.raise "connect waits; call it inside moonpeer.spawn or moonpeer.run"
  end
  return dial("connect", address, options)
end

return moonpeer
