--- wire - frames made by hand, so that every byte of them can be wrong; and
--- the recorded ones.
local sha256 = require "support.sha256"

local wire = { magic = "\xda\xb5\xbf\xfa" } -- of regtest

function wire.checksum(payload)
  return sha256(sha256(payload)):sub(1, 4)
end

--- A frame; parts are what is not as it should be: magic, command (all
--- twelve bytes), length, checksum.
---@param command string
---@param payload? string
---@param parts? table
---@return string
function wire.frame(command, payload, parts)
  payload, parts = payload or "", parts or {}
  return (parts.magic or wire.magic)
    .. (parts.command or ("c12"):pack(command))
    .. ("<I4"):pack(parts.length or #payload)
    .. (parts.checksum or wire.checksum(payload)) .. payload
end

--- A frame with the 44-byte header.
function wire.extended(command, payload, parts)
  parts = parts or {}
  return wire.magic .. ("c12"):pack "extmsg" .. "\xff\xff\xff\xff\0\0\0\0"
    .. ("c12"):pack(command) .. ("<I8"):pack(parts.length or #payload)
    .. payload
end

local address = ("\0"):rep(26)

--- The payload of a version message.
---@param fields? table  version, nonce, user_agent, addr_from (26 bytes)
function wire.version(fields)
  fields = fields or {}
  return ("<i4I8i8"):pack(fields.version or 70016, 0, 1700000000)
    .. address .. (fields.addr_from or address)
    .. ("<i8"):pack(fields.nonce or 77)
    .. ("s1"):pack(fields.user_agent or "/Bitcoin SV:1.2.2/")
    .. ("<i4"):pack(0) .. "\1"
end

--- What a peer says in a handshake.
function wire.hello(fields)
  return wire.frame("version", wire.version(fields)), wire.frame "verack"
end

local function unhex(text)
  return (text:gsub("%x%x", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

--- The frames that one side sent in a recorded conversation.
---@param name string  such as "inbound-full"
---@param sender string  "node" or "us"
---@return table[]  command, frame, t
function wire.capture(name, sender)
  local list = {}
  for line in io.lines(("tests/data/captures/%s.jsonl"):format(name)) do
    if line:match '"sender": "(%a+)"' == sender then
      list[#list + 1] = {
        command = line:match '"command": "([^"]*)"',
        frame = unhex(line:match '"frame": "(%x*)"'),
        t = tonumber(line:match '"t": ([%d.]+)'),
      }
    end
  end
  return list
end

return wire
