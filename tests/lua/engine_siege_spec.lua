--- What a hostile neighbourhood cannot take: slots of those whom we dial, room
--- beside the slots, and our patience.
local field = require "support.field"
local visitors = require "support.visitors"
local it = field.it

local at, visitor = visitors.at, visitors.visitor

--- Visitors, each of a group of its own, who come again whenever they are out.
local function besiege(world, n)
  for i = 1, n do
    world:remote(("50.%d.0.1"):format(i), function(remote)
      while true do
        local connection = remote:dial(at)
        if connection and connection:handshake() then
          connection:receive "nothing"
        end
        remote:sleep "20s"
      end
    end)
  end
end

describe("slots of outbound connections", function()
  it("are left free by those who dial us", function(world)
    local engine = world:engine(at)
    besiege(world, 16)
    world:run_for "20s"
    assert.equal(12, engine:counts().inbound)
    for i = 1, 10 do
      local ip = ("30.%d.0.1"):format(i)
      field.node(world, ip .. ":8333")
      engine.store:create { ip = ip, port = 8333, status = "valid" }
    end
    world:run_for "1m"
    assert.equal(8, engine:counts().outbound)
    assert.equal(12, engine:counts().inbound)
  end)

  it("are kept for one that is lost until it is found again", function(world)
    local engine = world:engine(at, {
      max_restarts = 0, initial_backoff = "40s", jitter = 0,
    })
    for i = 1, 8 do -- nobody else could be dialled meanwhile
      local ip = ("30.%d.0.1"):format(i)
      field.node(world, ip .. ":8333")
      engine.store:create { ip = ip, port = 8333, status = "valid" }
    end
    world:run_for "10s"
    besiege(world, 16)
    world:run_for "1m"
    for _ = 1, 2 do
      local lost = engine:connections { inbound = false }()
      world:sever("10.0.0.1", lost.address:match "^[^:]*")
      world:run_for "30s" -- all visitors have come again
      assert.equal(7, engine:counts().outbound)
      assert.equal(12, engine:counts().inbound)
      world:run_for "30s"
      assert.equal(8, engine:counts().outbound)
      assert.equal(12, engine:counts().inbound)
    end
  end)

  it("are of a fixed engine as many as it has peers", function(world)
    local engine = world:engine(at, {
      mode = "fixed", peers = { "30.1.0.1:8333", "30.2.0.1:8333" },
    })
    besiege(world, 20)
    world:run_for "20s"
    assert.equal(18, engine:counts().inbound)
  end)
end)

describe("who is evicted and does not read", function()
  it("is gone at once", function(world)
    world:limit(nil, { window = 4096, send_buffer = 4096 })
    local engine = world:engine(at, {
      target_connections = 0, max_connections = 20, per_group = 100,
      half_open = 1000,
    })
    engine:on("handshake_complete", "feed", function(event)
      event.connection:send("xyzzy", ("x"):rep(200000))
    end)
    local live, most = 0, 0
    engine:on("connection_started", "live", function()
      live = live + 1
      most = math.max(most, live)
    end)
    for _, name in ipairs { "connection_failed", "connection_lost" } do
      engine:on(name, "live", function() live = live - 1 end)
    end
    for i = 1, 40 do
      visitor(world, ("20.%d.0.1"):format(i), function(connection, remote)
        connection:handshake()
        connection:stall()
        remote:sleep "10m"
      end)
      world:run_for(0.1)
    end
    assert.is_true(engine:counts().evictions >= 10)
    assert.is_true(most <= 21, most)
  end)
end)

describe("a peer that shakes hands and hangs up", function()
  it("is waited for longer each time", function(world)
    local peer = field.node(world, "30.1.0.1:8333", nil, function(connection)
      connection:receive("nothing", 1)
      connection:close()
    end)
    field.engine(world, "10.0.0.1", { peers = { "30.1.0.1:8333" } })
    world:run_for "90m"
    assert.is_true(peer.visits > 10 and peer.visits < 30, peer.visits)
    local times = peer.times
    assert.is_true(times[#times] - times[#times - 1] > 300)
  end)

  it("after it stayed for max_backoff is dialled soon again", function(world)
    local peer
    peer = field.node(world, "30.1.0.1:8333", nil, function(connection)
      connection:receive("nothing", peer.visits <= 6 and 1 or 601)
      connection:close()
    end)
    field.engine(world, "10.0.0.1", { peers = { "30.1.0.1:8333" } })
    world:run_for "2h"
    local times = peer.times
    assert.is_true(times[7] - times[6] > 30)
    assert.is_true(#times > 10)
    for i = 8, #times do
      local wait = times[i] - times[i - 1] - 601
      assert.is_true(wait > 0 and wait < 10, wait)
    end
  end)

  it("because the network cut it off is not given up", function(world)
    field.node(world, "30.1.0.1:8333")
    local engine = field.engine(world, "10.0.0.1", {
      peers = { "30.1.0.1:8333" },
    })
    for _ = 1, 3600 do
      world:run_for(1)
      if engine:counts().connected > 0 then
        world:sever("10.0.0.1", "30.1.0.1")
      end
    end
    local dials = engine:counts().dials
    assert.is_true(dials > 5 and dials < 30, dials)
    local peer = engine.store:find_by_ip_port("30.1.0.1", 8333)
    assert.equal("valid", peer.status)
  end)
end)

describe("a wait", function()
  it("is never longer than max_backoff, and yet up to chance", function(world)
    local engine = field.engine(world, "10.0.0.1")
    local least, most, seen, times = math.huge, 0, {}, {}
    for _ = 1, 1000 do
      local wait = engine:backoff(20)
      times[wait] = (times[wait] or 0) + 1
      assert.is_true(times[wait] < 5, wait)
      least, most = math.min(least, wait), math.max(most, wait)
      seen[math.floor(wait / 10)] = true
    end
    assert.is_true(most <= 600 and least >= 300, most)
    for i = 31, 58 do
      assert.is_true(seen[i], i)
    end
  end)
end)

describe("memory in all, changed while the engine runs", function()
  it("counts for connections that are there", function(world)
    world:limit(nil, { window = 4096, send_buffer = 4096 })
    local engine = world:engine(at, {
      target_connections = 0, send_memory = 8 << 20,
    })
    visitor(world, "20.1.0.1", function(connection, remote)
      connection:handshake()
      connection:stall()
      remote:sleep "1h"
    end)
    world:run_for "1s"
    local connection = engine:connections()()
    assert(connection:send("xyzzy", ("x"):rep(2000000)))
    assert(engine:configure { send_memory_total = 1 << 20 })
    local good, _, code = connection:send("xyzzy", ("x"):rep(100000))
    assert.is_nil(good)
    assert.equal("limit", code)
  end)
end)

describe("an engine of fixed peers", function()
  it("asks no seed, though it is told to discover", function(world)
    local _, log = field.engine(world, "10.0.0.9", {
      target_connections = 1,
    })
    local engine, fixed = field.engine(world, "10.0.0.1", { mode = "fixed" })
    world:run_for "1s"
    engine:discover()
    world:run_for "3h"
    assert.is_nil(fixed:find "discovery_finished")
    assert.is_truthy(log:find "discovery_finished")
  end, { network = "mainnet" })
end)

describe("getaddr", function()
  it("that found nobody to name is answered to the next", function(world)
    local engine = world:engine(at, { target_connections = 0 })
    local function ask(address)
      return visitor(world, address, function(connection)
        connection:handshake()
        connection:send "getaddr"
        return connection:receive("addr", "5s")
      end)
    end
    local first = ask "20.1.0.1"
    world:run_for "10s"
    assert.is_nil(first.result[1])
    for i = 1, 10 do
      engine.store:create { ip = ("30.%d.0.1"):format(i), port = 8333 }
    end
    local second = ask "20.2.0.1"
    world:run_for "10s"
    assert.equal(2, #second.result[1]:table().entries)
  end)
end)
