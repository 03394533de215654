--- sim_bench - what simulated worlds cost: JSON lines of {"name", "value",
--- "unit", "limit"}.
local moonpeer = require "moonpeer"
local sim = require "moonpeer.sim"

local clock = os.clock -- the real one: a world has another

local function print_figure(name, value, unit, limit)
  print(('{"name":"%s","value":%.6g,"unit":"%s","limit":%s}'):format(name,
    value, unit, limit and ("%.6g"):format(limit) or "null"))
end

--- Resident memory in bytes.
local function resident()
  local file <close> = assert(io.open "/proc/self/statm")
  return file:read("l"):match "%d+ (%d+)" * 4096
end

local function ip(n)
  return ("10.%d.%d.%d"):format(n // 65536 % 256 + 1, n // 256 % 256,
    n % 256)
end

--- n engines in a world, each with eight others to dial, in networks that
--- break now and then.
local function engines(world, n)
  for i = 0, n - 1 do
    local peers = {}
    for k = 1, 8 do
      peers[k] = ip((i * 7 + k * k * 31) % n)
    end
    world:engine(ip(i) .. ":8333", {
      peers = peers, mode = "normal", max_connections = 125,
    })
  end
end

local function one_hour()
  local started = clock()
  local world <close> = sim.world { seed = 1, trace = "hash" }
  world:link(nil, nil, { latency = "40ms", jitter = "20ms", lifetime = "2h" })
  engines(world, 1000)
  world:run_for "1h"
  local took = clock() - started
  local count = world:count()
  print_figure("sim/1000 engines, a virtual hour", took, "s of CPU", 5)
  print_figure("sim/events of that hour", count.events, "events")
  print_figure("sim/streams at its end", count.streams, "ends of streams")
end

--- 9,000 peers that shake hands with 1,000 engines and stay.
local function ten_thousand_hosts()
  collectgarbage()
  local before = resident()
  local world <close> = sim.world { seed = 1, trace = "hash" }
  engines(world, 1000)
  for i = 1000, 9999 do
    world:remote(ip(i), function(remote)
      remote:sleep(i % 60)
      local connection = remote:dial(ip(i % 1000))
      if connection and connection:handshake() then
        connection:receive "nothing"
      end
    end)
  end
  world:run_for "2m"
  local count = world:count()
  print_figure("sim/10000 hosts (1000 engines)", resident() - before, "bytes",
    2 << 30)
  print_figure("sim/streams of these", count.streams, "ends of streams")
end

--- What a spec does: a world, peers, some minutes, the end.
local function fifty_peers()
  local started = clock()
  do
    local world <close> = sim.world { seed = 1 }
    world:engine("10.0.0.1:8333", { max_connections = 60 })
    for i = 2, 51 do
      world:remote("10.0.1." .. i, function(remote)
        remote:sleep(i / 10)
        local connection = assert(remote:dial "10.0.0.1")
        assert(connection:handshake())
        connection:receive "nothing"
      end)
    end
    world:run_for "10m"
  end
  print_figure("sim/a spec of 50 peers, 10 virtual minutes", clock() - started,
    "s of CPU", 0.2)
end

-- --- the same, in a world and on sockets -----------------------------------

local messages = 100000

--- Says pings in batches and waits for the last pong of each.
local function talk(connection, batch)
  for i = 1, messages, batch do
    for k = i, i + batch - 1 do
      assert(connection:send("ping", { nonce = k }))
    end
    repeat
      local pong = assert(connection:receive "pong")
    until pong.nonce == i + batch - 1
  end
end

local options = { network = "regtest" }

--- Shakes hands; the core answers the pings.
local function answer(connection)
  connection:handshake()
  connection:receive "nothing"
end

--- Dials, talks, and gives the CPU time of the talk.
local function ask(address, batch)
  local connection <close> = assert(moonpeer.connect(address, options))
  assert(connection:handshake())
  local started = clock()
  talk(connection, batch)
  return clock() - started
end

local function on_sockets(batch)
  local listener <close> =
    assert(moonpeer.listen("127.0.0.1:0", answer, options))
  return moonpeer.run(ask, listener.address, batch)
end

--- Nobody writes the real one down, so nobody does this one.
local function in_world(batch)
  local world <close> = sim.world { seed = 1, trace = "off" }
  world:remote("10.0.0.1", function(remote)
    remote:serve(answer)
  end, options)
  local peer = world:remote("10.0.0.2", function()
    return ask("10.0.0.1:18444", batch)
  end)
  assert(world:run_until(function()
    return peer.done
  end, "24h"))
  return peer.result
end

--- In turns, the least of five: other programs run here, too.
local function per_message(batch, what)
  local real, simulated = math.huge, math.huge
  for _ = 1, 5 do
    real = math.min(real, on_sockets(batch))
    simulated = math.min(simulated, in_world(batch))
  end
  local scale = 1e9 / messages / 2
  print_figure("sim/a message, on sockets, " .. what, real * scale,
    "ns of CPU")
  print_figure("sim/a message, in a world, " .. what, simulated * scale,
    "ns of CPU", real * scale)
end

one_hour()
fifty_peers()
per_message(1, "one at a time")
per_message(100, "100 at a time")
ten_thousand_hosts()
