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

function invariants.always.limits(watch)
  local now, config = watch.engine:counts(), watch.config
  demand(now.connections <= config.max_connections,
    "%d connections, max_connections is %d", now.connections,
    config.max_connections)
  demand(now.polite <= 16, "%d in the polite lane", now.polite)
  demand(now.half_open <= 32, "%d half-open", now.half_open)
  demand(now.inbound + now.outbound + now.feelers == now.connections,
    "%d inbound, %d outbound, %d feelers are not %d", now.inbound,
    now.outbound, now.feelers, now.connections)
end

--- A slot is taken for each connection and given back once: what was told to
--- begin and not to end is what there is, but for those that are closing.
function invariants.always.slots(watch)
  local now, listed = watch.engine:counts(), 0
  demand(now.connections >= 0 and now.polite >= 0 and now.half_open >= 0
    and now.feelers >= 0, "slots were given back twice")
  for _ in watch.engine:connections() do
    listed = listed + 1
  end
  demand(listed <= now.connections + now.polite,
    "%d connections, %d slots are taken", listed,
    now.connections + now.polite)
  local taken = now.connections + now.polite
  watch.surplus = taken > listed and (watch.surplus or watch.now) or nil
  demand(not watch.surplus or watch.now - watch.surplus < 60,
    "%d slots are taken, %d connections are there, for a minute", taken,
    listed)
  demand(watch.live <= now.connections + now.polite,
    "%d connections have begun and not ended, %d slots are taken", watch.live,
    now.connections + now.polite)
end

function invariants.always.memory(watch)
  local memory = watch.engine:stats().memory
  local most = 64 << 20
  demand(memory.received <= most and memory.queued <= most,
    "%d bytes are received, %d queued", memory.received, memory.queued)
end

local function ip_of(address)
  return address:match "^%[?(.-)%]?:%d+$"
end

--- Nobody who is banned stays, no peer is dialled twice, and no address has
--- more than its share.
function invariants.always.company(watch)
  local dialled, from = {}, {}
  for connection in watch.engine:connections() do
    local address = connection.address
    demand(not watch.engine.store.bans:find(ip_of(address)),
      "%s is banned and connected", address)
    if connection.inbound then
      local ip = ip_of(address)
      from[ip] = (from[ip] or 0) + 1
    else
      demand(not dialled[address], "%s is dialled twice", address)
      dialled[address] = true
    end
  end
  local polite = watch.engine:counts().polite
  for ip, n in pairs(from) do
    demand(n <= watch.config.per_address + polite, "%d connections from %s",
      n, ip)
  end
end

function invariants.always.target(watch)
  local now = watch.engine:counts()
  demand(watch.engine:config().target_connections + watch.asked
    >= now.outbound or watch.config.peers and not watch.config.mode,
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
  starts[#starts + 1] = event.time
  local n = 0
  for i = #starts, 1, -1 do
    n = n + (event.time - starts[i] < 10 and 1 or 0)
  end
  demand(n <= 9 + watch.asked, "%s was dialled %d times within 10 s",
    event.address, n)
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
  watch.stages[connection] = is
  if was == "" then
    watch.live = watch.live + 1
  elseif is == "over" then
    watch.live = watch.live - 1
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
  local good, message = pcall(fn, watch, ...)
  if not good and not watch.broken then
    watch.broken = ("%s of %s: %s"):format(name, watch.name,
      tostring(message))
  end
end

--- Watches an engine; config is what it was made with.
---@return table  broken: what did not hold, or nil
function invariants.watch(engine, name, config)
  local watch = {
    engine = engine, name = name, config = config, live = 0, time = 0,
    stages = {}, starts = {}, asked = 0, -- dials that a script asked for
  }
  for _, kind in ipairs(core.events) do
    if kind ~= "message" and kind ~= "chunk" then
      engine:on(kind, "invariants", function(event)
        for what, fn in each(invariants.of_event) do
          try(watch, what, fn, event)
        end
      end)
    end
  end
  return watch
end

--- Looks at what must hold always.
---@param now number  the world's time
function invariants.look(watch, now)
  watch.now = now
  for what, fn in each(invariants.always) do
    try(watch, what, fn)
  end
end

return invariants
