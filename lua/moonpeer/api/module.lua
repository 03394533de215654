--- The module itself.
local duration = "seconds, or a text such as \"250ms\", \"10m\", \"24h\""

return {
  name = "moonpeer", class = "moonpeer", variable = "moonpeer",
  kind = "function",
  summary = "What `require \"moonpeer\"` gives. What waits does so inside a "
    .. "task: in moonpeer.spawn, moonpeer.run, or at the prompt.",
  members = {
    { name = "engine", since = "0.1.0",
      summary = "Makes an engine: peers, connections and policies under one "
        .. "configuration. start() sets it going.",
      args = { { "configuration", "moonpeer.Configuration",
        "checked as a whole; an unknown key raises and names the nearest" } },
      options = "configuration",
      returns = { { "moonpeer.Engine", "not started yet" } },
      errors = { "invalid_configuration", "invalid_connection_limits",
        "store_error" },
      example = [[
local mine <close> = assert(moonpeer.engine {
  network = "regtest", max_connections = 20,
})
assert(mine:config().max_connections == 20)]] },
    { name = "connect", since = "0.1.0", waits = true,
      summary = "Dials a peer: a connection without engine, store or "
        .. "policies behind it.",
      args = {
        { "address", "string",
          "\"1.2.3.4:8333\", \"[::1]:8333\" or \"name:8333\"; without a "
          .. "port the network's" },
        { "options?", "table", "options" },
      },
      options = {
        { "network", "string|table", "a name, or { name, magic, port }; "
          .. "mainnet" },
        { "user_agent", "string", "up to 256 bytes" },
        { "protocol_version", "integer", "31800 to 2147483647; 70016" },
        { "keepalive", "boolean", "answer pings and do not show them; true" },
        { "connect_timeout", "number|string", "1 ms to 1 h; 5 s" },
        { "handshake_timeout", "number|string", "1 ms to 1 h; 15 s" },
        { "ping_interval", "number|string", "0 (none) to 1 day; 0" },
        { "ping_timeout", "number|string", "1 ms to 1 day; 30 s" },
        { "receive_memory", "integer", "bytes, 1 KiB to 1 GiB; 4 MiB" },
        { "send_memory", "integer", "bytes, 1 KiB to 1 GiB; 1 MiB" },
      },
      returns = { { "moonpeer.Connection", "before the handshake" } },
      errors = { "connection_refused", "connection_timeout",
        "connection_failed", "dns_failed" },
      example = [[
local connection <close> = assert(moonpeer.connect(node, {
  network = "regtest",
}))
local version = assert(connection:handshake())
assert(version.user_agent:find "moonpeer")]] },
    { name = "listen", since = "0.1.0",
      summary = "Waits for peers that dial. Each connection becomes a task; "
        .. "without a function they wait for accept, 128 at most.",
      args = {
        { "address", "string", "port 0 chooses one" },
        { "fn?", "fun(connection: moonpeer.Connection)", "" },
        { "options?", "table", "as for connect", "moonpeer.connect" },
      },
      returns = { { "moonpeer.Listener", "" } },
      errors = { "listen_failed" },
      example = [[
local listener <close> = assert(moonpeer.listen("127.0.0.1:0",
  function(connection) connection:handshake() end, { network = "regtest" }))
assert(listener.address:find "^127.0.0.1:%d+$")]] },
    { name = "store", since = "0.1.0",
      summary = "Opens a peer store.",
      args = {
        { "url", "string|table", "\"memory:\", \"json:peers.json\", "
          .. "\"sqlite:peers.db\"; or a table of functions: load, apply, "
          .. "close" },
        { "options?", "table", "options" },
      },
      options = {
        { "capacity", "integer", "peers, 1 to 16,000,000; 65,536" },
        { "max_bans", "integer", "bans, 1 to 16,000,000; 100,000" },
        { "ttl", "table", "status -> duration or \"forever\", after which "
          .. "a peer is forgotten" },
        { "inaccessible_time", "number|string", "until an inaccessible peer "
          .. "is unknown again, over 0 or \"forever\"; 24 h" },
        { "ban_time", "number|string", "of a ban that says none, over 0 to "
          .. "100 years; 24 h" },
        { "asmap", "string", "a file that maps addresses to AS numbers" },
        { "read_only", "boolean", "changes are never saved" },
      },
      returns = { { "moonpeer.Store", "" } },
      errors = { "invalid_configuration", "store_error" },
      example = [[
local peers <close> = assert(moonpeer.store "memory:")
assert(peers:create { ip = "203.0.113.1", port = 8333 })
assert(#peers == 1)]] },
    { name = "spawn", since = "0.1.0",
      summary = "Starts a function as a task: a coroutine that may wait. It "
        .. "runs from the next turn of the loop on.",
      args = { { "fn", "function", "" }, { "...", "any", "its arguments" } },
      returns = { { "moonpeer.Task", "" } },
      example = [[
local task = moonpeer.spawn(function(a, b) return a + b end, 1, 2)
assert(task:wait() == 3)]] },
    { name = "run", since = "0.1.0",
      summary = "Runs the loop: until no engine, task or connection is left; "
        .. "with a function until that, a task, has ended. SIGINT, "
        .. "SIGTERM and SIGHUP end everything in order, a second SIGINT or "
        .. "SIGTERM at once. Runs do not nest.",
      args = { { "fn?", "function", "" }, { "...", "any", "its arguments" } },
      returns = { { "any", "true, or what the function returned" } },
      errors = { "cancelled" },
      example = [[
-- at the top of a script: moonpeer.run(function() ... end)
local good, message = pcall(moonpeer.run) -- here a task runs already
assert(not good and message:find "run is under way")]] },
    { name = "sleep", since = "0.1.0", waits = true,
      summary = "Waits for a while.",
      args = { { "time", "number|string", duration } },
      returns = { { "true", "" } },
      example = [[
local before = moonpeer.now()
moonpeer.sleep "10ms"
assert(moonpeer.now() - before >= 0.009)]] },
    { name = "resolve", since = "0.1.0", waits = true,
      summary = "Looks a name up.",
      args = { { "name", "string", "" },
        { "timeout?", "number|string", duration .. "; 30 s" } },
      returns = { { "string[]", "IP addresses, 256 at most" } },
      errors = { "dns_failed", "timeout" },
      example = [[
local list = assert(moonpeer.resolve("localhost", "5s"))
assert(list[1] == "127.0.0.1" or list[1] == "::1")]] },
    { name = "now", since = "0.1.0",
      summary = "Monotonic time, of a world inside one.",
      returns = { { "number", "seconds; its zero means nothing" } },
      example = [[assert(moonpeer.now() <= moonpeer.now())]] },
    { name = "time", since = "0.1.0",
      summary = "Wall time, of a world inside one.",
      returns = { { "number", "seconds since 1970" } },
      example = [[assert(moonpeer.time() > 1.6e9)]] },
    { name = "glob", since = "0.1.0",
      summary = "Does a text match a pattern of * and ?; the case of ASCII "
        .. "letters does not matter.",
      args = { { "text", "string", "" }, { "pattern", "string", "" } },
      returns = { { "boolean", "" } },
      example = [[assert(moonpeer.glob("/Bitcoin SV:1.2.2/", "*sv*"))]] },
    { name = "hex", since = "0.1.0",
      summary = "Bytes as hex digits; 32 bytes, a hash, reversed as it is "
        .. "displayed.",
      args = { { "bytes", "string", "" } },
      returns = { { "string", "" } },
      example = [[assert(moonpeer.hex "\1\255" == "01ff")]] },
    { name = "message", kind = "field", since = "0.1.0",
      type = "moonpeer.message",
      summary = "Frames and messages without an engine: see moonpeer.message.",
      example = [[assert(moonpeer.message.encode("verack"))]] },
    { name = "network", kind = "field", since = "0.1.0",
      type = "table<string, moonpeer.Network>",
      summary = "What is known of each network, by name: mainnet, testnet, "
        .. "stn, regtest and others; each has name, magic, port, genesis, "
        .. "seeds, checks_user_agent.",
      example = [[assert(moonpeer.network.mainnet.port == 8333)]] },
    { name = "version", kind = "field", since = "0.1.0", type = "string",
      summary = "This version: \"major.minor.patch\".",
      example = [[assert(moonpeer.version:find "^%d+%.%d+%.%d+$")]] },
  },
}
