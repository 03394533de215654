--- Connections that a script talks on by itself: handshake, send, receive.
local stage = require "support.stage"
local wire = require "support.wire"

--- Two ends of a conversation after their handshake.
local function pair(one, options, far_options)
  local far
  far_options = far_options or {}
  far_options.network = "regtest"
  local listener = assert(one.listen(one.host(2) .. ":0", function(accepted)
    assert(accepted:handshake())
    far = accepted
  end, far_options))
  options = options or {}
  options.network = "regtest"
  local near = assert(one.connect(listener.address, options))
  assert(near:handshake())
  one.await("the other end", function()
    return far
  end)
  return near, far
end

stage.describe("handshake", function(one)
  one.it("gives what the remote said", function()
    local said
    local listener = assert(one.listen(one.host(2) .. ":0", function(peer)
      said = assert(peer:handshake {
        user_agent = "/far:1/", start_height = 7, services = 33, relay = true,
        nonce = 5, version = 70015, association_id = "\0abc",
      })
    end, { network = "regtest" }))
    local near = assert(one.connect(listener.address, { network = "regtest",
      user_agent = "/near:1/", protocol_version = 70014 }))
    local version = assert(near:handshake())
    assert.same({ 70015, 33, "/far:1/", 7, true, 5, "\0abc" }, {
      version.version, version.services, version.user_agent,
      version.start_height, version.relay, version.nonce,
      version.association_id,
    })
    one.await("the other end", function()
      return said
    end)
    assert.equal("/near:1/", said.user_agent)
    assert.equal(70014, said.version)
    assert.equal(version, near.version)
    assert.equal("connected", near.state)
    assert.is_false(near.inbound)
    assert.equal(listener.address, near.address)
  end)

  one.it("is had once", function()
    local near = pair(one)
    local again, message, code = near:handshake()
    assert.is_nil(again)
    assert.equal("the handshake has begun already", message)
    assert.equal("handshake_failed", code)
  end)

  one.it("names the nearest field", function()
    local listener = assert(one.listen(one.host(2) .. ":0", function() end))
    local near = assert(one.connect(listener.address))
    local good, message = pcall(near.handshake, near, { user_agnt = "x" })
    assert.is_false(good)
    assert.matches('unknown field of version "user_agnt"; the nearest known '
      .. 'is "user_agent"', message, 1, true)
    for _, fields in ipairs {
      { version = 1.5 }, { version = 1 << 40 }, { user_agent = 1 },
      { user_agent = ("x"):rep(257) }, { association_id = ("x"):rep(130) },
      { "x" },
    } do
      assert.is_false(pcall(near.handshake, near, fields))
    end
  end)

  one.it("ends late, with a code", function()
    local listener = assert(one.listen(one.host(2) .. ":0", function() end))
    local near = assert(one.connect(listener.address, {
      handshake_timeout = "50ms",
    }))
    local version, message, code = near:handshake()
    assert.is_nil(version)
    assert.equal("expected a complete handshake within 0.05 s, got none",
      message)
    assert.equal("handshake_timeout", code)
  end)

  one.it("ends with the remote's offence", function()
    local listener = assert(one.listen(one.host(2) .. ":0", function(peer)
      peer:send_raw(wire.frame("version", wire.version { version = 5 }))
      peer:receive "nothing"
    end))
    local near = assert(one.connect(listener.address, { network = "regtest" }))
    local _, _, code = near:handshake()
    assert.equal("obsolete_version", code)
  end)
end)

stage.describe("receive", function(one)
  one.it("gives messages in order, with their fields", function()
    local near, far = pair(one)
    far:send("inv", { items = { { type = 1, hash = ("a"):rep(32) } } })
    far:send("xyzzy", "raw")
    local inv = assert(near:receive("inv", 5))
    assert.equal("inv", inv.command)
    assert.equal(1, #inv)
    for kind, hash in inv:each() do
      assert.same({ 1, ("a"):rep(32) }, { kind, hash })
    end
    assert.equal("raw", assert(near:receive(nil, 5)):raw())
  end)

  one.it("drops what came before what it waits for", function()
    local near, far = pair(one)
    for i = 1, 5 do
      far:send("xyzzy", tostring(i))
    end
    far:send("plugh", "found")
    far:send("xyzzy", "6")
    assert.equal("found", assert(near:receive("plugh", 5)):raw())
    assert.equal("6", assert(near:receive("xyzzy", 5)):raw())
  end)

  one.it("takes a list of commands", function()
    local near, far = pair(one)
    far:send("a", "1")
    far:send("c", "2")
    far:send("b", "3")
    assert.equal("c", assert(near:receive({ "b", "c" }, 5)).command)
    assert.equal("b", assert(near:receive({ "b", "c" }, 5)).command)
    local _, _, code = near:receive({}, 0.01)
    assert.equal("timeout", code)
    assert.is_false(pcall(near.receive, near, 1 < 2))
  end)

  one.it("ends late, with a code", function()
    local near = pair(one)
    local message, words, code = near:receive("xyzzy", "20ms")
    assert.is_nil(message)
    assert.equal("expected xyzzy within 0.02 s, got none", words)
    assert.equal("timeout", code)
  end)

  one.it("gives what came before the remote closed, then why", function()
    local near, far = pair(one)
    far:send("a", "1")
    far:send("b", "2")
    far:close()
    one.sleep(0.02)
    assert.equal("a", assert(near:receive({ "a", "b" }, 5)).command)
    assert.equal("b", assert(near:receive({ "a", "b" }, 5)).command)
    for _ = 1, 3 do
      local message, words, code = near:receive(nil, 5)
      assert.is_nil(message)
      assert.equal("the remote closed the connection", words)
      assert.equal("closed", code)
    end
  end)

  one.it("loses nothing that came before the end, however little is held",
    function()
      local near, far = pair(one, { receive_memory = 1024 })
      for i = 1, 200 do
        assert(far:send("xyzzy", ("%3d"):format(i) .. ("x"):rep(300)))
      end
      far:close()
      one.sleep(0.05)
      for i = 1, 200 do
        local message = assert(near:receive("xyzzy", 5))
        assert.equal(i, tonumber(message:raw():sub(1, 3)))
        if i % 10 == 0 then
          one.sleep(0)
        end
      end
      local _, _, code = near:receive(nil, 5)
      assert.equal("closed", code)
    end)

  one.it("is woken when the remote closes", function()
    local near, far = pair(one)
    one.spawn(function()
      one.sleep(0.01)
      far:reset()
    end)
    local _, _, code = near:receive "nothing"
    assert.equal("connection_reset", code)
  end)

  one.it("is woken when the script closes", function()
    local near = pair(one)
    one.spawn(function()
      one.sleep(0.01)
      near:close "enough"
    end)
    local _, words, code = near:receive "nothing"
    assert.equal("enough", words)
    assert.equal("closed", code)
  end)

  one.it("may be called by several tasks: each message goes to one", function()
    local near, far = pair(one)
    near:receive("sendheaders", 5)
    local got = {}
    local tasks = {}
    for i = 1, 3 do
      tasks[i] = one.spawn(function()
        got[assert(near:receive("xyzzy", 5)):raw()] = true
      end)
    end
    for i = 1, 3 do
      far:send("xyzzy", tostring(i))
    end
    for i = 1, 3 do
      tasks[i]:wait()
    end
    assert.same({ ["1"] = true, ["2"] = true, ["3"] = true }, got)
  end)

  one.it("hides the pings that were answered", function()
    local near, far = pair(one)
    far:send("ping", "12345678")
    far:send("xyzzy", "")
    near:receive("sendheaders", 5)
    assert.equal("xyzzy", assert(near:receive(nil, 5)).command)
    assert.equal("12345678", assert(far:receive("pong", 5)):raw())
  end)

  one.it("shows pings, and answers none, without keepalive", function()
    local near, far = pair(one, { keepalive = false })
    far:send("ping", "12345678")
    assert.equal("12345678", assert(near:receive("ping", 5)):raw())
    local _, _, code = far:receive("pong", 0.02)
    assert.equal("timeout", code)
  end)

  one.it("works before the handshake, and answers nothing", function()
    local seen = {}
    local listener = assert(one.listen(one.host(2) .. ":0", function(peer)
      for i = 1, 2 do
        seen[i] = assert(peer:receive(nil, 5)).command
      end
    end, { network = "regtest" }))
    local near = assert(one.connect(listener.address, { network = "regtest" }))
    near:send("ping", "12345678")
    near:send("verack")
    one.await("both", function()
      return seen[2]
    end)
    assert.same({ "ping", "verack" }, seen)
    local _, _, code = near:receive(nil, 0.02)
    assert.equal("timeout", code)
  end)
end)

stage.describe("unread messages", function(one)
  --- Sends until the remote has stopped reading: how many bytes that took.
  local function fill(far, command, size)
    local payload, total, stuck = ("x"):rep(size), 0, 0
    repeat
      local sent, _, code = far:send(command, payload)
      if sent then
        total, stuck = total + size, 0
      else
        assert.equal("limit", code)
        stuck = stuck + 1
        one.sleep(0.005)
      end
    until stuck > 10
    return total
  end

  one.it("stop reading at the cap and go on afterwards", function()
    local near, far = pair(one, { receive_memory = 65536 })
    local total = fill(far, "xyzzy", 16384)
    local got = 0
    while got < total do
      got = got + #assert(near:receive("xyzzy", 5)):raw()
    end
    assert.equal(total, got)
    assert(far:send("plugh", ""))
    assert.truthy(near:receive("plugh", 5))
  end)

  one.it("go on one by one: what is read keeps up with what is taken",
    function()
      local near, far = pair(one, { receive_memory = 65536 })
      fill(far, "xyzzy", 1000)
      local before, taken = 0, 0
      for _ = 1, 200 do
        assert(near:receive("xyzzy", 5))
        taken = taken + 1000
        one.sleep(0)
        while far:send("xyzzy", ("x"):rep(1000)) do
          before = before + 1000
        end
      end
      assert.is_true(before <= taken + 6000000,
        ("%d bytes were taken in for %d received"):format(before, taken))
    end)

  one.it("of a peer that reads nothing: it is not read from", function()
    local near, far = pair(one, nil, { receive_memory = 1024 })
    for _ = 1, 3 do -- far holds these and stops reading
      near:send("xyzzy", ("x"):rep(1000))
    end
    one.sleep(0.02)
    local total, stuck = 0, 0
    local ping = wire.frame("ping", "12345678")
    repeat
      if far:send_raw(ping:rep(1000)) then
        total, stuck = total + 32000, 0
      else
        stuck = stuck + 1
        one.sleep(0.005)
      end
    until stuck > 10 or total > 64000000
    assert.is_true(total < 64000000, total)
    assert.equal("connected", near.state)
  end)
end)

stage.describe("send", function(one)
  one.it("fails on a closed connection, in any state", function()
    local near, far = pair(one)
    near:close()
    for _ = 1, 2 do
      local sent, _, code = near:send("ping", "12345678")
      assert.is_nil(sent)
      assert.equal("closed", code)
      sent, _, code = near:send_raw "x"
      assert.is_nil(sent)
      assert.equal("closed", code)
      local _, _, late = far:receive("nothing", 5)
      assert.equal("closed", late)
    end
    assert.equal("disconnected", near.state)
    local _, _, code = near:handshake()
    assert.equal("closed", code)
  end)

  one.it("fails when send_memory is full, and not for ever", function()
    local near, far = pair(one, { send_memory = 4096 })
    local sent, message, code = near:send("xyzzy", ("x"):rep(5000))
    assert.is_nil(sent)
    assert.matches("expected room for 5000 bytes", message)
    assert.equal("limit", code)
    assert(near:send("xyzzy", ("x"):rep(4000)))
    assert.truthy(far:receive("xyzzy", 5))
    assert(near:send("xyzzy", ("x"):rep(4000)))
    assert.truthy(far:receive("xyzzy", 5))
  end)

  one.it("refuses what the network has no room for", function()
    local near = pair(one, { send_memory = 4 << 20 })
    assert.truthy(near:receive("protoconf", "5s")) -- until then it is 1 MiB
    local sent, message, code = near:send("xyzzy", ("x"):rep(2097153))
    assert.is_nil(sent)
    -- a little less before its protoconf has come
    assert.matches("^xyzzy: expected at most %d+ bytes of payload, "
      .. "got 2097153$", message)
    assert.equal("oversize_message", code)
  end)

  one.it("refuses what the remote has said it will not take", function()
    local near, far
    local listener = assert(one.listen(one.host(2) .. ":0", function(peer)
      peer:send_raw(table.concat { wire.hello() }
        .. wire.frame("protoconf", "\1\0\0\x10\0"))
      far = peer
    end, { network = "regtest" }))
    near = assert(one.connect(listener.address, {
      network = "regtest", send_memory = 4 << 20,
    }))
    assert(near:handshake())
    assert(near:receive("protoconf", 5))
    assert.is_true(near:send("xyzzy", ("x"):rep(1048576)))
    local sent, _, code = near:send("xyzzy", ("x"):rep(1048577))
    assert.is_nil(sent)
    assert.equal("oversize_message", code)
    assert.is_true(near:send("tx", ("x"):rep(1048577)))
    assert(far)
  end)

  one.it("raises what makes no sense", function()
    local near = pair(one)
    for _, arguments in ipairs {
      {}, { ("x"):rep(13) }, { {} }, { "xyzzy", {} }, { "xyzzy", 1 },
      { "inv", 1 }, { "inv", { nonsense = 1 } },
    } do
      assert.is_false(pcall(near.send, near, table.unpack(arguments)))
    end
    assert.is_false(pcall(near.send_raw, near))
    local _, _, code = near:send("\1\2", "x")
    assert.equal("protocol_error", code)
  end)
end)
