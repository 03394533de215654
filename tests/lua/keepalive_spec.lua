--- Pings, pongs and round trips.
local stage = require "support.stage"
local wire = require "support.wire"

local hello = table.concat { wire.hello() }

--- An engine whose handshake with a peer is complete; the peer has been pinged
--- once.
local function connected(one, config, fields)
  local engine, log, peer = one.visited(config)
  peer:send_raw(fields and table.concat { wire.hello(fields) } or hello)
  one.event(log, "handshake_complete")
  return engine:connections()(), log, peer
end

stage.describe("our ping", function(one)
  one.it("follows the handshake, and its pong is a round trip", function()
    local connection, _, peer = connected(one)
    local ping = assert(peer:receive("ping", 5))
    assert.equal(8, #ping:raw())
    assert.is_nil(connection.rtt)
    one.sleep(0.01)
    peer:send("pong", ping:raw())
    one.await("a round trip", function()
      return connection.rtt
    end)
    assert.is_true(connection.rtt >= 0.01 and connection.rtt < 5)
  end)

  one.it("comes again after ping_interval, with another nonce", function()
    local _, log, peer = connected(one, {
      ping_interval = 0.02, ping_timeout = 5,
    })
    local seen = {}
    for _ = 1, 5 do
      local ping = assert(peer:receive("ping", 5))
      assert.is_nil(seen[ping:raw()])
      seen[ping:raw()] = true
      peer:send("pong", ping:raw())
    end
    assert.is_nil(log:find "connection_lost")
  end)

  one.it("that is answered late ends the connection", function()
    local _, log, peer = connected(one, { ping_timeout = 0.05 })
    local row = one.event(log, "connection_lost")
    assert.equal("ping_timeout", row.code)
    assert.equal("expected a pong within 0.05 s, got none", row.reason)
    assert.equal("failed", row.state)
    assert.is_nil(log:find "peer_misbehaved")
    local _, _, code = peer:receive("nothing", 5)
    assert.equal("closed", code)
  end)

  one.it("is answered by its own nonce alone", function()
    local connection, log, peer = connected(one, { ping_timeout = 0.1 })
    local ping = assert(peer:receive("ping", 5)):raw()
    peer:send("pong", "12345678")
    peer:send("pong", ping:sub(1, 7))
    peer:send("pong", "")
    peer:send("pong", "\0\0\0\0\0\0\0\0")
    assert.equal("ping_timeout", one.event(log, "connection_lost").code)
    assert.is_nil(connection.rtt)
    assert.is_nil(log:find "peer_misbehaved")
  end)

  one.it("is answered by a wrong pong and then the right one", function()
    local connection, log, peer = connected(one, {
      ping_timeout = 0.1, ping_interval = 60,
    })
    local ping = assert(peer:receive("ping", 5)):raw()
    peer:send("pong", "12345678")
    peer:send("pong", ping .. "and more")
    peer:send("pong", ping)
    one.await("a round trip", function()
      return connection.rtt
    end)
    one.sleep(0.15)
    assert.is_nil(log:find "connection_lost")
  end)

  one.it("does not come when ping_interval is 0", function()
    local _, log, peer = connected(one, {
      ping_interval = 0, ping_timeout = 0.02,
    })
    local _, _, code = peer:receive("ping", 0.06)
    assert.equal("timeout", code)
    assert.is_nil(log:find "connection_lost")
  end)

  one.it("wants no pong of a peer too old to know it", function()
    local connection, log, peer = connected(one, {
      ping_interval = 0.02, ping_timeout = 0.02,
    }, { version = 60000 })
    for _ = 1, 3 do
      assert.equal("", assert(peer:receive("ping", 5)):raw())
    end
    assert.is_nil(log:find "connection_lost")
    assert.is_nil(connection.rtt)
  end)

  one.it("waits while unread messages keep a conversation from reading",
    function()
      local ping
      local listener = assert(one.listen(one.host(2) .. ":0", function(peer)
        assert(peer:handshake())
        for _ = 1, 10 do
          peer:send("xyzzy", ("x"):rep(500))
        end
        ping = peer:receive("ping", 5)
        if ping then
          peer:send("pong", ping:raw())
        end
        peer:receive "nothing"
      end, { network = "regtest", keepalive = false }))
      local connection = assert(one.connect(listener.address, {
        network = "regtest", ping_interval = 60, ping_timeout = 0.05,
        receive_memory = 1024,
      }))
      assert(connection:handshake())
      one.sleep(0.15)
      assert.equal("connected", connection.state)
      for _ = 1, 10 do
        assert(connection:receive("xyzzy", 5))
      end
      one.await("a round trip", function()
        return connection.rtt
      end)
    end)
end)

stage.describe("a peer's ping", function(one)
  one.it("is answered with the same eight bytes", function()
    local _, log, peer = connected(one)
    peer:send("ping", "\0\255abcdef")
    peer:send("ping", "12345678and more")
    assert.equal("\0\255abcdef", assert(peer:receive("pong", 5)):raw())
    assert.equal("12345678", assert(peer:receive("pong", 5)):raw())
    assert.is_nil(log:find "peer_misbehaved")
  end)

  one.it("that is short gets a reject and no pong", function()
    local _, log, peer = connected(one)
    for _, short in ipairs { "", "1234567" } do
      peer:send("ping", short)
      local message = assert(peer:receive({ "pong", "reject" }, 5))
      assert.equal("reject", message.command)
      assert.equal("ping", message.message)
    end
    peer:send("ping", "12345678")
    assert.equal("12345678", assert(peer:receive("pong", 5)):raw())
    assert.equal(2, log:count "peer_misbehaved")
    assert.equal("observe", log:find("peer_misbehaved").verdict)
  end)

  one.it("of old is not answered", function()
    local _, log, peer = connected(one, nil, { version = 60000 })
    peer:send("ping", "")
    peer:send("ping", "12345678")
    local _, _, code = peer:receive("pong", 0.02)
    assert.equal("timeout", code)
    assert.is_nil(log:find "peer_misbehaved")
  end)

  one.it("may come in any number", function()
    local _, _, peer = connected(one)
    for i = 1, 500 do
      assert(peer:send("ping", ("<I8"):pack(i)))
    end
    for i = 1, 500 do
      assert.equal(i, ("<I8"):unpack(assert(peer:receive("pong", 5)):raw()))
    end
  end)
end)
