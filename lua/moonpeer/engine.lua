--- engine - engines as Lua sees them: policies, events, queries.
local core = require "moonpeer.core"
local misuse = require "moonpeer.misuse"
local policy = require "moonpeer.policy"
local words = require "moonpeer.words"
local queue = require "moonpeer.queue"

local engine = {}

local methods = core.methods "moonpeer.engine"
local wants_event, wants_commands = methods.wants_event, methods.wants_commands
local list, traffic, lag = methods.list, methods.traffic, methods.lag
for _, name in ipairs {
  "wants_event", "wants_commands", "list", "traffic", "lag",
} do
  methods[name] = nil
end

--- The listeners of each engine: place of an event (core.places) -> list of
--- rows { fn, command or false, name = ... }. The core calls them, and a list
--- that it walks is never changed.
local listeners = setmetatable({}, { __mode = "k" })

local place_of = core.places

--- What is called when an engine is gone: engine -> iterator -> function.
local endings = setmetatable({}, { __mode = "k" })

local function check_event(event)
  if place_of[event] then
    return
  end
  local near = core.nearest(tostring(event), core.events)
  error(("unknown event %q"):format(tostring(event))
    .. (near and ("; the nearest known is %q"):format(near) or ""), 3)
end

--- Tells the core which commands somebody wants: nil is all of them.
local function update_commands(self, event)
  if event ~= "message" and event ~= "chunk" then
    return
  end
  local commands = {}
  for _, row in ipairs(listeners[self][place_of[event]] or {}) do
    if not row[2] then
      commands = nil
      break
    end
    commands[row[2]] = true
  end
  wants_commands(self, event, commands)
end

local function remove(rows, name)
  for i, row in ipairs(rows) do
    if row.name == name then
      table.remove(rows, i)
      return
    end
  end
end

--- Calls fn(event) whenever something happens. A listener of the same name is
--- replaced. The event is a view: it is stale when fn has returned.
---@param event string    such as "handshake_complete"
---@param name string     of the listener
---@param fn function
---@param options? table  command: of the messages that "message" is for, or
---  of the payloads, larger than receive_memory, that "chunk" is for: these
---  come as event.bytes with offset, total and last; with `code` in the last
---  one all of it was broken
function methods:on(event, name, fn, options)
  check_event(event)
  if type(name) ~= "string" or type(fn) ~= "function" then
    error("expected on(event, name, function): a listener has a name, so "
      .. "that it can be replaced", 2)
  end
  misuse.check_options("on", options, { command = true })
  -- a new list: the old one may be walked just now
  local place = place_of[event]
  local rows = { table.unpack(listeners[self][place] or {}) }
  remove(rows, name)
  rows[#rows + 1] = { fn, (options or {}).command or false, name = name }
  listeners[self][place] = rows
  update_commands(self, event)
  wants_event(self, event, true)
end

--- Takes a listener away; nothing happens when there is none of the name.
---@param event string
---@param name string
function methods:off(event, name)
  check_event(event)
  local place = place_of[event]
  local rows = { table.unpack(listeners[self][place] or {}) }
  remove(rows, name)
  listeners[self][place] = rows
  update_commands(self, event)
  wants_event(self, event, #rows > 0)
end

--- Says once what a failing listener said, and how often since.
local function report(row, event, message)
  row.failures = (row.failures or 0) + 1
  if row.failures & (row.failures - 1) == 0 then -- 1, 2, 4, 8 ...
    io.stderr:write(("moonpeer: listener %q of %s failed (%d times): %s\n")
      :format(row.name, event, row.failures, words.raised(message)))
  end
end

local function passes(connection, filter)
  for key, value in pairs(filter) do
    if connection[key] ~= value then
      return false
    end
  end
  return true
end

local filters = { "state", "inbound", "address" }

local function check_filter(filter)
  for key in pairs(filter) do
    if key ~= "state" and key ~= "inbound" and key ~= "address" then
      error(("unknown filter %q; the nearest known is %q"):format(
        tostring(key), core.nearest(tostring(key), filters) or "state"), 3)
    end
  end
end

--- Walks the connections. Closing them meanwhile is safe.
---@param filter? table  state, inbound, address
---@return function  for connection in engine:connections() do
function methods:connections(filter)
  filter = filter or {}
  check_filter(filter)
  local all, i = list(self), 0
  return function()
    repeat
      i = i + 1
    until not all[i] or passes(all[i], filter)
    return all[i]
  end
end

--- Walks the peers it remembers. Changing them meanwhile is safe.
---@param filter? table  as for each() of a store: status, group, source ...
---@return function  for peer in engine:peers() do
function methods:peers(filter)
  return self.store:each(filter)
end

--- What it has done and has now: `connections` and those of them that are
--- `inbound`, `outbound`, `connected`, `half_open`, `feelers`, `polite`;
--- `peers` by status; `dials`, `accepted`, `rejected`, `handshakes`, `bans`,
--- `evictions`; `failures` by code; `commands`: of each command the messages
--- and bytes both ways, and the sum of these; `memory` held for what was
--- `received` and is `queued`; `lag` and `most_lag` of the loop in seconds.
---@return table
function methods:stats()
  local stats = self:counts()
  stats.peers = self.store:count_by_status()
  stats.commands, stats.memory = traffic(self)
  stats.lag, stats.most_lag = lag(self)
  for _, key in ipairs {
    "messages_in", "bytes_in", "messages_out", "bytes_out",
  } do
    stats[key] = 0
    for _, row in pairs(stats.commands) do
      stats[key] = stats[key] + row[key]
    end
  end
  return stats
end

--- Sends a message to one connection or to a list of them.
---@param to moonpeer.Connection|moonpeer.Connection[]
---@param command string
---@param fields? table|string  of the message, or its payload
---@return integer sent, table failures  connection -> { message, code }
function methods.send(_, to, command, fields)
  local sent, failures = 0, {}
  for _, connection in ipairs(type(to) == "table" and to or { to }) do
    local good, message, code = connection:send(command, fields)
    if good then
      sent = sent + 1
    else
      failures[connection] = { message, code }
    end
  end
  return sent, failures
end

--- Sends a message to all connections that have shaken hands.
---@param command string
---@param fields? table|string
---@param filter? table  as for connections
---@return integer sent, table failures
function methods:broadcast(command, fields, filter)
  local all = {}
  for connection in self:connections(filter) do
    if connection.state == "connected" then
      all[#all + 1] = connection
    end
  end
  return self:send(all, command, fields)
end

--- Closes connections: one, or all with an address.
---@param what moonpeer.Connection|string  "1.2.3.4:8333", or "1.2.3.4" for all
---  ports
---@param reason? string
---@return integer closed
function methods:disconnect(what, reason)
  if type(what) ~= "string" then
    what:close(reason)
    return 1
  end
  local closed = 0
  for connection in self:connections() do
    local address = connection.address
    if address == what or address:match "^%[?(.-)%]?:%d+$" == what then
      connection:close(reason)
      closed = closed + 1
    end
  end
  return closed
end

--- Saves the store and waits, in a task, until the bytes are durable.
---@param timeout? number|string
---@return true|nil, string?, string?  nil, message, code
function methods:save(timeout)
  local gate, done, message, code = core.gate(), nil, nil, nil
  local name = "save " .. tostring(gate)
  self:on("store_saved", name, function()
    done = true
    gate:open()
  end)
  self:on("store_failed", name, function(event)
    done, message, code = false, event.reason, event.code
    gate:open()
  end)
  self:save_soon()
  local good, late, late_code = gate:wait(timeout)
  self:off("store_saved", name)
  self:off("store_failed", name)
  if not good then
    return nil, late, late_code
  end
  return done or nil, message, code
end

--- A queue of events for a task: `for event in engine:events() do`. When it is
--- full the oldest is dropped; the event after a gap has `lost`, their number.
--- It ends when the engine is gone.
---@param options? table  capacity (1024), events (a list of names; all but
---  message and chunk), command (of these)
---@return function
function methods:events(options)
  options = options or {}
  local next_event, closer, finish = queue.new(self, options)
  endings[self] = endings[self] or setmetatable({}, { __mode = "k" })
  endings[self][next_event] = finish
  return next_event, nil, nil, closer
end

--- The engine is gone: whoever waits for its events learns it.
local function gone(self)
  for _, finish in pairs(endings[self] or {}) do
    finish()
  end
  endings[self] = nil
end

--- Starts a function as a task on the engine's loop.
---@param fn function
---@return moonpeer.Task
function methods.spawn(_, fn, ...)
  return core.spawn(fn, ...)
end

--- Makes an engine; start() sets it going.
---@param config table  see mission: network, listen, peers, policies ...
---@return moonpeer.Engine|nil, string?, string?  nil, message, code
function engine.new(config)
  if type(config) ~= "table" then
    error("expected a table of options, got " .. type(config), 2)
  end
  local handlers = policy.chain(config.policies or {}, config.network)
  handlers.listeners, handlers.report, handlers.gone = {}, report, gone
  local made, message, code = core.engine(config, handlers)
  if not made then
    return nil, message, code
  end
  listeners[made] = handlers.listeners
  if engine.made then
    engine.made(made)
  end
  return made
end

return engine
