--- Policies: what a script may say about whom to talk to, and what to do about
--- what they do. Tables that people write, so each is described, not made.
local since = "0.1.0"

local function field(name, kind, summary, range, default)
  return { name = name, kind = "field", type = kind, since = since,
    summary = summary, range = range or "", default = default or "none" }
end

local function row(name, kind, summary)
  return { name = name, kind = "field", type = kind, since = since,
    summary = summary }
end

--- An example makes an engine with the policy, and closes it.
local function example(text)
  return "local policy = { name = \"mine\" }\n" .. text .. "\n"
    .. "local mine <close> = assert(moonpeer.engine {\n"
    .. "  network = \"regtest\", policies = { policy },\n})"
end

local duration = "number|string"

local policy = {
  name = "moonpeer.policy", class = "moonpeer.Policy", variable = "policy",
  kind = "function", is_table = true,
  summary = "A table of functions that decide. Each may be left out; nil is "
    .. "\"no opinion\", and the next policy is asked; the stock policies "
    .. "(lua/moonpeer/policies/) are the last. An answer that makes no sense, "
    .. "an error, and 10 ms without an end count as errors: the next is asked, "
    .. "engine:policies() counts them, policy_failed tells. After three in a "
    .. "row, or more than 10 of 200, the function is left alone for 30 s, "
    .. "tried once, and the third time disabled until a reload. A decision "
    .. "cannot wait. What it asks of the engine takes effect after it has "
    .. "returned. A policy from a file runs in an environment of its own: "
    .. "Lua's functions without io, os.exit, load, debug and collectgarbage, "
    .. "with bounded string and table functions, no __gc, no globals of its "
    .. "own; require gives \"moonpeer\" (glob, hex, network, now, time, "
    .. "version) and copies of \"moonpeer.policies.NAME\" to change.",
  members = {
    field("name", "string", "In logs and explanations.", "",
      "the file's name, or policies[i]"),
    field("version", "string", "For people."),
    field("about", "string", "For people."),
    field("api", "integer", "The interface it is for; another is refused.",
      "1", "1"),
    field("on", "table<moonpeer.EventType, fun(event: moonpeer.Event)>",
      "As engine:on. They go with the policy at a reload. 50 ms each."),
    field("rules", "moonpeer.Rule[]", "Counted in C, before any function.",
      "64 in all"),
    field("schedule", "table<string, moonpeer.Job|false>",
      "Jobs by name; false for none of the name.", "", "save every 5 m"),
    { name = "accept", since = since,
      summary = "May somebody who dials us come in? The core has refused who "
        .. "is banned and who has too many connections.",
      args = { { "engine", "moonpeer.Engine", "" },
        { "address", "string", "\"1.2.3.4:50000\"" } },
      returns = { { "boolean", "true or false" },
        { "string|nil", "the reason" } },
      default = "false; the stock policy says true",
      example = example [[
function policy.accept(_, address)
  if moonpeer.glob(address, "10.*") then
    return false, "not from the office"
  end
end]] },
    { name = "validate", since = since,
      summary = "Is this a peer to talk to? Asked once for each connection, "
        .. "when its version message has come.",
      args = { { "engine", "moonpeer.Engine", "" },
        { "connection", "moonpeer.Connection", "" },
        { "version", "moonpeer.Version", "what it says of itself" } },
      returns = { { "\"ok\"|\"offence\"", "the answer" },
        { "string|nil", "for an offence: its code, such as "
          .. "\"banned_user_agent\"" },
        { "string|nil", "for an offence: words about it" } },
      default = "\"ok\"; the stock policy checks the user agent",
      example = example [[
function policy.validate(_, _, version)
  if moonpeer.glob(version.user_agent, "*scanner*") then
    return "offence", "banned_user_agent"
  end
end]] },
    { name = "judge", since = since,
      summary = "What to do about something that a peer did wrong. observe: "
        .. "only log; throttle: read nothing for a second; disconnect; "
        .. "discourage: and prefer others; ban: and refuse the address. A "
        .. "stream that makes no sense any more ends in any case.",
      args = { { "engine", "moonpeer.Engine", "" },
        { "connection", "moonpeer.Connection", "" },
        { "offence", "moonpeer.Offence", "" } },
      returns = { { "string|nil", "\"observe\", \"throttle\", "
          .. "\"disconnect\", \"discourage\" or \"ban\"" },
        { "string|nil", "the reason" },
        { "moonpeer.Verdict|nil", "of a ban" } },
      default = "\"disconnect\"; the stock policy has an answer for each "
        .. "offence",
      example = example [[
function policy.judge(_, _, offence)
  if offence.code == "banned_user_agent" then
    return "ban", offence.message, { time = "7d", scope = "group" }
  end
end]] },
    { name = "select", since = since,
      summary = "Whom to dial. Those that are banned, connected or wait for "
        .. "their next try, and more than n are left out, whoever names them.",
      args = { { "engine", "moonpeer.Engine", "" },
        { "n", "integer", "how many, 1 or more" } },
      returns = { { "(string|moonpeer.Peer)[]|nil", "peers, addresses, or "
        .. "tables with ip and port; the first 64 are looked at" } },
      default = "nobody; the stock policy takes anchors, then valid peers, "
        .. "then unknown ones, at random over network groups",
      example = example [[
function policy.select(engine, n)
  return engine:pick(n, "valid")
end]] },
    { name = "retry", since = since,
      summary = "When a peer is dialled again after connection_refused, "
        .. "connection_timeout, connection_reset or, while our own network is "
        .. "down, any failure in silence. What else fails is not retried: "
        .. "another peer is selected.",
      args = { { "engine", "moonpeer.Engine", "" },
        { "peer", "moonpeer.Peer|nil", "nil when the store has forgotten it" },
        { "failure", "moonpeer.Failure", "" } },
      returns = { { "number|string|false", "seconds or a text such as "
          .. "\"10m\"; false: never, it is inaccessible" },
        { "string|nil", "the reason" } },
      default = "max_backoff; the stock policy doubles the wait each time",
      example = example [[
function policy.retry(_, _, failure)
  return failure.attempts < 3 and "1h" or false
end]] },
    { name = "evict", since = since,
      summary = "Who goes when all slots are taken and somebody else wants to "
        .. "come in.",
      args = { { "engine", "moonpeer.Engine", "" },
        { "candidates", "moonpeer.Candidate[]", "those to give up first come "
          .. "first; trusted ones are not among them" },
        { "address", "string", "of the newcomer" } },
      returns = { { "moonpeer.Connection|false", "of a candidate; false: the "
          .. "newcomer is refused" },
        { "string|nil", "the reason" } },
      default = "false; the stock policy takes the first unless it is "
        .. "protected",
      example = example [[
function policy.evict(_, candidates)
  local slowest = candidates[1]
  for _, one in ipairs(candidates) do
    slowest = (one.rtt or 60) > (slowest.rtt or 60) and one or slowest
  end
  return slowest.connection, "is the slowest"
end]] },
    { name = "keep", since = since,
      summary = "Is an address that a peer told of worth remembering? How "
        .. "many and how fast is limited by the core for each source.",
      args = { { "engine", "moonpeer.Engine", "" },
        { "address", "string", "" },
        { "source", "string", "who told" } },
      returns = { { "boolean", "true or false" },
        { "string|nil", "the reason" } },
      default = "false; the stock policy refuses ports of other services",
      example = example [[
function policy.keep(_, address)
  return address:match ":8333$" ~= nil
end]] },
    { name = "setup", since = since,
      summary = "Called once when the policy comes into force. When it fails "
        .. "the engine is not made, or the reload changes nothing.",
      args = { { "engine", "moonpeer.Engine", "" } },
      returns = {}, default = "nothing",
      example = example [[
function policy.setup(engine)
  engine:on("peer_banned", "mine", function(event) print(event.prefix) end)
end]] },
    { name = "save", since = since,
      summary = "Called when a reload is about to replace it: what its "
        .. "successor's restore is given.",
      args = {}, returns = { { "any", "nil for nothing" } },
      default = "nothing",
      example = example [[
local seen = 12
function policy.save()
  return { seen = seen }
end]] },
    { name = "restore", since = since,
      summary = "Called after setup with what the one before has saved. When "
        .. "it fails the reload changes nothing.",
      args = { { "state", "any", "" } }, returns = {}, default = "nothing",
      example = example [[
local seen = 0
function policy.restore(state)
  seen = state.seen
end]] },
  },
}

local verdict = {
  name = "moonpeer.verdict", class = "moonpeer.Verdict", variable = "verdict",
  kind = "field", is_table = true,
  summary = "Options of a ban, the third value of judge.",
  members = {
    field("time", duration, "How long.", "or \"forever\"", "ban_time: 24 h"),
    field("scope", "string", "Whom.", "\"address\", \"group\" or a prefix",
      "\"address\""),
  },
}

local offence = {
  name = "moonpeer.offence", class = "moonpeer.Offence", variable = "offence",
  kind = "field", is_table = true,
  summary = "What a peer did wrong.",
  members = {
    row("code", "string", "network_mismatch, blockchain_mismatch, "
      .. "banned_user_agent, protocol_error, oversize_message, "
      .. "checksum_error, flood, obsolete_version, self_connection."),
    row("message", "string", "In words."),
    row("count", "integer", "Of this code on this connection within a minute "
      .. "of the first; the stock policy limits has ladders over it."),
    row("dropped", "boolean", "The message was dropped, and the stream goes "
      .. "on."),
  },
}

local failure = {
  name = "moonpeer.failure", class = "moonpeer.Failure", variable = "failure",
  kind = "field", is_table = true,
  summary = "Why a peer could not be reached.",
  members = {
    row("code", "string", "connection_refused, connection_timeout, "
      .. "connection_reset ..."),
    row("attempts", "integer", "Failures in a row, from 1."),
    row("address", "string", "Of the peer: \"1.2.3.4:8333\"."),
  },
}

local candidate = {
  name = "moonpeer.candidate", class = "moonpeer.Candidate",
  variable = "candidate", kind = "field", is_table = true,
  summary = "A connection that may be evicted.",
  members = {
    row("connection", "moonpeer.Connection", "What evict answers with."),
    row("group", "string", "Of its network; bytes."),
    row("rtt", "number|nil", "Least round trip, in seconds."),
    row("age", "number", "Seconds since it came."),
    row("protected", "boolean", "It merits to stay: a rare group, a short "
      .. "round trip, a long stay."),
  },
}

local rule = {
  name = "moonpeer.rule", class = "moonpeer.Rule", variable = "rule",
  kind = "field", is_table = true,
  summary = "How much of something is borne within a time. Counted in C; who "
    .. "is exempt is not counted. The verdict comes before any judge.",
  members = {
    field("name", "string", "In explanations.", "31 bytes",
      "the policy's and a number"),
    field("on", "string", "A command; or offence.", "1 to 12 bytes"),
    field("offence", "string", "The code of one, or \"any\"; or on.", ""),
    field("rate", "string", "How many in which time: \"2000/10s\". Or count "
      .. "and within."),
    field("count", "integer", "So many have the verdict.", "1 or more"),
    field("within", duration, "The window.", "over 0"),
    field("key", "string", "What is counted together.",
      "\"peer\", \"address\" or \"group\"", "\"peer\""),
    field("verdict", "string", "As judge answers.", "see judge"),
    field("time", duration, "Of a ban.", "or \"forever\"", "ban_time: 24 h"),
    field("scope", "string", "Of a ban.", "\"address\" or \"group\"",
      "\"address\""),
    field("ladder", "moonpeer.Rule[]", "Steps of count, verdict, time and "
      .. "scope instead of one.", "1 to 5, rising"),
    field("exempt", "string[]", "Prefixes, or \"trusted\".", "up to 16"),
  },
}

local job = {
  name = "moonpeer.job", class = "moonpeer.Job", variable = "job",
  kind = "field", is_table = true,
  summary = "What a schedule does again and again. save, discover, expire and "
    .. "report bring their own run. One that fails keeps its place, and is "
    .. "reported. A run is a task and may wait; between two waits it has "
    .. "50 ms.",
  members = {
    field("every", duration, "From one run to the next.", "0.1 s or more"),
    field("jitter", "number", "Moves each by up to this part of every.",
      "0 to 1", "0"),
    field("overlap", "string", "What a long run has missed is skipped.",
      "\"skip\"", "\"skip\""),
    field("at_start", "boolean", "Also when the engine starts.", "", "false"),
    field("after_ban", "boolean", "Also at once when a peer was banned.", "",
      "false"),
    field("changes", "integer", "Also after so many changes of the store.",
      "1 or more"),
    field("persist", "boolean", "Remembers its last run with the store, over "
      .. "a restart.", "", "true"),
    field("run", "fun(engine: moonpeer.Engine)", "", "",
      "of save, discover ..."),
  },
}

return { policy, verdict, offence, failure, candidate, rule, job }
