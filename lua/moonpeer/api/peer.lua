--- Peers.
local function field(name, kind, summary)
  return { name = name, kind = "field", type = kind, since = "0.1.0",
    summary = summary }
end

return {
  name = "moonpeer.peer", class = "moonpeer.Peer", variable = "peer",
  kind = "method",
  summary = "A remembered remote. Its fields are changed by store:update; a "
    .. "script's own are in `data`.",
  members = {
    field("id", "string", "A UUID."),
    field("ip", "string", ""),
    field("port", "integer", "1 to 65535."),
    field("address", "string", "Both: \"1.2.3.4:8333\"."),
    field("status", "string", "unknown, valid, inaccessible or banned."),
    field("status_time", "number", "When the status changed, seconds since "
      .. "1970, as all times here."),
    field("ban_reason", "string|nil", "While it is banned."),
    field("source", "string", "Who told us: manual, dns, peer or inbound."),
    field("source_address", "string|nil", "The peer that did."),
    field("services", "integer", "Bits, as it claims."),
    field("user_agent", "string", ""),
    field("protocol_version", "integer", ""),
    field("start_height", "integer", "As it claims: never to be trusted."),
    field("first_seen", "number|nil", ""),
    field("last_seen", "number|nil", ""),
    field("last_tried", "number|nil", ""),
    field("failures", "integer", "In a row."),
    field("rtt", "number|nil", "Seconds, of its last ping."),
    field("data", "table", "A script's own fields, saved with the peer."),
    { name = "is_valid", since = "0.1.0", summary = "Is its status valid?",
      returns = { { "boolean", "" } },
      example = [[
store:update(peer, { status = "valid" })
assert(peer:is_valid())]] },
    { name = "is_banned", since = "0.1.0", summary = "Is its status banned?",
      returns = { { "boolean", "" } },
      example = [[assert(not peer:is_banned())]] },
    { name = "is_inaccessible", since = "0.1.0",
      summary = "Is its status inaccessible?",
      returns = { { "boolean", "" } },
      example = [[assert(not peer:is_inaccessible())]] },
    { name = "is_stored", since = "0.1.0",
      summary = "Is it still in its store?", returns = { { "boolean", "" } },
      example = [[assert(peer:is_stored())]] },
    { name = "table", since = "0.1.0", summary = "All fields as a table.",
      returns = { { "table", "" } },
      example = [[assert(peer:table().ip == peer.ip)]] },
  },
}
