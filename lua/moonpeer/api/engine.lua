--- Engines.
return {
  name = "moonpeer.engine", class = "moonpeer.Engine", variable = "engine",
  kind = "method",
  summary = "Peers, connections and policies under one configuration.",
  members = {
    { name = "start", since = "0.1.0",
      summary = "Sets it going: listens, dials, saves.",
      returns = { { "true", "" } }, errors = { "closed" },
      example = [[
local mine <close> = assert(moonpeer.engine { network = "regtest" })
assert(mine:start())]] },
    { name = "close", since = "0.1.0",
      summary = "Ends it in order: no more connections, then a last save. "
        .. "Returns at once; twice is fine.",
      args = { { "deadline?", "number|string", "0 or more; "
        .. "shutdown_timeout" } },
      example = [[
local mine = assert(moonpeer.engine { network = "regtest" })
mine:start()
mine:close "1s"]] },
    { name = "store", kind = "field", type = "moonpeer.Store",
      since = "0.1.0", summary = "Its peers and bans.",
      example = [[assert(engine.store:count_by_status "valid" >= 0)]] },
    { name = "peers", since = "0.1.0",
      summary = "Walks the peers of its store.",
      args = { { "filter?", "table", "as for store:each",
        "moonpeer.Store.each" } },
      returns = { { "fun(): moonpeer.Peer?", "an iterator" } },
      example = [[for one in engine:peers() do print(one.address) end]] },
    { name = "stats", since = "0.1.0",
      summary = "As counts; besides peers by status, messages and bytes by "
        .. "command, memory, and how late the loop is. events_lost counts what "
        .. "slow readers of engine:events have lost, too.",
      returns = { { "table", "" } },
      example = [[
local stats = engine:stats()
assert(stats.messages_in >= 0 and stats.events_lost == 0)]] },
    { name = "trusts", since = "0.1.0",
      summary = "Does one of the trusted prefixes cover an address?",
      args = { { "address", "string", "" } },
      returns = { { "boolean", "" } },
      example = [[assert(not engine:trusts "198.51.100.1")]] },
    { name = "address", since = "0.1.0",
      summary = "Where it listens: the real port, also for port 0.",
      returns = { { "string", "" } }, errors = { "listen_failed" },
      example = [[assert(engine:address() == node)]] },
    { name = "network", since = "0.1.0",
      summary = "What is known of the network it speaks.",
      returns = { { "moonpeer.Network", "" } },
      example = [[assert(engine:network().name == "regtest")]] },
    { name = "config", since = "0.1.0",
      summary = "The configuration as it is now: durations in seconds, "
        .. "memory in bytes; network by name, listen (false for none), mode, "
        .. "peers and trusted as texts.",
      returns = { { "table", "key -> value" } },
      example = [[assert(engine:config().ping_timeout == 30)]] },
    { name = "configure", since = "0.1.0",
      summary = "Changes the configuration while it runs: all of it, or "
        .. "nothing when something is wrong. A schedule takes the place of the "
        .. "one before, a shadow of false ends the trial; network, policies, "
        .. "store and budget last as long as the engine: others are refused, "
        .. "with what to do instead.",
      args = { { "changes", "table", "options" } },
      options = "configuration",
      returns = { { "table", "key -> { before, now }, of what changed" } },
      errors = { "invalid_configuration", "invalid_connection_limits" },
      example = [[
local changed = assert(engine:configure { max_connections = 30 })
assert(changed.max_connections[2] == 30)]] },
    { name = "on", since = "0.1.0",
      summary = "Calls a function whenever something happens. A listener of "
        .. "the same name is replaced. The event is stale when the function "
        .. "has returned.",
      args = {
        { "event", "moonpeer.EventType", "such as \"handshake_complete\"" },
        { "name", "string", "of the listener" },
        { "fn", "fun(event: moonpeer.Event)", "it may not wait" },
        { "options?", "table", "options" },
      },
      options = { { "command", "string", "of \"message\", and of "
        .. "\"chunk\", payloads too large to be held" } },
      example = [[
engine:on("peer_banned", "log", function(event) print(event.prefix) end)
engine:off("peer_banned", "log")]] },
    { name = "off", since = "0.1.0",
      summary = "Takes a listener away; nothing happens when there is none.",
      args = { { "event", "moonpeer.EventType", "" },
        { "name", "string", "" } },
      example = [[engine:off("peer_banned", "nobody")]] },
    { name = "events", since = "0.1.0",
      summary = "A queue of events for a task. When it is full the oldest is "
        .. "dropped; the event after a gap has `lost`, their number, and "
        .. "engine:stats counts them all as events_lost.",
      args = { { "options?", "table", "options" } },
      options = {
        { "capacity", "integer", "1 or more; 1024" },
        { "events", "moonpeer.EventType[]", "all but message, chunk and "
          .. "decision" },
        { "command", "string", "of messages" },
      },
      returns = { { "fun(): moonpeer.QueuedEvent?", "an iterator" } },
      example = [[
local task = moonpeer.spawn(function()
  for event in engine:events { events = { "peer_banned" } } do
    return event.prefix
  end
end)
moonpeer.sleep(0)
engine:ban "198.51.100.7"
assert(task:wait "5s" == "198.51.100.7")]] },
    { name = "connections", since = "0.1.0",
      summary = "Walks the connections. Closing them meanwhile is safe.",
      args = { { "filter?", "table", "options" } },
      options = {
        { "state", "string", "\"connected\" ..." },
        { "inbound", "boolean", "" },
        { "address", "string", "" },
      },
      returns = { { "fun(): moonpeer.Connection?", "an iterator" } },
      example = [[
for connection in engine:connections { state = "connected" } do
  print(connection.address, connection.rtt)
end]] },
    { name = "counts", since = "0.1.0",
      summary = "What it has done, and has now: connections, inbound, "
        .. "outbound, half_open, connected; dials, accepted, rejected, "
        .. "handshakes, evictions, bans, events_lost, and failures by code.",
      returns = { { "table<string, integer>", "" } },
      example = [[assert(engine:counts().connections >= 0)]] },
    { name = "dial", since = "0.1.0",
      summary = "Dials an address, whatever the policies would select.",
      args = { { "address", "string", "an IP, and a port or the network's" } },
      returns = { { "true", "" } },
      errors = { "limit", "closed", "cancelled", "duplicate_peer",
        "self_connection" },
      example = [[
local done, message, code = engine:dial "127.0.0.1:1"
assert(done or code)]] },
    { name = "disconnect", since = "0.1.0",
      summary = "Closes connections: one, those of a peer, or all with an "
        .. "address.",
      args = {
        { "what", "moonpeer.Connection|moonpeer.Peer|string",
          "\"1.2.3.4:8333\", \"1.2.3.4\" for all ports, \"1.2.0.0/16\"" },
        { "reason?", "string", "" },
      },
      returns = { { "integer", "how many were closed" } },
      example = [[assert(engine:disconnect "198.51.100.1" == 0)]] },
    { name = "send", since = "0.1.0",
      summary = "Sends a message to one connection or to a list of them.",
      args = {
        { "to", "moonpeer.Connection|moonpeer.Connection[]", "" },
        { "command", "string", "up to 12 bytes" },
        { "fields?", "table|string", "of the message, or its payload" },
      },
      returns = { { "integer", "to how many" },
        { "table", "connection -> { message, code }, where it failed" } },
      example = [[assert(engine:send({}, "sendheaders") == 0)]] },
    { name = "broadcast", since = "0.1.0",
      summary = "Sends a message to all connections that have shaken hands.",
      args = {
        { "command", "string", "up to 12 bytes" },
        { "fields?", "table|string", "" },
        { "filter?", "table", "as for connections",
          "moonpeer.Engine.connections" },
      },
      returns = { { "integer", "to how many" }, { "table", "failures" } },
      example = [[
local sent = engine:broadcast("ping", { nonce = 7 })
assert(sent >= 0)]] },
    { name = "ban", since = "0.1.0",
      summary = "Refuses an address or prefix, and closes what it covers.",
      args = {
        { "what", "string|moonpeer.Connection|moonpeer.Peer", "\"1.2.3.4\", "
          .. "\"1.2.3.0/24\", or a connection or peer for its address" },
        { "options?", "table", "options" },
      },
      options = {
        { "time", "number|string", "from 1 s, or \"forever\"; ban_time" },
        { "reason", "string", "for people" },
      },
      returns = { { "true", "" } }, errors = { "limit" },
      example = [[
assert(engine:ban("198.51.100.0/24", { time = "7d", reason = "scanner" }))
assert(engine:unban "198.51.100.0/24")]] },
    { name = "unban", since = "0.1.0",
      summary = "Ends the ban on exactly that address or prefix.",
      args = { { "what", "string", "" } },
      returns = { { "true", "" } }, errors = { "peer_not_found" },
      example = [[
engine:ban "198.51.100.9"
assert(engine:unban "198.51.100.9")]] },
    { name = "save", since = "0.1.0", waits = true,
      summary = "Saves the store and waits until the bytes are durable.",
      args = { { "timeout?", "number|string", "forever" } },
      returns = { { "true", "" } },
      errors = { "store_error", "timeout", "closed" },
      example = [[assert(engine:save "5s")]] },
    { name = "save_soon", since = "0.1.0",
      summary = "Saves from the next turn on; store_saved or store_failed "
        .. "tells.",
      example = [[engine:save_soon()]] },
    { name = "spawn", since = "0.1.0",
      summary = "Starts a function as a task on the engine's loop.",
      args = { { "fn", "function", "" }, { "...", "any", "" } },
      returns = { { "moonpeer.Task", "" } },
      example = [[assert(engine:spawn(function() return 7 end):wait() == 7)]]
    },
    { name = "pick", since = "0.1.0",
      summary = "Addresses of peers of a status, at random over network "
        .. "groups: for policies that select.",
      args = { { "n", "integer", "0 to 256" },
        { "status", "string", "unknown, valid, inaccessible or banned" } },
      returns = { { "string[]", "up to n" } },
      example = [[assert(#engine:pick(8, "valid") <= 8)]] },
    { name = "anchors", since = "0.1.0",
      summary = "Addresses of the outbound peers that worked when it was "
        .. "last closed: for policies that select.",
      returns = { { "string[]", "16 at most" } },
      example = [[assert(#engine:anchors() == 0)]] },
    { name = "backoff", since = "0.1.0",
      summary = "How long to wait before the next dial, by the "
        .. "configuration: for policies that retry.",
      args = { { "attempts", "integer", "failures in a row, 0 to 1000000" } },
      returns = { { "number", "seconds" } },
      example = [[assert(engine:backoff(1) > 0)]] },
    { name = "discover", since = "0.1.0",
      summary = "Looks up the DNS seeds now, besides the schedule; "
        .. "discovery_finished tells.",
      example = [[engine:discover()]] },
    { name = "complain", since = "0.1.0",
      summary = "Tells listeners of policy_failed, from the next turn on: "
        .. "what a schedule or a policy could not do.",
      args = { { "text", "string", "event.reason" } },
      example = [[engine:complain "the list of scanners could not be read"]] },
    { name = "policies", since = "0.1.0",
      summary = "What each function of each policy has done so far, in the "
        .. "order in which they are asked.",
      returns = { { "table[]", "policy, name, state, calls, errors, kills, "
        .. "time (seconds), last_error" } },
      example = [[
for _, row in ipairs(engine:policies()) do
  print(row.policy, row.name, row.state, row.calls)
end]] },
    { name = "rules", since = "0.1.0",
      summary = "The rules that policies declare, and what they counted.",
      returns = { { "table[]", "name, counted, exempted, reached: how often "
        .. "a step of the ladder was" } },
      example = [[assert(#engine:rules() >= 0)]] },
    { name = "schedule", since = "0.1.0",
      summary = "The jobs of the schedule.",
      returns = { { "table[]", "name, runs, failures, skipped, last (seconds "
        .. "since 1970), running" } },
      example = [[
for _, job in ipairs(engine:schedule()) do print(job.name, job.runs) end]] },
    { name = "reload", since = "0.1.0",
      summary = "Reads the policies that came from files again, from the "
        .. "next turn on. What does not compile, check or pass a trial "
        .. "changes nothing; what fails within 30 s after is taken back. "
        .. "Inside a task it waits for the outcome.",
      returns = { { "true", "" } }, errors = { "invalid_configuration" },
      example = [[assert(engine:reload())]] },
    { name = "watch", since = "0.1.0",
      summary = "Reloads by itself when a policy's file changes. What is "
        .. "wrong with the file policy_failed tells, and nothing changes.",
      args = { { "every?", "number|string|false", "how often it looks, 0.5 s; "
        .. "false: not any more" } },
      example = [[
engine:watch "100ms"
engine:watch(false)]] },
    { name = "try", since = "0.1.0",
      summary = "Lets a policy decide beside the active ones, without "
        .. "effect: shadow mode.",
      args = { { "policy?", "moonpeer.Policy|string", "a policy or a file's "
        .. "name; nil ends it" } },
      returns = { { "true", "" } }, errors = { "invalid_configuration" },
      example = [[
assert(engine:try { judge = function() return "ban", "strict" end })
assert(engine:trial().asked >= 0)
engine:try()]] },
    { name = "trial", since = "0.1.0",
      summary = "How the policy of try would have decided.",
      returns = { { "table|nil", "policy, asked, differs, and the last 256 "
        .. "differences: time, decision, address, active, shadow, reason" } },
      example = [[assert(engine:trial() == nil)]] },
    { name = "decisions", since = "0.1.0",
      summary = "The last 256 decisions, the oldest first: number, time, "
        .. "generation, decision, policy, rule, verdict, reason, address, "
        .. "inputs, and text, all of it in a line of printable ASCII.",
      args = { { "after?", "integer", "those with a number above it; 0" } },
      returns = { { "table[]", "" } },
      example = [[
for _, row in ipairs(engine:decisions()) do print(row.text) end]] },
    { name = "explain", since = "0.1.0",
      summary = "Those decisions that are about one remote.",
      args = { { "what?", "string|moonpeer.Connection|moonpeer.Peer",
        "an address, with its port or without; all when left out" } },
      returns = { { "table[]", "as of decisions" } },
      example = [[
for _, row in ipairs(engine:explain "198.51.100.1") do print(row.text) end]] },
  },
}
