--- An independent implementation: the npm package bsv-p2p dials us, and we
--- dial a server made of its codecs. It is found in NODE_PATH.
local moonpeer = require "moonpeer"
local child = require "support.child"
local watch = require "support.watch"

assert(os.getenv "NODE_PATH", "expected NODE_PATH to name the packages")

--- Waits for a line of the child's that the pattern is in.
local function await(program, pattern)
  local late = moonpeer.now() + 20
  repeat
    local line = program:line(pattern)
    if line then
      return line
    end
    moonpeer.sleep(0.01)
  until moonpeer.now() > late
  error(("expected %s, got\n%s"):format(pattern, program:text()), 2)
end

local function address_of(ip, port)
  return { { time = 1700000001, services = 33, ip = ip, port = port } }
end

--- Answers what an engine of ours would be asked, and keeps what it is told.
local function engine_of(config)
  local engine = assert(moonpeer.engine(config))
  local heard = {}
  engine:on("message", "getaddr", watch.collected(function(event)
    local entries = address_of("198.51.100.9", 8333)
    event.connection:send("addr", { entries = entries })
  end), { command = "getaddr" })
  engine:on("message", "addr", watch.collected(function(event)
    for time, services, ip, port in event.message:each() do
      heard[#heard + 1] = ("%d %d %s %d"):format(time, services, ip, port)
    end
  end), { command = "addr" })
  local log = watch.events(engine)
  engine:start()
  return engine, log, heard
end

local function wait_for(what, condition)
  local late = moonpeer.now() + 20
  while not condition() do
    assert(moonpeer.now() < late, "expected " .. what)
    moonpeer.sleep(0.005)
  end
end

describe("bsv-p2p", function()
  it("dials our engine: version, verack, ping, addresses both ways", function()
    moonpeer.run(function()
      local engine <close>, log, heard = engine_of {
        network = "regtest", listen = "127.0.0.1:0",
      }
      wait_for("a listener", function()
        return engine:address()
      end)
      local port = engine:address():match ":(%d+)$"
      local program <close> = child.start(
        "node tests/integration/bsv_p2p_dials.js " .. port)
      assert.matches('"user_agent":"/moonpeer:',
        await(program, '"event":"version","version":70016'), 1, true)
      await(program, '"event":"connected"')
      wait_for("a handshake", function()
        return log:find "handshake_complete"
      end)
      local connection = engine:connections()()
      assert.equal("/Bitcoin SV:1.2.2(bsv-p2p)/",
        connection.version.user_agent)
      await(program, '"event":"ping","ms":%d+')
      wait_for("a round trip", function()
        return connection.rtt
      end)
      assert.matches('"ipv4":"198.51.100.9","port":8333,"time":1700000001',
        await(program, '"event":"addr"'), 1, true)
      assert(connection:send "getaddr")
      wait_for("addresses", function()
        return heard[1]
      end)
      assert.same({ "1700000000 33 203.0.113.7 18444" }, heard)
      for _, command in ipairs { "protoconf", "sendheaders", "getaddr" } do
        await(program, ('"command":"%s"'):format(command))
      end
      assert.is_nil(log:find "peer_misbehaved")
      engine:close()
      await(program, '"event":"disconnected"')
    end)
  end)

  it("is dialled by our engine: the same", function()
    moonpeer.run(function()
      local program <close> = child.start(
        "node tests/integration/bsv_p2p_serves.js")
      local port = await(program, '"event":"listening"'):match '"port":(%d+)'
      local engine <close>, log, heard = engine_of {
        network = "regtest", peers = { "127.0.0.1:" .. port },
      }
      wait_for("a handshake", function()
        return log:find "handshake_complete"
      end)
      local connection = engine:connections()()
      assert.equal("/Bitcoin SV:1.2.2(codecs)/", connection.version.user_agent)
      assert.equal(5, connection.version.start_height)
      assert.is_false(connection.version.relay)
      assert.matches('"relay":0', await(program, '"event":"version"'))
      wait_for("a round trip", function()
        return connection.rtt
      end)
      await(program, '"command":"pong","payload":"0102030405060708"')
      assert.matches('"ipv4":"198.51.100.9","port":8333,"time":1700000001',
        await(program, '"event":"addr"'), 1, true)
      assert(connection:send "getaddr")
      wait_for("addresses", function()
        return heard[1]
      end)
      assert.same({ "1700000000 33 203.0.113.8 8333" }, heard)
      assert.is_nil(log:find "peer_misbehaved")
      engine:close()
      await(program, '"event":"closed"')
    end)
  end)

  it("talks with a script", function()
    moonpeer.run(function()
      local program <close> = child.start(
        "node tests/integration/bsv_p2p_serves.js")
      local port = await(program, '"event":"listening"'):match '"port":(%d+)'
      local connection <close> = assert(moonpeer.connect("127.0.0.1:" .. port,
        { network = "regtest" }))
      local version = assert(connection:handshake { start_height = 9 })
      assert.equal(70016, version.version)
      assert(connection:receive("getaddr", 10))
      assert(connection:send("getaddr"))
      local addr = assert(connection:receive("addr", 10))
      assert.equal("203.0.113.8", addr.entries[1].ip)
      assert(connection:send("ping", { nonce = 5 }))
      assert.equal(5, assert(connection:receive("pong", 10)).nonce)
    end)
  end)
end)
