--- generated - worlds of random size, weather and behaviour, from a seed.
local characters = require "support.characters"
local dice = require "support.dice"
local invariants = require "support.invariants"
local sim = require "moonpeer.sim"

local generated = {}

local function ip(group, n)
  return ("10.%d.0.%d"):format(group, n)
end

-- --- weather ---------------------------------------------------------------

local function chance(d, often, most)
  return d:happens(often) and d:real(0, most) or 0
end

local function weather(d)
  return {
    latency = d:real(0, 0.3), jitter = chance(d, 0.5, 0.2),
    split = chance(d, 0.5, 1), merge = chance(d, 0.3, 1),
    loss = chance(d, 0.3, 0.02), refuse = chance(d, 0.2, 0.5),
    silence = chance(d, 0.2, 0.5),
    bandwidth = d:happens(0.3) and d:whole(500, 100000) or nil,
    lifetime = d:happens(0.3) and d:real(1, 600) or nil,
    one_way = d:happens(0.3) or nil,
  }
end

local function limits(d)
  return {
    descriptors = d:happens(0.3) and d:whole(4, 40) or nil,
    window = d:happens(0.5) and d:whole(200, 100000) or nil,
    send_buffer = d:happens(0.5) and d:whole(200, 100000) or nil,
  }
end

-- --- hosts -----------------------------------------------------------------

local function engine_config(d, addresses)
  local most = d:whole(1, 12)
  local config = {
    network = "regtest", max_connections = most,
    target_connections = d:whole(0, most),
    handshake_timeout = d:real(1, 20), connect_timeout = d:real(0.5, 10),
    ping_interval = d:real(2, 120), ping_timeout = d:real(1, 30),
    per_address = d:whole(1, 5),
  }
  if d:happens(0.7) then
    config.peers = {}
    for i = 1, d:whole(1, 6) do
      config.peers[i] = d:pick(addresses)
    end
    config.mode = d:happens(0.5) and "normal" or nil
  end
  return config
end

--- Listens, or dials now and then, or both.
local function peer(d, addresses)
  local act = characters[d:pick(characters.names)]
  local dials, listens = d:happens(0.6), d:happens(0.6)
  local targets = { d:pick(addresses), d:pick(addresses) }
  return function(remote)
    if dials then
      remote:spawn(function()
        for _ = 1, math.random(1, 10) do
          remote:sleep(math.random() * 30)
          local connection = remote:dial(targets[math.random(2)])
          if connection then
            act(connection)
            connection:close()
          end
        end
      end)
    end
    if listens then
      remote:serve(act)
    end
  end
end

-- --- what happens meanwhile ------------------------------------------------

local acts = {
  function(d, play)
    play.world:partition(d:pick(play.addresses))
  end,
  function(_, play)
    play.world:heal()
  end,
  function(d, play)
    play.world:sever(d:pick(play.addresses), d:pick(play.addresses))
  end,
  function(d, play)
    play.world:link(d:pick(play.addresses), nil, weather(d))
  end,
  function(d, play)
    local watch = d:pick(play.watches)
    watch.asked = watch.asked + 1
    watch.engine:dial(d:pick(play.addresses) .. ":18444")
  end,
  function(d, play)
    local engine = d:pick(play.watches).engine
    for connection in engine:connections() do
      if d:happens(0.5) then
        connection:close()
      end
    end
  end,
  function(d, play)
    d:pick(play.watches).engine:ban(d:pick(play.addresses), { time = "1m" })
  end,
}

-- --- playing ---------------------------------------------------------------

local function build(d, play)
  local world, engines, peers = play.world, d:whole(1, 4), d:whole(1, 16)
  for i = 1, engines + peers do
    play.addresses[i] = ip(d:whole(1, 5), i)
  end
  world:link(nil, nil, weather(d))
  for i, address in ipairs(play.addresses) do
    world:limit(nil, limits(d))
    if i <= engines then
      local config = engine_config(d, play.addresses)
      play.watches[i] = invariants.watch(
        world:engine(address .. ":18444", config), address, config)
    else
      world:remote(address, peer(d, play.addresses), { network = "regtest" })
    end
  end
end

local function look(play)
  for _, watch in ipairs(play.watches) do
    invariants.look(watch, play.world:now())
    if watch.broken then
      return watch.broken
    end
  end
end

--- Plays the world of a seed, looking all along; raises what does not hold.
---@param seed integer
---@return string hash, integer events
function generated.play(seed)
  local d = dice.new(seed)
  local world <close> = sim.world { seed = seed, trace = "hash" }
  local play = { world = world, addresses = {}, watches = {} }
  build(d, play)
  for _ = 1, d:whole(3, 12) do
    local events, broken = 0, nil
    world:run_until(function()
      events = events + 1
      broken = events % 64 == 0 and look(play) or nil
      return broken
    end, d:real(1, 60))
    broken = broken or look(play)
    if broken then
      error(("at %.9f s: %s"):format(world:now(), broken), 0)
    end
    d:pick(acts)(d, play)
  end
  local hash, count = world:hash(), world:count().events
  world:close()
  for _, watch in ipairs(play.watches) do
    if watch.broken or watch.live ~= 0 then
      error(watch.broken or ("at the end: %d connections of %s have not ended")
        :format(watch.live, watch.name), 0)
    end
  end
  return hash, count
end

return generated
