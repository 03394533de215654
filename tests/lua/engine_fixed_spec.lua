--- Fixed mode: the peers of the configuration are kept, whatever came between.
local field = require "support.field"
local it = field.it

describe("a peer of the configuration", function()
  it("that has dialled us is dialled when it is gone", function(world)
    local other = world:engine("10.0.0.2:8333", {
      peers = { "10.0.0.1:8333" },
    })
    local engine = field.engine(world, "10.0.0.1:8333")
    world:run_for "1s"
    assert(engine:configure { mode = "fixed", peers = { "10.0.0.2:8333" } })
    world:run_for "1m"
    assert.equal(1, engine:counts().connected) -- and not twice
    assert.equal(1, engine:counts().inbound)
    other:configure { peers = {} }
    for connection in other:connections() do
      connection:close()
    end
    world:run_for "1m"
    assert.equal(1, engine:counts().connected)
    assert.equal(1, engine:counts().outbound)
  end)

  it("that finds no slot is dialled when there is one", function(world)
    local peers = {}
    for i = 1, 3 do
      peers[i] = ("10.0.1.%d:8333"):format(i)
      field.node(world, peers[i])
    end
    local engine = field.engine(world, "10.0.0.1", {
      peers = peers, max_connections = 2, target_connections = 2,
    })
    world:run_for "1m"
    assert.equal(2, engine:counts().connected)
    assert(engine:configure { max_connections = 20 })
    world:run_for "1m"
    assert.equal(3, engine:counts().connected)
  end)

  it("that is banned is dialled when the ban is over", function(world)
    field.node(world, "10.0.0.2:8333")
    local engine = world:engine("10.0.0.1", {})
    assert(engine:ban("10.0.0.2", { time = "10m" }))
    assert(engine:configure { mode = "fixed", peers = { "10.0.0.2:8333" } })
    world:run_for "9m"
    assert.equal(0, engine:counts().dials)
    world:run_for "2m"
    assert.equal(1, engine:counts().connected)
  end)

  it("that is one no more is not dialled again", function(world)
    local seen = field.node(world, "10.0.0.2:8333")
    local engine, log = field.engine(world, "10.0.0.1", {
      peers = { "10.0.0.2:8333" },
    })
    world:run_for "1s"
    assert(engine:configure { peers = {} })
    assert.equal(1, engine:counts().connected) -- that there is, stays
    world:sever("10.0.0.1", "10.0.0.2")
    world:run_for "1h"
    assert.equal(1, seen.visits)
    assert.is_nil(log:find "connection_restarting")
  end)

  it("is not the only one: whom a script dials is restarted, too",
    function(world)
      local seen = field.node(world, "10.0.0.2:8333")
      local engine = field.engine(world, "10.0.0.1", { peers = {} })
      world:run_for "1s"
      assert(engine:dial "10.0.0.2:8333")
      world:run_for "1s"
      world:sever("10.0.0.1", "10.0.0.2")
      world:run_for "1s"
      assert.equal(2, seen.visits)
    end)
end)
