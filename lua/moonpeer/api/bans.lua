--- Ban lists.
local prefix = { "what", "string", "\"1.2.3.4\", \"1.2.3.0/24\", "
  .. "\"2001:db8::/32\"; \"::ffff:1.2.3.0/120\" is "
  .. "\"1.2.3.0/24\"" }

local bans = {
  name = "moonpeer.bans", class = "moonpeer.Bans", variable = "bans",
  kind = "method",
  summary = "Addresses and prefixes that are refused.",
  members = {
    { name = "add", since = "0.1.0",
      summary = "Bans. Of a full list the ban that "
        .. "is the soonest to expire ends for it, even when the new one would "
        .. "expire sooner still; limit: all are for ever.",
      args = { prefix, { "options?", "table", "options" } },
      options = {
        { "time", "number|string", "or \"forever\"; 24 h" },
        { "expires", "number|string", "seconds since 1970, or \"forever\"" },
        { "reason", "string", "network_mismatch, blockchain_mismatch, "
          .. "banned_user_agent, misbehaviour or manual" },
        { "origin", "string", "" }, { "note", "string", "" },
        { "created", "number", "seconds since 1970" },
      },
      returns = { { "moonpeer.Ban", "" } },
      errors = { "invalid_configuration", "limit", "peer_not_found" },
      example = [[
local ban = assert(bans:add("198.51.100.0/24", { time = "1h" }))
assert(ban.prefix == "198.51.100.0/24")]] },
    { name = "get", since = "0.1.0", summary = "The ban on exactly that.",
      args = { prefix }, returns = { { "moonpeer.Ban|nil", "" } },
      errors = { "invalid_configuration", "peer_not_found" },
      example = [[assert(bans:get "192.0.2.77" == nil)]] },
    { name = "find", since = "0.1.0",
      summary = "The narrowest ban that covers an address.",
      args = { { "address", "string", "" } },
      returns = { { "moonpeer.Ban|nil", "" } },
      errors = { "invalid_configuration", "peer_not_found" },
      example = [[
bans:add "192.0.2.0/24"
assert(bans:find "192.0.2.9".prefix == "192.0.2.0/24")]] },
    { name = "remove", since = "0.1.0",
      summary = "Ends the ban on exactly that.",
      args = { prefix }, returns = { { "true", "" } },
      errors = { "invalid_configuration", "peer_not_found" },
      example = [[
bans:add "192.0.2.1"
assert(bans:remove "192.0.2.1")]] },
    { name = "lift", since = "0.1.0",
      summary = "Ends all bans that cover an address.",
      args = { { "address", "string", "" } },
      returns = { { "integer", "how many there were" } },
      errors = { "invalid_configuration", "peer_not_found" },
      example = [[
bans:add "192.0.2.0/24"
assert(bans:lift "192.0.2.1" == 1)]] },
    { name = "each", since = "0.1.0", summary = "Walks the bans.",
      returns = { { "fun(): moonpeer.Ban?", "an iterator" } },
      example = [[for ban in bans:each() do print(ban.prefix) end]] },
    { name = "count", since = "0.1.0", summary = "How many; `#bans` too.",
      returns = { { "integer", "" } },
      example = [[assert(bans:count() == #bans)]] },
    { name = "import", since = "0.1.0",
      summary = "Takes the bans of a text.",
      args = { { "text", "string", "banlist.json, or a prefix a line" },
        { "options?", "table", "options" } },
      options = { { "format", "string", "\"json\" or \"plain\"; by its "
        .. "beginning" }, { "name", "string", "of the text, in messages" },
        { "origin", "string", "" }, { "time", "number|string", "" } },
      returns = { { "integer", "added" }, { "integer", "expired already" } },
      errors = { "invalid_configuration", "limit" },
      example = [[assert(bans:import "192.0.2.128/25\n" == 1)]] },
    { name = "export", since = "0.1.0", summary = "All bans as a text.",
      args = { { "format?", "string", "\"json\" (banlist.json) or "
        .. "\"plain\"" } },
      returns = { { "string", "" } }, errors = { "limit" },
      example = [[assert(bans:export():find "banned_nets")]] },
  },
}

local function field(name, kind, summary)
  return { name = name, kind = "field", type = kind, since = "0.1.0",
    summary = summary }
end

local ban = {
  name = "moonpeer.ban", class = "moonpeer.Ban", variable = "ban",
  kind = "field", is_table = true, summary = "One ban of a list: a table.",
  members = {
    field("prefix", "string", "An address, or \"1.2.3.0/24\"."),
    field("reason", "string", "network_mismatch, blockchain_mismatch, "
      .. "banned_user_agent, misbehaviour or manual."),
    field("origin", "string", "Who decided: manual, import, policy ..."),
    field("note", "string|nil", "In words, why."),
    field("created", "number", "Seconds since 1970."),
    field("expires", "number|string", "The same, or \"forever\"."),
  },
}

return { bans, ban }
