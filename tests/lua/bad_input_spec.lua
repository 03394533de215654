--- What a remote can do wrong with bytes: each ends in its error code, and in
--- a connection that is closed, or goes on.
local stage = require "support.stage"
local wire = require "support.wire"

local hello = table.concat { wire.hello() }
local good_version = wire.hello()

--- The engine has closed: what was queued may still come before.
local function assert_closed(peer)
  local message, _, code
  repeat
    message, _, code = peer:receive(nil, 5)
  until not message
  assert.is_true(code == "closed" or code == "connection_reset", code)
end

local function assert_alive(peer)
  assert(peer:send_raw(wire.frame("ping", "alive?!?")))
  repeat
    local pong = assert(peer:receive("pong", 5))
  until pong:raw() == "alive?!?"
end

stage.describe("before the handshake", function(one)
  --- Sends bytes to a fresh engine and checks its verdict.
  local function ends(bytes, code, verdict)
    local _, log, peer = one.visited()
    peer:send_raw(bytes)
    local row = one.event(log, "peer_misbehaved")
    assert.equal(code, row.code)
    assert.equal(verdict, row.verdict)
    local last = one.event(log, "connection_failed")
    assert.equal(code, last.code)
    assert.equal("rejected", last.state)
    assert_closed(peer)
    return row.reason
  end

  one.it("another magic ends it with network_mismatch, at four bytes",
    function()
      assert.equal("frame: magic at offset 0: expected dab5bffa of regtest, "
        .. "got e3e1f3e8", ends("\xe3\xe1\xf3\xe8", "network_mismatch", "ban"))
    end)

  one.it("the magic of the same network reversed is another", function()
    ends(wire.frame("version", wire.version(), {
      magic = wire.magic:reverse(),
    }), "network_mismatch", "ban")
  end)

  one.it("plain HTTP is another network", function()
    ends("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "network_mismatch", "ban")
  end)

  one.it("a length over the limit ends it at the header", function()
    local header = wire.frame("version", "", { length = 2097153 })
    assert.matches("at most 2097152 bytes of payload in 'version'",
      ends(header, "oversize_message", "discourage"), 1, true)
  end)

  one.it("a huge length of the extended header ends it", function()
    ends(wire.extended("ping", "", { length = 1 << 62 }), "oversize_message",
      "discourage")
  end)

  one.it("a length at the limit waits", function()
    local _, log, peer = one.visited { handshake_timeout = 0.1 }
    peer:send_raw(wire.frame("version", "", { length = 2097152 }))
    assert.equal("handshake_timeout",
      one.event(log, "connection_failed").code)
    assert.is_nil(log:find "peer_misbehaved")
  end)

  for _, command in ipairs {
    "verack", "ping", "pong", "getaddr", "inv", "protoconf", "xyzzy", "",
  } do
    one.it(("'%s' before version is a protocol_error"):format(command),
      function()
        assert.equal("expected version first, got " .. command,
          ends(wire.frame(command, "12345678"), "protocol_error",
            "discourage"))
      end)
  end

  one.it("a reject is heard and changes nothing", function()
    local _, log, peer = one.visited()
    peer:send_raw(wire.frame("reject", "\7version\x11\3old") .. hello)
    one.event(log, "handshake_complete")
    assert.is_nil(log:find "peer_misbehaved")
  end)

  one.it("a truncated version is a protocol_error", function()
    local payload = wire.version()
    for _, n in ipairs { 0, 1, 4, 45, 47, 71, 79, 82, #payload - 3 } do
      ends(wire.frame("version", payload:sub(1, n)), "protocol_error",
        "discourage")
    end
  end)

  one.it("a version that ends between fields is good", function()
    local payload = wire.version()
    for _, n in ipairs { 46, 80, #payload - 1 } do
      local _, log, peer = one.visited()
      peer:send_raw(wire.frame("version", payload:sub(1, n))
        .. wire.frame "verack")
      one.event(log, "handshake_complete")
    end
  end)

  one.it("bytes behind a version are ignored", function()
    local engine, log, peer = one.visited()
    peer:send_raw(wire.frame("version", wire.version() .. "\0behind")
      .. wire.frame("verack", "more"))
    one.event(log, "handshake_complete")
    assert.equal("", engine:connections()().version.association_id)
  end)

  one.it("a user agent of 257 bytes is a protocol_error", function()
    local head = wire.version():sub(1, 80)
    ends(wire.frame("version", head .. "\xfd\x01\x01" .. ("x"):rep(257)),
      "protocol_error", "discourage")
  end)

  one.it("a length of the user agent that lies is a protocol_error", function()
    local head = wire.version():sub(1, 80)
    for _, length in ipairs {
      "\x10", "\xfd\xff\xff", "\xfe\xff\xff\xff\xff",
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\xfd\x03\x00", "\xfd",
    } do
      ends(wire.frame("version", head .. length), "protocol_error",
        "discourage")
    end
  end)

  one.it("a version with a wrong checksum is dropped, the next is taken",
    function()
      local _, log, peer = one.visited()
      peer:send_raw(wire.frame("version", wire.version(), {
        checksum = "oops",
      }) .. hello)
      one.event(log, "handshake_complete")
      assert.equal("observe", one.event(log, "peer_misbehaved",
        "checksum_error").verdict)
    end)

  one.it("version twice is a protocol_error", function()
    assert.equal("expected one version message, got a second",
      ends(good_version .. good_version, "protocol_error", "discourage"))
  end)
end)

stage.describe("after the handshake", function(one)
  local function connected(config)
    local engine, log, peer = one.visited(config)
    peer:send_raw(hello)
    one.event(log, "handshake_complete")
    return engine, log, peer
  end

  local function ends(bytes, code, verdict)
    local _, log, peer = connected()
    peer:send_raw(bytes)
    assert.equal(verdict, one.event(log, "peer_misbehaved", code).verdict)
    assert.equal(code, one.event(log, "connection_lost").code)
    assert_closed(peer)
  end

  --- It is an offence, and nothing more.
  local function goes_on(bytes, code)
    local _, log, peer = connected()
    peer:send_raw(bytes)
    assert.equal("observe", one.event(log, "peer_misbehaved", code).verdict)
    assert_alive(peer)
    return peer
  end

  one.it("another magic ends it", function()
    ends(wire.frame("ping", "12345678", { magic = "\xf9\xbe\xb4\xd9" }),
      "network_mismatch", "ban")
  end)

  one.it("a length over the limit ends it", function()
    ends(wire.frame("xyzzy", "", { length = 2097153 }), "oversize_message",
      "discourage")
  end)

  one.it("a length over protoconf's own limit ends it", function()
    ends(wire.frame("protoconf", "", { length = 1048577 }),
      "oversize_message", "discourage")
  end)

  one.it("version again ends it", function()
    ends(good_version, "protocol_error", "discourage")
  end)

  one.it("protoconf twice ends it", function()
    local protoconf = wire.frame("protoconf", "\1\0\0\x20\0")
    ends(protoconf .. protoconf, "protocol_error", "discourage")
  end)

  one.it("a protoconf that takes too little ends it", function()
    ends(wire.frame("protoconf", "\1\xff\xff\x0f\0"), "protocol_error",
      "discourage")
    ends(wire.frame("protoconf", "\0"), "protocol_error", "discourage")
    ends(wire.frame("protoconf", "\2\0\0"), "protocol_error", "discourage")
    ends(wire.frame("protoconf", "\2\0\0\x20\0\5Defa"), "protocol_error",
      "discourage")
  end)

  one.it("a wrong checksum is dropped", function()
    goes_on(wire.frame("ping", "12345678", { checksum = "oops" }),
      "checksum_error")
  end)

  one.it("ten wrong checksums a minute end it", function()
    local _, log, peer = connected()
    local bad = wire.frame("ping", "12345678", { checksum = "oops" })
    peer:send_raw(bad:rep(9))
    assert_alive(peer)
    assert.equal(9, log:count "peer_misbehaved")
    peer:send_raw(bad:rep(5))
    assert.equal("checksum_error", one.event(log, "connection_lost").code)
    assert.equal(10, log:count "peer_misbehaved")
    assert_closed(peer)
  end)

  for name, command in pairs {
    ["a byte over 0x7e"] = "pi\x7fg\0\0\0\0\0\0\0\0",
    ["a control character"] = "pi\nng\0\0\0\0\0\0\0",
    ["something behind the zero byte"] = "ping\0x\0\0\0\0\0\0",
    ["a byte of UTF-8"] = "p\xc3\xafng\0\0\0\0\0\0\0",
  } do
    one.it("a command with " .. name .. " is dropped", function()
      goes_on(wire.frame("", "12345678", { command = command }),
        "protocol_error")
    end)
  end

  one.it("commands of twelve characters, of none, with spaces are only unknown",
    function()
      local _, log, peer = connected()
      peer:send_raw(wire.frame "abcdefghijkl" .. wire.frame ""
        .. wire.frame("a b c", "x"))
      assert_alive(peer)
      assert.is_nil(log:find "peer_misbehaved")
    end)

  one.it("a truncated payload is dropped with a reject", function()
    for _, frame in ipairs {
      wire.frame("addr", "\1" .. ("\0"):rep(29)),
      wire.frame("inv", "\2" .. ("\0"):rep(36)),
      wire.frame("headers", "\1" .. ("\0"):rep(79)),
      wire.frame("feefilter", "1234567"),
      wire.frame("sendcmpct", "\0"),
      wire.frame("inv", "\xfd\x01\x00" .. ("\0"):rep(36)),
      wire.frame("inv", "\xff" .. ("\xff"):rep(8)),
    } do
      local peer = goes_on(frame, "protocol_error")
      peer:close()
    end
    local _, _, peer = connected()
    peer:send_raw(wire.frame("inv", "\2"))
    local reject = assert(peer:receive("reject", 5))
    assert.equal("inv", reject.message)
    assert.equal(1, reject.code)
    assert.equal("error parsing message", reject.reason)
  end)

  one.it("a broken reject is not answered by one", function()
    local _, log, peer = connected()
    peer:send_raw(wire.frame("reject", "\xff"))
    one.event(log, "peer_misbehaved", "protocol_error")
    assert_alive(peer)
    local _, _, code = peer:receive("reject", 0.02)
    assert.equal("timeout", code)
  end)

  one.it("bytes behind a payload are ignored", function()
    local engine, log, peer = connected()
    local inv
    engine:on("message", "spec", function(event)
      inv = event.message:table()
    end, { command = "inv" })
    peer:send_raw(wire.frame("inv", "\1\1\0\0\0" .. ("h"):rep(32) .. "behind"))
    one.await("an inv", function()
      return inv
    end)
    assert_alive(peer)
    assert.is_nil(log:find "peer_misbehaved")
  end)

  one.it("a message over receive_memory is not held", function()
    local _, log, peer = connected { receive_memory = 65536 }
    peer:send_raw(wire.frame("xyzzy", "", { length = 65537 }))
    assert.equal("limit", one.event(log, "connection_lost").code)
    assert.is_nil(log:find "peer_misbehaved")
    assert_closed(peer)
  end)

  one.it("a message of receive_memory is held", function()
    local _, log, peer = connected { receive_memory = 65536 }
    peer:send_raw(wire.frame("xyzzy", ("x"):rep(65536)))
    assert_alive(peer)
    assert.is_nil(log:find "peer_misbehaved")
  end)

  one.it("extended frames are taken at any size", function()
    local _, log, peer = connected()
    peer:send_raw(wire.extended("ping", "12345678"))
    assert.equal("12345678", assert(peer:receive("pong", 5)):raw())
    assert.is_nil(log:find "peer_misbehaved")
  end)

  one.it("everything a byte at a time is taken", function()
    local _, log, peer = one.visited()
    local bytes = hello .. wire.frame("ping", "12345678")
      .. wire.extended("ping", "87654321")
    for byte in bytes:gmatch "." do
      assert(peer:send_raw(byte))
      one.sleep(0)
    end
    assert.equal("12345678", assert(peer:receive("pong", 5)):raw())
    assert.equal("87654321", assert(peer:receive("pong", 5)):raw())
    assert.is_nil(log:find "peer_misbehaved")
  end)
end)
