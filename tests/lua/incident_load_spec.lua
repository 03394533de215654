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

--- Bytes of this process that are in memory.
local function resident()
  local file <close> = assert(io.open "/proc/self/statm")
  return tonumber(file:read("a"):match "^%d+ (%d+)") * 4096
end

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
end)

describe("row 26, leaks of failed dials:", function()
  it("20,000 refused dials leave nothing", function(world)
    field.empty(world, "10.0.0.2")
    local engine = world:engine("10.0.0.1", { peers = {} })
    world:run_for(0.1)
    local function dial(n)
      for _ = 1, n do
        assert(engine:dial "10.0.0.2:8333")
        world:run_for(0.03)
      end
      collectgarbage()
      collectgarbage()
    end
    dial(2000)
    local before, lua = resident(), collectgarbage "count"
    dial(18000)
    assert.equal(20000, engine:counts().dials)
    assert.equal(0, engine:counts().connections)
    assert.equal(0, world:count().streams)
    assert.is_true(collectgarbage "count" - lua < 100)
    if not process.is_sanitized then
      -- the world's own trace grows to its limit meanwhile
      assert.is_true(resident() - before < 24 << 20, resident() - before)
    end
  end)

  it("peers that dial and drop leave nothing", function(world)
    local engine = world:engine(at, { per_group = 100000 })
    world:remote("20.1.0.1", function(remote)
      for _ = 1, 2000 do
        local connection = remote:dial(at)
        if connection then
          connection:reset()
        end
      end
    end)
    world:run_for "5m"
    assert.is_true(engine:counts().accepted >= 2000)
    assert.equal(0, engine:counts().connections)
    assert.equal(0, engine:counts().half_open)
    assert.equal(0, world:count().streams)
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
