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

--- Bytes of this process that are in memory.
local function resident()
  local file <close> = assert(io.open "/proc/self/statm")
  return tonumber(file:read("a"):match "^%d+ (%d+)") * 4096
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
      guest(world, ("%d.1.0.1"):format(20 + i), function(connection)
        connection:send_raw(wire.frame("block", "", { length = 30 << 20 }))
        connection:receive "nothing"
      end)
    end
    local before = resident()
    world:run_for "5s"
    assert.equal(100, engine:counts().connected)
    assert.is_true(engine:stats().memory.received < 100 * 100)
    if not process.is_sanitized then
      assert.is_true(resident() - before < 40 << 20, resident() - before)
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
      return resident()
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

  it("the loop's lag is there to be seen", function(world)
    local engine = field.engine(world, at)
    assert.equal(0, engine:stats().lag)
    assert.equal(0, engine:stats().most_lag)
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

  it("more than a thousand in a message are passed over", function(world)
    local engine = field.engine(world, "10.0.0.1", {
      target_connections = 1,
      policies = { { select = function() return { "20.1.0.1:8333" } end } },
    })
    field.node(world, "20.1.0.1:8333", nil, function(connection)
      local list = {}
      for i = 1, 1001 do
        list[i] = ("<I4I8"):pack(1700000000, 1) .. ("\0"):rep(10) .. "\xff\xff"
          .. (">BBBBI2"):pack(30 + i // 250, i % 250, 0, 1, 8333)
      end
      connection:send_raw(wire.frame("addr", ("<BI2"):pack(0xfd, 1001)
        .. table.concat(list)))
      connection:receive "nothing"
    end)
    world:run_for "10s"
    assert.equal(0, peers_of(engine))
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
          .. ("<i4"):pack(height) .. "\1") .. wire.frame "verack")
      end
    end
    world:run_for "3s"
    assert.equal(n, engine:counts().connected)
    assert.is_nil(log:find "peer_misbehaved")
  end)
end)
