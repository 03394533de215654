--- What an engine tells and answers: events, queues, queries, counts.
local core = require "moonpeer.core"
local field = require "support.field"
local moonpeer = require "moonpeer"
local it = field.it

local raw = core.methods "moonpeer.world"

local function task(world, engine, fn)
  return raw.at(world.handle, engine:address():match "^(.-):", moonpeer.spawn,
    fn)
end

describe("events have their fields:", function()
  it("of a connection's life", function(world)
    field.node(world, "10.0.0.2:8333")
    local _, log = field.engine(world, "10.0.0.1", {
      peers = { "10.0.0.2:8333" }, max_restarts = 0,
    })
    world:run_for "1s"
    world:sever("10.0.0.1", "10.0.0.2")
    world:run_for(0.5)
    local states = {}
    for i, row in ipairs(log) do
      states[i] = row.type .. " " .. row.state
      assert.equal("10.0.0.2:8333", row.address)
      assert.is_false(row.inbound)
      assert.is_true(math.abs(row.time - 1735689600 - row.at) < 1e-3)
    end
    assert.same({
      "connection_started connecting",
      "connection_established awaiting_handshake",
      "handshake_complete connected", "connection_lost failed",
    }, states)
    assert.equal("connection_reset", log[4].code)
    assert.equal("the remote reset the connection", log[4].reason)
  end)

  it("of an offence and its ban", function(world)
    field.node(world, "10.0.0.2:8333", { user_agent = "/bad/" })
    local engine, log = field.engine(world, "10.0.0.1", {
      peers = { "10.0.0.2:8333" }, policies = { {
        validate = function()
          return "offence", "banned_user_agent", "we know you"
        end,
      } },
    })
    world:run_for "1s"
    local row = log:find "peer_misbehaved"
    assert.equal("banned_user_agent", row.code)
    assert.equal("ban", row.verdict)
    assert.equal("we know you", row.reason)
    assert.equal("we know you", row.verdict_reason)
    assert.equal(1, row.count)
    row = log:find "peer_banned"
    assert.equal("10.0.0.2", row.prefix)
    assert.equal("10.0.0.2", row.address)
    assert.equal("we know you", row.reason)
    assert.equal("banned_user_agent", row.ban_reason)
    assert.equal("policy", row.origin)
    assert.equal(86400, row.expires - math.floor(row.time))
    local peer = engine.store:find_by_ip_port("10.0.0.2", 8333)
    assert.equal("banned", peer.status)
    assert.equal("banned_user_agent", peer.ban_reason)
    engine:unban "10.0.0.2"
    world:run_for "1s"
    row = log:find "peer_unbanned"
    assert.equal("10.0.0.2", row.prefix)
    assert.equal("10.0.0.2", row.address)
    assert.equal("banned_user_agent", row.ban_reason)
    peer = engine.store:find_by_ip_port("10.0.0.2", 8333)
    assert.equal("unknown", peer.status)
    assert.is_nil(peer.ban_reason)
  end)
end)

describe("the event of a ban", function()
  it("has its end and its reason, and no address for a prefix",
    function(world)
      local engine, log = field.engine(world, "10.0.0.1")
      world:run_for "1s"
      engine:ban("10.2.0.0/16", { time = "1h", reason = "scanners" })
      engine:ban("2001:db8::1", { time = "forever" })
      engine:unban "10.2.0.0/16"
      world:run_for "1s"
      local first, second = table.unpack(log:all "peer_banned")
      assert.equal("10.2.0.0/16", first.prefix)
      assert.is_nil(first.address)
      assert.equal("scanners", first.reason)
      assert.equal("manual", first.ban_reason)
      assert.equal("manual", first.origin)
      assert.equal(3600, first.expires - math.floor(first.time))
      assert.equal("2001:db8::1", second.address)
      assert.equal(math.huge, second.expires)
      local third = log:find "peer_unbanned"
      assert.is_nil(third.address)
      assert.equal("scanners", third.reason)
      assert.equal(first.expires, third.expires)
    end)

  it("is the only one without fields that others have not", function(world)
    local engine, log = field.engine(world, "10.0.0.1")
    world:run_for "1s"
    engine:save_soon()
    world:run_for "1s"
    local row = log:find "store_saved"
    for _, key in ipairs { "address", "expires", "ban_reason", "origin" } do
      assert.is_nil(row[key])
    end
  end)
end)

describe("a queue of events", function()
  it("gives them in order to a task, and takes itself away", function(world)
    local engine = world:engine("10.0.0.1:8333")
    local seen = {}
    world:run_for "1s"
    task(world, engine, function()
      for event in engine:events { events = { "peer_banned" } } do
        seen[#seen + 1] = event.prefix
        if #seen == 3 then
          break
        end
      end
    end)
    world:run_for "1s"
    for i = 1, 5 do
      engine:ban("1.1.1." .. i)
    end
    world:run_for "1s"
    assert.same({ "1.1.1.1", "1.1.1.2", "1.1.1.3" }, seen)
  end)

  it("drops the oldest when it is full, and says how many", function(world)
    local engine = world:engine("10.0.0.1:8333")
    local seen = {}
    world:run_for "1s"
    local queue = engine:events { capacity = 4, events = { "peer_banned" } }
    for i = 1, 10 do
      engine:ban("1.1.1." .. i)
    end
    world:run_for "1s"
    task(world, engine, function()
      for event in queue do
        seen[#seen + 1] = event.prefix .. " " .. (event.lost or 0)
      end
    end)
    world:run_for "1s"
    assert.same({ "1.1.1.7 6", "1.1.1.8 0", "1.1.1.9 0", "1.1.1.10 0" }, seen)
    assert.equal(6, engine:stats().events_lost)
    for i = 1, 2000 do -- in one turn: more than are kept until the next
      engine:ban(("1.1.%d.%d"):format(2 + i // 200, i % 200))
    end
    world:run_for "1s"
    local kept = #seen - 4
    assert.equal(6 + 2000 - kept, engine:stats().events_lost)
    assert.equal(2000 - 1024, engine:counts().events_lost)
  end)

  it("ends when its engine is gone", function(world)
    local engine = world:engine("10.0.0.1:8333")
    local ended
    world:run_for "1s"
    task(world, engine, function()
      for _ in engine:events() do
        _ = nil
      end
      ended = true
    end)
    world:run_for "1s"
    engine:close()
    world:run_for "1s"
    assert.is_true(ended)
  end)

  it("has messages as copies", function(world)
    local engine = world:engine("10.0.0.1:8333")
    local got
    world:run_for "1s"
    task(world, engine, function()
      for event in engine:events { events = { "message" }, command = "xyz" } do
        core.sleep(1)
        got = got or event.message:raw()
      end
    end)
    world:remote("10.0.0.2", function(remote)
      local connection = remote:dial "10.0.0.1:8333"
      connection:handshake()
      connection:send("xyz", "payload")
      connection:receive "nothing"
    end)
    world:run_for "5s"
    assert.equal("payload", got)
  end)

  it("wants a capacity, and options that exist", function(world)
    local engine = world:engine("10.0.0.1:8333")
    for _, wrong in ipairs {
      { capacity = 0 }, { capacity = 1.5 }, { capacty = 1 },
      { events = { "nothing" } },
    } do
      assert.is_false((pcall(engine.events, engine, wrong)))
    end
  end)
end)

describe("queries", function()
  local function busy(world)
    local peers = {}
    for i = 1, 3 do
      peers[i] = ("10.%d.0.2:8333"):format(i)
      field.node(world, peers[i])
    end
    peers[4] = "10.9.9.9:1"
    local engine, log = field.engine(world, "10.0.0.1:8333", {
      peers = peers, target_connections = 4,
    })
    world:remote("20.1.0.1", function(remote)
      local connection = remote:dial "10.0.0.1:8333"
      connection:handshake()
      connection:send("xyzzy", "abc")
      connection:receive "nothing"
    end)
    world:run_for "1s"
    return engine, log
  end

  it("walk the connections by state, direction and address", function(world)
    local engine = busy(world)
    local function count(filter)
      local n = 0
      for _ in engine:connections(filter) do
        n = n + 1
      end
      return n
    end
    assert.equal(5, count())
    assert.equal(4, count { state = "connected" })
    assert.equal(1, count { state = "connecting" })
    assert.equal(1, count { inbound = true })
    assert.equal(3, count { inbound = false, state = "connected" })
    assert.equal(1, count { address = "10.1.0.2:8333" })
    assert.is_false((pcall(count, { stat = "connected" })))
  end)

  it("walk the peers by status", function(world)
    local engine = busy(world)
    local valid = {}
    for peer in engine:peers { status = "valid" } do
      valid[#valid + 1] = peer.address
      assert.is_true(peer.rtt > 0)
    end
    table.sort(valid)
    assert.same({ "10.1.0.2:8333", "10.2.0.2:8333", "10.3.0.2:8333" }, valid)
  end)

  it("tell in stats what was done and is there", function(world)
    local engine = busy(world)
    local stats = engine:stats()
    assert.equal(5, stats.connections)
    assert.equal(4, stats.outbound)
    assert.equal(1, stats.inbound)
    assert.equal(4, stats.connected)
    assert.equal(4, stats.dials)
    assert.equal(1, stats.accepted)
    assert.equal(4, stats.handshakes)
    assert.equal(3, stats.peers.valid)
    assert.equal(1, stats.peers.unknown)
    assert.equal(4, stats.commands.version.messages_in)
    assert.equal(4, stats.commands.version.messages_out)
    assert.equal(4 * 24, stats.commands.verack.bytes_in)
    assert.equal(1, stats.commands.other.messages_in)
    assert.equal(27, stats.commands.other.bytes_in)
    assert.is_true(stats.bytes_out > 400 and stats.messages_out > 15)
    assert.equal(0, stats.lag)
    assert.equal(0, stats.memory.queued)
    world:run_for "10s"
    assert.same({ connection_timeout = 1 }, engine:stats().failures)
  end)
end)

describe("control:", function()
  local function three(world)
    local nodes, peers = {}, {}
    for i = 1, 3 do
      peers[i] = ("10.%d.0.2:8333"):format(i)
      nodes[i] = { got = {} }
      nodes[i].node = field.node(world, peers[i], nil, function(connection)
        while true do
          local message = connection:receive "xyzzy"
          if not message then
            break
          end
          table.insert(nodes[i].got, message:raw())
        end
      end)
    end
    local engine, log = field.engine(world, "10.0.0.1", { peers = peers })
    world:run_for "1s"
    return engine, log, nodes
  end

  it("send to one, to many, to all", function(world)
    local engine, _, nodes = three(world)
    local list = {}
    for connection in engine:connections() do
      list[#list + 1] = connection
    end
    assert.equal(1, (engine:send(list[1], "xyzzy", "one")))
    assert.equal(2, (engine:send({ list[1], list[2] }, "xyzzy", "two")))
    assert.equal(3, (engine:broadcast("xyzzy", "all")))
    assert.equal(1, (engine:broadcast("xyzzy", "some", {
      address = list[3].address,
    })))
    list[2]:close()
    local sent, failures = engine:send(list, "xyzzy", "last")
    assert.equal(2, sent)
    assert.equal("closed", failures[list[2]][2])
    world:run_for(0.5)
    assert.same({ "one", "two", "all", "last" }, nodes[1].got)
    assert.same({ "two", "all" }, nodes[2].got)
    assert.same({ "all", "some", "last" }, nodes[3].got)
  end)

  it("disconnect one, an address, an ip", function(world)
    local engine, log = three(world)
    assert.equal(1, engine:disconnect("10.1.0.2:8333", "enough of you"))
    assert.equal(1, engine:disconnect "10.2.0.2")
    assert.equal(1, engine:disconnect(engine:connections {
      address = "10.3.0.2:8333",
    }()))
    assert.equal(0, engine:disconnect "1.2.3.4")
    world:run_for(0.5)
    assert.equal(3, #log:all("connection_lost", "closed"))
    assert.equal("enough of you", log:find("connection_lost").reason)
  end)

  it("ban closes who is connected, whoever asked for it", function(world)
    local engine, log = three(world)
    assert(engine:ban("10.1.0.0/16", { time = "1h", reason = "a test" }))
    assert(engine.store.bans:add("10.2.0.2"))
    world:run_for(0.5)
    assert.equal(1, engine:counts().connected)
    assert.equal("the address was banned", log:find("connection_lost").reason)
    local _, _, code = engine:dial "10.1.0.2:8333"
    assert.equal("cancelled", code)
    world:run_for "61m"
    assert.is_truthy(log:find "peer_unbanned")
  end)

  it("dial says why not", function(world)
    local engine = three(world)
    engine:configure { target_connections = 0, max_connections = 3 }
    local _, message, code = engine:dial "10.9.9.9:1"
    assert.equal("limit", code)
    assert.equal("expected fewer than max_connections (3), got 3", message)
    engine:close()
    _, _, code = engine:dial "10.9.9.9:1"
    assert.equal("closed", code)
  end)

  it("save waits until all is durable", function(world)
    local path = os.tmpname()
    local engine = world:engine("10.0.0.1:8333", { store = "json:" .. path })
    local saved
    engine:ban "1.2.3.4"
    world:run_for "1s"
    task(world, engine, function()
      saved = engine:save "5s"
    end)
    world:run_for "1s"
    assert.is_true(saved)
    local file <close> = assert(io.open(path))
    assert.matches("1.2.3.4", file:read "a", 1, true)
    os.remove(path)
  end)
end)
