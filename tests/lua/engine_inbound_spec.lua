--- Who gets in: slots, limits by address and group, half-open handshakes, the
--- polite lane.
local field = require "support.field"
local visitors = require "support.visitors"
local it = field.it

local at, visitor, groups = visitors.at, visitors.visitor, visitors.groups
local shake, hang = visitors.shake, visitors.hang

local function reasons(log, kind)
  local counts = {}
  for _, row in ipairs(log:all(kind)) do
    counts[row.reason] = (counts[row.reason] or 0) + 1
  end
  return counts
end

describe("max_connections", function()
  it("holds for 100 that come in one instant, and all slots come back",
    function(world)
      local engine, log = field.engine(world, at, {
        half_open = 100, target_connections = 0, max_connections = 20,
        per_group = 100,
      })
      local most = 0
      engine:on("inbound_accepted", "most", function()
        local counts = engine:counts()
        most = math.max(most, counts.connections)
        local live = 0
        for _ in engine:connections() do
          live = live + 1
        end
        assert(live <= 20 + 16, live)
      end)
      groups(world, 100, shake)
      world:run_for "1m"
      assert.equal(20, most)
      assert.equal(20, engine:counts().connections)
      assert.equal(20, engine:counts().connected)
      assert.equal(0, engine:counts().polite)
      assert.equal(80, #log:all "rejected_for_capacity"
        + #log:all "inbound_rejected" + engine:counts().evictions)
    end)

  it("is not reached by handshakes that failed", function(world)
    local engine, log = field.engine(world, at, {
      half_open = 100, handshake_timeout = "5s", per_group = 100,
      target_connections = 0,
    })
    for _ = 1, 5 do
      groups(world, 20, hang, _ * 20)
      world:run_for "6s"
      assert.equal(0, engine:counts().connections)
      assert.equal(0, engine:counts().half_open)
    end
    assert.equal(100, #log:all("connection_failed", "handshake_timeout"))
    groups(world, 20, shake, 140)
    world:run_for "1s"
    assert.equal(20, engine:counts().connected)
  end)

  it("lowered closes nobody, and lets nobody in until there is room",
    function(world)
      local engine, log = field.engine(world, at, {
        target_connections = 0, max_connections = 40, per_group = 100,
        half_open = 100,
      })
      local list = groups(world, 40, shake) -- more than merits protect
      world:run_for "1s"
      assert(engine:configure { max_connections = 5 })
      world:run_for "1m"
      assert.equal(40, engine:counts().connected)
      groups(world, 3, shake, 50)
      world:run_for "1s"
      assert.equal(40, engine:counts().connected)
      assert.equal(0, engine:counts().evictions)
      for i = 1, 36 do
        list[i].connection:close()
      end
      world:run_for "1s"
      assert.equal(4, engine:counts().connections)
      groups(world, 1, shake, 70)
      world:run_for "1s"
      assert.equal(5, engine:counts().connected)
      assert.is_nil(log:find "evicted")
    end)
end)

describe("half-open connections", function()
  it("are 32 at once", function(world)
    local engine, log = field.engine(world, at, {
      max_connections = 100, per_group = 100,
    })
    groups(world, 50, hang)
    world:run_for "1s"
    assert.equal(32, engine:counts().half_open)
    assert.equal(18, reasons(log, "inbound_rejected")
      ["too many handshakes are under way"])
    world:run_for "15s"
    assert.equal(0, engine:counts().half_open)
  end)

  it("are four of a group", function(world)
    local engine, log = field.engine(world, at, {
      max_connections = 100, per_group = 100,
    })
    for i = 1, 10 do
      visitor(world, "20.1.0." .. i, hang)
    end
    visitor(world, "20.2.0.1", hang)
    world:run_for "1s"
    assert.equal(5, engine:counts().half_open)
    assert.equal(6, #log:all "inbound_rejected")
  end)

  it("are no more when their handshake is complete", function(world)
    local engine = field.engine(world, at, {
      max_connections = 100, per_group = 100,
    })
    for i = 1, 4 do
      visitor(world, "20.1.0." .. i, shake)
      world:run_for "1s"
    end
    visitor(world, "20.1.0.5", shake)
    world:run_for "1s"
    assert.equal(0, engine:counts().half_open)
    assert.equal(5, engine:counts().connected)
  end)

  it("of an address not routable do not count as one group", function(world)
    local engine = field.engine(world, at, { max_connections = 100 })
    for i = 1, 10 do
      visitor(world, "192.168.1." .. i, hang)
    end
    world:run_for "1s"
    assert.equal(10, engine:counts().half_open)
  end)
end)

describe("connections from one place", function()
  it("are five of an address", function(world)
    local engine, log = field.engine(world, at, {
      max_connections = 100, per_group = 50, half_open = 100,
    })
    world:remote("20.1.0.1", function(remote)
      for _ = 1, 8 do
        remote:spawn(function()
          local connection = remote:dial(at)
          if connection:handshake() then
            connection:receive "nothing"
          end
        end)
        remote:sleep "1s"
      end
    end)
    world:run_for "20s"
    assert.equal(5, engine:counts().connected)
    assert.equal(3, reasons(log, "inbound_rejected")
      ["too many connections from there"])
  end)

  it("are a quarter of the inbound slots of a group", function(world)
    local engine = field.engine(world, at, {
      target_connections = 8, max_connections = 28, -- 20 inbound, so 5
    })
    for i = 1, 9 do
      visitor(world, "20.1.0." .. i, shake)
      world:run_for "1s"
    end
    assert.equal(5, engine:counts().connected)
    visitor(world, "20.2.0.1", shake)
    world:run_for "1s"
    assert.equal(6, engine:counts().connected)
  end)

  it("may be many when they are trusted", function(world)
    local engine = field.engine(world, at, {
      max_connections = 40, trusted = { "20.1.0.0/16" },
    })
    for i = 1, 20 do
      visitor(world, "20.1.0." .. i, shake)
    end
    world:run_for "1s"
    assert.equal(20, engine:counts().connected)
  end)
end)

describe("a policy", function()
  it("may refuse an address", function(world)
    local asked = {}
    local engine, log = field.engine(world, at, { policies = { {
      accept = function(_, address)
        asked[#asked + 1] = address
        return not address:match "^20%.2"
      end,
    } } })
    visitor(world, "20.1.0.1", shake)
    visitor(world, "20.2.0.1", shake)
    world:run_for "1s"
    assert.equal(2, #asked)
    assert.equal(1, engine:counts().connected)
    assert.same({ ["a policy refused it"] = 1 }, reasons(log,
      "inbound_rejected"))
  end)
end)

describe("a banned address", function()
  it("is turned away whatever its port", function(world)
    local engine, log = field.engine(world, at)
    assert(engine:ban("20.1.0.0/16"))
    local one = visitor(world, "20.1.0.1", shake)
    world:run_for "1s"
    assert.same({ ["the address is banned"] = 1 }, reasons(log,
      "inbound_rejected"))
    assert.not_equal("connected", one.connection.state)
  end)
end)

describe("over capacity", function()
  local function full(world, config)
    config = config or {}
    config.target_connections, config.max_connections = 0, 2
    config.per_group = 100
    config.policies = { { evict = function() return false end } }
    local engine, log = field.engine(world, at, config)
    groups(world, 2, shake)
    world:run_for "1s"
    assert.equal(2, engine:counts().connected)
    return engine, log
  end

  it("a peer shakes hands, is told so by reject, and is closed",
    function(world)
      local engine, log = full(world)
      local one = visitor(world, "30.1.0.1", function(connection)
        assert(connection:handshake())
        return connection:receive("reject", 5)
      end)
      world:run_for "1s"
      local message = one.result[1]
      assert.equal("version", message:table().message)
      assert.equal(0x44, message:table().code)
      assert.equal(1, #log:all "rejected_for_capacity")
      assert.equal("limit", log:find("connection_lost").code)
      assert.equal(2, engine:counts().connected)
    end)

  it("sixteen are told so at once, one of a group, the others are closed",
    function(world)
      local engine, log = full(world)
      groups(world, 20, hang, 20)
      visitor(world, "20.21.0.2", hang)
      world:run_for "1s"
      assert.equal(16, engine:counts().polite)
      assert.equal(2, engine:counts().connections)
      assert.equal(21, #log:all "rejected_for_capacity")
      world:run_for "3s"
      assert.equal(16, engine:counts().polite)
      world:run_for "2s" -- five seconds are the end
      assert.equal(0, engine:counts().polite)
    end)

  it("two of a group are not told at once", function(world)
    local engine = full(world)
    visitor(world, "30.1.0.1", hang)
    visitor(world, "30.1.0.2", hang)
    world:run_for "1s"
    assert.equal(1, engine:counts().polite)
  end)

  it("who is discouraged is not even told", function(world)
    local engine, log = full(world)
    engine.store:discourage "30.1.0.1"
    local one = visitor(world, "30.1.0.1", hang)
    local two = visitor(world, "30.2.0.1", hang)
    world:run_for "1s"
    assert.equal(1, engine:counts().polite)
    assert.same({ ["the address is discouraged and slots are few"] = 1 },
      reasons(log, "inbound_rejected"))
    assert.not_equal("connected", one.connection.state)
    assert.equal("awaiting_handshake", two.connection.state)
  end)

  it("is not reached: who is discouraged is as welcome as others",
    function(world)
      local engine = field.engine(world, at)
      engine.store:discourage "30.1.0.1"
      visitor(world, "30.1.0.1", shake)
      world:run_for "1s"
      assert.equal(1, engine:counts().connected)
    end)
end)
