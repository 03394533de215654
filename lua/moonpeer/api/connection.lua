--- Connections.
local timeout = { "timeout?", "number|string", "10 s" }

--- What a version message says.
local version_fields = {
  { "version", "integer", "the protocol's" },
  { "services", "integer", "bits" },
  { "timestamp", "integer", "seconds since 1970" },
  { "addr_recv", "table", "whom it was sent to: services, ip, port" },
  { "addr_from", "table", "who sent it: services, ip, port" },
  { "nonce", "integer", "finds connections to oneself" },
  { "user_agent", "string", "up to 256 bytes" },
  { "start_height", "integer", "as it claims" },
  { "relay", "boolean", "are transactions wanted?" },
  { "association_id", "string", "bytes" },
}

local function version_members()
  local members = {}
  for i, row in ipairs(version_fields) do
    members[i] = { name = row[1], kind = "field", since = "0.1.0",
      type = row[1] == "association_id" and "string|nil" or row[2],
      summary = row[3]:sub(1, 1):upper() .. row[3]:sub(2)
        .. (row[3]:find "%?$" and "" or ".") }
  end
  return members
end

local version = {
  name = "moonpeer.version", class = "moonpeer.Version", variable = "version",
  kind = "field", is_table = true,
  summary = "What a peer says of itself. None of it need be true.",
  members = version_members(),
}

local connection = {
  name = "moonpeer.connection", class = "moonpeer.Connection",
  variable = "connection", kind = "method",
  summary = "One live stream to a peer: an engine's, or a conversation that "
    .. "a script holds by itself (moonpeer.connect, moonpeer.listen). Only "
    .. "the latter receive.",
  members = {
    { name = "address", kind = "field", type = "string", since = "0.1.0",
      summary = "Of the remote: \"1.2.3.4:8333\"." },
    { name = "inbound", kind = "field", type = "boolean", since = "0.1.0",
      summary = "Did the remote dial?" },
    { name = "state", kind = "field", type = "string", since = "0.1.0",
      summary = "connecting, awaiting_handshake, connected, failed, rejected "
        .. "or disconnected." },
    { name = "rtt", kind = "field", type = "number|nil", since = "0.1.0",
      summary = "Seconds from the last ping to its pong; nil before one." },
    { name = "peer", kind = "field", type = "moonpeer.Peer|nil",
      since = "0.1.0",
      summary = "The peer as its engine's store has it, by the address that "
        .. "was dialled or, of who dialled us, where it says it listens; nil "
        .. "when that is not known, and for conversations." },
    { name = "version", kind = "field", type = "moonpeer.Version|nil",
      since = "0.1.0",
      summary = "What the remote said of itself, once it has." },
    { name = "handshake", since = "0.1.0", waits = true,
      summary = "Shakes hands.",
      args = { { "overrides?", "table", "options" } }, options = version_fields,
      returns = { { "moonpeer.Version", "the remote's" } },
      errors = { "handshake_timeout", "handshake_failed", "closed",
        "connection_reset" },
      example = [[
local c <close> = assert(moonpeer.connect(node, { network = "regtest" }))
local version = assert(c:handshake { user_agent = "/me:1/" })
assert(c.state == "connected" and version.version >= 70000)]] },
    { name = "send", since = "0.1.0",
      summary = "Sends a message.",
      args = { { "command", "string", "up to 12 bytes" },
        { "fields?", "table|string", "of the message, or its payload" } },
      returns = { { "true", "" } },
      errors = { "closed", "would_block", "limit" },
      example = [[assert(connection:send("ping", { nonce = 1 }))]] },
    { name = "send_raw", since = "0.1.0",
      summary = "Sends bytes as they are.",
      args = { { "bytes", "string", "" } },
      returns = { { "true", "" } },
      errors = { "closed", "would_block", "limit" },
      example = [[assert(connection:send_raw "")]] },
    { name = "receive", since = "0.1.0", waits = true,
      summary = "Waits for a message. What comes before it is dropped.",
      args = {
        { "command?", "string|string[]", "or any of a list; any when nil" },
        { "timeout?", "number|string", "forever" },
      },
      returns = { { "moonpeer.Message", "a copy of one's own" } },
      errors = { "timeout", "closed", "connection_reset" },
      example = [[
connection:send("ping", { nonce = 42 })
local pong = assert(connection:receive("pong", "5s"))
assert(pong.nonce == 42)]] },
    { name = "expect", since = "0.1.0", waits = true,
      summary = "Waits for a message and raises when it does not come, or "
        .. "its fields are others.",
      args = {
        { "command", "string", "" },
        { "fields?", "table|fun(message: moonpeer.Message): any",
          "those that matter; or whether it is the one" }, timeout,
      },
      returns = { { "moonpeer.Message", "" } },
      example = [[
connection:send("ping", { nonce = 43 })
connection:expect("pong", { nonce = 43 }, "5s")]] },
    { name = "expect_nothing", since = "0.1.0", waits = true,
      summary = "Raises when something comes.",
      args = { { "duration?", "number|string", "1 s" } },
      example = [[connection:expect_nothing "10ms"]] },
    { name = "expect_closed", since = "0.1.0", waits = true,
      summary = "Waits until the connection is over; raises when it is not.",
      args = { { "duration?", "number|string", "10 s" },
        { "code?", "string", "\"closed\", \"connection_reset\" ..." } },
      returns = { { "string", "code" }, { "string", "message" } },
      example = [[
local c = assert(moonpeer.connect(node, { network = "regtest" }))
c:send_raw(("\0"):rep(24)) -- no magic of a network
c:expect_closed "5s"]] },
    { name = "expect_chunks", since = "0.1.0",
      summary = "Payloads over receive_memory are wanted in chunks from now "
        .. "on, of some commands or all; such a payload ends the connection "
        .. "with \"limit\" else.",
      args = { { "command?", "string|string[]", "all when left out" } },
      example = [[connection:expect_chunks "block"]] },
    { name = "receive_chunk", since = "0.1.0", waits = true,
      summary = "Waits for a piece of a payload that is too large to be "
        .. "held, and wants them as expect_chunks does. A piece is a table: "
        .. "command, bytes, offset, total (both in bytes), last; code in the "
        .. "last one when the payload was broken. Messages that come before "
        .. "are dropped.",
      args = { { "command?", "string|string[]", "or any of a list; any when "
        .. "nil" }, { "timeout?", "number|string", "forever" } },
      returns = { { "table", "a piece" } },
      errors = { "timeout", "closed", "connection_reset" },
      example = [[
local chunk, message, code = connection:receive_chunk("block", "10ms")
assert(chunk == nil and code == "timeout", message)]] },
    { name = "send_from", since = "0.1.0", waits = true,
      summary = "Sends a message whose payload is read as the remote takes "
        .. "it, and waits until all of it is with the system. What is sent "
        .. "meanwhile comes after it, pings too: a remote that takes nothing "
        .. "for ping_timeout ends a connection that has pings.",
      args = { { "command", "string", "up to 12 bytes" },
        { "source", "file*|fun(offset: integer, n: integer): string?", "an "
          .. "open file, from where it stands; or a function that gives 1 to "
          .. "n bytes of the payload from offset on" },
        { "size?", "integer", "bytes, 0 or more; of a file the rest of it" } },
      returns = { { "true", "" } },
      errors = { "closed", "limit", "io_error", "oversize_message",
        "would_block", "ping_timeout" },
      example = [[
local function nonce(offset, n) return ("12345678"):sub(offset + 1, offset + n)
end
assert(connection:send_from("ping", nonce, 8))
assert(connection:receive("pong", "5s"))]] },
    { name = "drip", since = "0.1.0", waits = true,
      summary = "Sends bytes in small pieces.",
      args = { { "bytes", "string", "" },
        { "n", "integer", "bytes at once, 1 or more" },
        { "t", "number|string", "between two pieces" } },
      returns = { { "true", "" } }, errors = { "closed" },
      example = [[assert(connection:drip("", 1, "1ms"))]] },
    { name = "stall", since = "0.1.0", waits = true,
      summary = "Does not read: for a while, or until something is received.",
      args = { { "duration?", "number|string", "" } },
      example = [[connection:stall "1ms"]] },
    { name = "play", since = "0.1.0", waits = true,
      summary = "Plays one side of a recorded conversation, byte for byte, "
        .. "and expects the commands of the other.",
      args = { { "file", "string", "as record writes it" },
        { "sender", "string", "the side to play" },
        { "options?", "table", "options" } },
      options = { { "expect", "string[]", "all commands" },
        { "timeout", "number|string", "for each; 10 s" },
        { "in_time", "boolean", "with the pauses of the recording" } },
      example = [[
local good, message = pcall(connection.play, connection, "/no/file", "us")
assert(not good and message:find "play")]] },
    { name = "record", since = "0.1.0",
      summary = "Writes down what is said from now on.",
      args = { { "file", "string", "" }, { "options?", "table", "options" } },
      options = { { "name", "string", "" }, { "note", "string", "" },
        { "us", "string", "what we are called; \"us\"" },
        { "remote", "string", "\"node\"" } },
      returns = { { "true", "" } }, errors = { "io_error" },
      example = [[
local done, _, code = connection:record "/no/folder/file"
assert(not done and code)]] },
    { name = "close", since = "0.1.0",
      summary = "Closes it; twice is fine.",
      args = { { "reason?", "string", "" } },
      example = [[connection:close "enough"]] },
    { name = "reset", since = "0.1.0",
      summary = "Closes it at once, with a reset.",
      example = [[
local c = assert(moonpeer.connect(node, { network = "regtest" }))
c:reset()]] },
  },
}

return { connection, version }
