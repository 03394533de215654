--- messages - small messages that reach a Lua function, which reads one field:
--- in a world, where there is nothing but memory between the two ends, and over
--- loopback, where this same thread sends, too.
local moonpeer = require "moonpeer"
local sim = require "moonpeer.sim"

local FRAME = assert(moonpeer.message.encode("pong", { nonce = 1 },
  { network = "regtest" }))
local ROUNDS = 3

local function report(name, value, unit)
  print(('{"name": %q, "value": %.6g, "unit": %q, "limit": null}'):format(
    name, value, unit))
end

--- Counts, and reads the field.
local function listen(engine)
  local seen = { n = 0, sum = 0 }
  engine:on("message", "bench", function(event)
    seen.sum = seen.sum + event.message.nonce
    seen.n = seen.n + 1
  end, { command = "pong" })
  return seen
end

--- A world with an engine, and a peer that sends it as many messages as the
--- budget of a connection lets through, for so many tenths of a second.
local function sending(count, prepare)
  local world = sim.world { seed = 1, instructions = 0 }
  local engine = world:engine("10.0.0.1:18444", {
    network = "regtest", listen = true, target_connections = 0,
  })
  local result, blob = prepare(engine), FRAME:rep(4000)
  world:remote("10.0.0.2", function()
    local peer = assert(moonpeer.connect("10.0.0.1:18444",
      { network = "regtest" }))
    assert(peer:handshake())
    for _ = 1, count do
      assert(peer:send_raw(blob))
      moonpeer.sleep(0.1)
    end
  end)
  return world, result
end

--- Messages a second of processor time.
local function in_world()
  local count = 250
  local world, seen = sending(count, listen)
  local start = os.clock()
  world:run_for(count / 10 + 5)
  local passed = os.clock() - start
  world:close()
  assert(seen.n >= 4000 * count)
  return seen.n / passed
end

--- The same when nobody wants them: how many, and the bytes of Lua that grew
--- for each beside those of the peer that sends (4000 at a time).
local function unwanted()
  local count = 250
  local world, engine = sending(count, function(engine)
    return engine
  end)
  world:run_for(1)
  collectgarbage()
  collectgarbage "stop"
  local before, start = collectgarbage "count", os.clock()
  world:run_for(count / 10 - 2)
  local passed, grown = os.clock() - start, collectgarbage "count" - before
  collectgarbage "restart"
  local n = engine:stats().commands.pong.messages_in
  world:close()
  return n / passed, grown * 1024 / n
end

--- Messages a second of real time, and of processor time, from ten
--- connections.
local function over_loopback()
  local connections, blobs, blob = 10, 15, FRAME:rep(10000)
  return moonpeer.run(function()
    local engine <close> = assert(moonpeer.engine {
      network = "regtest", listen = "127.0.0.1:0", target_connections = 0,
      max_connections = 100, per_address = 100, per_group = 100,
    })
    local seen, peers = listen(engine), {}
    assert(engine:start())
    while not engine:address() do
      moonpeer.sleep(0.001)
    end
    for i = 1, connections do
      peers[i] = assert(moonpeer.connect(engine:address(),
        { network = "regtest" }))
      assert(peers[i]:handshake())
    end
    local start, worked = moonpeer.now(), os.clock()
    for _, peer in ipairs(peers) do
      moonpeer.spawn(function()
        for _ = 1, blobs do
          while not peer:send_raw(blob) do
            moonpeer.sleep(0.0005)
          end
        end
      end)
    end
    while seen.n < connections * blobs * 10000 do
      moonpeer.sleep(0.001)
    end
    return { seen.n / (moonpeer.now() - start),
      seen.n / (os.clock() - worked) }
  end)
end

local function best(fn)
  local most = 0
  for _ = 1, ROUNDS do
    most = math.max(most, fn())
  end
  return most
end

--- What Lua itself takes for as many calls that add up a field.
local function bare_calls()
  local seen, count = { n = 0, sum = 0 }, 5000000
  local function fn(event)
    seen.sum = seen.sum + event.message.nonce
    seen.n = seen.n + 1
  end
  local event = { message = { nonce = 1 } }
  local start = os.clock()
  for _ = 1, count do
    fn(event)
  end
  return count / (os.clock() - start)
end

report("lua.bare_calls", best(bare_calls), "calls/s")
report("lua.messages_in_a_world", best(in_world), "messages/s")
local rate, bytes = unwanted()
report("lua.unwanted_messages_in_a_world", rate, "messages/s")
report("lua.unwanted_messages_garbage", bytes, "bytes/message")
local most, most_work = 0, 0
for _ = 1, ROUNDS do
  local rates = over_loopback()
  most, most_work = math.max(most, rates[1]), math.max(most_work, rates[2])
end
report("lua.messages_over_loopback", most, "messages/s")
report("lua.messages_over_loopback_cpu", most_work, "messages/processor s")
