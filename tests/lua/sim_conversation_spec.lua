--- Conversations of scripted peers: the same words in a world and on sockets.
local stage = require "support.stage"
local wire = require "support.wire"

--- What fn raises.
local function raised(fn, ...)
  local good, message = pcall(fn, ...)
  assert.is_false(good, "expected an error")
  return message
end

--- Two ends of a connection that have said nothing.
local function pair(one, options)
  local accepted
  options = options or {}
  options.network = "regtest"
  local listener = assert(one.listen(one.host(2) .. ":0", function(connection)
    accepted = connection
    connection:receive("nothing", "1h")
  end, options))
  local dialled = assert(one.connect(listener.address, options))
  one.await("a connection", function()
    return accepted
  end)
  return dialled, accepted, listener
end

--- Two ends that have shaken hands; the other one stays in its own task.
local function talking(one, fn)
  local listener = assert(one.listen(one.host(2) .. ":0", function(connection)
    if connection:handshake() then
      fn(connection)
    end
  end, { network = "regtest" }))
  local connection =
    assert(one.connect(listener.address, { network = "regtest" }))
  assert(connection:handshake())
  return connection
end

local function stay(connection)
  connection:receive("nothing", "1h")
end

stage.describe("expect", function(one)
  one.it("gives the message that it waits for", function()
    local connection = talking(one, function(other)
      other:send("inv", { items = {
        { type = 1, hash = ("a"):rep(32) },
      } })
      stay(other)
    end)
    local inv = connection:expect("inv", { items = { { type = 1 } } })
    assert.equal(1, #inv)
  end)

  one.it("says what came instead", function()
    local connection = talking(one, function(other)
      other:send "getaddr"
      other:send "mempool"
      stay(other)
    end)
    local message = raised(connection.expect, connection, "tx", nil, 0.2)
    assert.matches("expected tx within 0.2 s, got ", message)
    assert.matches("getaddr, mempool", message)
  end)

  one.it("says which field is another", function()
    local connection = talking(one, function(other)
      other:send("feefilter", { feerate_sat_per_kb = 7 })
      stay(other)
    end)
    assert.matches("feefilter: expected feerate_sat_per_kb = 8, got 7; the "
      .. "message is feefilter { feerate_sat_per_kb = 7 }",
      raised(connection.expect, connection, "feefilter",
        { feerate_sat_per_kb = 8 }))
  end)

  one.it("takes a function for the fields", function()
    local connection = talking(one, function(other)
      other:send("feefilter", { feerate_sat_per_kb = 7 })
      other:send("feefilter", { feerate_sat_per_kb = 8 })
      stay(other)
    end)
    local function is_seven(message)
      return message.feerate_sat_per_kb == 7
    end
    connection:expect("feefilter", is_seven)
    assert.matches("expected another feefilter than feefilter { fee",
      raised(connection.expect, connection, "feefilter", is_seven))
  end)

  one.it("says that the connection is over", function()
    local connection = talking(one, function(other)
      other:close()
    end)
    assert.matches("expected tx, but the remote closed the connection "
      .. "%(closed%)", raised(connection.expect, connection, "tx"))
  end)

  one.it("names the line of the script", function()
    local connection = pair(one)
    local line = debug.getinfo(1, "l").currentline + 1
    local message = raised(function() connection:expect("x", nil, 0.01) end)
    assert.matches(("sim_conversation_spec.lua:%d: expected x within")
      :format(line), message)
    assert.matches("expected a table or a function for fields", raised(
      function() connection:expect("x", "5s") end))
  end)
end)

stage.describe("expect_nothing", function(one)
  one.it("is content with silence", function()
    pair(one):expect_nothing(0.05)
  end)

  one.it("says what came, or that the connection ended", function()
    local connection = talking(one, function(other)
      other:send("feefilter", { feerate_sat_per_kb = 7 })
      other:receive("mempool")
    end)
    one.sleep(0.1)
    connection:expect "feefilter"
    connection:expect_nothing(0.05)
    connection:send "getaddr"
    connection:expect_nothing(0.05)
    connection:send "mempool"
    connection:close()
    assert.matches("expected nothing for 0.05 s, but",
      raised(connection.expect_nothing, connection, 0.05))
  end)

  one.it("shows the message that should not have come", function()
    local connection = talking(one, function(other)
      one.sleep(0.1)
      other:send("feefilter", { feerate_sat_per_kb = 7 })
      stay(other)
    end)
    connection:expect "sendheaders"
    assert.matches("expected nothing for 2 s, got feefilter { feerate_",
      raised(connection.expect_nothing, connection, 2))
  end)
end)

stage.describe("expect_closed", function(one)
  one.it("gives the code and why", function()
    local connection, other = pair(one)
    other:close()
    local code, why = connection:expect_closed(1, "closed")
    assert.equal("closed", code)
    assert.matches("remote closed", why)
  end)

  one.it("tells a reset from an end", function()
    local connection, other = pair(one)
    other:reset()
    assert.equal("connection_reset",
      (connection:expect_closed "connection_reset"))
    assert.matches("expected an end by closed, got connection_reset", raised(
      connection.expect_closed, connection, "closed"))
  end)

  one.it("says that it is still open", function()
    local connection = pair(one)
    assert.matches("expected the connection to end within 0.05 s, it is "
      .. "awaiting_handshake", raised(connection.expect_closed, connection,
      0.05))
  end)

  one.it("drops what still comes", function()
    local connection = talking(one, function(other)
      for _ = 1, 100 do
        other:send "getaddr"
      end
    end)
    connection:close()
    connection:expect_closed(5)
  end)
end)

stage.describe("a scripted peer", function(one)
  one.it("overrides every field of its version", function()
    local engine, log, connection = one.visited()
    local wanted = {
      version = 70015, services = 37, timestamp = 1234567, nonce = 99,
      user_agent = "/odd:1/", relay = true, start_height = 12,
      association_id = "\0abcdefgh",
      addr_recv = { services = 3, ip = "1.2.3.4", port = 5 },
      addr_from = { services = 4, ip = "::5", port = 6 },
    }
    assert(connection:handshake(wanted))
    one.event(log, "handshake_complete")
    assert.same(wanted, engine:connections()().version)
  end)

  one.it("drips", function()
    local _, log, connection = one.visited()
    local version, verack = wire.hello()
    local before = one.now()
    assert(connection:drip(version .. verack, 10, 0.01))
    assert.is_true(one.now() - before > 0.1)
    one.event(log, "handshake_complete")
    connection:reset()
    one.event(log, "connection_lost")
    assert.same({ nil, "closed" },
      { (connection:drip("xx", 1, 0.01)), "closed" })
    assert.matches("expected a number of bytes", raised(connection.drip,
      connection, "x", 0, 1))
  end)

  one.it("stalls, and the other end must wait", function()
    local sent = 0
    local connection = talking(one, function(other)
      for _ = 1, 64 do
        local good, _, code
        repeat
          good, _, code = other:send_raw(("x"):rep(500000))
          one.sleep(0.01)
        until code ~= "limit"
        sent = sent + (good and 1 or 0)
      end
    end)
    connection:stall(1)
    assert.is_true(sent > 0 and sent < 64, sent)
    connection:close()
  end)
end)

stage.describe("a recorded conversation", function(one)
  local path = "tests/data/captures/%s.jsonl"

  one.it("is played as the node to an engine that dials", function()
    local agent
    local _, log, peer = one.visiting { policies = { {
      validate = function(_, _, version)
        agent = version.user_agent
      end,
    } } }
    peer:play(path:format "inbound-full", "node",
      { expect = { "version", "verack", "protoconf" } })
    one.event(log, "handshake_complete")
    assert.equal("/Bitcoin SV:1.2.2/", agent)
  end)

  one.it("is played as a client to an engine that listens", function()
    local _, log, connection = one.visited()
    connection:play(path:format "http-get", "us", { timeout = 1 })
    one.event(log, "peer_misbehaved", "network_mismatch")
  end)

  one.it("says what did not come", function()
    local _, _, connection = one.visited()
    assert.matches("play: expected authch, but expected a message within",
      raised(connection.play, connection, path:format "inbound-full", "us",
        { timeout = 0.1 }))
  end)

  one.it("is written, and played again", function()
    local file = os.tmpname()
    local heard
    local connection = talking(one, function(other)
      other:record(file, { name = "two pings", note = 'with "quotes"' })
      other:expect("getaddr")
      other:send("feefilter", { feerate_sat_per_kb = 7 })
      heard = true
      stay(other)
    end)
    one.sleep(0.1)
    connection:send "getaddr"
    connection:expect("feefilter", { feerate_sat_per_kb = 7 })
    connection:close()
    one.sleep(0.1)
    assert.is_true(heard)
    local text = {}
    for line in io.lines(file) do
      text[#text + 1] = line
    end
    assert.equal('{"name": "two pings", "note": "with \\u0022quotes\\u0022"}',
      text[1])
    assert.matches('"sender": "node", "command": "getaddr", "frame": "dab5bffa',
      text[2])
    assert.matches('"sender": "us", "command": "feefilter"', text[3])
    assert.matches('"event": "closed by node"', text[4])
    local again = talking(one, function(other)
      other:play(file, "us", { in_time = true })
    end)
    again:send "getaddr"
    again:expect("feefilter", { feerate_sat_per_kb = 7 })
    again:close()
    one.sleep(0.1)
    os.remove(file)
  end)

  one.it("must make sense", function()
    local connection = pair(one)
    local function play(text)
      local file = os.tmpname()
      local out <close> = assert(io.open(file, "w"))
      out:write(text)
      out:close()
      local message = raised(connection.play, connection, file, "us")
      os.remove(file)
      return message
    end
    assert.matches("No such file", raised(connection.play, connection,
      "no such file", "us"))
    assert.matches("got an empty file", play "")
    assert.matches(":1: expected the first line", play "nonsense\n")
    local title = '{"name": "x"}\n'
    for _, line in ipairs {
      "{", '{"t": 1}', '{"t": "1", "event": "x"}', '{"t": 1, "sender": "us"}',
      '{"t": 0, "sender": "us", "command": "x", "frame": "0"}',
      '{"t": 0, "sender": "us", "command": "x", "frame": "zz"}',
      '{"t": 0, "event": "a\\qb"}', '{"t": 0, "event": "a', "[1]", "",
    } do
      assert.matches(":2: expected a line", play(title .. line .. "\n"))
    end
    assert.matches('unknown option "expct"', raised(connection.play,
      connection, path:format "drip", "us", { expct = {} }))
    assert.matches("expected a name of letters", raised(connection.record,
      connection, "x", { us = 'a"b' }))
    local _, message, code = connection:record "/no/such/folder/x"
    assert.matches("No such file", message)
    assert.equal("io_error", code)
  end)
end)

stage.describe("a conversation's words", function(one)
  one.it("are refused for the connections of engines", function()
    local engine, log = one.visited()
    one.event(log, "inbound_accepted")
    local connection = engine:connections()()
    assert.matches("an engine has this one", raised(connection.expect,
      connection, "ping"))
    assert.matches("an engine has this one", raised(connection.stall,
      connection))
    assert.matches("an engine has this one", raised(connection.expect_closed,
      connection))
  end)
end)
