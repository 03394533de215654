--- Connections that a script makes or takes by itself: connect, listen.
local moonpeer = require "moonpeer"
local stage = require "support.stage"

stage.describe("connect", function(one)
  one.it("is refused where nobody listens", function()
    local listener = assert(one.listen(one.host(2) .. ":0", function() end))
    listener:close()
    one.sleep(0.01)
    local connection, message, code = one.connect(listener.address)
    assert.is_nil(connection)
    assert.equal("the remote refused the dial", message)
    assert.equal("connection_refused", code)
  end)

  one.it("names the nearest option", function()
    local good, message = pcall(one.connect, one.host(2) .. ":1", {
      netwrk = "regtest",
    })
    assert.is_false(good)
    assert.matches('unknown option "netwrk"; the nearest known is "network"',
      message, 1, true)
    for _, options in ipairs {
      { network = "regtset" }, { network = 1 }, { connect_timeout = "soon" },
      { connect_timeout = -1 }, { ping_interval = {} }, { receive_memory = 1 },
      { "regtest" }, { network = { magic = "xyz" } },
      { network = { magic = "12345678", prot = 1 } }, { peers = {} }, "x",
      { keepalive = 1 },
    } do
      assert.is_false(pcall(one.connect, one.host(2) .. ":1", options))
    end
  end)

  one.it("names what is no address", function()
    for _, address in ipairs {
      "", "1.2.3", "1.2.3.4:0x", "1.2.3.4:65536", "[::1", "::1]:5", "1.2.3.4:",
    } do
      local good, message = pcall(one.connect, address)
      assert.is_false(good, address)
      assert.matches("expected", message)
    end
    assert.is_false(pcall(one.connect))
    assert.is_false(pcall(one.connect, 5))
    assert.is_false(pcall(one.connect, {}))
  end)

  one.it("that is cancelled gives up", function()
    local accepted, ended -- it may have come too early to be accepted
    local listener = assert(one.listen(one.host(2) .. ":0", function(peer)
      accepted = true
      local _
      _, _, ended = peer:receive(nil, 5)
    end))
    local task = one.spawn(one.connect, listener.address)
    task:cancel()
    local _, _, code = task:wait()
    assert.equal("cancelled", code)
    one.sleep(0.1)
    assert.is_true(not accepted or ended == "closed"
      or ended == "connection_reset", ended)
  end)
end)

stage.describe("listen", function(one)
  one.it("fails where somebody listens", function()
    local first = assert(one.listen(one.host(2) .. ":0", function() end))
    local second, message, code = one.listen(first.address, function() end)
    assert.is_nil(second)
    assert.matches("^cannot listen at " .. first.address, message)
    assert.equal("listen_failed", code)
  end)

  one.it("raises what makes no sense", function()
    assert.is_false(pcall(moonpeer.listen, one.host(2) .. ":0", {}))
    assert.is_false(pcall(moonpeer.listen, "nonsense", function() end))
    assert.is_false(pcall(moonpeer.listen, one.host(2) .. ":0",
      function() end, { netwrk = 1 }))
  end)

  one.it("hands each connection to a task of its own", function()
    local addresses = {}
    local listener = assert(one.listen(one.host(2) .. ":0", function(peer)
      assert.is_true(peer.inbound)
      one.sleep(0.01)
      addresses[peer.address] = true
      peer:close()
    end))
    local connections = {}
    for i = 1, 5 do
      connections[i] = assert(one.connect(listener.address))
    end
    for i = 1, 5 do
      local _, _, code = connections[i]:receive(nil, 5)
      assert.equal("closed", code)
    end
    local n = 0
    for _ in pairs(addresses) do
      n = n + 1
    end
    assert.equal(5, n)
  end)

  one.it("goes on when its function fails", function()
    local n = 0
    local listener = assert(one.listen(one.host(2) .. ":0", function(peer)
      n = n + 1
      local _ <close> = peer
      error(setmetatable({}, { __tostring = function() return "spec" end }))
    end))
    for _ = 1, 2 do
      local connection = assert(one.connect(listener.address))
      local _, _, code = connection:receive(nil, 5)
      assert.equal("closed", code)
    end
    assert.equal(2, n)
  end)

  one.it("says what it is", function()
    local listener = assert(one.listen(one.host(2) .. ":0", function() end))
    assert.equal("moonpeer.listener: " .. listener.address .. " (open)",
      tostring(listener))
    listener:close()
    listener:close()
    assert.equal("moonpeer.listener: " .. listener.address .. " (closed)",
      tostring(listener))
  end)
end)

describe("on the real network stack", function()
  local run = moonpeer.run

  it("an address that is not ours cannot be listened at", function()
    local listener, _, code = moonpeer.listen("192.0.2.1:1", function() end)
    assert.is_nil(listener)
    assert.equal("listen_failed", code)
  end)

  it("a name is resolved, and its addresses are tried", function()
    run(function()
      local listener <close> = assert(moonpeer.listen("127.0.0.1:0",
        function(peer) peer:close() end))
      local port = listener.address:match ":(%d+)$"
      local connection <close> = assert(moonpeer.connect("localhost:" .. port))
      assert.equal(listener.address, connection.address)
    end)
  end)

  it("a name that nobody has is dns_failed", function()
    local connection, message, code = run(function()
      return moonpeer.connect "no-such-host.invalid:1"
    end)
    assert.is_nil(connection)
    assert.equal("expected addresses of no-such-host.invalid, got none",
      message)
    assert.equal("dns_failed", code)
  end)

  it("IPv6 is spoken", function()
    run(function()
      local listener <close> = assert(moonpeer.listen("[::1]:0",
        function(peer) peer:close() end))
      assert.matches("^%[::1%]:%d+$", listener.address)
      local connection <close> = assert(moonpeer.connect(listener.address))
      local _, _, code = connection:receive(nil, 5)
      assert.equal("closed", code)
    end)
  end)
end)
