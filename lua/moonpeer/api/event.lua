--- Events.
local function field(name, kind, summary)
  return { name = name, kind = "field", type = kind, since = "0.1.0",
    summary = summary }
end

local event = {
  name = "moonpeer.event", class = "moonpeer.Event", variable = "event",
  kind = "method",
  summary = "What an engine tells its listeners; stale when they return.",
  values = { "moonpeer.EventType", {
    { "connection_started", "a dial begins" },
    { "connection_established", "a stream is open, ours or an inbound one" },
    { "handshake_complete", "both sides have shaken hands" },
    { "connection_failed", "a dial or a handshake came to nothing: code" },
    { "connection_lost", "one that had shaken hands is over: code" },
    { "connection_restarting", "it is dialled again after a network failure" },
    { "peer_misbehaved", "an offence: code, count, verdict" },
    { "peer_banned", "prefix, reason, ban_reason, expires, origin" },
    { "peer_unbanned", "the same of the ban that is over" },
    { "inbound_accepted", "somebody who dialled is in" },
    { "inbound_rejected", "somebody who dialled is refused" },
    { "rejected_for_capacity", "the same, as there is no slot" },
    { "evicted", "one had to go for another" },
    { "listener_started", "address is where we listen" },
    { "listener_failed", "it is tried again after listen_retry: code" },
    { "discovery_finished", "the DNS seeds have answered, or not" },
    { "store_saved", "what was changed is durable" },
    { "store_failed", "it is not, and is tried again: code" },
    { "policy_failed", "a function, a file or a job of a policy: reason" },
    { "decision", "what a policy decided: verdict" },
    { "message", "a message came: message, command" },
    { "chunk", "a piece of a payload too large to be held" },
  } },
  members = {
    field("type", "moonpeer.EventType", "What happened."),
    field("command", "string|nil", "Of \"message\" and \"chunk\"."),
    field("bytes", "string|nil", "A piece of a payload, of \"chunk\"."),
    field("offset", "integer|nil", "Where in the payload that piece is."),
    field("total", "integer|nil", "Bytes of the whole payload."),
    field("last", "boolean|nil", "Is it the last piece?"),
    field("time", "number", "Seconds since 1970."),
    field("connection", "moonpeer.Connection|nil", ""),
    field("address", "string|nil", "Of the remote, or of the listener. Of a "
      .. "ban it has no port, and is nil when the prefix covers more."),
    field("code", "string|nil", "Of a failure or an offence."),
    field("reason", "string", "In words."),
    field("message", "moonpeer.Message|nil", "Of \"message\"."),
    field("prefix", "string|nil", "What was banned or unbanned."),
    field("expires", "number|nil", "When that ban ends or would have ended, "
      .. "seconds since 1970; math.huge: never."),
    field("ban_reason", "string|nil", "Of that ban: \"manual\", "
      .. "\"misbehaviour\" ..."),
    field("origin", "string|nil", "Who banned: \"manual\", \"policy\", "
      .. "\"import\" ..."),
    field("verdict", "string|nil", "What a policy decided."),
    field("verdict_reason", "string|nil", ""),
    field("rule", "string|nil", "The declared rule that decided so, instead "
      .. "of a policy."),
    field("count", "integer|nil", "How often it did wrong."),
    { name = "table", since = "0.1.0",
      summary = "All fields as a table, the message as a copy: for later.",
      returns = { { "table", "" } },
      example = [[
local kept
engine:on("peer_banned", "keep", function(event) kept = event:table() end)
engine:ban "198.51.100.8"
moonpeer.sleep "20ms"
engine:off("peer_banned", "keep")
assert(kept.prefix == "198.51.100.8")]] },
  },
}

local queued = {
  name = "moonpeer.queued", class = "moonpeer.QueuedEvent",
  variable = "queued", kind = "field", is_table = true,
  parent = "moonpeer.Event",
  summary = "An event of a queue (engine:events), a table.",
  members = {
    field("lost", "integer|nil", "How many were dropped before it."),
  },
}

return { event, queued }
