--- Whom an engine tries when nothing is missing, and whom it dials first.
local field = require "support.field"
local moonpeer = require "moonpeer"
local it = field.it

describe("feelers", function()
  it("try unknown peers one at a time when nothing is missing",
    function(world)
      for i = 1, 10 do
        field.node(world, ("%d.1.0.1:8333"):format(30 + i))
      end
      local engine, log = field.engine(world, "10.0.0.1", {
        target_connections = 1, feeler_interval = "1m", jitter = 0,
      })
      for i = 1, 10 do
        engine.store:create { ip = ("%d.1.0.1"):format(30 + i), port = 8333 }
      end
      local most = 0
      engine:on("connection_started", "feelers", function()
        most = math.max(most, engine:counts().feelers)
      end)
      world:run_for "20m"
      assert.equal(1, most)
      assert.equal(10, engine.store:count_by_status "valid")
      assert.equal(1, engine:counts().connected)
      assert.equal(9, #log:all("connection_lost", "closed"))
    end)

  --- Unknown peers that take a connection and say nothing, and an engine that
  --- feels more often than a handshake may take.
  local function unfeeling(world, config)
    config.feeler_interval, config.jitter = "1s", 0
    local engine, log = field.engine(world, "10.0.0.1", config)
    for i = 1, 10 do
      field.silent(world, ("%d.1.0.1:8333"):format(30 + i))
      engine.store:create { ip = ("%d.1.0.1"):format(30 + i), port = 8333 }
    end
    return engine, log
  end

  it("wait for the one before", function(world)
    local engine, log = unfeeling(world, { target_connections = 0 })
    world:run_for "14s"
    assert.equal(1, engine:counts().feelers)
    assert.equal(1, engine:counts().dials)
    world:run_for "46s"
    local gaps = field.gaps(log:all "connection_started")
    assert.equal(3, #gaps)
    for _, gap in ipairs(gaps) do
      assert.is_true(gap > 15, gap) -- handshake_timeout
    end
  end)

  it("are none while connections are missing, nor in fixed mode",
    function(world)
      local engine = unfeeling(world, {
        target_connections = 1,
        policies = { { select = function() return {} end } },
      })
      world:run_for "1m"
      assert.equal(0, engine:counts().dials)
      assert(engine:configure { target_connections = 0 })
      world:run_for "2s"
      assert.equal(1, engine:counts().dials)
      assert(engine:configure { mode = "fixed", peers = {} })
      world:run_for "1m"
      assert.equal(1, engine:counts().dials)
    end)

  it("are none when feeler_interval is 0", function(world)
    field.node(world, "31.1.0.1:8333")
    local engine = field.engine(world, "10.0.0.1", {
      target_connections = 0, feeler_interval = 0,
    })
    engine.store:create { ip = "31.1.0.1", port = 8333 }
    world:run_for "1h"
    assert.equal(0, engine:counts().dials)
  end)
end)

describe("anchors", function()
  it("are eight of those whom the engine has chosen and reached",
    function(world)
      local store <close> = assert(moonpeer.store "memory:")
      local chosen = {}
      for i = 1, 11 do
        chosen[i] = ("%d.1.0.1:8333"):format(30 + i)
        if i == 1 then
          field.silent(world, chosen[i])
        else
          field.node(world, chosen[i])
        end
      end
      local engine = field.engine(world, "10.0.0.1", {
        store = store, target_connections = 11,
        policies = { { select = function() return chosen end } },
      })
      world:run_for "1s"
      assert.equal(10, engine:counts().connected)
      engine:close()
      world:run_for "10s"
      engine = field.engine(world, "10.0.0.2", {
        store = store, target_connections = 0,
      })
      local anchors, seen = engine:anchors(), {}
      assert.equal(8, #anchors)
      for _, address in ipairs(anchors) do
        assert.matches("^[34]%d%.1%.0%.1:8333$", address)
        assert.not_equal("31.1.0.1:8333", address)
        assert.is_nil(seen[address])
        seen[address] = true
      end
    end)

  it("are none who dialled us, or whom a script has dialled", function(world)
    local store <close> = assert(moonpeer.store "memory:")
    field.node(world, "30.1.0.1:8333")
    field.node(world, "60.1.0.1:8333")
    local engine = field.engine(world, "10.0.0.1:8333", {
      store = store, target_connections = 1,
      policies = { { select = function() return { "30.1.0.1:8333" } end } },
    })
    field.guest(world, "50.1.0.1", "10.0.0.1:8333", function(connection)
      connection:receive "nothing"
    end)
    world:run_for "1s"
    assert(engine:dial "60.1.0.1:8333")
    world:run_for "1s"
    assert.equal(3, engine:counts().connected)
    engine:close()
    world:run_for "10s"
    engine = field.engine(world, "10.0.0.2", {
      store = store, target_connections = 0,
    })
    assert.same({ "30.1.0.1:8333" }, engine:anchors())
  end)

  it("are dialled first after a restart", function(world)
    local store <close> = assert(moonpeer.store "memory:")
    for i = 1, 40 do
      field.node(world, ("%d.1.0.1:8333"):format(30 + i))
      store:create { ip = ("%d.1.0.1"):format(30 + i), port = 8333,
        status = "valid" }
    end
    local engine = field.engine(world, "10.0.0.1", {
      store = store, target_connections = 4,
    })
    world:run_for "5s"
    local before = {}
    for connection in engine:connections() do
      before[connection.address] = true
    end
    engine:close()
    world:run_for "10s"
    engine = field.engine(world, "10.0.0.2", {
      store = store, target_connections = 4,
    })
    world:run_for "5s"
    local n = 0
    for connection in engine:connections() do
      assert.is_true(before[connection.address])
      n = n + 1
    end
    assert.equal(4, n)
  end)
end)
