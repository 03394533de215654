--- Peer stores.
local who = { "peer", "moonpeer.Peer|string", "or its id" }
local filter = {
  { "status", "string|string[]", "" },
  { "group", "string|moonpeer.Peer", "as group() gives it, or an address or "
    .. "peer of that group" },
  { "source", "string", "manual, dns, peer or inbound" },
  { "source_address", "string", "who told us" },
  { "older_than", "number|string", "first seen at least so long ago: 0 "
    .. "or more" },
  { "newer_than", "number|string", "first seen less than so long ago: 0 "
    .. "or more" },
  { "untried_for", "number|string", "not dialled for so long, or never" },
}
local choice = {
  { "except", "(moonpeer.Peer|string)[]", "not these peers or addresses" },
  { "except_groups", "(moonpeer.Peer|string)[]", "none of these groups" },
}
table.move(filter, 1, #filter, #choice + 1, choice)

return {
  name = "moonpeer.store", class = "moonpeer.Store", variable = "store",
  kind = "method",
  summary = "All peers that are remembered, and the bans. `#store` is how "
    .. "many peers there are.",
  members = {
    { name = "url", kind = "field", type = "string", since = "0.1.0",
      summary = "Where it is saved." },
    { name = "bans", kind = "field", type = "moonpeer.Bans", since = "0.1.0",
      summary = "Who is refused." },
    { name = "capacity", kind = "field", type = "integer", since = "0.1.0",
      summary = "How many peers are remembered at most. When it is full a new "
        .. "one takes the place of another, as create says; made smaller "
        .. "while in use, peers go in the same order, with time." },
    { name = "is_open", kind = "field", type = "boolean", since = "0.1.0",
      summary = "" },
    { name = "is_changed", kind = "field", type = "boolean", since = "0.1.0",
      summary = "Is there something that was not saved?" },
    { name = "warning", kind = "field", type = "string|nil", since = "0.1.0",
      summary = "What was wrong with the file when it was opened, and where "
        .. "that was put; nil when all was well." },
    { name = "create", since = "0.1.0",
      summary = "Remembers a peer. When the store is full another goes: "
        .. "those that never worked first, then those that worked once, "
        .. "banned ones last; among them inaccessible before unknown before "
        .. "valid, and first who has been longest in its status.",
      args = { { "fields", "table", "ip and port; and any field of a peer" } },
      returns = { { "moonpeer.Peer", "" } },
      errors = { "duplicate_peer", "invalid_configuration", "limit" },
      example = [[
assert(store:create { ip = "203.0.113.2", port = 8333 })
local _, _, code = store:create { ip = "203.0.113.2", port = 8333 }
assert(code == "duplicate_peer")]] },
    { name = "read", since = "0.1.0",
      summary = "The peer of an id.",
      args = { { "id", "string", "a UUID" } },
      returns = { { "moonpeer.Peer", "" } }, errors = { "peer_not_found" },
      example = [[assert(store:read(peer.id) == peer)]] },
    { name = "update", since = "0.1.0",
      summary = "Changes fields of a peer.",
      args = { who, { "fields", "table", "" } },
      returns = { { "moonpeer.Peer", "" } },
      errors = { "duplicate_peer", "invalid_configuration", "peer_not_found" },
      example = [[
assert(store:update(peer, { status = "valid" }).status == "valid")]] },
    { name = "delete", since = "0.1.0",
      summary = "Forgets a peer.", args = { who },
      returns = { { "true", "" } }, errors = { "peer_not_found" },
      example = [[
local other = assert(store:create { ip = "203.0.113.3", port = 1 })
assert(store:delete(other))]] },
    { name = "list_all", since = "0.1.0", summary = "All peers.",
      returns = { { "moonpeer.Peer[]", "" } },
      example = [[assert(#store:list_all() == #store)]] },
    { name = "find_by_status", since = "0.1.0", summary = "All of a status.",
      args = { { "status", "string",
        "unknown, valid, inaccessible or banned" } },
      returns = { { "moonpeer.Peer[]", "" } },
      example = [[assert(#store:find_by_status "banned" == 0)]] },
    { name = "find_by_ip_port", since = "0.1.0",
      summary = "The peer at an address.",
      args = { { "ip", "string", "or both in one text" },
        { "port?", "integer", "" } },
      returns = { { "moonpeer.Peer", "" } },
      errors = { "invalid_configuration", "peer_not_found" },
      example = [[assert(store:find_by_ip_port(peer.ip, peer.port) == peer)]]
    },
    { name = "count_by_status", since = "0.1.0",
      summary = "How many there are of a status; or of each.",
      args = { { "status?", "string", "" } },
      returns = { { "integer|table", "" } },
      example = [[
assert(store:count_by_status "banned" == 0)
assert(store:count_by_status().banned == 0)]] },
    { name = "each", since = "0.1.0",
      summary = "Walks the peers. Changing the store meanwhile is safe.",
      args = { { "filter?", "table", "options" } }, options = filter,
      returns = { { "fun(): moonpeer.Peer?", "an iterator" } },
      example = [[
for one in store:each { status = { "unknown", "valid" } } do
  print(one.address)
end]] },
    { name = "pick", since = "0.1.0",
      summary = "Peers at random, over network groups first: one network "
        .. "cannot fill the choice.",
      args = { { "n", "integer", "0 to 65536" },
        { "filter?", "table", "options" } },
      options = choice,
      returns = { { "moonpeer.Peer[]", "up to n" } },
      example = [[assert(#store:pick(8, { status = "valid" }) <= 8)]] },
    { name = "hear", since = "0.1.0",
      summary = "Remembers an address that somebody told, under the limits "
        .. "for what one source may tell.",
      args = { { "address", "string", "" }, { "about?", "table", "options" } },
      options = { { "source", "string", "" },
        { "source_address", "string", "" }, { "services", "integer", "bits" } },
      returns = { { "moonpeer.Peer", "" } },
      errors = { "duplicate_peer", "invalid_configuration", "limit",
        "peer_not_found" },
      example = [[
assert(store:hear("203.0.113.4:8333", { source = "dns" }))]] },
    { name = "expect", since = "0.1.0",
      summary = "A source was asked: so many addresses more are taken of it.",
      args = { { "n", "integer", "0 to 1000" },
        { "about?", "table", "as for hear", "moonpeer.Store.hear" } },
      returns = { { "true", "" } },
      example = [[
assert(store:expect(1000, { source_address = "203.0.113.5:8333" }))]] },
    { name = "group", since = "0.1.0",
      summary = "The network group of an address: /16, /32 or AS.",
      args = { { "address", "string", "" } },
      returns = { { "string", "hex digits, the same for all of a group" } },
      errors = { "invalid_configuration", "peer_not_found" },
      example = [[
assert(store:group "8.8.8.8:8333" == store:group "8.8.4.4:8333")]] },
    { name = "discourage", since = "0.1.0",
      summary = "The milder tier: in memory only.",
      args = { { "address", "string", "" } }, returns = { { "true", "" } },
      errors = { "invalid_configuration", "limit", "peer_not_found" },
      example = [[
assert(store:discourage "203.0.113.6")
assert(store:is_discouraged "203.0.113.6")]] },
    { name = "encourage", since = "0.1.0",
      summary = "Takes that back.",
      args = { { "address", "string", "" } }, returns = { { "true", "" } },
      errors = { "invalid_configuration", "peer_not_found" },
      example = [[assert(store:encourage "203.0.113.6")]] },
    { name = "is_discouraged", since = "0.1.0", summary = "",
      args = { { "address", "string", "" } }, returns = { { "boolean", "" } },
      errors = { "invalid_configuration", "peer_not_found" },
      example = [[assert(not store:is_discouraged "203.0.113.7")]] },
    { name = "value", since = "0.1.0",
      summary = "A value that a script has saved with the store.",
      args = { { "name", "string", "" } },
      returns = { { "string|nil", "bytes" } },
      example = [[assert(store:value "nothing" == nil)]] },
    { name = "set_value", since = "0.1.0",
      summary = "Saves a value with the store.",
      args = { { "name", "string", "" },
        { "bytes?", "string", "nil takes it away" } },
      returns = { { "true", "" } },
      errors = { "invalid_configuration", "limit" },
      example = [[
assert(store:set_value("seen", "12"))
assert(store:value "seen" == "12")]] },
    { name = "values", since = "0.1.0", summary = "Walks these values.",
      returns = { { "fun(): (string?, string?)", "an iterator: name, bytes" } },
      example = [[for name, bytes in store:values() do print(name, bytes) end]]
    },
    { name = "configure", since = "0.1.0",
      summary = "Changes the options it was opened with.",
      args = { { "options", "table", "options" } },
      options = { { "capacity", "integer", "" }, { "max_bans", "integer", "" },
        { "ttl", "table", "" }, { "inaccessible_time", "number|string", "" },
        { "ban_time", "number|string", "" } },
      example = [[store:configure { inaccessible_time = "12h" }]] },
    { name = "expire", since = "0.1.0",
      summary = "Forgets what is stale, ends bans: an engine does it itself.",
      args = { { "budget?", "integer", "peers looked at, 1 or more" } },
      returns = { { "boolean", "is there more to do now?" } },
      example = [[while store:expire() do end]] },
    { name = "on", since = "0.1.0",
      summary = "Calls a function for what changes, from the next turn on.",
      args = { { "event", "string", "peer_created, peer_updated, "
        .. "peer_deleted, ban_added or ban_removed" },
        { "name", "string", "" }, { "fn", "fun(change: table)", "" } },
      example = [[
store:on("peer_created", "log", function(change) print(change.address) end)
store:off("peer_created", "log")]] },
    { name = "off", since = "0.1.0", summary = "Takes a listener away.",
      args = { { "event", "string", "" }, { "name", "string", "" } },
      example = [[store:off("ban_added", "nobody")]] },
    { name = "save", since = "0.1.0", waits = true,
      summary = "Saves, and waits until the bytes are durable; after the "
        .. "timeout the save goes on. Outside a task it is done when the call "
        .. "returns.",
      args = { { "timeout?", "number|string", "forever" } },
      returns = { { "true", "" } }, errors = { "store_error", "timeout" },
      example = [[assert(store:save "5s")]] },
    { name = "close", since = "0.1.0",
      summary = "Saves and closes.",
      example = [[
local other = assert(moonpeer.store "memory:")
other:close()]] },
  },
}
