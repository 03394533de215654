--- simulated - the stage in a world: each play has one of its own, in which no
--- real time passes. With MOONPEER_HASHES=FILE the hash of what happened in
--- each is appended to that file.
local core = require "moonpeer.core"
local moonpeer = require "moonpeer"
local sim = require "moonpeer.sim"

local raw = core.methods "moonpeer.world"

local simulated = { name = "in a world" }

local world -- of the play that runs
local unnamed -- hosts made for engines that do not listen

function simulated.host(n)
  return ("10.%d.0.1"):format(n)
end

simulated.sleep, simulated.now = moonpeer.sleep, moonpeer.now
simulated.spawn, simulated.connect = moonpeer.spawn, moonpeer.connect

--- Calls fn as if it ran on the host of an address.
local function at(address, fn, ...)
  local ip = raw.ip(address)
  raw.host(world.handle, ip) -- or there is one
  return raw.at(world.handle, ip, fn, ...)
end

function simulated.listen(address, fn, options)
  return at(address, moonpeer.listen, address, fn, options)
end

function simulated.engine(config)
  local home = config.listen
  if not home then
    unnamed = unnamed + 1
    home = simulated.host(unnamed)
  end
  local engine = assert(at(home, moonpeer.engine, config))
  assert(engine:start())
  return engine
end

local function write_down(name)
  local path = os.getenv "MOONPEER_HASHES"
  if path then
    local file <close> = assert(io.open(path, "a"))
    file:write(world:hash(), " ", name, "\n")
  end
end

function simulated.run(fn, name)
  local made <close> = sim.world { seed = 1, trace = "text" }
  world, unnamed = made, 100
  local play = made:remote(simulated.host(200), fn, { network = "regtest" })
  local good, message = made:run_until(function()
    return play.done
  end, "1h")
  write_down(name)
  if not good then
    error(message, 0)
  end
end

return simulated
