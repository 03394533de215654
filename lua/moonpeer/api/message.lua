--- Messages.
local options = {
  { "network", "string|table", "mainnet" },
  { "text", "boolean", "numbers and bytes come as people write them" },
}

local functions = {
  name = "moonpeer.message.functions", class = "moonpeer.message",
  variable = "moonpeer.message", kind = "function", in_lua = true,
  summary = "Frames and messages without an engine.",
  members = {
    { name = "encode", since = "0.1.0",
      summary = "Makes a whole frame, header and payload. What cannot be "
        .. "encoded raises.",
      args = { { "command", "string", "up to 12 bytes" },
        { "fields?", "table|string", "or the payload" },
        { "options?", "table", "options" } },
      options = options,
      returns = { { "string", "" } }, errors = { "oversize_message" },
      example = [[
local frame = assert(moonpeer.message.encode("ping", { nonce = 7 },
  { network = "regtest" }))
assert(#frame == 24 + 8)]] },
    { name = "decode", since = "0.1.0",
      summary = "Reads one frame. With would_block bytes are missing, and "
        .. "the fourth value is how many at least.",
      args = { { "bytes", "string", "" }, { "options?", "table", "options" } },
      options = { { "network", "string|table", "mainnet" },
        { "position", "integer", "of the first byte; 1" } },
      returns = { { "moonpeer.Message", "" },
        { "integer", "the position behind it" } },
      errors = { "would_block", "network_mismatch", "checksum_error",
        "oversize_message", "protocol_error" },
      example = [[
local frame = moonpeer.message.encode("ping", { nonce = 7 })
local ping, behind = assert(moonpeer.message.decode(frame))
assert(ping.nonce == 7 and behind == #frame + 1)]] },
    { name = "define", since = "0.1.0",
      summary = "Declares a message: its fields are checked, read and "
        .. "encoded like those of the built-in ones, from now on, in this "
        .. "Lua state. Types of fields: uint8 uint16 uint24 uint32 uint48 "
        .. "uint64, int8 int16 int32 int64, bool, compact and compact64 (1 "
        .. "to 9 bytes), hash, ip, bytes (`size`), after their length "
        .. "var_bytes and text, record (`fields`), list (`fields`, or "
        .. "`item`: a type). Without bytes of their own: count_of, hash_of, "
        .. "hashes_of and size_of (`of`: an earlier field).",
      args = { { "declaration", "table", "options" } },
      options = { { "command", "string", "up to 12 bytes" },
        { "fields", "table[]", "each with name and type; besides min, max "
          .. "(of numbers, lengths and counts), size, big_endian, hex (how "
          .. "it is shown), optional (the message may end before it), "
          .. "default, sized (a record after its length), when with "
          .. "when_min or when_is (there only when an earlier number is "
          .. "that large, or a text one of these), unit" },
        { "limit", "integer", "bytes of a payload at most, instead "
          .. "of what the network allows" },
        { "summary", "string", "" } },
      example = [[
moonpeer.message.define {
  command = "weather", limit = 100,
  fields = { { name = "celsius", type = "int16" } },
}
assert(moonpeer.message.encode("weather", { celsius = -3 }))]] },
    { name = "hashes", since = "0.1.0",
      summary = "A set of hashes that forgets the oldest.",
      args = { { "capacity?", "integer", "65,536" } },
      returns = { { "moonpeer.Hashes", "" } },
      example = [[
local seen = moonpeer.message.hashes(100)
seen:add(("\1"):rep(32))
assert(seen:has(("\1"):rep(32)) and #seen == 1)]] },
    { name = "types", since = "0.1.0",
      summary = "All built-in messages, by command: command, summary, source, "
        .. "limit, phase, foreign, fields.",
      returns = { { "table[]", "" } },
      example = [[assert(moonpeer.message.types()[1].command)]] },
  },
}

local objects = {
  name = "moonpeer.message", class = "moonpeer.Message",
  variable = "message", kind = "method", is_open = true,
  summary = "A command and its fields, read when they are asked for: "
    .. "`message.nonce`. `#message` is the length of its list. Hooks and "
    .. "listeners get views, stale when they return; receive gives copies.",
  members = {
    { name = "command", kind = "field", type = "string", since = "0.1.0",
      summary = "\"inv\"." },
    { name = "each", since = "0.1.0",
      summary = "Walks the list: of an inv its kind and hash.",
      returns = { { "fun(): (any, any)", "an iterator" } },
      example = [[for kind in message:each() do print(kind) end]] },
    { name = "table", since = "0.1.0", summary = "All fields as a table.",
      returns = { { "table", "" } },
      example = [[assert(message:table().nonce == message.nonce)]] },
    { name = "raw", since = "0.1.0", summary = "The payload.",
      returns = { { "string", "" } },
      example = [[assert(#message:raw() == 8)]] },
    { name = "copy", since = "0.1.0",
      summary = "A message of one's own, for later.",
      returns = { { "moonpeer.Message", "" } },
      example = [[assert(message:copy().command == message.command)]] },
    { name = "text", since = "0.1.0",
      summary = "All fields as people write them: hashes and bytes as hex.",
      returns = { { "table", "" } },
      example = [[assert(message:text())]] },
    { name = "json", since = "0.1.0", summary = "The same as JSON.",
      returns = { { "string", "" } },
      example = [[assert(message:json():find "nonce")]] },
    { name = "count_known", since = "0.1.0",
      summary = "How many hashes of the list are in a set.",
      args = { { "set", "moonpeer.Hashes|table",
        "or a table with 32-byte strings as keys" } },
      returns = { { "integer", "known" }, { "integer", "in all" } },
      example = [[
local inv = moonpeer.message.decode(moonpeer.message.encode("inv", {
  items = { { type = 1, hash = ("\1"):rep(32) } },
}))
local known, all = inv:count_known(moonpeer.message.hashes())
assert(known == 0 and all == 1)]] },
    { name = "import", since = "0.1.0",
      summary = "Adds the hashes of the list to a set; or the addresses of "
        .. "an addr to a store: as told by a source, within what one source "
        .. "may name, or without one as a person's own.",
      args = { { "into", "moonpeer.Hashes|moonpeer.Store", "" },
        { "source?", "string", "the address of who sent them" } },
      returns = { { "integer", "how many are new" },
        { "integer", "how many there were" } },
      example = [[
local inv = moonpeer.message.decode(moonpeer.message.encode("inv", {
  items = { { type = 1, hash = ("\1"):rep(32) } },
}))
assert(inv:import(moonpeer.message.hashes()) == 1)]] },
    { name = "check_chain", since = "0.1.0",
      summary = "Does each header follow the one before it?",
      args = { { "previous?", "string", "the hash before the first" } },
      returns = { { "string", "the hash of the last" } },
      errors = { "protocol_error" },
      example = [[
local none = moonpeer.message.decode(moonpeer.message.encode("headers",
  { headers = {} }))
assert(#none:check_chain() == 32)]] },
  },
}

local hash = { "hash", "string", "32 bytes" }
local hashes = {
  name = "moonpeer.hashes", class = "moonpeer.Hashes", variable = "hashes",
  kind = "method",
  summary = "A set of hashes that forgets the oldest; `#hashes` is how many.",
  members = {
    { name = "add", since = "0.1.0", summary = "Puts one in.",
      args = { hash }, returns = { { "boolean", "is it new?" } },
      example = [[
local hashes = moonpeer.message.hashes()
assert(hashes:add(("\1"):rep(32)))]] },
    { name = "has", since = "0.1.0", summary = "Is it in?",
      args = { hash }, returns = { { "boolean", "" } },
      example = [[
assert(not moonpeer.message.hashes():has(("\1"):rep(32)))]] },
  },
}

return { functions, objects, hashes }
