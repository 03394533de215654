--- Who makes room for another when all slots are taken.
local field = require "support.field"
local visitors = require "support.visitors"
local it = field.it

local at, visitor, groups = visitors.at, visitors.visitor, visitors.groups
local shake = visitors.shake

describe("eviction", function()
  --- Thirty visitors; the first twelve of them are of one group.
  local function filled(world, config)
    config = config or {}
    config.target_connections, config.max_connections = 0, 40
    config.per_group, config.half_open = 100, 100
    local engine, log = field.engine(world, at, config)
    for i = 1, 12 do
      visitor(world, "50.1.0." .. i, shake)
      world:run_for "1s"
    end
    groups(world, 28, shake)
    world:run_for "5s"
    assert.equal(40, engine:counts().connected)
    return engine, log
  end

  it("takes the youngest of the largest group that is not protected",
    function(world)
      local engine, log = filled(world)
      world:run_for "1m"
      local one = visitor(world, "60.1.0.1", shake)
      world:run_for "1s"
      local row = log:find "evicted"
      assert.is_truthy(row)
      assert.equal("connected", one.connection.state)
      assert.equal(40, engine:counts().connected)
      assert.equal(1, engine:counts().evictions)
      assert.matches("unprotected", row.reason, 1, true)
    end)

  it("takes of a crowd, not the one who came last", function(world)
    world:link(nil, nil, { latency = "40ms" })
    local engine, log = field.engine(world, at, {
      target_connections = 0, max_connections = 40, half_open = 100,
      per_group = 100, ping_interval = "20s",
    })
    groups(world, 26, shake)
    for i = 1, 26 do -- near enough to be spared for it, and here for long
      world:link(("20.%d.0.1"):format(i), nil, { latency = "1ms" })
    end
    world:run_for "1m"
    for i = 1, 8 do
      visitor(world, "50.1.0." .. i, shake)
      world:run_for "2s"
    end
    groups(world, 6, shake, 60)
    world:run_for "1m"
    assert.equal(40, engine:counts().connected)
    visitor(world, "90.1.0.1", shake)
    world:run_for "1s"
    -- one of the group is spared for it
    assert.matches("^50%.1%.0%.[78]:", log:find("evicted").address)
    assert.matches("[78] of its group", log:find("evicted").reason)
  end)

  it("may be a policy's choice, which sees everybody's merits",
    function(world)
      local seen
      local _, log = filled(world, { policies = { {
        evict = function(_, candidates, newcomer)
          seen = { newcomer = newcomer, n = #candidates, protected = 0 }
          for _, one in ipairs(candidates) do
            seen.protected = seen.protected + (one.protected and 1 or 0)
            assert(one.age >= 0 and #one.group > 0 and one.rtt > 0)
          end
          return candidates[#candidates].connection
        end,
      } } })
      visitor(world, "60.1.0.1", shake)
      world:run_for "1s"
      assert.equal(40, seen.n)
      assert.matches("^60%.1%.0%.1:", seen.newcomer)
      assert.is_true(seen.protected >= 12 + (40 - 12) // 2)
      assert.is_truthy(log:find "evicted")
    end)

  it("is explained, to who asks about either of the two", function(world)
    local engine, log = filled(world)
    visitor(world, "60.1.0.1", shake)
    world:run_for "1s"
    local gone = log:find("evicted").address
    for _, whom in ipairs { gone, gone:match "^[^:]*", "60.1.0.1" } do
      local found
      for _, row in ipairs(engine:explain(whom)) do
        found = row.decision == "evict" and row or found
      end
      assert.equal(gone, found.verdict)
      assert.equal("inbound", found.policy)
      assert.matches("^60%.1%.0%.1:", found.address)
      assert.matches(("evict 60%%.1%%.0%%.1:%%d+: %s by policy inbound "
        .. "%%(the youngest of the largest group"):format(
          gone:gsub("%.", "%%.")), found.text)
    end
  end)

  it("of nobody is explained, too", function(world)
    local engine = field.engine(world, at, {
      target_connections = 0, max_connections = 2,
    })
    groups(world, 2, shake)
    world:run_for "1s"
    visitor(world, "60.1.0.1", shake)
    world:run_for "1s"
    for _, row in ipairs(engine:explain "60.1.0.1") do
      if row.decision == "evict" then
        assert.equal("false", row.verdict)
        assert.matches("protect", row.reason)
        return
      end
    end
    error "it is not explained"
  end)

  it("may be refused by a policy", function(world)
    local engine, log = filled(world, { policies = { {
      evict = function() return false end,
    } } })
    visitor(world, "60.1.0.1", shake)
    world:run_for "1s"
    assert.is_nil(log:find "evicted")
    assert.equal(1, #log:all "rejected_for_capacity")
    assert.equal(40, engine:counts().connected)
  end)

  it("takes nobody who is trusted, and nobody whom we dialled",
    function(world)
      field.node(world, "70.1.0.1:8333")
      local engine, log = field.engine(world, at, {
        max_connections = 4, peers = { "70.1.0.1:8333" },
        target_connections = 1, trusted = { "50.0.0.0/8" }, per_group = 100,
        policies = { { evict = function(_, candidates)
          return candidates[1] and candidates[1].connection
        end } },
      })
      for i = 1, 3 do
        visitor(world, "50.1.0." .. i, shake)
      end
      world:run_for "1s"
      assert.equal(4, engine:counts().connected)
      visitor(world, "60.1.0.1", shake)
      world:run_for "1s"
      assert.is_nil(log:find "evicted")
      assert.equal(1, #log:all "rejected_for_capacity")
    end)

  it("looks at some of many, drawn by lot", function(world)
    local seen
    local engine = world:engine(at, {
      target_connections = 0, max_connections = 400, half_open = 400,
      per_group = 400, policies = { {
        evict = function(_, candidates)
          seen = #candidates
        end,
      } },
    })
    local reason
    engine:on("evicted", "spec", function(event) reason = event.reason end)
    groups(world, 400, shake)
    world:run_for "5s"
    assert.equal(400, engine:counts().connected)
    visitor(world, "90.1.0.1", shake)
    world:run_for "1s"
    assert.equal(128, seen)
    assert.equal(400, engine:counts().connected)
    assert.matches("among 128", reason, 1, true)
  end)

  it("spares the nearest, and those who have been here for long",
    function(world)
      world:link(nil, nil, { latency = "40ms" })
      local engine, log = field.engine(world, at, {
        target_connections = 0, max_connections = 40, half_open = 100,
        per_group = 100, ping_interval = "20s",
      })
      local old = groups(world, 20, shake)
      world:run_for "2m"
      local young = groups(world, 20, shake, 30)
      for i = 1, 8 do
        world:link(("20.%d.0.1"):format(30 + i), nil, { latency = "1ms" })
      end
      world:run_for "1m"
      for i = 1, 8 do -- each of them makes room for the next
        visitor(world, "90." .. i .. ".0.1", shake)
        world:run_for "1m"
      end
      assert.equal(40, engine:counts().connected)
      assert.equal(8, #log:all "evicted")
      for _, one in ipairs(old) do
        assert.equal("connected", one.connection.state)
      end
      for i = 1, 8 do
        assert.equal("connected", young[i].connection.state)
      end
    end)
end)

