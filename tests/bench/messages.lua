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

--- Messages a second of processor time. As many as the budget of a connection
--- lets through.
local function in_world()
  local world = sim.world { seed = 1, instructions = 0 }
  local seen = listen(world:engine("10.0.0.1:18444", {
    network = "regtest", listen = true, target_connections = 0,
  }))
  local blob, count = FRAME:rep(4000), 250
  world:remote("10.0.0.2", function()
    local peer = assert(moonpeer.connect("10.0.0.1:18444",
      { network = "regtest" }))
    assert(peer:handshake())
    for _ = 1, count do
      assert(peer:send_raw(blob))
      moonpeer.sleep(0.1)
    end
  end)
  local start = os.clock()
  world:run_for(count / 10 + 5)
  local passed = os.clock() - start
  world:close()
  assert(seen.n >= 4000 * count)
  return seen.n / passed
end

--- Messages a second of real time, from ten connections.
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
    local start = moonpeer.now()
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
    return seen.n / (moonpeer.now() - start)
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
report("lua.messages_over_loopback", best(over_loopback), "messages/s")
