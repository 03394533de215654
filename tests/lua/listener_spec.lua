--- Who listens to an engine's events.
local field = require "support.field"
local moonpeer = require "moonpeer"
local watch = require "support.watch"
local it = field.it

describe("a listener", function()
  it("is replaced by one of its name, and taken away by off", function(world)
    local calls = {}
    local engine = world:engine("10.0.0.1:8333")
    local function note(text)
      return function() calls[#calls + 1] = text end
    end
    engine:on("listener_started", "a", note "first")
    engine:on("listener_started", "a", note "second")
    engine:on("listener_started", "b", note "other")
    engine:on("listener_started", "c", note "gone")
    engine:off("listener_started", "c")
    engine:off("listener_started", "nobody")
    world:run_for "1s"
    assert.same({ "second", "other" }, calls)
  end)

  it("that fails keeps nobody from hearing", function(world)
    local heard
    local engine = world:engine("10.0.0.1:8333")
    engine:on("listener_started", "a", function() error { "no text" } end)
    engine:on("listener_started", "b", function() heard = true end)
    local stderr = io.stderr
    world:run_for "1s"
    assert.equal(stderr, io.stderr)
    assert.is_true(heard)
  end)

  it("shares the event with those who come after it", function(world)
    local heard, stale = {}, 0
    local engine = world:engine("10.0.0.1:8333")
    local function keep(event)
      heard[#heard + 1] = event
      assert(event.type == "listener_started")
    end
    engine:on("listener_started", "a", function() error "first" end)
    engine:on("listener_started", "b", watch.collected(keep))
    engine:on("listener_started", "c", function(event)
      keep(event)
      error "third"
    end)
    engine:on("listener_started", "d", watch.collected(keep))
    world:run_for "1s"
    assert.equal(3, #heard)
    assert.is_true(rawequal(heard[1], heard[2]))
    assert.is_true(rawequal(heard[1], heard[3]))
    for _, event in ipairs(heard) do
      stale = stale + (pcall(function() return event.type end) and 0 or 1)
    end
    assert.equal(3, stale)
  end)

  it("that joins or leaves meanwhile does so from the next one on",
    function(world)
      local calls = {}
      local engine = world:engine("10.0.0.1:8333")
      local function note(text)
        return function() calls[#calls + 1] = text end
      end
      engine:on("peer_banned", "a", watch.collected(function()
        calls[#calls + 1] = "a"
        engine:off("peer_banned", "b")
        engine:on("peer_banned", "c", note "c")
      end))
      engine:on("peer_banned", "b", note "b")
      engine:ban "10.0.0.2"
      world:run_for "1s"
      assert.same({ "a", "b" }, calls)
      engine:ban "10.0.0.3"
      world:run_for "1s"
      assert.same({ "a", "b", "a", "c" }, calls)
    end)

  it("of an engine that has not been started hears, too", function(world)
    local heard = {}
    world:remote("10.0.0.1", function(remote)
      local engine <close> = assert(moonpeer.engine { network = "regtest" })
      engine:on("peer_banned", "a", watch.collected(function(event)
        heard[#heard + 1] = event.prefix
      end))
      engine:ban "10.0.0.3"
      remote:sleep "1s"
    end)
    world:run_for "2s"
    assert.same({ "10.0.0.3" }, heard)
  end)

  it("for no event anybody knows is refused with the nearest", function(world)
    local engine = world:engine("10.0.0.1:8333")
    local good, message = pcall(engine.on, engine, "peer_baned", "a", print)
    assert.is_false(good)
    assert.matches("peer_banned", message)
  end)

  it("gets an event that is stale afterwards", function(world)
    local kept
    local engine = world:engine("10.0.0.1:8333")
    engine:on("listener_started", "a", function(event) kept = event end)
    world:run_for "1s"
    assert.is_false((pcall(function() return kept.address end)))
  end)

  it("may wish for one command alone", function(world)
    local seen = {}
    field.node(world, "10.0.0.2:8333", nil, function(connection)
      connection:send "getaddr"
      connection:send("xyzzy", "x")
      connection:receive "nothing"
    end)
    local engine = world:engine("10.0.0.1", { peers = { "10.0.0.2:8333" } })
    engine:on("message", "a", watch.collected(function(event)
      seen[#seen + 1] = event.message.command
    end), { command = "xyzzy" })
    world:run_for "1s"
    assert.same({ "xyzzy" }, seen)
  end)
end)
