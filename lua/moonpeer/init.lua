--- moonpeer - a peer-to-peer engine for the Bitcoin SV network.
local core = require "moonpeer.core"
local engine = require "moonpeer.engine"
local store = require "moonpeer.store"
require "moonpeer.conversation"

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

--- Cuts "host:port" where host is a name; nothing for what holds an IP.
local function split_name(address)
  local host, port = address:match "^([^:%[%]]+):(%d+)$"
  host = host or address:match "^[^:%[%]]+$"
  if host and host:find "[^%d.]" then
    return host, port
  end
end

--- Dials a peer: a connection without engine, store or policies behind it.
---@param address string  "1.2.3.4:8333", "[::1]:8333" or "name:8333"; without
---  a port the network's is used
---@param options? table  network, user_agent, protocol_version, keepalive,
---  connect_timeout, handshake_timeout, ping_interval, ping_timeout,
---  receive_memory, send_memory
---@return moonpeer.Connection|nil, string?, string?  nil, message, code
function moonpeer.connect(address, options)
  if type(address) ~= "string" then
    error("expected an address such as \"1.2.3.4:8333\", got "
      .. type(address), 2)
  elseif not core.in_task() then
    error("connect waits; call it inside moonpeer.spawn or moonpeer.run", 2)
  end
  local host, port = split_name(address)
  if not host then
    return core.connect(address, options)
  end
  local list, message, code = core.resolve(host)
  local connection
  for _, ip in ipairs(list or {}) do
    if ip:find ":" then
      ip = "[" .. ip .. "]"
    end
    connection, message, code =
      core.connect(port and ip .. ":" .. port or ip, options)
    if connection then
      break
    end
  end
  return connection, message, code
end

return moonpeer
