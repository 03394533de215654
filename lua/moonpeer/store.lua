--- store - peer stores as Lua sees them: listeners, and backends in Lua.
local core = require "moonpeer.core"
local log = require "moonpeer.log"
local sorted = require "moonpeer.sorted"

local store = {}

local methods = core.methods "moonpeer.store"
local tell = methods.tell
methods.tell = nil

--- The listeners of each store: event -> list of { name, fn }.
local listeners = setmetatable({}, { __mode = "k" })

local is_event = {}
for _, name in ipairs(core.store_events) do
  is_event[name] = true
end

local function check_event(event)
  if is_event[event] then
    return
  end
  local near = core.nearest(tostring(event), core.store_events)
  error(("unknown event of a store %q"):format(tostring(event))
    .. (near and ("; the nearest known is %q"):format(near) or ""), 3)
end

--- Says once what a failing listener said, and how often since.
local function report(row, event, message)
  row.failures = (row.failures or 0) + 1
  if row.failures & (row.failures - 1) == 0 then -- 1, 2, 4, 8 ...
    log.say("store", ("listener %q of %s failed (%d times): %s"):format(
      row.name, event, row.failures, tostring(message)))
  end
end

local function dispatch(self, changes, lost)
  if changes[1] and lost > 0 then
    changes[1].lost = lost
  end
  for _, change in ipairs(changes) do
    for _, row in ipairs((listeners[self] or {})[change.type] or {}) do
      local good, message = xpcall(row.fn, debug.traceback, change)
      if not good then
        report(row, change.type, message)
      end
    end
  end
end

--- Puts a row in the place of the one with its name, or takes that away. A new
--- list: the old one may be under way in dispatch.
local function replace(self, event, name, row)
  local all = listeners[self] or {}
  local rows = {}
  for _, old in ipairs(all[event] or {}) do
    if old.name ~= name then
      rows[#rows + 1] = old
    end
  end
  rows[#rows + 1] = row
  all[event] = rows
  listeners[self] = all
  local wanted = {}
  for known, list in sorted(all) do
    if #list > 0 then
      wanted[#wanted + 1] = known
    end
  end
  tell(self, dispatch, wanted)
end

--- Calls fn(change) for what changes in the store, from the next turn of the
--- loop on: never within the call that changes it. A listener of the same name
--- is replaced. A change has `type`, `cause` ("asked", "expired", "evicted",
--- "banned"); of a peer `id`, `address`, `status`, `before` (its status till
--- then) and, when it is still there, `peer`; of a ban `prefix`, `reason`,
--- `created`, `expires`. When more than 65,536 wait the oldest are lost, and
--- the next change says in `lost` how many.
---@param event string  "peer_created", "peer_updated", "peer_deleted",
---  "ban_added" or "ban_removed"
---@param name string     of the listener
---@param fn function
function methods:on(event, name, fn)
  check_event(event)
  if type(name) ~= "string" or type(fn) ~= "function" then
    error("expected on(event, name, function): a listener has a name, so "
      .. "that it can be replaced", 2)
  end
  replace(self, event, name, { name = name, fn = core.bind(fn) })
end

--- Takes a listener away; nothing happens when there is none of the name.
---@param event string
---@param name string
function methods:off(event, name)
  check_event(event)
  replace(self, event, name, nil)
end

--- What a batch holds, read a slice a turn.
local function read_batch(batch)
  local rows = { peers = {}, bans = {}, values = {}, all = batch:has_all() }
  local at = 0
  repeat
    at = batch:read(rows.peers, rows.bans, rows.values, at, 500)
    if at then
      core.sleep(0)
    end
  until not at
  return rows
end

local function apply_to(backend)
  return function(batch)
    local good, message = pcall(function()
      local done, why = backend.apply(read_batch(batch))
      if done == false or (done == nil and why ~= nil) then
        error(why or "apply returned false", 0)
      end
    end)
    batch:finish(not good and tostring(message) or nil)
  end
end

--- Ends a backend when the last save has come to its end.
local function close_of(backend)
  return backend.close and function(save)
    if save then
      save:wait()
    end
    backend.close()
  end
end

local names = { "apply", "close", "load", "name", "wants_all" }

local function check_backend(backend)
  for key in sorted(backend) do
    local near = core.nearest(tostring(key), names)
    if near ~= key then
      error(("unknown key of a backend %q"):format(tostring(key))
        .. (near and ("; the nearest known is %q"):format(near) or ""), 3)
    end
  end
  for _, key in ipairs { "load", "apply" } do
    if type(backend[key]) ~= "function" then
      error(("backend.%s: expected a function, got %s"):format(
        key, type(backend[key])), 3)
    end
  end
  if backend.close ~= nil and type(backend.close) ~= "function" then
    error("backend.close: expected a function, got "
      .. type(backend.close), 3)
  end
end

local function open_backend(backend, options)
  if not core.in_task() then
    error("opening a store with a backend in Lua waits; call it inside "
      .. "moonpeer.spawn or moonpeer.run", 3)
  end
  local rows, message = core.spawn(backend.load):wait()
  if rows == nil and message ~= nil then
    return nil, tostring(message), "store_error"
  elseif rows ~= nil and type(rows) ~= "table" then
    return nil, "load: expected a table, got " .. type(rows), "store_error"
  end
  return core.store(backend.name or "lua:", options, {
    rows = rows or {},
    apply = apply_to(backend),
    close = close_of(backend),
    wants_all = backend.wants_all,
  })
end

--- Opens a peer store and loads all there is, there and then. What is changed
--- later lasts when save() or close() has returned true.
---
--- A table instead of the URL is a backend in Lua: `load()` returns a table
--- with `peers` and `bans`, tables of fields by row number, and `values`, texts
--- by name; `apply(batch)` makes durable what a table of the same form says,
--- `false` for what is no more, and returns true, or nil and a message;
--- `close()` may be nil; `name` is for people; with `wants_all` every batch
--- holds everything. They run as tasks; so opening, saving and closing such a
--- store waits, and is for tasks only.
---@param url string|table  "memory:", "json:FILE", "sqlite:FILE", a backend
---@param options? table  capacity (65536 peers), max_bans (100000), ttl = {
---  unknown = "7d", valid = "30d", inaccessible = "7d" }, inaccessible_time
---  (24h), ban_time (24h), asmap (a file of lines "prefix AS"), read_only
---@return moonpeer.Store|nil, string?, string?  nil, message, code
function store.open(url, options)
  if type(url) ~= "table" then
    return core.store(url, options)
  end
  check_backend(url)
  return open_backend(url, options)
end

return store
