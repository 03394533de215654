--- What is under way when the configuration changes goes by the new one.
local field = require "support.field"
local visitors = require "support.visitors"
local wire = require "support.wire"
local it = field.it

local at = visitors.at

local function assert_near(want, got)
  assert.is_true(got and math.abs(got - want) < 0.2, got)
end

describe("a change reaches what is under way:", function()
  for name, row in pairs { -- any order: each in a world of its own
    ["is over at the new time"] = { "20s", 20 },
    ["is over at once when that is past"] = { "5s", 10 },
    ["lasts longer"] = { "100s", 100 },
  } do
    it("a dial " .. name, function(world)
      local engine, log = field.engine(world, "10.0.0.1", {
        peers = { "10.9.9.9:8333" }, connect_timeout = "30s",
      })
      world:run_for "10s"
      assert(engine:configure { connect_timeout = row[1] })
      world:run_for "3h"
      assert_near(row[2], log:find("connection_failed",
        "connection_timeout").at)
    end)
  end

  it("a pong that is due", function(world)
    local engine, log = field.engine(world, at, { ping_timeout = "1h" })
    field.guest(world, "20.1.0.1", at, function(connection)
      connection:receive "nothing"
    end)
    world:run_for "10s" -- raw bytes: nobody answers the ping
    assert(engine:configure { ping_timeout = "20s" })
    world:run_for "1m"
    assert_near(20, log:find("connection_lost", "ping_timeout").at)
  end)

  it("the wait for the next ping", function(world)
    local engine = field.engine(world, at, {
      ping_interval = "1h", jitter = 0,
    })
    visitors.visitor(world, "20.1.0.1", visitors.shake)
    local times, seen = {}, 0
    local function pings(span)
      world:run_until(function()
        local n = engine:stats().commands.ping.messages_out
        if n > seen then
          seen, times[#times + 1] = n, world:now()
        end
      end, span)
    end
    world:run_for "1s"
    pings "10m"
    assert(engine:configure { ping_interval = "20m" })
    pings "20m"
    assert(engine:configure { ping_interval = "30m" })
    pings "30m"
    assert.equal(3, #times)
    assert_near(1200, times[2])
    assert_near(1200 + 1800, times[3])
  end)

  it("the wait for the next feeler", function(world)
    local engine = field.engine(world, "10.0.0.1", {
      target_connections = 0, feeler_interval = "20h",
    })
    engine.store:create { ip = "31.1.0.1", port = 8333 }
    world:run_for "1m"
    assert(engine:configure { feeler_interval = "1s" })
    world:run_for "2s"
    assert.equal(1, engine:counts().dials)
  end)

  it("not the wait for a feeler when that has not changed", function(world)
    local engine = field.engine(world, "10.0.0.1", {
      target_connections = 0, feeler_interval = "2m",
    })
    engine.store:create { ip = "31.1.0.1", port = 8333 }
    for i = 1, 20 do
      world:run_for "30s"
      assert(engine:configure { max_connections = 20 + i })
    end
    assert.is_true(engine:counts().dials > 0)
  end)

  it("the wait for the next try to listen", function(world)
    local engine, log = field.engine(world, "10.0.0.1", {
      listen = "9.9.9.9:1", listen_retry = "1h", -- no address of its own
    })
    world:run_for "1s"
    assert.equal(1, #log:all "listener_failed")
    assert(engine:configure { listen_retry = "2h" })
    assert(engine:configure { listen_retry = "10s" })
    world:run_for "35s"
    assert.equal(4, #log:all "listener_failed")
    assert(engine:configure { listen = "10.0.0.1:1", listen_retry = "1h" })
    world:run_for(0.1)
    assert.equal("10.0.0.1:1", engine:address())
  end)

  it("what may be received in all", function(world)
    local engine, log = field.engine(world, at, { target_connections = 0 })
    for i = 1, 3 do
      visitors.visitor(world, ("20.%d.0.1"):format(i), function(connection)
        assert(connection:handshake())
        connection:receive("nothing", 5 + i)
        connection:send_raw(wire.frame("xyzzy", "", { length = 1000000 }))
        connection:send_raw(("x"):rep(900000))
        connection:receive "nothing"
      end)
    end
    world:run_for "1s"
    assert.equal(3, engine:counts().connected)
    assert(engine:configure { receive_memory_total = 1 << 20 })
    world:run_for "10s"
    assert.equal(2, #log:all("connection_lost", "limit"))
  end)

  it("what new connections say of themselves, and how many may be there",
    function(world)
      local engine = field.engine(world, at, { target_connections = 0 })
      local agents = {}
      local function guest(ip)
        visitors.visitor(world, ip, function(connection)
          local version = connection:handshake()
          agents[#agents + 1] = version and version.user_agent or "none"
          connection:receive "nothing"
        end)
        world:run_for "1s"
      end
      guest "20.1.0.1"
      assert(engine:configure { user_agent = "/new/", per_address = 1 })
      guest "20.2.0.1"
      assert.matches("^/moonpeer:", agents[1])
      assert.equal("/new/", agents[2])
      assert(engine:configure { per_group = 1 })
      guest "20.2.0.2"
      assert.equal(2, engine:counts().connected)
      assert(engine:configure { per_group = 2 })
      guest "20.2.0.3"
      assert.equal(3, engine:counts().connected)
    end)
end)
