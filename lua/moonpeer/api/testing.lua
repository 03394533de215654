--- What specs use; the examples run outside of tasks, with a fresh `world`.
local log = { "log", "table[]", "of test.watch" }
local fields = { "fields?", "table", "those that matter" }

return {
  name = "moonpeer.test", class = "moonpeer.Test", variable = "test",
  kind = "function", in_lua = true, outside = true,
  summary = "`require \"moonpeer.test\"`: what engines tell, written down; "
    .. "assertions that say what came instead; a guard against what a spec "
    .. "leaves behind.",
  members = {
    { name = "watch", since = "0.1.0",
      summary = "Writes down every event of an engine from now on but messages "
        .. "and chunks.",
      args = { { "engine", "moonpeer.Engine", "" } },
      returns = { { "table[]", "rows: type, time, address, code, verdict, "
        .. "state ..." } },
      example = [[
local log = test.watch(engine)
engine:ban "198.51.100.1"
world:run_for "1s"
assert(test.find(log, "peer_banned"))]] },
    { name = "find", since = "0.1.0",
      summary = "The first row of a type with these fields.",
      args = { log, { "kind?", "string", "a type; any when nil" }, fields },
      returns = { { "table|nil", "" }, { "integer", "how many there are" } },
      example = [[
local row, n = test.find({ { type = "evicted", code = "x" } }, "evicted")
assert(row.code == "x" and n == 1)]] },
    { name = "event", since = "0.1.0",
      summary = "Raises when there is no such row, and tells what came near.",
      args = { log, { "kind", "string", "" }, fields },
      example = [[
local log = test.watch(engine)
engine:ban "198.51.100.1"
world:run_for "1s"
test.event(log, "peer_banned", { prefix = "198.51.100.1" })]] },
    { name = "decision", since = "0.1.0",
      summary = "Raises when no policy answered so.",
      args = { log, fields },
      example = [[
test.decision({ { type = "peer_misbehaved", verdict = "ban" } },
  { verdict = "ban" })]] },
    { name = "in_state", since = "0.1.0",
      summary = "Raises when a connection is in another state.",
      args = { { "connection", "moonpeer.Connection", "" },
        { "state", "string", "" } },
      example = [[test.in_state({ state = "connected" }, "connected")]] },
    { name = "stored", since = "0.1.0",
      summary = "Raises when a store has no such peer.",
      args = { { "store", "moonpeer.Store", "" }, { "ip", "string", "" },
        { "port", "integer", "" }, fields },
      example = [[
engine.store:create { ip = "198.51.100.1", port = 18444 }
test.stored(engine.store, "198.51.100.1", 18444, { status = "unknown" })]] },
    { name = "install", since = "0.1.0",
      summary = "Makes these assertions of busted: assert.event(...), "
        .. "assert.has_no.event(...).",
      args = { { "assert", "table", "busted's" } },
      example = [[
if package.loaded.busted then test.install(require "luassert") end]] },
    { name = "collect", since = "0.1.0",
      summary = "A full collection around every hook, listener and step of a "
        .. "task: what lives too long or dies too soon is found at once.",
      args = { { "on", "boolean", "" } },
      returns = { { "boolean", "what it was before" } },
      example = [[test.collect(test.collect(true))]] },
    { name = "look_around", since = "0.1.0",
      summary = "Looks around, and gives a function that raises when there are "
        .. "more engines, connections, listeners, tasks, worlds or memory "
        .. "then.",
      args = { { "options?", "table", "options" } },
      options = { { "memory", "integer", "KiB that may come to stay; 512" } },
      returns = { { "fun()", "" } },
      example = [[
local look = test.look_around()
look()]] },
    { name = "guard", since = "0.1.0",
      summary = "In a describe of busted: every `it` of it fails when it "
        .. "leaves something behind.",
      args = { { "options?", "table", "options" } },
      options = { { "memory", "integer", "KiB; 512" },
        { "collect", "boolean", "as test.collect" } },
      example = [[
-- describe("the engine", function() test.guard() ... end)
assert(test.guard)]] },
  },
}
