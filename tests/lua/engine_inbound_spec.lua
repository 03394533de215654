--- Who gets in: slots, limits by address and group, half-open handshakes, the
--- polite lane, and who makes room.
local field = require "support.field"
local it = field.it

local at = "10.0.0.1:8333"

--- A remote that dials the engine and does fn(connection, remote); the log of
--- its connection is what it returns.
local function visitor(world, address, fn)
  local seen = {}
  seen.remote = world:remote(address, function(remote)
    local connection, _, code = remote:dial(at)
    seen.connection, seen.code = connection, code
    if connection then
      seen.result = table.pack(fn(connection, remote))
    end
  end)
  return seen
end

--- Shakes hands, if it may, and stays.
local function shake(connection)
  if connection:handshake() then
    return connection:receive "nothing"
  end
end

local function hang(connection)
  return connection:receive "nothing"
end

--- n visitors, each of a group of its own.
local function groups(world, n, fn, first)
  local list = {}
  for i = 1, n do
    list[i] = visitor(world, ("%d.%d.0.1"):format(20 + i // 100,
      (first or 0) + i % 100), fn)
  end
  return list
end

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
        target_connections = 0, max_connections = 12, per_group = 100,
      })
      local list = groups(world, 12, shake)
      world:run_for "1s"
      assert(engine:configure { max_connections = 5 })
      world:run_for "1m"
      assert.equal(12, engine:counts().connected)
      groups(world, 3, shake, 50)
      world:run_for "1s"
      assert.equal(12, engine:counts().connected)
      assert.equal(0, engine:counts().evictions)
      for i = 1, 8 do
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
    visitor(world, "30.1.0.1", function(connection)
      connection:send_raw(("\0"):rep(24))
      connection:receive "nothing"
    end)
    world:run_for "1s"
    engine:unban "30.1.0.1"
    assert.is_true(#log:all "peer_misbehaved" >= 1)
  end)
end)

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
end)

