--- dial - dials an address or a name, whoever asks: moonpeer.connect, and the
--- remotes of worlds.
local core = require "moonpeer.core"
local misuse = require "moonpeer.misuse"

misuse.own_file()

--- "10.0.0.1:8333" into its parts; raises for what is no address.
local parse = core.methods("moonpeer.world").ip

--- Cuts "host:port" where host is a name; nothing for what holds an IP.
local function split_name(address)
  local host, port = address:match "^([^:%[%]]+):(%d+)$"
  host = host or address:match "^[^:%[%]]+$"
  if host and host:find "[^%d.]" then
    return host, port
  end
end

--- Checked before anything waits, so that the caller's line is still there.
local function check(what, address, options, host)
  if host and not host:find "^[%w_.-]+$" then
    misuse.raise("%s: expected an address or a name, got %q", what, address)
  elseif not host then
    misuse.guard(what, parse, address)
  end
  if options ~= nil and type(options) ~= "table" then
    misuse.raise("%s: expected a table of options, got %s", what,
      type(options))
  end
  misuse.guard(what, core.check_options, options or {})
end

--- Raises for arguments that make no sense.
---@param what string       "connect": who asks
---@param address string    with a name every address of it is tried in turn
---@param options? table
---@return moonpeer.Connection|nil, string?, string?  nil, message, code
local function dial(what, address, options)
  if type(address) ~= "string" then
    misuse.raise("%s: expected an address such as \"1.2.3.4:8333\", got %s",
      what, type(address))
  end
  local host, port = split_name(address)
  check(what, address, options, host)
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

return dial
