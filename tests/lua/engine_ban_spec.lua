--- What a ban does to those who are connected.
local field = require "support.field"
local it = field.it

describe("a ban", function()
  it("ends when it is over, not when somebody looks", function(world)
    local engine, log = field.engine(world, "10.0.0.1")
    for i, time in ipairs { "2s", "5s", "40s" } do
      world:run_for "3s"
      assert(engine:ban("1.1.1." .. i, { time = time }))
    end
    world:run_for "2m"
    for i, at in ipairs { 3 + 2, 6 + 5, 9 + 40 } do
      local row = log:all "peer_unbanned"[i]
      assert.is_true(row.at >= at and row.at < at + 1, row.at)
    end
  end)

  it("closes all whom it covers, and nobody else", function(world)
    local engine, log = field.engine(world, "10.0.0.1:8333", {
      peers = { "20.1.0.1:8333", "20.1.0.2:8333", "20.2.0.1:8333" },
      max_connections = 30, per_group = 20,
    })
    for _, address in ipairs(engine:config().peers) do
      field.node(world, address)
    end
    for _, ip in ipairs {
      "20.1.0.3", "20.1.0.4", "20.1.7.1", "20.2.0.2", "30.1.0.1",
    } do
      field.guest(world, ip, "10.0.0.1:8333", function(connection)
        connection:receive "nothing"
      end)
    end
    world:run_for "1s"
    assert.equal(8, engine:counts().connected)
    assert(engine:ban "20.1.0.0/16")
    world:run_for "1s"
    local left = {}
    for connection in engine:connections() do
      left[#left + 1] = connection.address:match "^[^:]*"
    end
    table.sort(left)
    assert.same({ "20.2.0.1", "20.2.0.2", "30.1.0.1" }, left)
    assert.equal(5, #log:all("connection_lost", "closed"))
    assert(engine:ban "30.1.0.1") -- one that has dialled us
    world:run_for "1s"
    assert.equal(2, engine:counts().connected)
  end)
end)
