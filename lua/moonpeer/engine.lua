--- engine - engines as Lua sees them: made, started, told what to do.
local changes = require "moonpeer.engine.changes"
require "moonpeer.engine.configure"
local core = require "moonpeer.core"
local listeners = require "moonpeer.engine.listeners"
local misuse = require "moonpeer.misuse"
local policy = require "moonpeer.policy"
local queue = require "moonpeer.queue"
local schedule = require "moonpeer.schedule"
local sorted = require "moonpeer.sorted"
require "moonpeer.engine.queries"
require "moonpeer.store" -- the methods of engine.store

misuse.own_file()

local engine = {}

local methods = core.methods "moonpeer.engine"
local start, spawn_on = methods.start, methods.spawn_on
local save_soon = methods.save_soon
methods.spawn_on = nil

--- Who reads the events of an engine: engine -> a list, in the order of their
--- making, of the queues whose iterators somebody still has.
local readers = setmetatable({}, { __mode = "k" })

local made_readers = 0

--- Who waits for a save of an engine: engine -> name -> gate.
local waiting = setmetatable({}, { __mode = "k" })

--- Sends a message to one connection or to a list of them.
---@param to moonpeer.Connection|moonpeer.Connection[]
---@param command string
---@param fields? table|string  of the message, or its payload
---@return integer sent, table failures  connection -> { message, code }
function methods.send(_, to, command, fields)
  local sent, failures = 0, {}
  if to == nil then
    misuse.raise "send: expected a connection or a list of them, got nil"
  end
  for _, connection in ipairs(type(to) == "table" and to or { to }) do
    if type(connection) ~= "userdata" then
      misuse.raise("send: expected a connection or a list of them, got %s",
        type(connection))
    end
    local good, message, code =
      misuse.guard("send", connection.send, connection, command, fields)
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

--- Saves the store from the next turn on; store_saved or store_failed tells.
function methods:save_soon()
  misuse.guard("save_soon", save_soon, self)
end

--- Opens a gate at the save that has all there is now, or when the engine is
--- gone; `done` and the failure are then in what it returns.
local function await_save(self, left)
  local one = { gate = core.gate(), message = "the engine was closed before "
    .. "the save came to its end", code = "closed" }
  local name = "save " .. tostring(one)
  local function count(event)
    left = left - 1
    if left == 0 then
      one.done = event.type == "store_saved"
      one.message, one.code = event.reason, event.code
      one.gate:open()
    end
  end
  self:on("store_saved", name, count)
  self:on("store_failed", name, count)
  waiting[self] = waiting[self] or {}
  waiting[self][name] = one.gate
  return one, setmetatable({}, { __close = function()
    waiting[self][name] = nil
    self:off("store_saved", name)
    self:off("store_failed", name)
  end })
end

--- Saves the store and waits, in a task, until the bytes are durable.
---@param timeout? number|string
---@return true|nil, string?, string?  nil, message, code
function methods:save(timeout)
  if not core.in_task() then
    misuse.raise "save: it waits; call it inside moonpeer.spawn or moonpeer.run"
  end
  timeout = timeout and misuse.duration("save", timeout)
  local number = misuse.guard("save", save_soon, self)
  if number == 0 then
    return nil, "the engine is closed", "closed"
  end
  local one, _ <close> = await_save(self, number)
  local good, late, late_code = one.gate:wait(timeout)
  if not good then
    return nil, late, late_code
  elseif not one.done then
    return nil, one.message, one.code
  end
  return true
end

--- A queue of events for a task: `for event in engine:events() do`. When it is
--- full the oldest is dropped; the event after a gap has `lost`, their number,
--- and stats() has the `events_lost` of all readers.
--- It ends when the engine is gone.
---@param options? table  capacity (1024), events (a list of names; all but
---  message, chunk and decision), command (of these)
---@return function
function methods:events(options)
  local handlers = listeners.of(self)
  local next_event, closer, reader = queue.new(self, options or {}, function()
    handlers.events_lost = handlers.events_lost + 1
  end)
  made_readers = made_readers + 1
  readers[self] = readers[self] or setmetatable({}, { __mode = "v" })
  readers[self][made_readers] = reader
  if not pcall(self.network, self) then -- it is gone
    reader:finish()
  end
  return next_event, nil, nil, closer
end

--- The engine is gone: whoever waits for its events learns it.
local function gone(self)
  for _, reader in sorted(readers[self] or {}) do
    if reader then -- not collected meanwhile
      reader:finish()
    end
  end
  readers[self] = nil
  for _, gate in sorted(waiting[self] or {}) do
    gate:open()
  end
end

--- Starts a function as a task on the engine's loop.
---@param fn function
---@return moonpeer.Task
function methods:spawn(fn, ...)
  if type(fn) ~= "function" then
    misuse.raise("spawn: expected a function, got %s", type(fn))
  end
  return misuse.guard("spawn", spawn_on, self, {}, fn, ...)
end

--- Starts the engine and its schedule.
---@return true|nil, string?, string?  nil, message, code
function methods:start()
  local good, message, code = start(self)
  if not good then
    return nil, message, code
  end
  local handlers = listeners.of(self)
  if not handlers.schedule then
    handlers.schedule = schedule.start(self, handlers.jobs, spawn_on,
      handlers.budget.event)
  end
  return true
end

--- Makes an engine; start() sets it going.
---@param config table  network, listen, peers ...: help "configuration"
---@return moonpeer.Engine|nil, string?, string?  nil, message, code
function engine.new(config)
  if type(config) ~= "table" then
    error("expected a table of options, got " .. type(config), 2)
  end
  local budget = policy.budget(config.budget)
  local stack, fault = policy.stack(config.policies, budget)
  if not stack then
    return nil, fault, "invalid_configuration"
  end
  local handlers = { budget = budget, stack = stack, events_lost = 0 }
  stack:install(handlers)
  handlers.given = {
    policies = config.policies, budget = config.budget,
  }
  handlers.given_jobs = config.schedule
  handlers.jobs = schedule.jobs(config.schedule, stack.entries)
  if config.shadow then
    handlers.shadow, fault = stack:member(config.shadow)
    if not handlers.shadow then
      return nil, fault, "invalid_configuration"
    end
    handlers.given_shadow = config.shadow
  end
  handlers.gone = gone
  local made, message, code =
    misuse.guard("engine", core.engine, config, handlers)
  if not made then
    return nil, message, code
  end
  listeners.keep(made, handlers)
  local good
  good, message, code = changes.settle(made)
  if not good then
    made:close(0)
    return nil, message, code
  end
  changes.install(made)
  if engine.made then
    engine.made(made)
  end
  return made
end

return engine
