--- generated - worlds of random size, weather and behaviour, from a seed.
local characters = require "support.characters"
local dice = require "support.dice"
local invariants = require "support.invariants"
local sim = require "moonpeer.sim"

local generated = {}

local function ip(group, n)
  return ("50.%d.%d.%d"):format(group, n // 250, n % 250 + 1)
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

local function bytes(d)
  return 1 << d:pick { 10, 18, 20 }
end

local function engine_config(d, addresses, siege)
  local most = d:whole(1, d:happens(0.3) and 40 or 12)
  local config = {
    network = "regtest", max_connections = most,
    target_connections = d:whole(0, math.min(most, 12)),
    handshake_timeout = d:real(1, 20), connect_timeout = d:real(0.5, 10),
    ping_interval = d:real(2, 120), ping_timeout = d:real(1, 30),
    per_address = d:whole(1, 5), per_group = d:pick { 2, 6, 20 },
    half_open = d:pick { 3, 32 }, feeler_interval = d:real(0.5, 60),
    receive_memory = bytes(d), send_memory = bytes(d),
    receive_memory_total = 1 << 20, send_memory_total = 1 << 20,
  }
  for key, value in pairs(siege or {}) do -- any order: keys of a table
    config[key] = value
  end
  if not siege and d:happens(0.7) then
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

-- --- sieges ----------------------------------------------------------------

--- Many who dial the first engine: what they are like, from how many networks,
--- how often each at once, within how many seconds, what the engine has for
--- them, and what happens first and last. Each comes close to a limit that
--- chance alone hardly meets.
local sieges = {
  { "silent", networks = 60, often = 1, within = 1, config = {
    max_connections = 2, target_connections = 0,
  } },
  { "silent", networks = 3, often = 4, within = 1, config = {
    max_connections = 2, target_connections = 0,
  } },
  { "silent", networks = 3, often = 4, within = 1, config = {} },
  { "silent", networks = 60, often = 1, within = 1, config = {
    half_open = 5, target_connections = 0, feeler_interval = 0.5,
  } },
  { "good", networks = 60, often = 8, within = 1, config = {},
    act = function(_, play)
      play.watches[1].engine:ban "60.0.0.0/8"
    end },
  { "good", networks = 60, often = 6, within = 120, config = {},
    act = function(_, play)
      invariants.configure(play.watches[1], {
        max_connections = 5, target_connections = 0,
      })
    end },
  { "good", networks = 3, often = 4, within = 20, config = { per_group = 4 } },
  { "hoards", networks = 60, often = 1, within = 1, config = {} },
  { "hoards", networks = 60, often = 1, within = 1, config = {
    receive_memory = 1 << 10, send_memory = 1 << 10,
    receive_memory_total = 1 << 26,
  } },
  { "hogs", networks = 60, often = 1, within = 20, config = {
    receive_memory = 1 << 17, receive_memory_total = 1 << 26,
    send_memory_total = 1 << 26,
  }, limits = { window = 1 << 16, send_buffer = 1 << 12 } },
  { "stalls", networks = 60, often = 1, within = 120, config = {},
    limits = { window = 1 << 16, send_buffer = 1 << 12 },
    act = function(_, play)
      play.watches[1].engine:broadcast("xyzzy", ("x"):rep(200000))
    end },
}

local roomy = {
  max_connections = 40, target_connections = 2, per_group = 20,
  half_open = 32, receive_memory = 1 << 20, send_memory = 1 << 18,
  handshake_timeout = 15, ping_timeout = 30,
}
for _, siege in ipairs(sieges) do
  siege.limits = siege.limits or {}
  for key, value in pairs(roomy) do -- any order: keys of a table
    siege.config[key] = siege.config[key] or value
  end
end

--- Every other world has one, in turn.
local function siege_of(seed)
  return seed % 2 == 0 and sieges[seed // 2 % #sieges + 1] or nil
end

local function besiege(d, play, siege)
  local target, act = play.addresses[1] .. ":18444", characters[siege[1]]
  for i = 1, d:whole(30, 40) do
    local address = ("60.%d.0.%d"):format(d:whole(1, siege.networks), i)
    play.world:remote(address, function(remote)
      for _ = 1, siege.often do
        remote:spawn(function()
          remote:sleep(math.random() * siege.within)
          local connection = remote:dial(target)
          if connection then
            act(connection)
          end
        end)
      end
    end, { network = "regtest" })
  end
end

-- --- what happens meanwhile ------------------------------------------------

local function change(d, watch)
  local most = d:whole(1, 30)
  invariants.configure(watch, {
    max_connections = most, target_connections = d:whole(0, math.min(most, 12)),
  })
end

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
    invariants.dial(d:pick(play.watches), d:pick(play.addresses) .. ":18444")
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
    local prefix = d:pick(play.addresses)
    if d:happens(0.5) then
      prefix = prefix:match "^%d+%.%d+" .. ".0.0/16"
    end
    d:pick(play.watches).engine:ban(prefix, { time = "1m" })
  end,
  function(d, play)
    change(d, d:pick(play.watches))
  end,
  function(d, play)
    local watch = d:pick(play.watches)
    for _ = 1, d:whole(1, 20) do
      watch.engine:broadcast("xyzzy", ("x"):rep(d:whole(1, bytes(d))))
    end
    invariants.look(watch)
  end,
  function(d, play)
    play.world:jump(d:real(-1, 1) * 86400)
    for _, watch in ipairs(play.watches) do
      watch.time = 0
    end
  end,
}

-- --- playing ---------------------------------------------------------------

local function add_engine(d, play, address, siege)
  local config = engine_config(d, play.addresses, siege and siege.config)
  local engine = play.world:engine(address .. ":18444", config)
  play.listening[address] = true
  play.watches[#play.watches + 1] = invariants.watch(engine, config, function()
    return play.world:now()
  end, play.listening)
  for _, known in ipairs((siege or d:happens(0.5)) and play.addresses or {}) do
    engine.store:create { ip = known, port = 18444 }
  end
end

local function build(d, play, siege)
  local world, engines, peers = play.world, d:whole(1, 4), d:whole(1, 16)
  local conditions = siege and { latency = d:real(0, 0.2) } or weather(d)
  for i = 1, engines + peers do
    play.addresses[i] = ip(d:whole(1, 5), i)
  end
  world:link(nil, nil, conditions)
  for i, address in ipairs(play.addresses) do
    world:limit(nil, siege and siege.limits or limits(d))
    if i <= engines then
      add_engine(d, play, address, i == 1 and siege)
    else
      world:remote(address, peer(d, play.addresses), { network = "regtest" })
    end
  end
  if siege then
    besiege(d, play, siege)
  end
end

local function look(play)
  for _, watch in ipairs(play.watches) do
    invariants.look(watch)
    if watch.broken then
      return watch.broken
    end
  end
end

--- Goes on for a while, looking all along; raises what does not hold.
local function go_on(play, duration, is_over)
  local events, broken = 0, look(play)
  if not broken then
    play.world:run_until(function()
      events = events + 1
      broken = events % 128 == 0 and look(play) or nil
      return broken or is_over and is_over()
    end, duration)
  end
  broken = broken or look(play)
  if broken then
    error(("at %.9f s: %s"):format(play.world:now(), broken), 0)
  end
end

--- All engines close: with an hour's time all goes in order, nobody holds it
--- up for longer than what is queued may linger; with less nothing does.
local function close(d, play, siege)
  local limit = (siege or d:happens(0.5)) and d:real(0, 4) or 3600
  for _, watch in ipairs(play.watches) do
    watch.engine:close(limit)
  end
  go_on(play, math.min(limit, 5) + 1, function()
    for _, watch in ipairs(play.watches) do
      if not tostring(watch.engine):find "closed" then
        return false
      end
    end
    return true
  end)
  for _, watch in ipairs(play.watches) do
    if not tostring(watch.engine):find "closed" or watch.live ~= 0 then
      error(("at the end: %s, %d of its connections have not ended"):format(
        tostring(watch.engine), watch.live), 0)
    end
  end
end

--- Plays the world of a seed, looking all along; raises what does not hold.
---@param seed integer
---@return string hash, integer events
function generated.play(seed)
  local d = dice.new(seed)
  local world <close> = sim.world { seed = seed, trace = "hash" }
  local play = {
    world = world, addresses = {}, watches = {}, listening = {},
  }
  local siege = siege_of(seed)
  build(d, play, siege)
  for i = 1, siege and 3 or d:whole(3, 12) do
    go_on(play, d:real(siege and 10 or 1, 60))
    local act = i ~= 2 and siege and siege.act or d:pick(acts)
    act(d, play)
  end
  close(d, play, siege)
  return world:hash(), world:count().events
end

return generated
