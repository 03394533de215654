--- log - what happens, a line each: as text or JSON, with levels for each
--- component, limited in rate; what remotes say is escaped.
local core = require "moonpeer.core"
local sorted = require "moonpeer.sorted"

local log = {}

local ranks = { error = 1, warning = 2, info = 3, debug = 4 }
local names = { "error", "warning", "info", "debug" }

local state = { format = "text", level = "info", levels = {}, lost = 0 }

local longest = 4000 -- bytes of a line: a pipe takes it at once, or not at all

--- At most so many lines a second of one component and message; the rest is
--- counted, and the next line that passes says how many there were.
local per_second = 20

--- What people do is never left out.
local unlimited = { console = true }

local buckets = {}

--- Not listened to: too many, and who listens to chunks gets them.
local quiet = { message = true, chunk = true }

--- "net" is a word for all that tells of connections.
local group_of = {
  connection = "net", handshake = "net", inbound = "net", rejected = "net",
  evicted = "net", listener = "net", discovery = "net",
}

--- Those that write, but not what an engine tells.
local others = { "console", "net", "run", "schedule", "script", "shadow" }

--- Sets how much is logged: of a component, or of all that have no level of
--- their own.
---@param level string  "error", "warning", "info" or "debug"
---@param component? string  "connection", "console" ...
function log.set_level(level, component)
  local doubt = log.doubt(level, component)
  if doubt then
    error(doubt, 2)
  end
  if component then
    state.levels[component] = level
  else
    state.level = level
  end
end

local function component_of(event)
  return event:match "^(%a+)_" or event
end

--- The components that moonpeer's own lines are of, sorted, and "net", which
--- stands for those that tell of connections.
---@return string[]
function log.components()
  local all, seen = { table.unpack(others) }, {}
  for _, event in ipairs(core.events) do
    local name = component_of(event)
    if not quiet[event] and not seen[name] then
      seen[name] = true
      all[#all + 1] = name
    end
  end
  table.sort(all)
  return all
end

local function doubt_component(name)
  local known = log.components()
  for _, component in ipairs(known) do
    if component == name then
      return nil
    end
  end
  local near = core.nearest(name, known)
  return ("unknown component %q; %s"):format(name,
    near and ("the nearest known is %q"):format(near)
      or "known are " .. table.concat(known, ", "))
end

--- What is wrong with a level, or a component's name; nil when nothing is.
---@param level any
---@param component? string
---@return string|nil
function log.doubt(level, component)
  if not ranks[level] then
    local near = core.nearest(tostring(level), names)
    return ("unknown level %q; the nearest known is %q"):format(
      tostring(level), near or "info")
  end
  return component and doubt_component(component)
end

--- component -> level; [1] is the level of the rest.
---@return table
function log.levels()
  local copy = { state.level }
  for component, level in pairs(state.levels) do -- any order: copies
    copy[component] = level
  end
  return copy
end

--- Sets the form ("text" or "json") and where lines go: write(line).
---@param options table  format, write
function log.configure(options)
  state.format = options.format or state.format
  state.write = options.write or state.write
end

--- Is such a line written at all? Ask before making it is expensive.
---@param level string
---@param component string
---@return boolean
function log.is_on(level, component)
  local limit = state.levels[component]
    or state.levels[group_of[component]] or state.level
  return ranks[level] <= ranks[limit]
end

-- --- form ------------------------------------------------------------------

--- Printable ASCII; all else as \xNN, so that no remote writes a line of its
--- own, moves the cursor, or fills the disk.
local function escape(text, pattern)
  if #text > 256 then
    text = text:sub(1, 256) .. "..."
  end
  return (text:gsub(pattern or '[%c"\\\127-\255]', function(byte)
    return ("\\x%02x"):format(byte:byte())
  end))
end

local function show(value)
  if type(value) == "number" or type(value) == "boolean" then
    return tostring(value)
  end
  local text = escape(tostring(value))
  return text:find "^[%w_./:%[%]@+-]+$" and text or '"' .. text .. '"'
end

local function as_text(line)
  local seconds = math.floor(line.time)
  local parts = { os.date("!%Y-%m-%dT%H:%M:%S", seconds)
    .. (".%03dZ"):format(math.floor((line.time - seconds) * 1000)),
    line.level, line.component .. ":", escape(line.message) }
  for key, value in sorted(line.fields) do
    parts[#parts + 1] = key .. "=" .. show(value)
  end
  return table.concat(parts, " ")
end

local in_json = "[%c\\\127-\255]" -- quotes are escaped by JSON itself

local function as_json(line)
  local object = {
    time = line.time, level = line.level, component = line.component,
    message = escape(line.message, in_json),
  }
  for key, value in pairs(line.fields) do -- any order: fills a table
    local kind = type(value)
    local is_plain = math.type(value) == "integer" or kind == "boolean"
      or kind == "number" and value == value and math.abs(value) < 1e300
    if is_plain then
      object[key] = value
    elseif kind == "table" then -- lines, which are escaped
      object[key] = core.json_list(value)
    else
      object[key] = escape(tostring(value), in_json)
    end
  end
  return core.json_encode(object)
end

-- --- writing ---------------------------------------------------------------

--- How many lines like this were left out before it; nil when it is too.
local function pass(key)
  local bucket, now = buckets[key], core.now()
  if not bucket then
    bucket = { since = now, count = 0, left_out = 0 }
    buckets[key] = bucket
  elseif now - bucket.since >= 1 then
    bucket.since, bucket.count = now, 0
  end
  bucket.count = bucket.count + 1
  if bucket.count > per_second then
    bucket.left_out = bucket.left_out + 1
    return nil
  end
  local left_out = bucket.left_out
  bucket.left_out = 0
  return left_out
end

local function make(level, component, message, fields)
  local line = {
    time = core.time(), level = level, component = component,
    message = message, fields = {},
  }
  for key, value in pairs(fields or {}) do -- any order: copies
    line.fields[key] = value
  end
  return line
end

--- To stderr, unless nobody reads there: an engine does not wait for its log.
local function put(text)
  if not core.is_writable(2) then
    state.lost = state.lost + 1
    return
  end
  io.stderr:write(text, "\n")
  state.lost = 0
end

--- Text or JSON; what would not go through a pipe at once is cut.
local function as_line(line)
  local form = state.format == "json" and as_json or as_text
  local text = form(line)
  if #text > longest then
    line.fields = { cut = #text }
    text = form(line)
  end
  return text
end

--- Writes a line.
---@param level string
---@param component string
---@param message string    always the same for the same kind of thing
---@param fields? table<string, any>
---@return boolean  whether it was: not below the level, and not too many
function log.write(level, component, message, fields)
  if not log.is_on(level, component) then
    return false
  end
  local left_out = unlimited[component] and 0
    or pass(component .. " " .. message)
  if not left_out then
    return false
  end
  local line = make(level, component, message, fields)
  line.fields.left_out = left_out > 0 and left_out or nil
  line.fields.lost = state.lost > 0 and state.lost or nil
  local write = state.write or put
  write(as_line(line))
  return true
end

--- The first lines of a trace, escaped.
local function trace_lines(trace)
  local lines = {}
  for line in trace:gmatch "[^\n]+" do
    lines[#lines + 1] = escape(line:gsub("^%s+", ""):sub(1, 160), in_json)
    if #lines == 12 then
      break
    end
  end
  return lines
end

--- A failure with its trace: JSON in one line; text with the trace below it,
--- each line escaped, so that people can read it.
---@param component string
---@param message string  always the same for the same kind of failure
---@param trace string    the error, and a traceback if there is one
function log.fail(component, message, trace)
  local text, rest = trace:match "^([^\n]*)\n?(.*)$"
  if state.format == "json" then
    log.write("error", component, message, { error = text,
      trace = rest ~= "" and trace_lines(rest) or nil })
  elseif log.write("error", component, message, { error = text }) then
    local write = state.write or put
    for _, line in ipairs(trace_lines(rest)) do
      write("  " .. line)
    end
  end
end

--- From now on there is a log, which follows every engine: what would be said
--- on stderr goes there.
function log.start()
  state.is_on = true
  core.set_logged(function(what, trace)
    log.fail("script", what .. " failed", trace)
  end)
end

--- Says something to people: as a line of the log if there is one, else plain.
---@param component string
---@param text string
---@param is_told? boolean  as an event, too, which the log will have
function log.say(component, text, is_told)
  if not state.is_on then
    io.stderr:write("moonpeer: ", text, "\n")
  elseif not is_told then
    log.write("warning", component, "said", { text = text })
  end
end

-- --- engines ---------------------------------------------------------------

local levels = {
  connection_failed = "debug", connection_started = "debug",
  connection_established = "debug", connection_lost = "info",
  listener_failed = "warning", store_failed = "error",
  policy_failed = "warning", peer_banned = "warning", decision = "debug",
  peer_misbehaved = "warning",
}

--- How grave an event is: seeds of which none has answered are a warning.
local function level_of(event, view)
  local has_failed = event == "discovery_finished" and view.code
  return has_failed and "warning" or levels[event] or "info"
end

--- Worth a word: an event that is about no connection has no port.
local function is_said(value)
  return value ~= nil and value ~= ""
    and not (type(value) == "string" and value:find ":0$")
end

--- Writes what an engine tells.
---@param engine moonpeer.Engine
function log.follow(engine)
  for _, event in ipairs(core.events) do
    local component = component_of(event)
    if not quiet[event] then
      engine:on(event, "log", function(view)
        local level = level_of(event, view)
        if log.is_on(level, component) then
          local fields = {}
          for _, name in ipairs { "address", "code", "reason", "prefix",
            "verdict", "verdict_reason", "count" } do
            fields[name] = is_said(view[name]) and view[name] or nil
          end
          log.write(level, component, event, fields)
        end
      end)
    end
  end
end

return log
