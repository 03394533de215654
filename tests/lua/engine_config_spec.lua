--- Configuration as a transaction.
local field = require "support.field"
local moonpeer = require "moonpeer"
local it = field.it

local function fails(message, fn)
  local good, what = pcall(fn)
  assert.is_false(good)
  assert.matches(message, what, 1, true)
end

describe("configure", function()
  it("reports what changed, before and now", function(world)
    local engine = field.engine(world, "10.0.0.1")
    assert.same({
      ping_interval = { 120, 60 }, max_connections = { 20, 30 },
      user_agent = { engine:config().user_agent, "/x/" },
    }, engine:configure {
      ping_interval = "1m", max_connections = 30, user_agent = "/x/",
      target_connections = 8, -- as it was
    })
    assert.same({}, engine:configure {})
    assert.equal(60, engine:config().ping_interval)
  end)

  it("changes all or nothing", function(world)
    local engine = field.engine(world, "10.0.0.1")
    local before = engine:config()
    local result, message, code = engine:configure {
      ping_interval = "1m", max_connections = 3,
    }
    assert.is_nil(result)
    assert.equal("expected target_connections (8) to be at most "
      .. "max_connections (3)", message)
    assert.equal("invalid_connection_limits", code)
    assert.same(before, engine:config())
  end)

  it("refuses what is out of its range, or of another type", function(world)
    local engine = field.engine(world, "10.0.0.1")
    local before = engine:config()
    for _, wrong in ipairs {
      { ping_timeout = -1 }, { ping_timeout = "soon" }, { jitter = 2 },
      { max_connections = 1.5 }, { max_connections = -1 },
      { max_connections = "many" }, { user_agent = ("x"):rep(300) },
      { user_agent = 7 }, { max_restarts = 100 }, { jitter = 0 / 0 },
      { ping_interval = true }, { mode = "fixt" }, { trusted = { "1.2.3" } },
      { listen = {} }, { peers = "1.2.3.4" },
    } do
      local good, result, message, code = pcall(engine.configure, engine, wrong)
      assert.is_true(not good or result == nil, next(wrong))
      if good then
        assert.equal("invalid_configuration", code)
        assert.matches("expected", message)
      end
      assert.same(before, engine:config())
    end
  end)

  it("names the nearest key for one that nobody knows", function(world)
    local engine = field.engine(world, "10.0.0.1")
    fails("max_connections", function()
      engine:configure { max_conections = 5 }
    end)
    fails("max_connections", function()
      moonpeer.engine { network = "regtest", max_conections = 5 }
    end)
    fails('nearest', function()
      engine:configure { mode = "fixt" }
    end)
  end)

  it("does not change the network", function(world)
    local engine = field.engine(world, "10.0.0.1")
    local result, message = engine:configure { network = "mainnet" }
    assert.is_nil(result)
    assert.matches("cannot change", message)
  end)

  it("before the start is fine", function(world)
    local engine = world:engine("10.0.0.1")
    assert(engine:configure { feeler_interval = "1m", listen = "10.0.0.1:1" })
    assert(engine:configure { peers = { "10.0.0.2:1" } })
    world:run_for "1m"
    assert.equal("10.0.0.1:1", engine:address())
  end)

  it("tells nobody anything before it returns", function(world)
    local engine, log = field.engine(world, "10.0.0.1", { network = {
      name = "n", magic = "\1\2\3\4", port = 1, seeds = { "a.b" },
    }, peers = {} })
    world:run_for "1s"
    local n = #log
    assert(engine:configure {
      listen = "9.9.9.9:1", mode = "normal", target_connections = 2,
      peers = { "10.0.0.2:1" },
    })
    assert(engine:configure { mode = "normal" })
    engine:ban "1.2.3.4"
    engine:save_soon()
    assert.equal(n, #log)
    world:run_for "1s"
    assert.is_truthy(log:find "listener_failed")
    assert.is_truthy(log:find "discovery_finished")
    assert.is_truthy(log:find "peer_banned")
    assert.is_truthy(log:find "store_saved")
  end)
end)

describe("a change reaches", function()
  it("the wait for a handshake under way", function(world)
    field.silent(world, "10.0.0.2:8333")
    local engine, log = field.engine(world, "10.0.0.1", {
      peers = { "10.0.0.2:8333" }, handshake_timeout = "1h",
    })
    world:run_for "10s"
    assert(engine:configure { handshake_timeout = "20s" })
    world:run_for "11s"
    local row = log:find("connection_failed", "handshake_timeout")
    assert.is_true(math.abs(row.at - 20) < 0.1)
  end)

  it("a wait that is over by the new measure", function(world)
    field.silent(world, "10.0.0.2:8333")
    local engine, log = field.engine(world, "10.0.0.1", {
      peers = { "10.0.0.2:8333" }, handshake_timeout = "1h",
    })
    world:run_for "10s"
    assert(engine:configure { handshake_timeout = "5s" })
    world:run_for(0.1)
    assert.is_truthy(log:find("connection_failed", "handshake_timeout"))
  end)

  it("the pings of live connections", function(world)
    field.node(world, "10.0.0.2:8333", nil, function(connection)
      connection:receive "nothing"
    end)
    local engine, log = field.engine(world, "10.0.0.1", {
      peers = { "10.0.0.2:8333" }, ping_interval = 0,
    })
    world:run_for "1h"
    local pings = engine:stats().commands.ping
    assert.is_true(pings == nil or pings.messages_out <= 1)
    assert(engine:configure { ping_interval = "1m" })
    world:run_for "10m"
    local now = engine:stats().commands.ping.messages_out
    assert.is_true(now >= 6 and now <= 16, now)
    assert(engine:configure { ping_interval = 0 })
    world:run_for "2m"
    local last = engine:stats().commands.ping.messages_out
    world:run_for "1h"
    assert.equal(last, engine:stats().commands.ping.messages_out)
    assert.is_nil(log:find "connection_lost")
  end)

  it("the target, up and down", function(world)
    local peers = {}
    for i = 1, 12 do
      peers[i] = ("%d.1.0.1:8333"):format(30 + i)
      field.node(world, peers[i])
    end
    local engine, log = field.engine(world, "10.0.0.1", {
      target_connections = 2,
      policies = { { select = function() return peers end } },
    })
    world:run_for "10s"
    assert.equal(2, engine:counts().connected)
    assert(engine:configure { target_connections = 9 })
    world:run_for "10s"
    assert.equal(9, engine:counts().connected)
    assert(engine:configure { target_connections = 3 })
    world:run_for "1m"
    assert.equal(9, engine:counts().connected) -- nobody is closed
    assert.is_nil(log:find "connection_lost")
    for connection in engine:connections() do
      connection:close()
    end
    world:run_for "1m"
    assert.equal(3, engine:counts().connected)
  end)

  it("the listener: off, on, somewhere else", function(world)
    local engine, log = field.engine(world, "10.0.0.1:8333")
    world:run_for "1s"
    assert.equal("10.0.0.1:8333", engine:address())
    assert(engine:configure { listen = false })
    world:run_for "1s"
    local _, _, code = engine:address()
    assert.equal("listen_failed", code)
    assert(engine:configure { listen = "10.0.0.1:9999" })
    world:run_for "1s"
    assert.equal("10.0.0.1:9999", engine:address())
    assert(engine:configure { listen = "10.0.0.1:7777" })
    world:run_for "1s"
    assert.equal("10.0.0.1:7777", engine:address())
    assert.equal(3, #log:all "listener_started")
    assert.is_nil(log:find "listener_failed")
  end)

  it("the peers of fixed mode", function(world)
    local one = field.node(world, "10.0.0.2:8333")
    local two = field.node(world, "10.0.0.3:8333")
    local engine = field.engine(world, "10.0.0.1", {
      peers = { "10.0.0.2:8333" },
    })
    world:run_for "1s"
    assert.equal(1, one.visits)
    assert(engine:configure { peers = { "10.0.0.3:8333" } })
    world:run_for "1s"
    assert.equal(1, two.visits)
    assert.equal(2, engine:counts().connected)
    one.last:close()
    world:run_for "1h"
    assert.equal(1, one.visits) -- it is not of the configuration any more
  end)

  it("how long bans last", function(world)
    local engine, log = field.engine(world, "10.0.0.1", { ban_time = "1h" })
    assert(engine:configure { ban_time = "10m" })
    engine:ban "1.2.3.4"
    world:run_for "11m"
    assert.is_truthy(log:find "peer_unbanned")
  end)
end)

describe("a listener whose port is taken", function()
  it("is tried again until it is free, and the engine goes on",
    function(world)
      field.node(world, "10.0.0.2:8333")
      local first = field.engine(world, "10.0.0.1:8333")
      world:run_for "1s"
      local raw = require("moonpeer.core").methods "moonpeer.world"
      local engine = raw.at(world.handle, "10.0.0.1", moonpeer.engine, {
        network = "regtest", listen = "10.0.0.1:8333",
        peers = { "10.0.0.2:8333" },
      })
      local log = field.log(world, engine)
      assert(engine:start())
      world:run_for "70s"
      assert.equal(3, #log:all("listener_failed", "listen_failed"))
      assert.equal(1, engine:counts().connected)
      first:close()
      world:run_for "31s"
      assert.is_truthy(log:find "listener_started")
      assert.equal("10.0.0.1:8333", engine:address())
      engine:close()
      world:run_for "1s"
    end)
end)
