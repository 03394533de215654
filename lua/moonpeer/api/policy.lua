--- Policies, rules and jobs: tables that people write. The examples make them.
local function field(name, kind, range, default, summary)
  return { name = name, kind = "field", type = kind, range = range,
    default = default, since = "0.1.0", summary = summary }
end

local engine = { "engine", "moonpeer.Engine", "" }
local connection = { "connection", "moonpeer.Connection", "" }
local address = { "address", "string", "with its port" }
local no_opinion = "; nil for no opinion"
local reason = { "string?", "why, for people" }
local duration = "number|string"

--- The decision of a policy: example is what stands in the table.
local function decision(name, args, returns, summary, example)
  return { name = name, since = "0.1.0", args = args, returns = returns,
    summary = summary, example = ([[
local policy = {
  %s = %s,
}
assert(moonpeer.engine({ network = "regtest", policies = { policy } }))
  :close(0)]]):format(name, example) }
end

local policy = {
  name = "policy", class = "moonpeer.Policy", variable = "policy",
  kind = "function", is_table = true, is_written = true,
  summary = "A table of functions that decide. Those of a configuration are "
    .. "asked in turn, the stock ones last: the first answer wins, nil is no "
    .. "opinion. None of them may wait; what they ask for happens after they "
    .. "have returned. A file that returns such a table is one, too, with "
    .. "globals of its own: no io, no debug, no load.",
  members = {
    field("name", "string", "", "its place or file", "For logs and explain."),
    field("version", "string", "", "", "Of the policy, for people."),
    field("about", "string", "", "", "In a sentence, for people."),
    field("api", "integer", "1", "", "The version of this interface it is "
      .. "for; another is refused."),
    field("on", "table<string, fun(event: moonpeer.Event)>",
      "event -> function", "", "Listeners that come and go with it."),
    field("rules", "moonpeer.Rule[]", "", "", "Declared rules, run in C."),
    field("schedule", "table<string, moonpeer.Job>", "name -> job", "",
      "Jobs that come and go with it."),
    decision("accept", { engine, address },
      { { "boolean|nil", "false closes it" .. no_opinion }, reason },
      "Somebody dials us: is he let in?",
      [[function(_, address)
    if address:find "^198%.51%." then return false, "not from there" end
  end]]),
    decision("validate", { engine, connection,
      { "version", "table", "what the remote says of itself" } },
      { { "string|nil", "\"ok\" or \"offence\"" .. no_opinion },
        { "string?", "the offence's code" }, reason },
      "A remote has said who it is: may it stay?",
      [[function(_, _, version)
    if version.start_height < 0 then return "offence", "protocol_error" end
  end]]),
    decision("judge", { engine, connection,
      { "offence", "table", "code, message, count, dropped" } },
      { { "string|nil", "\"observe\", \"throttle\", \"disconnect\", "
        .. "\"discourage\" or \"ban\"" .. no_opinion }, reason,
        { "table?", "of a ban: time; scope: \"address\", \"group\" or a "
          .. "prefix" } },
      "A remote did something wrong: what happens to it?",
      [[function(_, _, offence)
    if offence.code == "flood" then
      return "ban", "floods", { time = "1h", scope = "group" }
    end
  end]]),
    decision("select", { engine, { "n", "integer", "how many are wanted" } },
      { { "string[]|nil", "addresses to dial, up to n" .. no_opinion },
        reason },
      "A slot is free: who is dialled?",
      [[function(engine, n)
    return engine:pick(n, "valid")
  end]]),
    decision("retry", { engine, address,
      { "failure", "table", "code, attempts" } },
      { { "number|string|false|nil", "how long to wait; false for never"
        .. no_opinion }, reason },
      "A dial has failed: when is it tried again?",
      [[function(engine, _, failure)
    return failure.attempts < 3 and engine:backoff(failure.attempts)
  end]]),
    decision("evict", { engine,
      { "candidates", "moonpeer.Connection[]", "that may go" }, address },
      { { "moonpeer.Connection|false|nil", "who goes; false: the newcomer"
        .. no_opinion }, reason },
      "All slots are taken and somebody dials: who goes?",
      [[function(_, candidates)
    return candidates[#candidates] or false
  end]]),
    decision("keep", { engine, address, { "source", "string", "who told" } },
      { { "boolean|nil", "" .. "is it remembered?" .. no_opinion }, reason },
      "An address was heard of: is it remembered?",
      [[function(_, address)
    return not address:find ":25$"
  end]]),
    decision("setup", { engine }, nil,
      "Called once, when it is put in place.",
      [[function(engine)
    print(engine:network().name)
  end]]),
    decision("save", { engine }, { { "any", "kept for restore" } },
      "Called before a reload replaces it.",
      [[function()
    return { seen = 12 }
  end]]),
    decision("restore", { { "state", "any", "what save gave" } }, nil,
      "Called after a reload has put it in place.",
      [[function(state)
    print(state.seen)
  end]]),
  },
}

local rule = {
  name = "rule", class = "moonpeer.Rule", variable = "rule", kind = "field",
  is_table = true, is_written = true,
  summary = "How many messages of a command, or offences, are borne within a "
    .. "time. Stated in Lua, run in C.",
  members = {
    field("name", "string", "31 bytes", "of its policy and place",
      "For logs and explain."),
    field("on", "string", "a command", "", "Its messages are counted; or:"),
    field("offence", "string", "a code, or \"any\"", "",
      "Offences are counted."),
    field("rate", "string", "such as \"2000/10s\"", "",
      "Count and time in one; or:"),
    field("count", "integer", "1 or more", "", "More than so many ..."),
    field("within", duration, "more than 0", "", "... in so long a time."),
    field("key", "string", "\"peer\", \"address\" or \"group\"", "peer",
      "What is counted by."),
    field("verdict", "string", "as of judge", "", "What happens then."),
    field("time", duration, "or \"forever\"", "ban_time", "Of a ban."),
    field("scope", "string", "\"address\" or \"group\"", "address",
      "Of a ban."),
    field("ladder", "table[]", "of count, verdict, time, scope", "",
      "Instead of one verdict: harder ones, the longer it goes on."),
    field("exempt", "string[]", "prefixes, and \"trusted\"", "none",
      "Who is not counted."),
  },
}

local job = {
  name = "job", class = "moonpeer.Job", variable = "job", kind = "field",
  is_table = true, is_written = true,
  summary = "A job that an engine does again and again. save, discover, expire "
    .. "and report are there by name; false in their place is none.",
  members = {
    field("every", duration, "100 ms or more", "", "Between two runs."),
    field("jitter", "number", "0 to 1", "0",
      "The part of it that is up to chance."),
    field("run", "fun(engine: moonpeer.Engine)", "", "of the known ones theirs",
      "What is done: in a task, which may wait."),
    field("overlap", "string", "\"skip\"", "skip",
      "A run that is due while one goes on is left out."),
    field("at_start", "boolean", "", "false", "The first run is at once."),
    field("after_ban", "boolean", "", "false", "A ban starts it, too."),
    field("changes", "integer", "1 or more", "none",
      "So many changes of the store start it, too."),
    field("persist", "boolean", "", "true",
      "When it ran last is saved with the store."),
  },
}

return { policy, rule, job }
