--- The recorded node: its side of whole sessions is played to our connections
--- over a socket, frame by frame. Every frame is accepted, and those that ask
--- for an answer get one.
local moonpeer = require "moonpeer"
local watch = require "support.watch"
local wire = require "support.wire"

local function wait_for(what, condition)
  local late = moonpeer.now() + 20
  while not condition() do
    assert(moonpeer.now() < late, "expected " .. what)
    moonpeer.sleep(0.005)
  end
end

--- Our nonce in place of the one that the recorded ping of ours had.
local function pong_for(ping)
  return wire.frame("pong", ping:raw())
end

--- What the engine showed, and what it was told is wrong.
local function watched_engine(config)
  local engine = assert(moonpeer.engine(config))
  local seen = {}
  engine:on("message", "spec", watch.collected(function(event)
    seen[#seen + 1] = {
      command = event.message.command, size = event.message.size,
      fields = event.message:table(),
    }
  end))
  local log = watch.events(engine)
  engine:start()
  return engine, log, seen
end

--- What is shown of the node's frames: all but the handshake, and the pong
--- that is for a ping of the recorder's own.
local function shown(frames)
  local list = {}
  for _, row in ipairs(frames) do
    if row.command ~= "version" and row.command ~= "verack" then
      list[#list + 1] = row.command
    end
  end
  return list
end

local function commands(seen)
  local list = {}
  for i, row in ipairs(seen) do
    list[i] = row.command
  end
  return list
end

--- The node's frames, and what ours answered to them.
local function play(peer, frames, pace)
  for _, row in ipairs(frames) do
    if pace == "bytes" then
      for byte in row.frame:gmatch "." do
        assert(peer:send_raw(byte))
      end
    else
      assert(peer:send_raw(row.frame))
    end
    moonpeer.sleep(0)
  end
end

local function check(engine, log, seen, peer, frames)
  wait_for("a handshake", function()
    return log:find "handshake_complete"
  end)
  local ping
  for _, row in ipairs(frames) do
    ping = row.command == "ping" and row.frame:sub(25) or ping
  end
  local answers = {}
  repeat
    local message = assert(peer:receive(nil, 10))
    answers[message.command] = message
    if message.command == "ping" then
      peer:send_raw(pong_for(message))
    end
  until answers.pong
  assert.equal(ping, answers.pong:raw())
  for _, command in ipairs {
    "version", "verack", "protoconf", "sendheaders", "ping",
  } do
    assert.truthy(answers[command], command)
  end
  local connection = engine:connections()()
  wait_for("a round trip and all frames", function()
    return connection.rtt and #seen >= #shown(frames)
  end)
  local expected = shown(frames)
  table.insert(expected, "pong") -- for our own ping
  local all = commands(seen)
  table.sort(all)
  table.sort(expected)
  assert.same(expected, all)
  assert.is_nil(log:find "peer_misbehaved")
  assert.is_nil(log:find "connection_lost")
  assert.equal("connected", connection.state)
  assert.equal("/Bitcoin SV:1.2.2/", connection.version.user_agent)
  assert.equal(70016, connection.version.version)
  assert.equal(33, connection.version.services)
end

local function find(seen, command)
  for _, row in ipairs(seen) do
    if row.command == command then
      return row.fields
    end
  end
end

describe("the recorded node", function()
  for _, pace in ipairs { "frames", "bytes" } do
    it("that was dialled is understood, by " .. pace, function()
      local frames = wire.capture("inbound-full", "node")
      moonpeer.run(function()
        local peer
        local listener <close> = assert(moonpeer.listen("127.0.0.1:0",
          function(accepted)
            peer = accepted
            assert(peer:receive("version", 10))
            play(peer, frames, pace)
          end, { network = "regtest", keepalive = false }))
        local engine <close>, log, seen = watched_engine {
          network = "regtest", peers = { listener.address },
        }
        wait_for("a dial", function()
          return peer
        end)
        wait_for("the block", function()
          return find(seen, "block")
        end)
        local headers = find(seen, "headers")
        assert.equal(#headers.headers, headers.count)
        wait_for("the last frame", function()
          return #seen == #shown(frames)
        end)
        assert.same(shown(frames), commands(seen))
        assert.is_nil(log:find "peer_misbehaved")
        assert.equal(1, engine:stats().handshakes)
        peer:close()
      end)
    end)
  end

  it("that was dialled gets its answers", function()
    local frames = wire.capture("inbound-full", "node")
    moonpeer.run(function()
      local peer
      local listener <close> = assert(moonpeer.listen("127.0.0.1:0",
        function(accepted)
          play(accepted, frames)
          peer = accepted
        end, { network = "regtest", keepalive = false }))
      local engine <close>, log, seen = watched_engine {
        network = "regtest", peers = { listener.address },
      }
      wait_for("a dial", function()
        return peer
      end)
      check(engine, log, seen, peer, frames)
      peer:close()
    end)
  end)

  it("that dialled gets its answers", function()
    local frames = wire.capture("outbound-full", "node")
    moonpeer.run(function()
      local engine <close>, log, seen = watched_engine {
        network = "regtest", listen = "127.0.0.1:0",
      }
      wait_for("a listener", function()
        return engine:address()
      end)
      local peer <close> = assert(moonpeer.connect(engine:address(),
        { network = "regtest", keepalive = false }))
      play(peer, frames)
      check(engine, log, seen, peer, frames)
      assert.truthy(engine:connections()().version.association_id)
      local protoconf = find(seen, "protoconf")
      assert.equal(2097152, protoconf.max_recv_payload_length)
      assert.equal("BlockPriority,Default", protoconf.stream_policies)
    end)
  end)

  for _, name in ipairs {
    "bad-checksum", "drip", "duplicate-version", "inbound-no-protoconf",
    "inv-unknown-block", "short-ping",
  } do
    it("in the conversation " .. name .. " is accepted, too", function()
      local frames = wire.capture(name, "node")
      moonpeer.run(function()
        local engine <close>, log, seen = watched_engine {
          network = "regtest", listen = "127.0.0.1:0",
        }
        wait_for("a listener", function()
          return engine:address()
        end)
        local peer <close> = assert(moonpeer.connect(engine:address(),
          { network = "regtest", keepalive = false }))
        play(peer, frames)
        wait_for("all of it", function()
          return #seen >= #shown(frames)
        end)
        assert.is_nil(log:find "peer_misbehaved")
        assert.is_nil(log:find "connection_lost")
      end)
    end)
  end
end)
