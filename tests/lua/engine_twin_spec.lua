--- No second connection to a peer.
local field = require "support.field"
local wire = require "support.wire"
local it = field.it

local function count(engine)
  local n = 0
  for connection in engine:connections() do
    n = n + (connection.state == "connected" and 1 or 0)
  end
  return n
end

--- Both sides see the same single connection.
local function assert_one(a, b)
  assert.equal(1, count(a))
  assert.equal(1, count(b))
  assert.not_equal(a:connections()().inbound, b:connections()().inbound)
  assert.equal(1, a:counts().connections)
  assert.equal(1, b:counts().connections)
end

describe("two engines that dial each other at the same instant", function()
  for seed = 1, 12 do
    it(("keep one connection, seed %d"):format(seed), function(world)
      world:link(nil, nil, { latency = "20ms", jitter = "30ms" })
      local a, one = field.engine(world, "10.0.0.1:8333", {
        peers = { "10.0.0.2:8333" },
      })
      local b, other = field.engine(world, "10.0.0.2:8333", {
        peers = { "10.0.0.1:8333" },
      })
      world:run_for "2s"
      assert_one(a, b)
      world:run_for "5m"
      assert_one(a, b)
      local row = one:find(nil, "duplicate_peer") or other:find(nil,
        "duplicate_peer")
      if row then
        assert.not_equal("peer_misbehaved", row.type)
      end
      for peer in a.store:each() do
        assert.not_equal("inaccessible", peer.status)
      end
    end, { seed = seed })
  end

  it("keep the one whose dialler sent the larger nonce", function(world)
    for i, nonce in ipairs { 1, -1 } do -- the least, and the largest
      local home = ("10.0.%d.1:8333"):format(i)
      local away = ("10.0.%d.2"):format(i)
      world:remote(away, function(remote)
        remote:listen()
        local own = assert(remote:dial(home))
        local theirs = assert(remote:accept())
        remote:spawn(function()
          theirs:handshake { nonce = 1000 }
          theirs:receive "nothing"
        end)
        own:handshake {
          nonce = nonce,
          addr_from = away .. ":18444",
        }
        own:receive "nothing"
      end)
      local engine = field.engine(world, home, { peers = { away .. ":18444" } })
      world:run_for "3s"
      assert.equal(1, count(engine))
      assert.equal(nonce == -1, engine:connections()().inbound)
    end
  end)
end)

describe("two engines with a single slot that dial each other", function()
  local function pair(world, seed, slots)
    local function config(peer, n)
      return { peers = { peer }, target_connections = 1, max_connections = n,
        handshake_timeout = "1m" }
    end
    world:link(nil, nil, { latency = "20ms", jitter = "30ms" })
    local a = field.engine(world, "10.0.0.1:8333",
      config("10.0.0.2:8333", slots[1]))
    local b = field.engine(world, "10.0.0.2:8333",
      config("10.0.0.1:8333", slots[2]))
    world:run_for "2s"
    assert.equal(1, count(a), seed)
    assert.equal(1, count(b), seed)
    world:run_for "10m"
    assert_one(a, b)
    for _, engine in ipairs { a, b } do
      local counts = engine:counts()
      assert.equal(0, counts.polite)
      assert.equal(0, counts.half_open)
      assert.equal(1, counts.inbound + counts.outbound)
    end
  end

  for seed = 1, 8 do
    it(("keep one connection, seed %d"):format(seed), function(world)
      pair(world, seed, { 1, 1 })
    end, { seed = seed })
    it(("keep one when the other has room, seed %d"):format(seed),
      function(world)
        pair(world, seed, seed % 2 == 0 and { 1, 20 } or { 20, 1 })
      end, { seed = seed })
  end

  it("give the handshake of the one that stays its whole time",
    function(world)
      world:remote("10.0.0.2", function(remote)
        remote:listen()
        local own = assert(remote:dial "10.0.0.1:8333")
        assert(remote:accept())
        own:send_raw(wire.frame("version", wire.version {
          nonce = -1, addr_from = ("\0"):rep(18) .. "\xff\xff\10\0\0\2"
            .. (">I2"):pack(18444),
        }))
        remote:sleep "12s" -- longer than the polite lane is patient
        own:send "verack"
        own:receive "nothing"
      end)
      local engine = field.engine(world, "10.0.0.1:8333", {
        peers = { "10.0.0.2:18444" }, target_connections = 1,
        max_connections = 1,
      })
      world:run_for "20s"
      assert.equal(1, count(engine))
      assert.is_true(engine:connections()().inbound)
    end)
end)

describe("two engines that close each other's dials at accept", function()
  --- Their single slots are taken by the dials, their polite lanes by others of
  --- the same group: neither dial lives to say whose it is.
  for seed = 1, 4 do
    it(("find each other later, seed %d"):format(seed), function(world)
      local engines, logs = {}, {}
      world:link(nil, nil, { latency = "10ms" })
      for i, n in ipairs { 20, 30 } do
        local home = ("%d.1.0.1:8333"):format(n)
        engines[i], logs[i] = field.engine(world, home, {
          peers = { ("%d.1.0.1:8333"):format(50 - n) }, max_connections = 1,
          target_connections = 1,
        })
        world:remote(("%d.1.0.9"):format(50 - n), function(remote)
          assert(remote:dial(home)):receive "nothing"
        end)
      end
      world:link(engines[1], engines[2], { latency = "100ms" })
      world:run_for "1s"
      for i = 1, 2 do
        assert.equal(0, engines[i]:counts().connections)
        assert.equal(1, #logs[i]:all "connection_failed")
      end
      world:run_for "2m"
      assert_one(engines[1], engines[2])
    end, { seed = seed })
  end
end)

describe("a twin that would take another's slot", function()
  it("is refused when as many handshakes as may be are under way",
    function(world)
      world:remote("10.0.0.2", function(remote)
        remote:listen()
        remote:sleep(0.5)
        local own = assert(remote:dial "10.0.0.1:8333")
        assert(remote:accept())
        remote:sleep "2s"
        own:send_raw(wire.frame("version", wire.version {
          nonce = -1, addr_from = ("\0"):rep(18) .. "\xff\xff\10\0\0\2"
            .. (">I2"):pack(18444),
        }))
        own:receive "nothing"
      end)
      local engine, log = field.engine(world, "10.0.0.1:8333", {
        peers = { "10.0.0.2:18444" }, target_connections = 1,
        max_connections = 2, half_open = 1, policies = { {
          evict = function(_, candidates, newcomer)
            return newcomer:match "^20%." and candidates[1].connection or false
          end,
        } },
      })
      world:remote("30.1.0.1", function(remote)
        local connection = assert(remote:dial "10.0.0.1:8333")
        connection:handshake()
        connection:receive "nothing"
      end)
      world:run_for "1s"
      assert.equal(1, engine:counts().polite)
      world:remote("20.1.0.1", function(remote) -- hangs in its place
        assert(remote:dial "10.0.0.1:8333"):receive "nothing"
      end)
      world:run_until(function()
        assert.is_true(engine:counts().half_open <= 1)
        return false
      end, "4s")
      assert.is_truthy(log:find("connection_failed", "duplicate_peer"))
    end)
end)

describe("a peer that is connected", function()
  it("is not dialled again", function(world)
    field.node(world, "10.0.0.2:8333")
    local engine = field.engine(world, "10.0.0.1", {
      peers = { "10.0.0.2:8333" },
    })
    world:run_for "1s"
    local good, message, code = engine:dial "10.0.0.2:8333"
    assert.is_nil(good)
    assert.equal("there is a connection to 10.0.0.2:8333", message)
    assert.equal("duplicate_peer", code)
  end)

  it("is known by where it says it listens, and not dialled", function(world)
    local engine = field.engine(world, "10.0.0.1:8333")
    field.engine(world, "10.0.0.2:8333", { peers = { "10.0.0.1:8333" } })
    world:run_for "1s"
    assert.equal(1, count(engine))
    local _, _, code = engine:dial "10.0.0.2:8333"
    assert.equal("duplicate_peer", code)
  end)

  it("is known as soon as it has said so, and until it is gone",
    function(world)
      local engine = field.engine(world, "10.0.0.1:8333")
      world:remote("10.0.0.2:8333", function(remote)
        local connection = assert(remote:dial "10.0.0.1:8333")
        connection:send_raw((wire.hello { -- and nothing after it
          addr_from = ("\0"):rep(18) .. "\xff\xff\10\0\0\2"
            .. (">I2"):pack(8333),
        }))
        connection:receive("nothing", "5s")
        connection:close()
      end)
      world:run_for "1s"
      assert.equal(0, count(engine))
      local _, _, code = engine:dial "10.0.0.2:8333"
      assert.equal("duplicate_peer", code)
      world:run_for "5s"
      assert.equal(0, engine:counts().connections)
      assert.is_true(engine:dial "10.0.0.2:8333")
    end)

  it("may be dialled when the other is gone", function(world)
    local engine = field.engine(world, "10.0.0.1:8333")
    local other = field.engine(world, "10.0.0.2:8333", {
      peers = { "10.0.0.1:8333" },
    })
    world:run_for "1s"
    other:close()
    world:run_for "6s"
    assert.equal(0, count(engine))
    assert.is_true(engine:dial "10.0.0.2:8333")
  end)

  it("is not closed by somebody else who takes its name", function(world)
    field.node(world, "10.0.0.2:8333")
    local engine = field.engine(world, "10.0.0.1:8333", {
      peers = { "10.0.0.2:8333" },
    })
    world:run_for "1s"
    local thief = world:remote("66.6.6.6", function(remote)
      local connection = assert(remote:dial "10.0.0.1:8333")
      connection:handshake {
        nonce = -1, addr_from = "10.0.0.2:8333",
      }
      connection:receive "nothing"
    end)
    world:run_for "1s"
    assert.is_nil(thief.error)
    assert.equal(2, count(engine))
    local _, _, code = engine:dial "10.0.0.2:8333"
    assert.equal("duplicate_peer", code)
  end)
end)

describe("a connection that is there for long", function()
  it("does not give way to another that takes its name", function(world)
    local version, code
    world:remote("10.0.0.2:8333", function(remote)
      remote:spawn(function()
        remote:sleep "1m"
        local connection, _ = assert(remote:dial "10.0.0.1:8333")
        version, _, code = connection:handshake {
          nonce = -1, addr_from = "10.0.0.2:8333",
        }
      end)
      remote:serve(function(connection)
        connection:handshake { nonce = 1 }
        connection:receive "nothing"
      end)
    end)
    local engine = field.engine(world, "10.0.0.1:8333", {
      peers = { "10.0.0.2:8333" },
    })
    world:run_for "2m"
    assert.is_nil(version)
    assert.is_truthy(code)
    assert.equal(1, count(engine))
    assert.is_false(engine:connections()().inbound)
  end)
end)

describe("an engine that dials itself", function()
  it("closes, remembers its own address, and bans nobody", function(world)
    local engine, log = field.engine(world, "10.0.0.1:8333", {
      peers = { "10.0.0.1:8333" },
    })
    world:run_for "1m"
    assert.equal(0, engine:counts().connections)
    assert.is_nil(log:find "peer_banned")
    assert.equal("self_connection", log:find("peer_misbehaved").code)
    local _, _, code = engine:dial "10.0.0.1:8333"
    assert.equal("self_connection", code)
  end)
end)
