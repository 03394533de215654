--- test - for specs: what engines tell, written down; assertions that say what
--- came instead; a guard against what a spec leaves behind. The assertions are
--- plain functions that raise; in busted, test.install(assert) makes them
--- assert.event(...), assert.has_no.event(...) and so on.
local core = require "moonpeer.core"
local misuse = require "moonpeer.misuse"
local words = require "moonpeer.words"

misuse.own_file()

---@class moonpeer.Test
local test = {}

--- Raises unless it is an object with a method of this name.
local function check_object(what, name, value, method)
  local kind = type(value)
  if kind ~= "table" and kind ~= "userdata" or value[method] == nil then
    misuse.raise("%s: expected %s, got %s", what, name, words.show(value))
  end
end

--- Raises unless it is nil or of the type.
local function check_type(what, name, value, kind)
  if type(value) ~= kind and value ~= nil then
    misuse.raise("%s: expected a %s for %s, got %s", what, kind, name,
      words.show(value))
  end
end

--- Raises unless there is a log, and fields if any.
local function check_log(what, log, fields)
  if type(log) ~= "table" then
    misuse.raise("%s: expected a log of test.watch, got %s", what,
      words.show(log))
  end
  check_type(what, "fields", fields, "table")
end

-- --- what happened ---------------------------------------------------------

local function note(log, event)
  local row = event:table()
  row.connection = nil -- what lives on does not belong into a log
  if event.connection then
    row.state = event.connection.state
    row.inbound = event.connection.inbound
  end
  log[#log + 1] = row
end

--- Writes down every event of an engine from now on but messages and chunks:
--- who listens to these gets them.
---@param engine moonpeer.Engine
---@return table[]  rows: type, time, address, code, verdict, state ...
function test.watch(engine)
  check_object("watch", "an engine", engine, "on")
  local log = {}
  for _, name in ipairs(core.events) do
    if name ~= "message" and name ~= "chunk" then
      engine:on(name, "moonpeer.test", function(event)
        note(log, event)
      end)
    end
  end
  return log
end

local function matches(row, fields)
  for name, value in pairs(fields) do -- any order: all must hold
    if row[name] ~= value then
      return false
    end
  end
  return true
end

--- The first row of a type (any when it is nil) with these fields; how many
--- there are in all.
---@param log table[]
---@param kind? string
---@param fields? table
---@return table|nil, integer
function test.find(log, kind, fields)
  check_log("find", log, fields)
  local found, n = nil, 0
  for _, row in ipairs(log) do
    if (kind == nil or row.type == kind) and matches(row, fields or {}) then
      found, n = found or row, n + 1
    end
  end
  return found, n
end

-- --- words -----------------------------------------------------------------

local most = 20 -- rows shown

local function show_row(row)
  local parts = {}
  for _, name in ipairs(misuse.names(row)) do
    local value = row[name]
    if name ~= "type" and name ~= "time" and value ~= "" then
      parts[#parts + 1] = name .. " = " .. words.show(value)
    end
  end
  return ("  %s %s"):format(row.type, table.concat(parts, ", "))
end

--- The rows that come nearest: those of the type, else all; the last of them.
local function show_rows(log, kind)
  local near = {}
  for _, row in ipairs(log) do
    if row.type == kind then
      near[#near + 1] = row
    end
  end
  local rows = #near > 0 and near or log
  if #rows == 0 then
    return "nothing happened"
  end
  local lines = { #near > 0 and "of these there were:" or "what happened:" }
  for i = math.max(1, #rows - most + 1), #rows do
    lines[#lines + 1] = show_row(rows[i])
  end
  return table.concat(lines, "\n")
end

-- --- assertions ------------------------------------------------------------
-- Each gives whether it holds, and words for when it should and does not, and
-- for when it should not and does.

local checks = {}

local function check_kind(kind)
  for _, name in ipairs(core.events) do
    if name == kind then
      return
    end
  end
  local near = core.nearest(tostring(kind), core.events)
  misuse.raise("unknown event %q%s", tostring(kind),
    near and ("; the nearest known is %q"):format(near) or "")
end

--- event(log, type, fields)
function checks.event(log, kind, fields)
  check_log("event", log, fields)
  check_kind(kind)
  local found = test.find(log, kind, fields)
  local what = kind .. (fields and " " .. words.show(fields) or "")
  return found ~= nil,
    ("expected the event %s; %s"):format(what, show_rows(log, kind)),
    ("expected no event %s, got\n%s"):format(what,
      found and show_row(found) or "")
end

--- decision(log, fields): what a policy answered, such as
--- { verdict = "ban", code = "banned_user_agent" }.
function checks.decision(log, fields)
  check_log("decision", log, fields)
  local decisions = {}
  for _, row in ipairs(log) do
    decisions[#decisions + 1] = row.verdict and row or nil
  end
  local found = test.find(decisions, nil, fields)
  local what = words.show(fields)
  return found ~= nil,
    ("expected the decision %s; %s"):format(what, show_rows(decisions)),
    ("expected no decision %s, got\n%s"):format(what,
      found and show_row(found) or "")
end

--- in_state(connection, "connected")
function checks.in_state(connection, state)
  check_object("in_state", "a connection", connection, "state")
  return connection.state == state,
    ("expected %s to be %s"):format(tostring(connection), state),
    ("expected %s not to be %s"):format(tostring(connection), state)
end

--- What a store has at an address, as text, field by field.
local function show_peer(peer, fields)
  local parts = {}
  for _, name in ipairs(misuse.names(fields)) do
    parts[#parts + 1] = name .. " = " .. words.show(peer[name])
  end
  return table.concat(parts, ", ")
end

--- stored(store, ip, port, fields): a peer of a store, with these fields.
function checks.stored(store, ip, port, fields)
  check_object("stored", "a store", store, "find_by_ip_port")
  if type(ip) ~= "string" or math.type(port) ~= "integer" then
    misuse.raise("stored(store, ip, port, fields): expected an ip and a port, "
      .. "got %s and %s", words.show(ip), words.show(port))
  end
  check_type("stored", "fields", fields, "table")
  local peer = store:find_by_ip_port(ip, port)
  fields = fields or {}
  local good = peer ~= nil and matches(peer, fields)
  local what = ("%s port %d with %s"):format(ip, port, words.show(fields))
  return good,
    ("expected a peer at %s, got %s"):format(what,
      peer and show_peer(peer, fields) or "none"),
    ("expected no peer at %s, there is one"):format(what)
end

for name, check in pairs(checks) do -- any order: fills a table
  test[name] = function(...)
    local good, message = check(...)
    if not good then
      misuse.raise("%s", message)
    end
    return ...
  end
end

--- Makes them assertions of luassert.
---@param assert table  busted's
function test.install(assert)
  local say = require "say"
  say:set("assertion.moonpeer", "%s")
  for name, check in pairs(checks) do -- any order: names
    assert:register("assertion", name, function(state, arguments)
      local good, wanted, unwanted =
        check(table.unpack(arguments, 1, arguments.n))
      arguments[1] = state.mod and wanted or unwanted
      arguments.n, arguments.nofmt = 1, { true }
      return good
    end, "assertion.moonpeer", "assertion.moonpeer")
  end
end

-- --- the guard -------------------------------------------------------------

--- A full collection before and after every hook, listener and step of a task
--- from now on: what lives too long or dies too soon is found at once.
---@param on boolean
---@return boolean  what it was before
function test.collect(on)
  return core.collects(on)
end

local function snapshot()
  collectgarbage()
  collectgarbage()
  return { open = core.open(), memory = collectgarbage "count" }
end

--- "2 connection, 1 task" more than there were; nil for none.
local function more(before, now)
  local parts = {}
  for _, kind in ipairs(misuse.names(now)) do
    local n = now[kind] - (before[kind] or 0)
    if n > 0 then
      parts[#parts + 1] = ("%d %s%s"):format(n, kind, n > 1 and "s" or "")
    end
  end
  return #parts > 0 and table.concat(parts, ", ") or nil
end

--- What was told to close gets a moment for it.
local function settle(before)
  if not more(before.open, core.open()) then
    return
  end
  core.run(function()
    for _ = 1, 100 do
      core.sleep(0.002)
      local now = core.open()
      now.task = now.task - 1 -- this one
      if not more(before.open, now) then
        break
      end
    end
  end)
end

--- Looks around, and gives a function that raises when there is more then than
--- now: engines, connections, listeners, tasks (and their timers), worlds, or
--- memory.
---@param options? table  memory: KiB of Lua's that may come to stay; 512
---@return function
function test.look_around(options)
  misuse.check_options("guard", options, { memory = true })
  local limit = (options or {}).memory or 512
  local before = snapshot()
  return function()
    settle(before)
    local now = snapshot()
    local left = more(before.open, now.open)
    if left then
      misuse.raise("the spec leaves behind: %s", left)
    end
    local grown = now.memory - before.memory
    if grown > limit then
      misuse.raise("the spec leaves %.0f KiB behind, expected %d at most",
        grown, limit)
    end
  end
end

--- In a describe of busted: every `it` of it fails when it leaves something
--- behind. Call it before other before_eachs, so that it looks first.
---@param options? table  memory; collect: as test.collect
function test.guard(options)
  local busted = require "busted"
  misuse.check_options("guard", options, { memory = true, collect = true })
  options = options or {}
  local check, before
  busted.before_each(function()
    before = core.collects(options.collect == true)
    check = test.look_around { memory = options.memory }
  end)
  busted.after_each(function()
    core.collects(before)
    check()
  end)
end

return test
