--- Simulated worlds and the scripted peers in them. Their examples run outside
--- of tasks, with a fresh `world`.
local where = { "a?", "string|table", "an address, an engine or a remote; nil: "
  .. "any" }
local other = { "b?", "string|table", "the same" }
local host_args = { "address", "string", "\"10.0.0.1\", or with a port" }

local sim = {
  name = "moonpeer.sim", class = "moonpeer.Sim", variable = "sim",
  kind = "function", in_lua = true, outside = true,
  summary = "`require \"moonpeer.sim\"`: whole engines and scripted peers on a "
    .. "virtual clock and network. The same seed gives the same run, and a run "
    .. "takes no time.",
  members = {
    { name = "world", since = "0.1.0",
      summary = "Makes a world; best with `local world <close> = ...`.",
      args = { { "options?", "table", "options" } },
      options = {
        { "seed", "integer", "of all chance; 0" },
        { "network", "string|table", "of its engines and remotes when they "
          .. "name none; mainnet" },
        { "start", "integer", "os.time of its beginning, 1970 to 2100" },
        { "trace", "string", "\"text\", \"hash\" or \"off\"; text" },
        { "trace_limit", "integer", "bytes kept, 1 or more" },
        { "work_time", "number|string", "what blocking work takes, 0 to 1 h" },
        { "instructions", "integer", "that a script may run without "
          .. "waiting, 0 for any number" },
      },
      returns = { { "moonpeer.World", "" } },
      example = [[
local one <close> = sim.world { seed = 7, network = "regtest" }
assert(one:now() == 0)]] },
  },
}

local world = {
  name = "moonpeer.world", class = "moonpeer.World", variable = "world",
  kind = "method", in_lua = true, outside = true,
  internal = { check = true, fail = true, ip_of = true },
  summary = "A network on a virtual clock. Time passes in run_for and "
    .. "run_until alone.",
  members = {
    { name = "engine", since = "0.1.0",
      summary = "A whole engine on a host of its own, started. It listens when "
        .. "its options say so, or when the address has a port.",
      args = { host_args, { "config?", "moonpeer.Configuration", "" } },
      returns = { { "moonpeer.Engine", "" } },
      example = [[
local engine = world:engine("10.0.0.7:18444", { max_connections = 30 })
assert(engine:config().max_connections == 30)]] },
    { name = "remote", since = "0.1.0",
      summary = "A scripted peer on a host of its own. The run ends with the "
        .. "error when its function raises one.",
      args = { host_args, { "fn", "fun(remote: moonpeer.Remote)", "a task" },
        { "options?", "table", "of its connections, as for connect",
          "moonpeer.connect" } },
      returns = { { "moonpeer.Remote", "" } },
      example = [[
local node = world:remote("10.0.0.2", function(remote)
  remote:sleep "1m"
  return "awake"
end)
world:run_for "2m"
assert(node.done and node.result == "awake")]] },
    { name = "run_for", since = "0.1.0",
      summary = "Lets time pass, and everything happen that is due until then.",
      args = { { "duration", "number|string", "" } },
      returns = { { "boolean", "true" } },
      example = [[
world:run_for "1h"
assert(world:now() == 3600)]] },
    { name = "run_until", since = "0.1.0",
      summary = "Lets time pass until a condition holds. It is asked between "
        .. "any two events, and must change nothing.",
      args = { { "condition", "fun(): any", "" },
        { "limit?", "number|string", "1 h" } },
      returns = { { "true", "" } }, errors = { "timeout" },
      example = [[
assert(world:run_until(function() return world:now() >= 0 end))
local good, what, code = world:run_until(function() end, "5s")
assert(not good and what and code == "timeout")]] },
    { name = "now", since = "0.1.0", summary = "Seconds since it began.",
      returns = { { "number", "" } },
      example = [[assert(world:now() == 0)]] },
    { name = "trace", since = "0.1.0",
      summary = "All that happened, a JSON object a line.",
      returns = { { "string", "" } },
      example = [[
world:note("10.0.0.1", "here we go")
assert(world:trace():find "here we go")]] },
    { name = "hash", since = "0.1.0",
      summary = "The hash of all that happened.",
      returns = { { "string", "64 hex digits" } },
      example = [[assert(#world:hash() == 64)]] },
    { name = "note", since = "0.1.0", summary = "Writes a line into the trace.",
      args = { { "host", "string|table", "" }, { "text", "string", "" } },
      example = [[world:note("10.0.0.1", "the partition begins")]] },
    { name = "count", since = "0.1.0",
      summary = "What there is now and was so far: hosts, streams, listeners, "
        .. "lookups, works, bytes, memory, events, messages.",
      returns = { { "table<string, integer>", "" } },
      example = [[assert(world:count().hosts == 1)]] },
    { name = "link", since = "0.1.0",
      summary = "What the way between two hosts is like. Latency, jitter and "
        .. "bandwidth are each way's own. Without options it is as before.",
      args = { where, other, { "options?", "table", "options" } },
      options = {
        { "latency", "number|string", "of each way, 0 to 1 h" },
        { "jitter", "number|string", "added by chance, 0 to this: 0 to 1 h" },
        { "bandwidth", "integer", "bytes a second, 1 or more" },
        { "segment", "integer", "bytes that travel together, 1 to 16 MiB" },
        { "split", "number", "chance, 0 to 1" },
        { "merge", "number", "chance, 0 to 1" },
        { "loss", "number", "chance that a stream is lost, 0 to 1" },
        { "refuse", "number", "chance that a dial is refused, 0 to 1" },
        { "silence", "number", "chance that a dial is not answered, "
          .. "0 to 1" },
        { "lifetime", "number|string", "of streams, on average, over 0: each "
          .. "is reset after twice this at most" },
        { "one_way", "boolean", "from a to b only" },
      },
      example = [[world:link(nil, nil, { latency = "80ms", loss = 0.01 })]] },
    { name = "limit", since = "0.1.0", summary = "What a host can hold.",
      args = { { "host?", "string|table", "nil: those made later" },
        { "options", "table", "options" } },
      options = {
        { "descriptors", "integer", "1 to 1,000,000" },
        { "window", "integer", "bytes that may wait unread, 1 to 64 MiB" },
        { "send_buffer", "integer", "bytes that may wait to be sent, 1 to "
          .. "64 MiB" },
      },
      example = [[world:limit(nil, { descriptors = 64 })]] },
    { name = "partition", since = "0.1.0",
      summary = "Cuts all ways between a and b, each a host or a list; without "
        .. "b, between a and everybody else.",
      args = { { "a", "string|table", "" }, { "b?", "string|table", "" } },
      returns = { { "integer", "a number for heal" } },
      example = [[
world:heal(world:partition("10.0.0.1"))]] },
    { name = "jump", since = "0.1.0",
      summary = "Sets everybody's wall clock forward or back; timers go on "
        .. "as before.",
      args = { { "seconds", "number",
        "negative to set it back; a time from 1970 to 2200 is possible" } },
      example = [[world:jump(-3600)]] },
    { name = "heal", since = "0.1.0", summary = "Takes a partition back.",
      args = { { "number?", "integer", "all when left out" } },
      example = [[world:heal()]] },
    { name = "sever", since = "0.1.0",
      summary = "Resets every stream between two hosts.",
      args = { where, other }, returns = { { "integer", "how many" } },
      example = [[assert(world:sever("10.0.0.1", "10.0.0.1") == 0)]] },
    { name = "dns", since = "0.1.0", summary = "What a name resolves to.",
      args = { { "name", "string", "" },
        { "answers", "string[]", "empty for a failure" },
        { "options?", "table", "options" } },
      options = { { "delay", "number|string", "0 or more, or \"never\"" } },
      example = [[world:dns("seed.example.org", { "10.0.0.2", "10.0.0.3" })]] },
    { name = "close", since = "0.1.0",
      summary = "Closes everything in it; raises what could not be closed. "
        .. "Twice is fine.",
      example = [[world:close()]] },
  },
}

local remote = {
  name = "moonpeer.remote", class = "moonpeer.Remote", variable = "remote",
  kind = "method", in_lua = true, outside = true,
  internal = {},
  summary = "A scripted peer of a world. Its connections are those of "
    .. "moonpeer.connect.",
  members = {
    { name = "address", kind = "field", type = "string", since = "0.1.0",
      summary = "Where it is, with its port." },
    { name = "done", kind = "field", type = "boolean|nil", since = "0.1.0",
      summary = "Has its function ended?" },
    { name = "result", kind = "field", type = "any", since = "0.1.0",
      summary = "What that returned." },
    { name = "error", kind = "field", type = "string|nil", since = "0.1.0",
      summary = "What that raised." },
    { name = "listen", since = "0.1.0",
      summary = "Listens at its address from now on; accept does it by itself.",
      args = { { "options?", "table", "as for moonpeer.connect",
        "moonpeer.connect" } },
      returns = { { "moonpeer.Listener", "" } },
      example = [[
world:remote("10.0.0.2:18444", function(remote) remote:listen() end)
world:run_for "1s"]] },
    { name = "accept", since = "0.1.0", waits = true,
      summary = "Waits for the next one who dials.",
      args = { { "timeout?", "number|string", "forever" } },
      returns = { { "moonpeer.Connection", "" } },
      errors = { "timeout", "closed" },
      example = [[
world:remote("10.0.0.2:18444", function(remote)
  local none, _, code = remote:accept "1s"
  assert(not none and code == "timeout")
end)
world:run_for "2s"]] },
    { name = "serve", since = "0.1.0", waits = true,
      summary = "Runs a function for everyone who dials, each in a task of its "
        .. "own. Returns when the listener is closed.",
      args = { { "fn", "fun(connection: moonpeer.Connection)", "" } },
      example = [[
world:remote("10.0.0.2:18444", function(remote)
  remote:serve(function(connection) connection:handshake() end)
end)
world:run_for "1s"]] },
    { name = "dial", since = "0.1.0", waits = true, summary = "Dials.",
      args = { { "address", "string", "without a port: the network's" },
        { "options?", "table", "as for moonpeer.connect",
        "moonpeer.connect" } },
      returns = { { "moonpeer.Connection", "" } },
      errors = { "connection_refused", "connection_timeout" },
      example = [[
local engine = world:engine "10.0.0.3:18444"
world:remote("10.0.0.2", function(remote)
  assert(remote:dial("10.0.0.3:18444"):handshake())
end)
world:run_for "5s"
assert(engine:counts().handshakes == 1)]] },
    { name = "spawn", since = "0.1.0", summary = "Starts another task of it.",
      args = { { "fn", "function", "" }, { "...", "any", "its arguments" } },
      returns = { { "moonpeer.Task", "" } },
      example = [[
world:remote("10.0.0.2", function(remote)
  assert(remote:spawn(function() return 7 end):wait() == 7)
end)
world:run_for "1s"]] },
    { name = "sleep", since = "0.1.0", waits = true, summary = "Waits.",
      args = { { "duration", "number|string", "" } },
      example = [[
world:remote("10.0.0.2", function(remote) remote:sleep "1h" end)
world:run_for "2h"]] },
    { name = "now", since = "0.1.0", summary = "Seconds since the world began.",
      returns = { { "number", "" } },
      example = [[
world:remote("10.0.0.2", function(remote) assert(remote:now() == 0) end)
world:run_for "1s"]] },
    { name = "note", since = "0.1.0",
      summary = "Writes a line into the world's trace.",
      args = { { "text", "string", "" } },
      example = [[
world:remote("10.0.0.2", function(remote) remote:note "here" end)
world:run_for "1s"
assert(world:trace():find "here")]] },
  },
}

return { sim, world, remote }
