--- engine - engines as Lua sees them: policies, events, queries.
local core = require "moonpeer.core"
local misuse = require "moonpeer.misuse"
local policy = require "moonpeer.policy"
local live = require "moonpeer.policy.live"
local schedule = require "moonpeer.schedule"
local shadow = require "moonpeer.policy.shadow"
local queue = require "moonpeer.queue"

misuse.own_file()

local engine = {}

local methods = core.methods "moonpeer.engine"
local wants_event, wants_commands = methods.wants_event, methods.wants_commands
local list, traffic, lag = methods.list, methods.traffic, methods.lag
local start, spawn_on = methods.start, methods.spawn_on
local set_rules, rule_counts = methods.set_rules, methods.rule_counts
local end_tasks = methods.end_tasks
for _, name in ipairs {
  "wants_event", "wants_commands", "list", "traffic", "lag", "spawn_on",
  "set_rules", "rule_counts", "end_tasks",
} do
  methods[name] = nil
end

--- The handlers of each engine: what C calls. Under a number: the listeners of
--- that event, guards; `named` has them by event and name.
local handlers_of = setmetatable({}, { __mode = "k" })

--- What is called when an engine is gone: engine -> iterator -> function.
local endings = setmetatable({}, { __mode = "k" })

local number_of = {}
for i, name in ipairs(core.events) do
  number_of[name] = i
end

local function check_event(event)
  if number_of[event] then
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
  for _, row in ipairs(handlers_of[self].named[event] or {}) do
    if not row.command then
      commands = nil
      break
    end
    commands[row.command] = true
  end
  wants_commands(self, event, commands)
end

--- Puts a list of rows in place: { name, guard, command }.
local function set_rows(self, event, rows)
  local handlers, guards = handlers_of[self], {}
  for i, row in ipairs(rows) do
    guards[i] = row.guard
  end
  handlers.named[event] = rows
  handlers[number_of[event]] = guards
  update_commands(self, event)
  wants_event(self, event, #rows > 0)
end

--- The listeners of an event but the one of a name, in a new list.
local function rows_without(self, event, name)
  local rows = {}
  for _, row in ipairs(handlers_of[self].named[event] or {}) do
    rows[#rows + 1] = row.name ~= name and row or nil
  end
  return rows
end

local listener_options = { command = true }

--- Calls fn(event) whenever something happens. A listener of the same name is
--- replaced. The event is a view: it is stale when fn has returned. One that
--- keeps failing is left alone for a while.
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
  misuse.check_options("on", options, listener_options)
  local rows = rows_without(self, event, name)
  local command = (options or {}).command
  local generation, confined = core.active()
  rows[#rows + 1] = {
    name = name, command = command, generation = generation,
    guard = core.guard {
      fn = fn, policy = name, name = event, command = command,
      budget = handlers_of[self].budget.event,
      generation = generation, confined = confined,
    },
  }
  set_rows(self, event, rows)
end

--- Takes a listener away; nothing happens when there is none of the name.
---@param event string
---@param name string
function methods:off(event, name)
  check_event(event)
  set_rows(self, event, rows_without(self, event, name))
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
  elseif not done then
    return nil, message, code
  end
  return true
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
function methods:spawn(fn, ...)
  return spawn_on(self, {}, fn, ...)
end

--- Starts the engine and its schedule.
---@return true|nil, string?, string?  nil, message, code
function methods:start()
  local good, message, code = start(self)
  if not good then
    return nil, message, code
  end
  local handlers = handlers_of[self]
  if not handlers.schedule then
    handlers.schedule = schedule.start(self, handlers.jobs, spawn_on,
      handlers.budget.event)
  end
  return true
end

--- The jobs of the schedule.
---@return table[]  name, runs, failures, skipped, last (wall time), running
function methods:schedule()
  local handlers = handlers_of[self]
  return handlers.schedule and handlers.schedule:counts() or {}
end

--- What policies may take, and what they took.
---@return table[]  policy, name, state, calls, errors, kills, time, last_error
function methods:policies()
  return handlers_of[self].stack:counts()
end

--- The declared rules, and what they have counted.
---@return table[]  name, counted, exempted, reached (a step of the ladder)
function methods:rules()
  local list = {}
  for i, rule in ipairs(handlers_of[self].stack:rules()) do
    local counted, exempted, reached = rule_counts(self, i)
    list[i] = {
      name = rule.name, counted = counted, exempted = exempted,
      reached = reached,
    }
  end
  return list
end

--- Listeners, tasks and jobs that a policy has made go with it.
local function retire(self, entry)
  local handlers = handlers_of[self]
  for event, rows in pairs(handlers.named) do
    local left = {}
    for _, row in ipairs(rows) do
      left[#left + 1] = row.generation ~= entry.generation and row or nil
    end
    if #left < #rows then
      set_rows(self, event, left)
    end
  end
  end_tasks(self, entry.generation)
end

--- The listeners that policies declare.
local function listen(self, entry)
  for event, fn in pairs(entry.policy.on or {}) do
    local name = ("policy %s %d"):format(entry.name, entry.generation)
    local rows = rows_without(self, event, name)
    rows[#rows + 1] = {
      name = name, generation = entry.generation,
      guard = core.guard {
        fn = fn, policy = entry.name, name = event,
        budget = handlers_of[self].budget.event,
        generation = entry.generation, confined = entry.confined,
      },
    }
    set_rows(self, event, rows)
  end
end

--- Puts in place what the members of the stack declare besides functions.
local function settle(self)
  local handlers = handlers_of[self]
  for _, entry in ipairs(handlers.stack.entries) do
    if not entry.is_settled then
      live.call(entry, "setup", handlers.budget.event, self)
      listen(self, entry)
    end
    entry.is_settled = true
  end
  local good, message, code = set_rules(self, handlers.stack:rules())
  if handlers.schedule then
    handlers.schedule:stop()
    handlers.jobs = schedule.jobs(handlers.given_jobs, handlers.stack.entries)
    handlers.schedule = schedule.start(self, handlers.jobs, spawn_on,
      handlers.budget.event)
  end
  return good, message, code
end

local function install(self)
  local handlers = handlers_of[self]
  handlers.stack:install(handlers)
  if handlers.shadow then
    handlers.shadow_report = shadow.install(handlers.shadow, handlers)
  end
end

--- What a change of policies needs of the engine.
local function changes_of(self)
  return {
    engine = self, stack = handlers_of[self].stack,
    install = function()
      install(self)
    end,
    retire = function(entry)
      entry.is_settled = false
      retire(self, entry)
    end,
    settle = function()
      settle(self)
    end,
    complain = function(text)
      io.stderr:write("moonpeer: ", text, "\n")
      self:complain(text)
    end,
    watch = function(fn)
      handlers_of[self].watching = spawn_on(self, { owned = true }, fn)
    end,
  }
end

--- Reads the policies that came from files again, from the next turn on. What
--- does not compile, check or pass a trial changes nothing; what fails within
--- 30 s after is taken back. In a task it waits for the outcome.
---@return true|nil, string?, string?  nil, message, code
function methods:reload()
  local handlers = handlers_of[self]
  if handlers.watching then
    handlers.watching:cancel()
  end
  local task = spawn_on(self, { owned = true }, function()
    return table.pack(live.reload(changes_of(self)))
  end)
  if not core.in_task() then
    return true
  end
  local results, message, code = task:wait()
  if not results then
    return nil, message, code
  end
  return table.unpack(results, 1, results.n)
end

--- Lets a policy decide beside the active ones, without effect; nil ends that.
---@param one? moonpeer.Policy|string  a table or a file name
---@return true|nil, string?, string?  nil, message, code
function methods:try(one)
  local handlers = handlers_of[self]
  local entry, message
  if one ~= nil then
    entry, message = handlers.stack:member(one)
    if not entry then
      return nil, message, "invalid_configuration"
    end
  end
  handlers.shadow, handlers.shadow_report = entry, nil
  install(self)
  return true
end

--- How the policy of try would have decided: asked, differs, differences.
---@return table|nil
function methods:trial()
  return handlers_of[self].shadow_report
end

local function host_of(address)
  return address:match "^%[(.-)%]" or address:match "^[^:]+$"
    or address:match "^([^:]+):%d+$" or address
end

--- The last decisions, about one address or all: which policy or rule, in
--- which generation, on what, with which verdict and reason; `text` has it in
--- words.
---@param what? string|moonpeer.Connection|moonpeer.Peer  an address, with or
---  without its port
---@return table[]  the oldest first
function methods:explain(what)
  if what ~= nil and type(what) ~= "string" then
    what = what.address or host_of(what.ip)
  end
  local rows, found = self:decisions(), {}
  for _, row in ipairs(rows) do
    if what == nil or row.address == what
      or row.address and host_of(row.address) == what then
      found[#found + 1] = row
    end
  end
  return found
end

--- Makes an engine; start() sets it going.
---@param config table  see mission: network, listen, peers, policies ...
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
  local handlers = { named = {}, budget = budget, stack = stack }
  stack:install(handlers)
  handlers.given_jobs = config.schedule
  handlers.jobs = schedule.jobs(config.schedule, stack.entries)
  if config.shadow ~= nil then
    handlers.shadow, fault = stack:member(config.shadow)
    if not handlers.shadow then
      return nil, fault, "invalid_configuration"
    end
  end
  handlers.gone = gone
  local made, message, code = core.engine(config, handlers)
  if not made then
    return nil, message, code
  end
  handlers_of[made] = handlers
  local good
  good, message, code = settle(made)
  if not good then
    return nil, message, code
  end
  install(made)
  if engine.made then
    engine.made(made)
  end
  return made
end

return engine
