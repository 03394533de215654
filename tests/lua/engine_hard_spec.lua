--- Hard times: floods, memory, descriptors, peers that do not read.
local field = require "support.field"
local wire = require "support.wire"
local it = field.it

local at = "10.0.0.1:8333"

local function guest(world, address, fn)
  return field.guest(world, address, at, fn)
end

describe("a peer that does not read", function()
  it("is not read from while much is queued for it", function(world)
    world:limit(nil, { window = 4096, send_buffer = 4096 })
    local engine = field.engine(world, at, { receive_memory = 1 << 20 })
    local sent = 0
    local question = wire.frame("getdata", -- 36 bytes each, answered by as many
      "\xfd\xe8\x03" .. ("\1\0\0\0" .. ("x"):rep(32)):rep(1000))
    guest(world, "20.1.0.1", function(connection, remote)
      connection:stall()
      while connection.state == "connected"
        or connection.state == "awaiting_handshake" do
        if connection:send_raw(question) then
          sent = sent + 1
        end
        remote:sleep(0.01)
      end
    end)
    world:run_for "20s"
    local stats = engine:stats()
    assert.is_true(stats.memory.queued < 2 * 1024 * 1024, stats.memory.queued)
    assert.is_true(stats.memory.queued > 100 * 1024)
    local heard = stats.commands.getdata.messages_in
    assert.is_true(heard < 10, heard)
    assert.is_true(stats.memory.received <= (1 << 20) + (64 << 10))
    local before = sent
    world:run_for "5s" -- what fits has been put aside: no more is read
    assert.equal(before, sent)
  end)

  it("has its answers when it reads again, though it says nothing more",
    function(world)
      world:limit(nil, { window = 4096, send_buffer = 200000 })
      local engine = field.engine(world, at)
      local answered
      guest(world, "20.1.0.1", function(connection, remote)
        connection:stall()
        remote:sleep "5s"
        connection:send("ping", { nonce = 7 })
        remote:sleep "1s"
        answered = connection:receive("pong", "1m")
        connection:receive "nothing"
      end)
      world:run_for "1s"
      local connection = engine:connections()()
      for _ = 1, 2 do -- one is on its way, the next does not fit behind it
        assert(connection:send("xyzzy", ("x"):rep(190000)))
        world:run_for(0.1)
      end
      world:run_for "10s"
      assert.is_truthy(answered)
    end)

  it("is lost to its ping timeout",
    function(world)
      local engine, log = field.engine(world, at)
      guest(world, "20.1.0.1", function(connection, remote)
        connection:stall()
        remote:sleep "1h"
      end)
      world:run_for "40s"
      assert.is_truthy(log:find("connection_lost", "ping_timeout"))
      assert.equal(0, engine:counts().connections)
    end)

  it("takes no more than send_memory of us, and we are told", function(world)
    world:limit(nil, { window = 4096, send_buffer = 4096 })
    local engine = field.engine(world, at, { send_memory = 100000 })
    guest(world, "20.1.0.1", function(connection, remote)
      connection:stall()
      remote:sleep "1h"
    end)
    world:run_for "1s"
    local connection = engine:connections()()
    local code
    for _ = 1, 100 do
      local good, _, why = connection:send("xyzzy", ("x"):rep(10000))
      code = not good and why or code
      world:run_for(0.01)
    end
    assert.equal("limit", code)
    assert.is_true(engine:stats().memory.queued <= 100000)
  end)
end)

describe("memory in all", function()
  it("of what is queued is capped", function(world)
    world:limit(nil, { window = 4096, send_buffer = 4096 })
    local engine = field.engine(world, at, {
      send_memory_total = 1 << 20, send_memory = 1 << 20,
      target_connections = 0,
    })
    for i = 1, 10 do
      guest(world, ("%d.1.0.1"):format(20 + i), function(connection, remote)
        connection:stall()
        remote:sleep "1h"
      end)
    end
    world:run_for "1s"
    local refused = 0
    for connection in engine:connections() do
      for _ = 1, 30 do
        local good, _, code = connection:send("xyzzy", ("x"):rep(10000))
        if not good then
          assert.equal("limit", code)
          refused = refused + 1
        end
      end
    end
    assert.equal(10, engine:counts().connected)
    assert.is_true(refused > 0)
    world:run_for(0.1)
    local queued = engine:stats().memory.queued
    assert.is_true(queued <= 1 << 20 and queued > 1 << 19, queued)
  end)

  it("of what was received is capped, and who holds little stays",
    function(world)
      local engine, log = field.engine(world, at, {
        receive_memory_total = 1 << 20, receive_memory = 1 << 20,
        target_connections = 0,
      })
      guest(world, "60.1.0.1", function(connection)
        connection:send_raw(wire.frame("xyzzy", "x"):sub(1, 20))
        connection:receive "nothing"
      end)
      world:run_for "1s"
      for i = 1, 10 do
        guest(world, ("%d.1.0.1"):format(20 + i), function(connection, remote)
          connection:send_raw(wire.frame("xyzzy", "", { length = 1000000 }))
          for _ = 1, 9 do
            connection:send_raw(("x"):rep(100000))
            remote:sleep(0.01)
          end
          connection:receive "nothing"
        end)
      end
      world:run_for "5s"
      local held = engine:stats().memory.received
      assert.is_true(held <= 1 << 20, held)
      assert.is_true(#log:all("connection_lost", "limit") > 5)
      assert.equal(1, engine:disconnect "60.1.0.1")
    end)
end)

describe("a flood", function()
  it("of a command that wants answers is throttled, then ended",
    function(world)
      local engine, log = field.engine(world, at)
      guest(world, "20.1.0.1", function(connection, remote)
        while connection:send_raw(wire.frame("ping", "12345678"):rep(100)) do
          remote:sleep(0.01)
        end
      end)
      world:run_for "2m"
      local rows = log:all("peer_misbehaved", "flood")
      assert.equal(5, #rows)
      assert.equal("throttle", rows[1].verdict)
      assert.equal("disconnect", rows[5].verdict)
      assert.equal("flood", log:find("connection_lost").code)
      local pongs = engine:stats().commands.pong.messages_out
      assert.is_true(pongs < 1000 + 200 * 10, pongs)
    end)

  it("of addresses is told from those that a peer has", function(world)
    local engine, log = field.engine(world, at)
    guest(world, "20.1.0.1", function(connection)
      local empty = wire.frame("addr", "\0")
      connection:send_raw(empty:rep(50))
      assert(connection:receive("pong", 0.5) == nil)
      connection:send_raw(empty:rep(20))
      connection:receive "nothing"
    end)
    world:run_for "100ms"
    assert.equal(50, engine:stats().commands.addr.messages_in)
    assert.is_nil(log:find("peer_misbehaved", "flood"))
    world:run_for "1s"
    assert.equal("throttle", log:find("peer_misbehaved", "flood").verdict)
  end)

  --- Judging what is wrong costs more than sending it.
  for what, frame in pairs { -- any order: each in a world of its own
    ["commands that are none"] = wire.frame("", "", {
      command = "\1" .. ("\0"):rep(11),
    }),
    ["payloads that are cut off"] = wire.frame("inv", "\2"),
    ["empty pings"] = wire.frame("ping", ""),
  } do
    it("of " .. what .. " is judged a hundred times and ended",
      function(world)
        local _, log = field.engine(world, at)
        guest(world, "20.1.0.1", function(connection, remote)
          while connection:send_raw(frame:rep(1000)) do
            remote:sleep(0.01)
          end
        end)
        world:run_for "2m"
        assert.equal("flood", log:find("connection_lost").code)
        assert.equal(5, #log:all("peer_misbehaved", "flood"))
        assert.is_true(#log:all("peer_misbehaved", "protocol_error") < 200)
      end)
  end

  it("of whom is trusted is only observed", function(world)
    local _, log = field.engine(world, at, { trusted = { "20.1.0.0/16" } })
    guest(world, "20.1.0.1", function(connection, remote)
      for _ = 1, 20 do
        connection:send_raw(wire.frame("ping", "12345678"):rep(100))
        remote:sleep(0.01)
      end
      connection:send_raw(("\0"):rep(24)) -- and another network's magic
      connection:receive "nothing"
    end)
    world:run_for "10s"
    assert.equal("observe", log:find("peer_misbehaved", "flood").verdict)
    assert.equal("disconnect",
      log:find("peer_misbehaved", "network_mismatch").verdict)
    assert.is_nil(log:find "peer_banned")
  end)
end)

describe("descriptors that run out", function()
  it("during accept end what is too much, and nothing else", function(world)
    local engine, log = field.engine(world, at, {
      target_connections = 0, max_connections = 100, half_open = 100,
    })
    world:run_for "1s"
    world:limit(engine, { descriptors = 6 }) -- the listener and five more
    for i = 1, 20 do
      world:remote(("%d.1.0.1"):format(20 + i), function(remote)
        local connection = remote:dial(at)
        if connection and connection:handshake() then
          connection:receive "nothing"
        end
      end)
    end
    world:run_for "1s"
    assert.equal(5, engine:counts().connected)
    assert.is_truthy(log:find("listener_failed", "accept_failed"))
    for connection in engine:connections() do
      connection:close()
    end
    world:run_for "10s"
    world:remote("90.1.0.1", function(remote)
      assert(assert(remote:dial(at)):handshake())
      remote:sleep "1m"
    end)
    world:run_for "10s"
    assert.equal(1, engine:counts().connected)
  end)

  it("while dialling fail the dial, and burn nobody", function(world)
    for i = 1, 8 do
      field.node(world, ("%d.1.0.1:8333"):format(30 + i))
    end
    local engine, log = field.engine(world, "10.0.0.1")
    world:limit(engine, { descriptors = 3 })
    for i = 1, 8 do
      engine.store:create { ip = ("%d.1.0.1"):format(30 + i), port = 8333 }
    end
    world:run_for "10m"
    assert.equal(3, engine:counts().connected)
    assert.is_true(engine:counts().dials < 500, engine:counts().dials)
    assert.equal(0, engine.store:count_by_status "inaccessible")
    world:limit(engine, { descriptors = 100 })
    world:run_for "30m"
    assert.equal(8, engine:counts().connected)
    assert.is_truthy(log)
  end)
end)
