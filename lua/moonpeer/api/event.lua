--- Events.
local function field(name, kind, summary)
  return { name = name, kind = "field", type = kind, since = "0.1.0",
    summary = summary }
end

return {
  name = "moonpeer.event", class = "moonpeer.Event", variable = "event",
  kind = "method",
  summary = "What an engine tells its listeners; stale when they return.",
  members = {
    field("type", "string", "\"handshake_complete\" ..."),
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
