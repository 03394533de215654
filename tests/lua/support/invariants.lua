--- invariants - what must hold in every world at any time. To add one: a
--- function in `always`, called with an engine's watch between events, or one
--- in `of_event`, called with every event; each raises what is wrong.
local core = require "moonpeer.core"

local invariants = { always = {}, of_event = {} }

local function demand(condition, format, ...)
  if not condition then
    error(format:format(...), 0)
  end
end

-- --- between events --------------------------------------------------------

local SLACK = 1 -- second between what is due and what is seen

--- More than max_connections are there only while it was lowered and they have
--- not gone.
function invariants.always.limits(watch)
  local now, config = watch.engine:counts(), watch.config
  demand(now.connections <= watch.most,
    "%d connections, max_connections is %d", now.connections,
    config.max_connections)
  watch.most = math.max(config.max_connections, now.connections)
  demand(now.polite <= 16, "%d in the polite lane", now.polite)
  demand(now.half_open <= config.half_open, "%d half-open", now.half_open)
  demand(now.inbound + now.outbound + now.feelers == now.connections,
    "%d inbound, %d outbound, %d feelers are not %d", now.inbound,
    now.outbound, now.feelers, now.connections)
end

--- For how long something is so.
local function lasts(watch, name, is_so)
  watch[name] = is_so and (watch[name] or watch.clock()) or nil
  return is_so and watch.clock() - watch[name] or 0
end

local function count(engine, filter)
  local n = 0
  for _ in engine:connections(filter) do
    n = n + 1
  end
  return n
end

--- A slot is taken for each connection and given back once: what was told to
--- begin and not to end is what there is, but for those that are closing.
function invariants.always.slots(watch)
  local now, listed = watch.engine:counts(), count(watch.engine)
  demand(now.inbound >= 0 and now.outbound >= 0 and now.polite >= 0
    and now.half_open >= 0 and now.feelers >= 0, "slots were given back twice")
  local taken = now.connections + now.polite
  demand(listed <= taken, "%d connections, %d slots are taken", listed, taken)
  demand(lasts(watch, "surplus", taken > listed) < 30,
    "%d slots are taken, %d connections are there, for 30 s", taken, listed)
  -- who makes room for another has no slot while it closes
  demand(lasts(watch, "excess", watch.live > taken) < 6,
    "%d connections have begun and not ended, %d slots are taken, for 6 s",
    watch.live, taken)
end

--- What is half-open shakes hands; a feeler that has felt goes.
function invariants.always.kinds(watch)
  local engine, now = watch.engine, watch.engine:counts()
  local shaking = count(engine, {
    inbound = true, state = "awaiting_handshake",
  })
  local reached = count(engine, { inbound = false, state = "connected" })
  demand(lasts(watch, "stuck", now.half_open > shaking) < 30,
    "%d are half-open, %d are shaking hands, for 30 s", now.half_open, shaking)
  demand(lasts(watch, "felt", reached > now.outbound) < SLACK,
    "%d outbound are connected, %d are no feelers", reached, now.outbound)
end

--- Each has its cap, and all have one. Who was evicted is not counted any more
--- and may still have what is on its way.
function invariants.always.memory(watch)
  local config, now = watch.config, watch.engine:counts()
  local memory = watch.engine:stats().memory
  local n = now.connections + now.polite + now.evictions - watch.evictions
  watch.evictions = now.evictions
  local header = 44 -- of the last message, which does not count
  demand(memory.queued <= n * (config.send_memory + header),
    "%d bytes are queued for %d", memory.queued, n)
  demand(memory.queued <= config.send_memory_total + header,
    "%d bytes are queued", memory.queued)
  local read = 64 << 10 -- at once, and what nobody is blamed for
  local held = math.max(config.receive_memory, config.send_memory) + 2 * read
  demand(memory.received <= n * held, "%d bytes are received from %d",
    memory.received, n)
  demand(memory.received <= config.receive_memory_total + (n + 1) * read,
    "%d bytes are received", memory.received)
  demand(n > 0 or memory.queued == 0 and memory.received == 0,
    "%d bytes queued and %d received of nobody", memory.queued,
    memory.received)
end

local function ip_of(address)
  return address:match "^%[?(.-)%]?:%d+$"
end

local function add(counts, key)
  counts[key] = (counts[key] or 0) + 1
end

--- Nobody is banned and stays, no peer is dialled twice, and no address and no
--- group has more than its share; one more may have come by the polite lane.
function invariants.always.company(watch)
  local dialled, from, group, shaking = {}, {}, {}, {}
  for connection in watch.engine:connections() do
    local address = connection.address
    local ip = ip_of(address)
    demand(not watch.engine.store.bans:find(ip), "%s is banned and connected",
      address)
    if connection.inbound then
      add(from, ip)
      add(group, ip:match "^%d+%.%d+")
      if connection.state == "awaiting_handshake" then
        add(shaking, ip:match "^%d+%.%d+")
      end
    else
      demand(not dialled[address], "%s is dialled twice", address)
      dialled[address] = true
    end
  end
  for ip, n in pairs(from) do
    demand(n <= watch.config.per_address + 1, "%d connections from %s", n, ip)
  end
  for name, n in pairs(group) do
    demand(n <= watch.config.per_group + 1, "%d connections from %s", n, name)
  end
  for name, n in pairs(shaking) do
    demand(n <= 4 + 1, "%d handshakes of %s", n, name)
  end
end

--- Two that have dialled each other keep one connection, when they have said
--- where they listen.
function invariants.always.twins(watch)
  local dialled = {}
  for connection in watch.engine:connections { inbound = false } do
    dialled[connection.address] = true
  end
  for connection in watch.engine:connections {
    inbound = true, state = "connected",
  } do
    local place = connection.version.addr_from
    demand(not dialled[("%s:%d"):format(place.ip, place.port)]
      or place.ip ~= ip_of(connection.address), "two connections with %s",
      place.ip)
  end
end

local CHOKE = 128 << 10 -- queued for one: it is not read from

--- How long a connection may stay in its state. Whoever was not read from for a
--- while has the time for its pong anew; how often nobody here knows.
local function patience(watch, connection)
  local config, state = watch.config, connection.state
  if state == "connecting" then
    return config.connect_timeout
  elseif state == "connected" then
    return watch.busy[connection] and math.huge
      or config.ping_interval * 1.5 + config.ping_timeout
  elseif watch.polite[connection] then
    return watch.listening[ip_of(connection.address)]
      and config.handshake_timeout + 5 or 5
  end
  return config.handshake_timeout
end

--- A dial, a handshake and a pong have their time, whatever else is said.
function invariants.always.patience(watch)
  local now, memory = watch.clock(), watch.config.send_memory
  local is_busy = memory < 2 * CHOKE
    or watch.engine:stats().memory.queued > CHOKE
  for connection in watch.engine:connections() do
    local took = now - (watch.since[connection] or now)
    watch.busy[connection] = watch.busy[connection] or is_busy or nil
    demand(took <= patience(watch, connection) + SLACK,
      "%s is %s for %.3f s", connection.address, connection.state, took)
  end
end

function invariants.always.target(watch)
  local now = watch.engine:counts()
  watch.wanted = math.max(watch.config.target_connections + watch.asked,
    math.min(watch.wanted, now.outbound))
  demand(now.outbound <= watch.wanted
    or watch.config.peers and not watch.config.mode,
    "%d outbound, %d are wanted and %d were asked for", now.outbound,
    watch.config.target_connections, watch.asked)
  demand(now.feelers <= 1, "%d feelers", now.feelers)
  demand(now.handshakes <= now.dials + now.accepted + now.rejected,
    "%d handshakes of %d dials and %d accepted", now.handshakes, now.dials,
    now.accepted)
end

-- --- events ----------------------------------------------------------------

--- No peer is dialled in a loop, whatever happens: three restarts, the first
--- backoffs, and what a script asked for.
function invariants.of_event.pace(watch, event)
  if event.type ~= "connection_started" or event.connection.inbound then
    return
  end
  local starts = watch.starts[event.address] or {}
  watch.starts[event.address] = starts
  starts[#starts + 1] = watch.clock()
  local n = 0
  for i = #starts, 1, -1 do
    n = n + (watch.clock() - starts[i] < 10 and 1 or 0)
  end
  demand(n <= 9 + watch.asked, "%s was dialled %d times within 10 s",
    event.address, n)
end

--- Only what was established is made anew at once, three times an hour; what
--- fails may be given up, and found again later.
function invariants.of_event.restarts(watch, event)
  local address = event.address
  if event.type == "connection_failed" or event.type == "connection_lost" then
    watch.ends[address] = event.type
    if event.type == "connection_failed" then
      watch.restarts[address] = nil
    end
  elseif event.type == "connection_restarting" then
    local n = (watch.restarts[address] or 0) + 1
    watch.restarts[address] = n
    demand(watch.ends[address] == "connection_lost",
      "%s restarts and was not connected", address)
    demand(n <= 3, "%s restarts for the %dth time", address, n)
  end
end

--- Who dials us leaves the slots free that are missing of the target.
function invariants.of_event.room(watch, event)
  local now, config = watch.engine:counts(), watch.config
  if event.type == "inbound_accepted" then
    local wanted = config.target_connections
    if config.peers and not config.mode then
      wanted = math.min(wanted, #watch.engine:config().peers)
    end
    demand(now.connections + math.max(0, wanted - now.outbound)
      <= config.max_connections, "%d are in, %d of %d dialled, and one is let "
      .. "in", now.connections, now.outbound, wanted)
  elseif event.type == "evicted" then
    demand(now.connections <= config.max_connections,
      "one of %d is evicted, which makes no room", now.connections)
  end
end

--- Which events may follow which on one connection: "" before all, "over"
--- after the end.
local follows = {
  connection_started = { [""] = "started" },
  connection_established = { started = "established" },
  handshake_complete = { started = "complete", established = "complete" },
  connection_failed = { started = "over", established = "over" },
  connection_lost = { complete = "over" },
}

local states = {
  started = { connecting = true, awaiting_handshake = true },
  established = { awaiting_handshake = true },
  complete = { connected = true },
  over = { disconnected = true, failed = true, rejected = true },
}

--- The state machine: events come in a legal order, each end once, and the
--- state they are told in fits.
function invariants.of_event.order(watch, event)
  local from = follows[event.type]
  if not from then
    return
  end
  local connection = event.connection
  local was = watch.stages[connection] or ""
  local is = from[was]
  demand(is, "%s after %s on %s", event.type, was, tostring(connection))
  demand(states[is][connection.state], "%s while %s is %s", event.type,
    tostring(connection), connection.state)
  if event.type == "connection_lost" and event.code == "ping_timeout" then
    demand(watch.clock() - watch.since[connection]
      >= watch.config.ping_timeout - 0.001, "%s has answered %.3f s ago",
      event.address, watch.clock() - watch.since[connection])
  end
  watch.stages[connection], watch.since[connection] = is, watch.clock()
  if was == "" then
    watch.live = watch.live + 1
  elseif is == "over" then
    watch.live = watch.live - 1
  end
end

--- Who is told that there is no room has five seconds for it; who is throttled
--- is not read from.
function invariants.of_event.patience(watch, event)
  if event.type == "rejected_for_capacity" and event.connection then
    watch.polite[event.connection] = true
  elseif event.type == "peer_misbehaved" and event.verdict == "throttle" then
    watch.busy[event.connection] = true
  end
end

function invariants.of_event.time(watch, event)
  demand(event.time >= watch.time, "an event of %.6f after one of %.6f",
    event.time, watch.time)
  watch.time = event.time
end

-- --- watching --------------------------------------------------------------

--- The functions of a table, in the order of their names.
local function each(rows)
  local names = {}
  for name in pairs(rows) do
    names[#names + 1] = name
  end
  table.sort(names)
  local i = 0
  return function()
    i = i + 1
    return names[i], rows[names[i]]
  end
end

local function try(watch, name, fn, ...)
  local good, message = pcall(fn, ...)
  if not good and not watch.broken then
    watch.broken = ("%s of %s: %s"):format(name, watch.name,
      tostring(message))
  end
end

--- Watches an engine; config is what it was made with.
---@param clock function       the world's time
---@param listening table      ip -> true: other engines
---@return table  broken: what did not hold, or nil
function invariants.watch(engine, config, clock, listening)
  local watch = {
    engine = engine, name = engine:config().listen, config = config,
    clock = clock, listening = listening,
    live = 0, time = 0, evictions = 0,
    stages = {}, since = {}, starts = {}, ends = {}, restarts = {},
    polite = {}, busy = {},
    asked = 0, -- dials that a script asked for
    most = config.max_connections, wanted = config.target_connections,
  }
  for _, kind in ipairs(core.events) do
    if kind ~= "message" and kind ~= "chunk" then
      engine:on(kind, "invariants", function(event)
        for what, fn in each(invariants.of_event) do
          try(watch, what, fn, watch, event)
        end
      end)
    end
  end
  engine:on("message", "invariants", function(event)
    watch.since[event.connection] = clock()
  end, { command = "pong" })
  return watch
end

--- The engine gets another configuration, live, which closes nobody.
function invariants.configure(watch, changes)
  local before = count(watch.engine)
  assert(watch.engine:configure(changes))
  local now, after = watch.engine:counts(), count(watch.engine)
  for key, value in pairs(changes) do
    watch.config[key] = value
  end
  watch.most = math.max(watch.config.max_connections, now.connections)
  watch.wanted = math.max(watch.wanted, now.outbound)
  try(watch, "configure", demand, before <= after,
    "%d connections were closed by a change", before - after)
end

--- A script asks for a dial.
function invariants.dial(watch, address)
  watch.asked, watch.wanted = watch.asked + 1, watch.wanted + 1
  watch.engine:dial(address)
end

--- Looks at what must hold always; an engine that closes keeps its slots to
--- the end.
function invariants.look(watch)
  if tostring(watch.engine):find "closed" then
    return
  end
  for what, fn in each(invariants.always) do
    try(watch, what, fn, watch)
  end
end

return invariants
