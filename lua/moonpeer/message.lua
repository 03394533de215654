--- message - frames and messages without an engine; messages of one's own.
local core = require "moonpeer.core"

local message = {}

--- Makes a whole frame, header and payload.
--- Hashes are 32 bytes or 64 hex digits as they are displayed. What cannot be
--- encoded raises, and says which field wants what.
---@param command string
---@param fields? table|string  fields by name; a string is the payload as it is
---@param options? table  network: a name or a table, mainnet when not given;
---  text: true takes numbers and bytes as people write them ("0x21", hex)
---@return string|nil frame, string?, string?  nil, message, "oversize_message"
function message.encode(command, fields, options)
  return core.encode(command, fields, options)
end

--- Reads one frame.
---@param bytes string
---@param options? table  network; position: of the first byte, 1
---@return moonpeer.Message|nil, integer|string, string?, integer?, integer?
---  the message and the position behind its frame; or nil, what is wrong, its
---  code, the position behind the frame if that is known, and the place of
---  the mistake. With the code "would_block" bytes are missing, and the
---  fourth value is how many at least.
function message.decode(bytes, options)
  return core.decode(bytes, options)
end

--- Declares a message: from now on its fields are checked, read and encoded
--- like those of the built-in ones, in this Lua state. A message that is
--- declared anew has the new fields from then on.
---
---     message.define {
---       command = "weather",
---       limit = 1000,
---       fields = {
---         { name = "time", type = "int64", unit = "seconds since 1970" },
---         { name = "place", type = "text", max = 80 },
---         { name = "stations", type = "list", max = 100, fields = {
---           { name = "id", type = "hash" },
---           { name = "celsius", type = "int16" },
---         } },
---       },
---     }
---
--- limit: bytes of a payload at most, judged at the header; without it the
--- network's limit holds.
--- Types: uint8 uint16 uint24 uint32 uint48 uint64, int8 int16 int32 int64,
--- bool, compact and compact64 (1 to 9 bytes), hash, ip, bytes (size), and
--- after their length var_bytes and text, record (fields), list (fields, or
--- item: a type for entries that are single values). Without bytes of their
--- own: count_of, hash_of, hashes_of (of) and size_of.
--- Options: min, max (of numbers, lengths and counts), size, big_endian, hex
--- (how it is shown), optional (the message may end before it), default (a
--- number, or true for zeros and nothing), sized (a record with its length
--- before it), when with when_min or when_is (only there when an earlier
--- number is that large, or a text one of these words), unit.
---@param declaration table  command, fields, limit, summary
function message.define(declaration)
  return core.define(declaration)
end

--- A set of hashes that forgets the oldest: for message:count_known(set) and
--- message:import(set). It has add(hash), has(hash) and a length.
---@param capacity? integer  at most so many; 65,536
---@return moonpeer.Hashes
function message.hashes(capacity)
  return core.hashes(capacity)
end

--- All built-in messages by command: command, summary, source, limit, phase,
--- foreign, fields (a list: name, type, size and so on).
---@return table[]
function message.types()
  return core.types()
end

return message
