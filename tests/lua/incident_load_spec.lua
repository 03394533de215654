--- What brought other engines down by its mere number: each test bears the
--- number and the name of what happened.
local field = require "support.field"
local process = require "support.process"
local wire = require "support.wire"
local it = field.it

local at = "10.0.0.1:8333"
local hello = table.concat { wire.hello() }

local function guest(world, address, fn, version)
  return field.guest(world, address, at, fn, version)
end

--- An inventory of n entries of a type.
local function inventory(n, kind)
  return ("<BI2"):pack(0xfd, n)
    .. (("<I4"):pack(kind) .. ("h"):rep(32)):rep(n)
end

describe("row 5, spy_peers:", function()
  it("who announces much does not delay the others", function(world)
    world:link(nil, nil, { latency = "10ms" })
    field.engine(world, at, {
      target_connections = 0, max_connections = 60, half_open = 60,
    })
    local payload = inventory(5000, 1)
    for i = 1, 40 do
      guest(world, ("%d.1.0.1"):format(20 + i), function(connection, remote)
        for _ = 1, 20 do
          connection:send("inv", payload)
          remote:sleep(0.1)
        end
        connection:receive "nothing"
      end)
    end
    local worst = 0
    guest(world, "90.1.0.1", function(connection, remote)
      for i = 1, 40 do
        local before = remote:now()
        connection:send("ping", ("<I8"):pack(i))
        assert(connection:receive("pong", 5))
        worst = math.max(worst, remote:now() - before)
        remote:sleep(0.05)
      end
    end)
    world:run_for "10s"
    assert.is_true(worst > 0 and worst < 0.03, worst)
  end)

  it("hashes cost the same each, however many come at once", function(world)
    local engine = field.engine(world, at)
    local function cost(n, times)
      local payload = inventory(n, 1)
      local heard = engine:stats().bytes_in
      local other = guest(world, "20.1.0.1", function(connection, remote)
        for _ = 1, times do
          while not connection:send("inv", payload) do
            remote:sleep(0.01)
          end
        end
        connection:receive("nothing", 5)
        connection:close()
      end)
      local before = os.clock()
      world:run_for "30s"
      assert.is_true(other.is_in)
      assert.is_true(engine:stats().bytes_in - heard > n * times * 36)
      return os.clock() - before
    end
    cost(1000, 100)
    local few, many = cost(1000, 500), cost(25000, 20)
    assert.is_true(many < 4 * few, many / few)
  end)

  it("the loop's lag is there to be seen", function()
    local out, complaint = process.lua [[
      local moonpeer = require "moonpeer"
      moonpeer.run(function()
        local engine <close> = assert(moonpeer.engine {
          network = "regtest", listen = false, peers = {},
        })
        moonpeer.spawn(function()
          moonpeer.sleep(0.001)
          print(engine:stats().lag)
        end)
        moonpeer.sleep(0)
        local till = os.clock() + 0.05
        while os.clock() < till do end
        moonpeer.sleep(0.01)
        print(engine:stats().most_lag)
      end)]]
    for lag in out:gmatch "%S+" do
      assert.is_true(tonumber(lag) > 0.03 and tonumber(lag) < 10, out)
    end
    assert.equal("", complaint)
    assert.matches("^%S+\n%S+\n$", out)
  end)
end)

describe("row 6, CVE-2020-14198:", function()
  it("bans are capped, and found among many", function(world)
    local engine = field.engine(world, at, { max_bans = 5000 })
    for i = 1, 20000 do
      engine:ban(("2001:db8:%x:%x::/64"):format(i // 256, i % 256))
    end
    assert.is_true(#engine.store.bans <= 5000)
    engine:ban "20.1.0.0/16"
    local one = guest(world, "20.1.0.1", function() end)
    local two = guest(world, "20.2.0.1", function() end)
    world:run_for "2s"
    assert.is_nil(one.is_in)
    assert.is_true(two.is_in)
  end)

  it("a list of bans closes whom it covers, in one look at all",
    function(world)
      local engine, log = field.engine(world, at)
      for i = 1, 4 do
        guest(world, ("20.%d.0.1"):format(i), function(connection)
          connection:receive "nothing"
        end)
      end
      world:run_for "1s"
      assert.equal(4, engine:counts().connected)
      for i = 1, 999 do
        engine:ban(("20.%d.%d.0/24"):format(i // 250, i % 250))
      end
      engine:ban "20.4.0.1"
      engine:unban "20.4.0.1"
      world:run_for "1s"
      assert.equal(1, engine:counts().connected)
      assert.matches("^20%.4%.", engine:connections()().address)
      assert.equal("the address was banned",
        log:find("connection_lost").reason)
    end)
end)

describe("row 18, p2p dos:", function()
  it("a group that hammers handshakes keeps nobody out", function(world)
    local engine = world:engine(at, { target_connections = 0 })
    for i = 1, 20 do
      world:remote("20.1.0." .. i, function(remote)
        for _ = 1, 200 do
          local connection = remote:dial(at)
          if connection then
            connection:send_raw(hello:sub(1, 50))
          end
          remote:sleep(0.05)
        end
      end)
    end
    world:run_for "5s"
    assert.is_true(engine:counts().half_open <= 4)
    local other = guest(world, "90.1.0.1", function(connection)
      connection:receive "nothing"
    end)
    world:run_for "2s"
    assert.is_true(other.is_in)
    assert.equal(1, engine:counts().connected)
  end)

  it("a group that shakes hands and leaves is let in so often and no more",
    function(world)
      local engine, log = field.engine(world, at, { target_connections = 0 })
      for i = 1, 20 do
        world:remote("20.1.0." .. i, function(remote)
          for _ = 1, 100 do
            local connection <close> = remote:dial(at)
            if connection then
              connection:handshake()
            end
            remote:sleep(0.1)
          end
        end)
      end
      world:run_for "10s"
      -- a quarter of 20 slots, which is what it may hold: 5 a second
      local accepted = engine:counts().accepted
      assert.is_true(accepted >= 5 * 10 and accepted <= 5 * (10 + 2), accepted)
      local reasons = {}
      for _, event in ipairs(log:all "inbound_rejected") do
        reasons[event.reason] = true
      end
      assert.is_true(reasons["connections from there come too often"])
    end)

  it("a mempool loop is no upload", function(world)
    local engine, log = field.engine(world, at)
    guest(world, "20.1.0.1", function(connection, remote)
      while connection:send_raw(wire.frame("mempool"):rep(100)) do
        remote:sleep(0.05)
      end
    end)
    world:run_for "20s"
    assert.equal("flood", log:find("connection_lost").code)
    assert.is_true(engine:stats().bytes_out < 1000)
  end)

  it("a version that is said again and again is not answered",
    function(world)
      local engine, log = field.engine(world, at)
      guest(world, "20.1.0.1", function(connection, remote)
        while connection:send_raw(hello:rep(20)) do
          remote:sleep(0.05)
        end
      end)
      world:run_for "1m"
      assert.equal(1, engine:stats().commands.version.messages_out)
      assert.equal(1, engine:stats().commands.verack.messages_out)
      assert.is_truthy(log:find "peer_misbehaved")
    end)
end)

describe("row 19, slowloris:", function()
  local function late(world, name, fn)
    local engine, log = field.engine(world, at)
    world:remote("20.1.0.1", function(remote)
      local connection = assert(remote:dial(at))
      fn(connection, remote)
    end)
    world:run_for "20s"
    local row = log:find("connection_failed", "handshake_timeout")
    assert.is_truthy(row, name)
    assert.is_true(math.abs(row.at - 15.02) < 0.1, row.at)
    assert.equal(0, engine:counts().half_open)
  end

  it("no_send", function(world)
    late(world, "no_send", function(connection)
      connection:receive "nothing"
    end)
  end)

  it("drip 1 B/s", function(world)
    late(world, "drip", function(connection, remote)
      for byte in hello:gmatch "." do
        if not connection:send_raw(byte) then
          break
        end
        remote:sleep "1s"
      end
    end)
  end)

  it("no_verack", function(world)
    late(world, "no_verack", function(connection)
      connection:send_raw((wire.hello()))
      connection:receive "nothing"
    end)
  end)

  it("a drip of messages that come before", function(world)
    late(world, "reject", function(connection, remote)
      for _ = 1, 40 do
        connection:send_raw(wire.frame("reject", "\7version\x11\3old"))
        remote:sleep(0.5)
      end
    end)
  end)
end)

describe("row 20, ping floods:", function()
  it("have a bounded number of pongs", function(world)
    local engine, log = field.engine(world, at)
    guest(world, "20.1.0.1", function(connection, remote)
      while connection:send_raw(wire.frame("ping", "12345678"):rep(500)) do
        remote:sleep(0.01)
      end
    end)
    world:run_for "1m"
    assert.equal("flood", log:find("connection_lost").code)
    assert.is_true(engine:stats().commands.pong.messages_out <= 2500)
  end)

  it("of whom is trusted are not answered either", function(world)
    local engine, log = field.engine(world, at, { trusted = { "20.1.0.0/16" } })
    guest(world, "20.1.0.1", function(connection)
      connection:send_raw(wire.frame("ping", "12345678"):rep(2000))
      connection:receive "nothing"
    end)
    world:run_for "1s"
    assert.equal("observe", log:find("peer_misbehaved", "flood").verdict)
    assert.equal(2000, engine:stats().commands.ping.messages_in)
    local pongs = engine:stats().commands.pong.messages_out
    assert.is_true(pongs >= 1000 and pongs <= 1200, pongs)
  end)
end)

describe("row 27, deadlock by mutual send:", function()
  it("two engines that flood each other go on", function(world)
    world:limit(nil, { window = 16384, send_buffer = 16384 })
    local config = { send_memory = 8 << 20, receive_memory = 8 << 20 }
    local a = field.engine(world, "10.0.0.1:8333", config)
    config.peers = { "10.0.0.1:8333" }
    local b = field.engine(world, "10.0.0.2", config)
    world:run_for "1s"
    local got = { 0, 0 }
    for i, engine in ipairs { a, b } do
      engine:on("message", "count", function(event)
        got[i] = got[i] + #event.message:raw()
      end, { command = "xyzzy" })
    end
    for _ = 1, 5 do
      assert.equal(1, (a:broadcast("xyzzy", ("a"):rep(1 << 20))))
      assert.equal(1, (b:broadcast("xyzzy", ("b"):rep(1 << 20))))
    end
    world:run_for "5m"
    assert.same({ 5 << 20, 5 << 20 }, got)
    assert.equal(1, a:counts().connected)
  end)
end)
