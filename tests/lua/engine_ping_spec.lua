--- Pings of an engine: when they come, and what becomes of who is late.
local field = require "support.field"
local wire = require "support.wire"
local it = field.it

local at = "10.0.0.1:8333"

local function guest(world, address, fn)
  return field.guest(world, address, at, fn)
end

describe("pings", function()
  it("come ping_interval after the pong, give or take half of it",
    function(world)
      field.node(world, "10.0.0.2:8333")
      local engine = field.engine(world, "10.0.0.1", {
        peers = { "10.0.0.2:8333" },
      })
      local times, least, most = {}, 1e9, 0
      for second = 1, 4 * 3600 do
        world:run_for "1s"
        if engine:stats().commands.ping.messages_out > #times then
          times[#times + 1] = second
        end
      end
      for i = 2, #times do
        local gap = times[i] - times[i - 1]
        least, most = math.min(least, gap), math.max(most, gap)
      end
      assert.is_true(least >= 59 and least < 80, least)
      assert.is_true(most <= 181 and most > 160, most)
    end)

  it("are not in step", function(world)
    local engine = field.engine(world, at, {
      target_connections = 0, per_group = 100,
    })
    for i = 1, 20 do
      world:remote(("%d.1.0.1"):format(20 + i), function(remote)
        local connection = assert(remote:dial(at))
        assert(connection:handshake())
        connection:receive "nothing"
      end)
    end
    world:run_for "10s"
    assert.equal(20, engine:counts().connected)
    local seen, before = 0, engine:stats().commands.ping.messages_out
    world:run_for "45s"
    for _ = 1, 12 do
      world:run_for "10s"
      local now = engine:stats().commands.ping.messages_out
      seen = seen + (now > before and 1 or 0)
      before = now
    end
    assert.is_true(seen >= 8, seen) -- spread over the two minutes
    assert.equal(20, engine:counts().connected)
  end)

  it("of many share the instants at which the process wakes", function(world)
    local engine = field.engine(world, at, {
      target_connections = 0, per_group = 1000, ping_interval = "1024s",
    })
    for i = 1, 20 do
      world:remote(("%d.1.0.1"):format(20 + i), function(remote)
        local connection = assert(remote:dial(at))
        assert(connection:handshake())
        connection:receive "nothing"
      end)
    end
    world:run_for "10.05s"
    local sent, parts = engine:stats().commands.ping.messages_out, {}
    assert.equal(20, sent) -- the first one is at once
    for tenth = 1, 16000 do
      world:run_for "0.1s"
      local now = engine:stats().commands.ping.messages_out
      parts[tenth % 10] = now > sent or parts[tenth % 10]
      sent = now
    end
    assert.is_true(sent > 40)
    local n = 0
    for _ in pairs(parts) do
      n = n + 1
    end
    assert.equal(1, n) -- of each second: the interval has 1,024 instants
  end)

  it("that are late end the connection, which is made anew", function(world)
    local visits = 0
    world:remote("10.0.0.2:8333", function(remote)
      remote:serve(function(connection)
        visits = visits + 1
        assert(connection:send_raw(table.concat { wire.hello() }))
        connection:receive "nothing"
      end)
    end)
    local _, log = field.engine(world, "10.0.0.1", {
      peers = { "10.0.0.2:8333" },
    })
    world:run_for "29s"
    assert.is_nil(log:find "connection_lost")
    world:run_for "2s"
    local row = log:find("connection_lost", "ping_timeout")
    assert.equal("expected a pong within 30 s, got none", row.reason)
    assert.equal(2, visits)
    assert.equal("ping_timeout", log:find("connection_restarting").code)
  end)

  for what, fn in pairs { -- any order: each in a world of its own
    ["a message a byte a second"] = function(connection, remote)
      connection:send_raw(wire.frame("xyzzy", "", { length = 1000 }))
      while connection:send_raw "x" do
        remote:sleep "1s"
      end
    end,
    ["messages that are no pong"] = function(connection, remote)
      while connection:send("xyzzy", "x") do
        remote:sleep "1s"
      end
    end,
    ["pings of its own"] = function(connection, remote)
      while connection:send("ping", { nonce = 7 }) do
        remote:sleep "1s"
      end
    end,
  } do
    it("are not answered by " .. what, function(world)
      local _, log = field.engine(world, at)
      guest(world, "20.1.0.1", fn)
      world:run_for "40s"
      local row = log:find("connection_lost", "ping_timeout")
      assert.is_true(row and math.abs(row.at - 30.04) < 0.1, row and row.at)
    end)
  end
end)
