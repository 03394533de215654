--- What brought other engines down, and does not bring this one down: each
--- test bears the number and the name of what happened.
local field = require "support.field"
local process = require "support.process"
local wire = require "support.wire"
local it = field.it

local at = "10.0.0.1:8333"

local function guest(world, address, fn, version)
  return field.guest(world, address, at, fn, version)
end

--- Bytes that this process has asked for, and those that are in memory.
local function memory()
  local file <close> = assert(io.open "/proc/self/statm")
  local all, here = file:read("a"):match "^(%d+) (%d+)"
  return all * 4096, here * 4096
end

--- An inventory of n entries of a type.
local function inventory(n, kind)
  local count = n < 253 and string.char(n) or ("<BI2"):pack(0xfd, n)
  return count .. (("<I4"):pack(kind) .. ("h"):rep(32)):rep(n)
end

local function entries(n, prefix)
  local list = {}
  for i = 1, n do
    list[i] = {
      time = 1700000000, services = 1, port = 8333,
      ip = prefix and ("%s.%d.%d"):format(prefix, i // 250, i % 250)
        or ("%d.%d.0.1"):format(20 + i // 250, i % 250),
    }
  end
  return list
end

local function peers_of(engine)
  local n = 0
  for _ in engine:peers() do
    n = n + 1
  end
  return n
end

describe("row 1, len_lie:", function()
  it("a length that a header claims is not allocated", function(world)
    local engine = field.engine(world, at, {
      target_connections = 0, max_connections = 100, half_open = 100,
      receive_memory = 32 << 20, receive_memory_total = 4 << 30,
    })
    for i = 1, 100 do
      guest(world, ("%d.1.0.1"):format(20 + i), function(connection, remote)
        connection:send_raw(wire.frame("block", "", { length = 30 << 20 }))
        remote:sleep "1s"
        connection:send_raw "x" -- the first byte, with its length known
        connection:receive "nothing"
      end)
    end
    local all, here = memory()
    world:run_for "5s"
    local all_after, here_after = memory()
    assert.equal(100, engine:counts().connected)
    assert.equal(100 * 25, engine:stats().memory.received)
    if not process.is_sanitized then
      assert.is_true(here_after - here < 40 << 20, here_after - here)
      assert.is_true(all_after - all < 100 << 20, all_after - all)
    end
  end)

  it("a length over a command's limit ends the connection at its header",
    function(world)
      local _, log = field.engine(world, at)
      guest(world, "20.1.0.1", function(connection)
        connection:send_raw(wire.frame("ping", "", { length = 3 << 20 }))
        connection:receive "nothing"
      end)
      world:run_for "1s"
      assert.equal("oversize_message", log:find("connection_lost").code)
    end)

  it("nor does a policy that bears it keep the connection", function(world)
    local _, log = field.engine(world, at, { policies = { {
      judge = function() return "observe" end,
    } } })
    guest(world, "20.1.0.1", function(connection)
      connection:send_raw(wire.frame("ping", "", { length = 3 << 20 }))
      connection:receive "nothing"
    end)
    world:run_for "1s"
    assert.equal("observe", log:find("peer_misbehaved").verdict)
    assert.equal("oversize_message", log:find("connection_lost").code)
  end)
end)

describe("row 2, amplify:", function()
  --- n questions by one who reads nothing for ten seconds: meanwhile no more
  --- than most is queued for it, then half of what may be; all have one answer.
  local function ask(world, n, size, most, config)
    world:limit(nil, { window = 8192, send_buffer = 8192 })
    local engine = field.engine(world, at, config)
    local question, told = inventory(size, 2), 0
    guest(world, "20.1.0.1", function(connection, remote)
      connection:stall()
      for _ = 1, n do
        while not connection:send("getdata", question) do
          remote:sleep(0.05)
        end
      end
      remote:sleep "10s"
      while connection:receive("notfound", 5) do
        told = told + 1
      end
    end)
    local function check(limit)
      world:run_for "0.1s"
      local stats = engine:stats()
      local asked = stats.commands.getdata
      assert.is_true(stats.memory.queued <= limit + #question + 24,
        stats.memory.queued)
      assert.is_true(not asked
        or asked.messages_in == stats.commands.notfound.messages_out)
    end
    for _ = 1, 100 do
      check(most)
    end
    assert.equal(0, told)
    assert.is_true(engine:stats().memory.queued > most)
    for _ = 1, 100 do
      check(config.send_memory // 2) -- of much that was put aside
    end
    assert.equal(n, told)
  end

  it("one message has one reply, and replies wait for who reads them",
    function(world)
      ask(world, 50, 1000, 128 << 10, { send_memory = 1 << 20 })
    end)

  it("replies wait where there is little room for them", function(world)
    ask(world, 200, 100, 50000, { send_memory = 100000 })
  end)
end)

describe("row 3, inv_flood:", function()
  it("hashes that are announced are not kept", function(world)
    local engine, log = field.engine(world, at)
    local heard = 0
    engine:on("message", "count", function(event)
      heard = heard + #event.message.items
    end, { command = "inv" })
    guest(world, "20.1.0.1", function(connection, remote)
      for i = 1, 2000 do
        -- each hash another one
        local payload = "\xfd\xe8\x03"
          .. (("<I4I8"):pack(1, i) .. ("h"):rep(24)):rep(1000)
        while not connection:send("inv", payload) do
          remote:sleep(0.05)
        end
      end
      connection:receive "nothing"
    end)
    local function settled(seconds)
      world:run_for(seconds)
      collectgarbage()
      collectgarbage()
      return select(2, memory())
    end
    local before = settled(0.5)
    assert.is_true(heard > 0 and heard < 500000, heard)
    local grown = settled(10) - before
    assert.equal(2000000, heard)
    assert.is_nil(log:find "peer_misbehaved")
    if not process.is_sanitized then
      assert.is_true(grown < 4 << 20, grown)
    end
  end)
end)

describe("row 4, getdata_unknown:", function()
  it("types that nobody knows are answered, and the session goes on",
    function(world)
      local engine = field.engine(world, at)
      local told, pong
      guest(world, "20.1.0.1", function(connection)
        connection:send("getdata", inventory(3, 0xdeadbeef))
        told = connection:receive("notfound", 5)
        connection:send_raw(wire.frame("getdata", "\xff" .. ("\xff"):rep(8)))
        connection:send_raw(wire.frame("getdata", "\xfd\x10\x00short"))
        connection:send("ping", "12345678")
        pong = connection:receive("pong", 5)
        connection:receive "nothing"
      end)
      world:run_for "5s"
      assert.equal(inventory(3, 0xdeadbeef), told:raw())
      assert.equal("12345678", pong:raw())
      assert.equal(1, engine:counts().connected)
    end)
end)

describe("row 7, CVE-2024-52919:", function()
  it("addresses beyond what a source may name are not kept", function(world)
    local engine, log = field.engine(world, at, { target_connections = 0 })
    guest(world, "20.1.0.1", function(connection, remote)
      for _ = 1, 30 do
        connection:send("addr", { entries = entries(1000) })
        remote:sleep "1s"
      end
      connection:receive "nothing"
    end)
    world:run_for "40s"
    -- an inbound peer that was not asked names itself alone
    assert.is_true(peers_of(engine) <= 1)
    assert.is_nil(log:find "peer_misbehaved")
  end)

  it("who has answered names another each ten seconds", function(world)
    local engine = field.engine(world, "10.0.0.1", {
      target_connections = 1,
      policies = { { select = function() return { "90.1.0.1:8333" } end } },
    })
    field.node(world, "90.1.0.1:8333", nil, function(connection)
      assert(connection:receive("getaddr", 5))
      connection:send("addr", { entries = entries(1000) })
      for _ = 1, 10 do
        connection:receive("nothing", 10)
        connection:send("addr", { entries = entries(20, "91.1") })
      end
    end)
    world:run_for "5s"
    local before = peers_of(engine)
    assert.is_true(before >= 999 and before <= 1000, before)
    world:run_for "60s"
    local more = peers_of(engine) - before
    assert.is_true(more >= 4 and more <= 8, more)
  end)

  it("more than a thousand in a message are passed over", function(world)
    local engine, log = field.engine(world, "10.0.0.1", {
      target_connections = 1,
      policies = { { select = function() return { "20.1.0.1:8333" } end } },
    })
    local function addr(n)
      local list = { ("<BI2"):pack(0xfd, n) }
      for i = 1, n do
        list[i + 1] = ("<I4I8"):pack(1700000000, 1) .. ("\0"):rep(10)
          .. "\xff\xff"
          .. (">BBBBI2"):pack(30 + i // 250, i % 250, 0, 1, 8333)
      end
      return wire.frame("addr", table.concat(list))
    end
    field.node(world, "20.1.0.1:8333", nil, function(connection)
      connection:send_raw(addr(1001))
      connection:receive("nothing", 5)
      connection:send_raw(addr(1000))
      connection:receive "nothing"
    end)
    world:run_for "4s"
    assert.equal(0, peers_of(engine))
    assert.matches("at most 1000 entries, got 1001",
      log:find("peer_misbehaved", "protocol_error").reason)
    world:run_for "6s"
    assert.is_true(peers_of(engine) > 500, peers_of(engine))
    assert.equal(1, engine:counts().connected)
  end)
end)

describe("row 8, addr flood of July 2021:", function()
  it("one source group fills no store", function(world)
    local engine = field.engine(world, "10.0.0.1", {
      target_connections = 2, policies = { { select = function()
        return { "20.1.0.1:8333", "20.1.0.2:8333" }
      end } },
    })
    for i = 1, 2 do
      field.node(world, ("20.1.0.%d:8333"):format(i), nil,
        function(connection)
          assert(connection:receive("getaddr", 5))
          -- as many as may be, of many groups: more than one source may name
          local list = entries(100, ("%d.100"):format(30 + 10 * i))
          for k = 1, 18 do
            table.move(entries(50, ("%d.%d"):format(30 + 10 * i, 100 + k)), 1,
              50, #list + 1, list)
          end
          connection:send("addr", { entries = list })
          for k = 1, 50 do
            connection:receive("nothing", 1)
            connection:send("addr", { entries = entries(1000,
              ("%d.%d"):format(30 + 10 * i, k)) })
          end
          connection:receive "nothing"
        end)
    end
    world:run_for "2m"
    local n = peers_of(engine)
    assert.is_true(n <= 1024 + 2 and n >= 1024, n)
    local groups = {}
    for peer in engine:peers() do
      local group = peer.address:match "^%d+%.%d+"
      groups[group] = (groups[group] or 0) + 1
      assert.is_true(groups[group] <= 64)
    end
  end)
end)

describe("row 9, CVE-2024-52912:", function()
  it("numbers of a version are what they are", function(world)
    local engine, log = field.engine(world, at, {
      target_connections = 0, max_connections = 50, half_open = 50,
    })
    local address = ("\0"):rep(26)
    local n = 0
    for _, time in ipairs { 0, -1, math.mininteger, math.maxinteger } do
      for _, height in ipairs { 0, -1, -2147483648, 2147483647 } do
        n = n + 1
        guest(world, ("%d.1.0.1"):format(20 + n), function(connection)
          connection:receive "nothing"
        end, wire.frame("version", ("<i4I8i8"):pack(2147483647, -1 & ~0, time)
          .. address .. address .. ("<I8"):pack(n) .. "\0"
          .. ("<i4"):pack(height) .. "\1") .. wire.frame "verack"
          .. wire.frame("protoconf", "\2\xff\xff\xff\xff\7Default"))
      end
    end
    world:run_for "3s"
    assert.equal(n, engine:counts().connected)
    assert.equal(n, engine:broadcast("tx", ("x"):rep(5000)))
    assert.is_nil(log:find "peer_misbehaved")
  end)

  it("and so are those of whom we dialled", function(world)
    local heights = { -2147483648, -1, 2147483647 }
    local times = { math.mininteger, -1, math.maxinteger }
    local peers = {}
    for i, height in ipairs(heights) do
      peers[i] = ("20.%d.0.1:8333"):format(i)
      field.node(world, peers[i], {
        version = 2147483647, services = -1, timestamp = times[i],
        start_height = height,
      }, function(connection)
        local list = entries(4, ("%d.100"):format(30 + i))
        for k, entry in ipairs(list) do
          entry.time = k < 3 and 0 or 0xffffffff
          entry.services = k % 2 - 1
          entry.port = 65535
        end
        connection:receive("getaddr", 5)
        connection:send("addr", { entries = list })
        connection:receive "nothing"
      end)
    end
    local engine, log = field.engine(world, "10.0.0.1", {
      target_connections = 3,
      policies = { { select = function() return peers end } },
    })
    for i = 1, #peers do
      engine.store:create { ip = ("20.%d.0.1"):format(i), port = 8333 }
    end
    world:run_for "10s"
    assert.is_nil(log:find "peer_misbehaved")
    assert.equal(3, engine:counts().connected)
    for i, height in ipairs(heights) do
      local peer = engine.store:find_by_ip_port(("20.%d.0.1"):format(i), 8333)
      assert.same({ height, -1, 2147483647 },
        { peer.start_height, peer.services, peer.protocol_version })
    end
    local named = { [0] = 0, [-1] = 0 }
    for peer in engine:peers() do
      if peer.port == 65535 then
        named[peer.services] = named[peer.services] + 1
      end
    end
    assert.same({ [0] = 6, [-1] = 6 }, named)
  end)
end)
