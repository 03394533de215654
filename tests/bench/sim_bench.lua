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

one_hour()
