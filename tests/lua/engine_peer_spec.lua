--- The peer behind a connection, and behind a failure.
local field = require "support.field"
local it = field.it

describe("a connection of an engine", function()
  it("has the peer that was dialled, as the store has it", function(world)
    local engine = field.engine(world, "10.0.0.1:8333", {
      peers = { "10.0.0.2:8333" },
    })
    field.engine(world, "10.0.0.2:8333", {})
    world:run_for "2s"
    local connection = engine:connections()()
    local peer = engine.store:find_by_ip_port "10.0.0.2:8333"
    assert.equal("valid", peer.status)
    assert.equal(peer, connection.peer)
    engine.store:delete(peer)
    assert.is_nil(connection.peer)
  end)

  it("that was accepted has one when it says where it listens", function(world)
    local engine = field.engine(world, "10.0.0.1:8333", {})
    for i, port in ipairs { 8333, 0 } do
      world:remote("10.0.0." .. i + 1, function(remote)
        local own = remote:dial "10.0.0.1:8333"
        own:handshake { user_agent = "/Bitcoin SV:" .. port .. "/",
          addr_from = { ip = "10.0.0." .. i + 1, port = port, services = 0 } }
        own:receive "nothing"
      end)
    end
    assert(engine.store:create { ip = "10.0.0.2", port = 8333 })
    world:run_for "2s"
    local found = {}
    for connection in engine:connections() do
      found[connection.version.user_agent] =
        connection.peer and connection.peer.address or "nobody"
    end
    assert.same({ ["/Bitcoin SV:8333/"] = "10.0.0.2:8333",
      ["/Bitcoin SV:0/"] = "nobody" }, found)
  end)

  it("has none when it is over", function(world)
    local engine = field.engine(world, "10.0.0.1:8333", {
      peers = { "10.0.0.2:8333" },
    })
    field.engine(world, "10.0.0.2:8333", {})
    world:run_for "2s"
    local connection = engine:connections()()
    assert.is_truthy(connection.peer)
    connection:close()
    world:run_for "1s"
    assert.is_nil(connection.peer)
  end)
end)

describe("a conversation", function()
  it("has no peer", function(world)
    field.engine(world, "10.0.0.2:8333", {})
    local is_over = false
    world:remote("10.0.0.1", function(remote)
      local own <close> = remote:dial "10.0.0.2:8333"
      own:handshake()
      assert.is_nil(own.peer)
      is_over = true
    end)
    world:run_for "2s"
    assert.is_true(is_over)
  end)
end)

describe("a failure", function()
  it("is judged by what the store knows of the peer, or its address alone",
    function(world)
      field.empty(world, "10.0.0.2")
      local seen, engine = {}, nil
      engine = field.engine(world, "10.0.0.1", {
        peers = { "10.0.0.2:8333" }, jitter = 0,
        policies = { { retry = function(own, peer, failure)
          seen[#seen + 1] = ("%s %s %d"):format(failure.address,
            peer and peer.failures or "forgotten", failure.attempts)
          assert(own == engine)
          return "1m"
        end } },
      })
      world:run_for "30s"
      engine.store:delete(engine.store:find_by_ip_port "10.0.0.2:8333")
      world:run_for "1m"
      assert.same({ "10.0.0.2:8333 1 1", "10.0.0.2:8333 forgotten 2" }, seen)
    end)
end)

describe("a peer that is selected", function()
  it("is valid before it is unknown, and never banned or inaccessible",
    function(world)
      local engine, log = field.engine(world, "10.0.0.1", {
        target_connections = 8, feeler_interval = 0,
      })
      for i, status in ipairs { "unknown", "valid", "inaccessible" } do
        for j = 1, status == "valid" and 5 or 20 do
          local ip = ("%d.%d.0.1"):format(20 + 10 * i, j)
          field.node(world, ip .. ":8333")
          engine.store:create { ip = ip, port = 8333, status = status }
        end
      end
      for j = 1, 20 do
        local ip = ("60.%d.0.1"):format(j)
        field.node(world, ip .. ":8333")
        engine.store:create { ip = ip, port = 8333, status = "valid" }
        engine:ban(ip)
      end
      world:run_for "1m"
      local dialled = {}
      for _, row in ipairs(log:all "connection_started") do
        local kind = row.address:match "^%d+"
        dialled[kind] = (dialled[kind] or 0) + 1
      end
      assert.same({ ["40"] = 5, ["30"] = 3 }, dialled)
      assert.equal(8, engine:counts().connected)
    end)

  it("is of a group that there is none of, now and later", function(world)
    -- nobody twice: who is known to work would come first
    local engine = field.engine(world, "10.0.0.1", {
      target_connections = 2, feeler_interval = 0,
      initial_backoff = "1h", max_backoff = "1h",
    })
    for i = 1, 12 do
      for _, group in ipairs { "30.1", "40.1" } do
        field.node(world, ("%s.0.%d:8333"):format(group, i))
        engine.store:create { ip = ("%s.0.%d"):format(group, i), port = 8333 }
      end
    end
    world:run_for "10s"
    for _ = 1, 10 do
      engine:connections()():close()
      world:run_for "10s"
      local groups = {}
      for connection in engine:connections() do
        groups[#groups + 1] = connection.address:match "^%d+"
      end
      table.sort(groups)
      assert.same({ "30", "40" }, groups)
    end
  end)
end)
