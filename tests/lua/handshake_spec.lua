--- Handshakes: their messages in every order and cut in every way, their
--- deadline, and the checks on version.
local stage = require "support.stage"
local watch = require "support.watch"
local wire = require "support.wire"

--- Both sides of a conversation see the handshake's end.
local function assert_complete(one, log, peer)
  one.event(log, "handshake_complete")
  assert.equal("connected", one.event(log, "handshake_complete").state)
  assert.truthy(peer:receive("protoconf", 5))
  assert.truthy(peer:receive("sendheaders", 5))
end

stage.describe("a handshake that the engine began", function(one)
  one.it("sends version and waits", function()
    local _, log, peer = one.visiting()
    local version = assert(peer:receive(nil, 5))
    assert.equal("version", version.command)
    assert.equal(70016, version.version)
    assert.equal(0, version.services)
    assert.is_false(version.relay)
    assert.equal(0, version.start_height)
    assert.matches("^/moonpeer:%d+%.%d+%.%d+/$", version.user_agent)
    local _, _, code = peer:receive(nil, 0.02)
    assert.equal("timeout", code)
    assert.is_nil(log:find "handshake_complete")
  end)

  one.it("is complete when version and verack come together", function()
    local _, log, peer = one.visiting()
    local version, verack = wire.hello()
    peer:send_raw(version .. verack)
    assert_complete(one, log, peer)
  end)

  one.it("is complete when they come one after the other", function()
    local _, log, peer = one.visiting()
    local version, verack = wire.hello()
    peer:send_raw(version)
    assert.truthy(peer:receive("verack", 5))
    assert.is_nil(log:find "handshake_complete")
    peer:send_raw(verack)
    assert_complete(one, log, peer)
  end)

  one.it("is complete when they come before its own was read", function()
    local _, log, peer = one.visiting()
    local version, verack = wire.hello()
    peer:send_raw(version .. verack)
    one.event(log, "handshake_complete")
    assert.equal("version", assert(peer:receive(nil, 5)).command)
    assert.equal("verack", assert(peer:receive(nil, 5)).command)
  end)

  one.it("passes over what is announced between the two", function()
    local _, log, peer = one.visiting()
    local version, verack = wire.hello()
    peer:send_raw(version .. wire.frame "wtxidrelay" .. wire.frame "sendaddrv2"
      .. wire.frame("ping", "12345678") .. verack)
    assert_complete(one, log, peer)
    assert.is_nil(log:find "peer_misbehaved")
    local _, _, code = peer:receive("pong", 0.02)
    assert.equal("timeout", code)
  end)

  one.it("is over when the peer closes", function()
    local _, log, peer = one.visiting()
    assert(peer:receive("version", 5)) -- what is unread would be a reset
    peer:close()
    assert.equal("handshake_failed", one.event(log, "connection_failed").code)
  end)

  one.it("is over when the peer resets", function()
    local _, log, peer = one.visiting()
    peer:reset()
    assert.equal("connection_reset", one.event(log, "connection_failed").code)
  end)
end)

stage.describe("a handshake that the peer began", function(one)
  one.it("says nothing before the peer's version", function()
    local _, log, peer = one.visited()
    local _, _, code = peer:receive(nil, 0.02)
    assert.equal("timeout", code)
    assert.equal("awaiting_handshake",
      one.event(log, "inbound_accepted").state)
  end)

  one.it("answers version with version and verack", function()
    local _, log, peer = one.visited()
    local version, verack = wire.hello()
    peer:send_raw(version)
    assert.equal("version", assert(peer:receive(nil, 5)).command)
    assert.equal("verack", assert(peer:receive(nil, 5)).command)
    assert.is_nil(log:find "handshake_complete")
    peer:send_raw(verack)
    assert_complete(one, log, peer)
  end)

  one.it("is complete when version and verack come together", function()
    local _, log, peer = one.visited()
    local version, verack = wire.hello()
    peer:send_raw(version .. verack)
    assert_complete(one, log, peer)
  end)

  one.it("is complete a byte at a time", function()
    local _, log, peer = one.visited()
    for byte in table.concat({ wire.hello() }):gmatch "." do
      peer:send_raw(byte)
      one.sleep(0)
    end
    assert_complete(one, log, peer)
  end)

  one.it("takes a second verack", function()
    local _, log, peer = one.visited()
    local version, verack = wire.hello()
    peer:send_raw(version .. verack .. verack)
    assert_complete(one, log, peer)
    peer:send_raw(wire.frame("ping", "12345678"))
    assert.truthy(peer:receive("pong", 5))
    assert.equal(1, log:count "handshake_complete")
  end)

  one.it("shows the engine what the peer said", function()
    local engine, log, peer = one.visited()
    peer:send_raw(table.concat { wire.hello { user_agent = "/x:1/" } })
    one.event(log, "handshake_complete")
    local connection = engine:connections()()
    assert.equal("/x:1/", connection.version.user_agent)
    assert.equal(77, connection.version.nonce)
    assert.is_true(connection.inbound)
  end)
end)

stage.describe("the handshake deadline", function(one)
  one.it("ends a silent peer", function()
    local _, log, peer = one.visited { handshake_timeout = 0.1 }
    local began = one.now()
    local row = one.event(log, "connection_failed")
    assert.equal("handshake_timeout", row.code)
    assert.matches("0.1 s", row.reason, 1, true)
    assert.is_true(one.now() - began < 5)
    local _, _, code = peer:receive(nil, 5)
    assert.equal("closed", code)
  end)

  one.it("ends a silent peer that was dialled", function()
    local _, log = one.visiting { handshake_timeout = 0.1 }
    assert.equal("handshake_timeout", one.event(log, "connection_failed").code)
  end)

  one.it("counts from the open stream, not from the last byte", function()
    local began = one.now()
    local _, log, peer = one.visited { handshake_timeout = 0.2 }
    local version = wire.hello()
    local sent = 0
    repeat
      sent = sent + 1
      peer:send_raw(version:sub(sent, sent))
      one.sleep(0.02)
    until log:find "connection_failed" or sent == #version
    assert.equal("handshake_timeout", one.event(log, "connection_failed").code)
    assert.is_true(one.now() - began < 1)
    assert.is_true(sent < 60, sent .. " bytes were taken")
  end)

  one.it("holds when only verack is missing", function()
    local _, log, peer = one.visited { handshake_timeout = 0.1 }
    peer:send_raw((wire.hello()))
    assert.equal("handshake_timeout", one.event(log, "connection_failed").code)
  end)

  one.it("is over with the handshake", function()
    local engine, log, peer = one.visited { handshake_timeout = 0.1 }
    peer:send_raw(table.concat { wire.hello() })
    one.event(log, "handshake_complete")
    one.sleep(0.15)
    assert.equal("connected", engine:connections()().state)
  end)
end)

--- What becomes of a version with these fields, on a network, and what the
--- policy saw of it.
local function judged(one, fields, network, before)
  local seen = {}
  local policy = watch.policy {
    validate = function(_, _, version)
      seen[#seen + 1] = version.user_agent
    end,
  }
  local engine, log, peer = one.visited {
    network = network, policies = { policy },
  }
  if before then
    before(engine, fields)
  end
  peer:send("version", wire.version(fields))
  one.await("a judgement", function()
    return log:find "peer_misbehaved" or peer:receive("verack", 0.01)
  end)
  return log:find "peer_misbehaved", seen, log
end

stage.describe("the checks on version", function(one)
  one.it("begin with the age, before any policy", function()
    local row, seen, log = judged(one, { version = 31799, nonce = 5 })
    assert.equal("obsolete_version", row.code)
    assert.matches("expected protocol version 31800 or higher, got 31799",
      row.reason, 1, true)
    assert.equal("disconnect", row.verdict)
    assert.equal("rejected", one.event(log, "connection_failed").state)
    assert.same({}, seen)
  end)

  one.it("take the oldest version there is", function()
    local row, seen = judged(one, { version = 31800 })
    assert.is_nil(row)
    assert.equal(1, #seen)
  end)

  one.it("count a negative version as old", function()
    assert.equal("obsolete_version", judged(one, { version = -1 }).code)
  end)

  one.it("ask the policies with the version at hand", function()
    local row, seen = judged(one, { user_agent = "/Bitcoin SV:1.0.0/" },
      "mainnet")
    assert.is_nil(row)
    assert.same({ "/Bitcoin SV:1.0.0/" }, seen)
  end)

  one.it("want a user agent of this blockchain on mainnet", function()
    local row, _, log = judged(one, { user_agent = "/Satoshi:28.1.0/" },
      "mainnet")
    assert.equal("blockchain_mismatch", row.code)
    assert.equal("ban", row.verdict)
    assert.matches("/Satoshi:28.1.0/", row.reason, 1, true)
    assert.equal("blockchain_mismatch",
      one.event(log, "connection_failed").code)
  end)

  one.it("let any user agent in on regtest", function()
    assert.is_nil(judged(one, { user_agent = "/Satoshi:28.1.0/" }))
  end)

  one.it("come to the banned user agents last", function()
    local stock = require "moonpeer.policies.handshake"
    stock.banned_user_agents = { "*bad*" }
    local row = judged(one, { user_agent = "/Bitcoin SV:bad/" }, "mainnet")
    local other = judged(one, { user_agent = "/bad/" }, "mainnet")
    stock.banned_user_agents = {}
    assert.equal("banned_user_agent", row.code)
    assert.equal("ban", row.verdict)
    assert.equal("blockchain_mismatch", other.code)
  end)

  one.it("see an engine that dials itself", function()
    local engine, log, address = one.watched {
      network = "regtest", listen = one.host(1) .. ":0",
    }
    assert(engine:dial(address))
    local row = one.event(log, "peer_misbehaved")
    assert.equal("self_connection", row.code)
    assert.equal("disconnect", row.verdict)
    assert.is_true(row.inbound)
    one.await("both ends to be gone", function()
      return not engine:connections()()
    end)
    assert.is_nil(log:find "handshake_complete")
  end)

  one.it("see ourselves before the policies do, and after the age", function()
    local dialled
    local listener = assert(one.listen(one.host(2) .. ":0", function(peer)
      dialled = assert(peer:receive("version", 5)).nonce
      peer:receive "nothing"
    end, { network = "regtest" }))
    local function dial_first(engine, fields)
      assert(engine:dial(listener.address))
      one.await("its version", function()
        return dialled
      end)
      fields.nonce = dialled
    end
    local row, seen = judged(one, {}, "regtest", dial_first)
    assert.equal("self_connection", row.code)
    assert.same({}, seen)
    dialled = nil
    row = judged(one, { version = 1 }, "regtest", dial_first)
    assert.equal("obsolete_version", row.code)
  end)
end)
