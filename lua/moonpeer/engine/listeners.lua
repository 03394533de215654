--- listeners - what an engine calls when something happens.
local core = require "moonpeer.core"
local misuse = require "moonpeer.misuse"
local sorted = require "moonpeer.sorted"

misuse.own_file()

local listeners = {}

local methods = core.methods "moonpeer.engine"
local set_listeners = methods.set_listeners
local wants_commands = methods.wants_commands
methods.set_listeners, methods.wants_commands = nil, nil

--- The handlers of each engine: what C calls. Under a number C keeps the
--- listeners of that event; `named` has them by event and name; besides what
--- the engine is made of: stack, budget, jobs ...
local handlers_of = setmetatable({}, { __mode = "k" })

---@return table  handlers of an engine
function listeners.of(self)
  return handlers_of[self]
end

--- Before anything else of an engine.
function listeners.keep(self, handlers)
  handlers.named = {}
  handlers_of[self] = handlers
end

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
  update_commands(self, event)
  set_listeners(self, event, guards)
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

--- Takes away the listeners that a policy has made.
---@param entry table  of the stack
function listeners.retire(self, entry)
  local handlers = handlers_of[self]
  for event, rows in sorted(handlers.named) do
    local left = {}
    for _, row in ipairs(rows) do
      left[#left + 1] = row.generation ~= entry.generation and row or nil
    end
    if #left < #rows then
      set_rows(self, event, left)
    end
  end
end

--- Adds the listeners that a policy declares.
---@param entry table  of the stack
function listeners.declare(self, entry)
  entry.listeners = {}
  for event, fn in sorted(entry.policy.on or {}) do
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
    entry.listeners[event] = rows[#rows].guard
    set_rows(self, event, rows)
  end
end

return listeners
