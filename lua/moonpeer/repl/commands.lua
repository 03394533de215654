--- commands - what a session does for a line that begins with a colon.
local core = require "moonpeer.core"
local inspect = require "moonpeer.inspect"
local words_of = require "moonpeer.words"

local commands = {}

--- Each: name, usage, what it does, the function (session, words); most, how
--- many words it takes; changes, when these change something.
local rows = {}

local function usage_of(row)
  return ":" .. row[1] .. (row[2] ~= "" and " " .. row[2] or "")
end

local function need_engine(session)
  local engine = session:engine()
  if not engine then
    error("no engine runs here; make one with moonpeer.engine { ... }", 0)
  end
  return engine
end

--- Text of a remote on a terminal: printable, and not too long.
local function safe(text)
  text = text:gsub("[%c\127-\255]", function(byte)
    return ("\\x%02x"):format(byte:byte())
  end)
  return #text > 40 and text:sub(1, 37) .. "..." or text
end

local function show_rtt(connection)
  return connection.rtt and ("%.1f ms"):format(connection.rtt * 1000) or "-"
end

rows[#rows + 1] = { "peers", "", "the connections of the engine",
  function(session)
    local layout = "%-24s %-9s %-18s %9s  %s"
    local lines = { layout:format("address", "direction", "state", "rtt",
      "user agent") }
    for connection in need_engine(session):connections() do
      local version = connection.version
      lines[#lines + 1] = layout:format(connection.address,
        connection.inbound and "inbound" or "outbound", connection.state,
        show_rtt(connection), version and safe(version.user_agent) or "-")
    end
    lines[#lines + 1] = ("%d connections"):format(#lines - 1)
    session.print(table.concat(lines, "\n"))
  end }

-- --- watching --------------------------------------------------------------

local is_event = {}
for _, name in ipairs(core.events) do
  is_event[name] = true
end

local function describe(event)
  local parts = { event.type }
  for _, name in ipairs { "address", "code", "verdict", "reason", "prefix" } do
    local value = event[name]
    if value ~= nil and value ~= "" then
      parts[#parts + 1] = name .. "=" .. safe(tostring(value))
    end
  end
  return table.concat(parts, " ")
end

--- At most so many lines a second; the rest is counted.
local per_second = 20

local function limited(session)
  local second, count, left_out = 0, 0, 0
  return function(make)
    local now = core.now()
    if now - second >= 1 then
      if left_out > 0 then
        session.print(("... %d more"):format(left_out))
      end
      second, count, left_out = now, 0, 0
    end
    count = count + 1
    if count > per_second then
      left_out = left_out + 1
    else
      session.print(make())
    end
  end
end

function commands.unwatch(session, what)
  local watch = session.watches[what]
  session.watches[what] = nil
  if watch and pcall(function() return watch.engine:counts() end) then
    watch.engine:off(watch.event, watch.name)
  end
end

local function show_watches(session)
  local names = {}
  for name in pairs(session.watches) do
    names[#names + 1] = name
  end
  table.sort(names)
  session.print(#names > 0 and "watching " .. table.concat(names, ", ")
    or "watching nothing; :watch inv, :watch peer_banned ...")
end

local function show_message(event)
  return ("%s %s %s"):format(event.address, safe(event.command),
    inspect.value(event.message:table(), { width = 1000, items = 4,
      text = 80, size = 400 }):gsub("\n%s*", " "))
end

local function watch(session, what)
  local event = is_event[what] and what or "message"
  local show = event == "message" and show_message or describe
  local engine, name = need_engine(session), "watch " .. tostring(session)
  local say = limited(session)
  name = name .. " " .. what
  engine:on(event, name, function(view)
    say(function()
      return show(view)
    end)
  end, { command = not is_event[what] and what or nil })
  session.watches[what] = { engine = engine, event = event, name = name }
end

rows[#rows + 1] = { "watch", "[EVENT or COMMAND]",
  "shows what comes of it; again: no more",
  function(session, words)
    local what = words[1]
    if not what then
      show_watches(session)
    elseif session.watches[what] then
      commands.unwatch(session, what)
      session.print("no longer watching " .. what)
    else
      watch(session, what)
      local doubt = words_of.doubt(what, core.events)
      session.print("watching " .. what .. (doubt and ": " .. doubt or ""))
    end
  end, most = 1 }

-- --- asking ----------------------------------------------------------------

--- "12:30:59.123", in the time zone of who looks.
local function clock(time)
  return os.date("%H:%M:%S", math.floor(time))
    .. (".%03d"):format(math.floor(time % 1 * 1000))
end

local function looks_like_address(text)
  return text:find "^[%x.:%[%]]+$" and text:find "[.:]" ~= nil
end

rows[#rows + 1] = { "explain", "ADDRESS",
  "which policy decided what of a peer, and why",
  function(session, words)
    if not words[1] then
      error("usage: :explain ADDRESS", 0)
    end
    local engine, lines = need_engine(session), {}
    for i, row in ipairs(engine:explain(words[1])) do
      lines[i] = clock(row.time) .. "  " .. row.text
    end
    session.print(#lines > 0 and table.concat(lines, "\n")
      or "nothing was decided lately about " .. safe(words[1])
        .. (looks_like_address(words[1]) and "" or ", which is no address"))
  end, most = 1 }

rows[#rows + 1] = { "policy", "",
  "the policies, in the order they are asked in",
  function(session)
    local layout = "%-24s %-9s %-8s %8s %7s %9s"
    local lines = { layout:format("policy", "decision", "state", "calls",
      "errors", "time") }
    for _, row in ipairs(need_engine(session):policies()) do
      lines[#lines + 1] = layout:format(safe(row.policy), row.name, row.state,
        row.calls, row.errors, ("%.3f ms"):format(row.time * 1000))
    end
    session.print(table.concat(lines, "\n"))
  end }

rows[#rows + 1] = { "stats", "", "what the engine has done, and has now",
  function(session)
    session.print(inspect.value(need_engine(session):counts()))
  end }

rows[#rows + 1] = { "log", "[LEVEL [COMPONENT]]",
  "how much is logged: error to debug",
  function(session, words)
    local log = require "moonpeer.log"
    local doubt = words[1]
      and log.doubt(safe(words[1]), words[2] and safe(words[2]))
    if doubt then
      error(doubt, 0)
    elseif words[1] then
      log.set_level(words[1], words[2])
    end
    session.print(inspect.value(log.levels()))
  end, most = 2, changes = true }

rows[#rows + 1] = { "help", "[NAME]", "this; or what is known of a name",
  function(session, words)
    if words[1] then
      session.print(require("moonpeer.help").text(words[1]))
      return
    end
    local lines = {}
    for _, row in ipairs(rows) do
      lines[#lines + 1] = ("  %-29s %s"):format(usage_of(row), row[3])
    end
    lines[#lines + 1] = "  help(x)                       what x is; "
      .. "help() lists all"
    lines[#lines + 1] = "Anything else is Lua. Ctrl-C ends what is waited "
      .. "for, Ctrl-D the session."
    session.print(table.concat(lines, "\n"))
  end, most = 1 }

--- Their names, in the order in which :help lists them.
---@return string[]
function commands.names()
  local names = {}
  for i, row in ipairs(rows) do
    names[i] = row[1]
  end
  return names
end

--- No more than its usage names.
local function check_number(row, words)
  if #words > (row.most or 0) then
    error("usage: " .. usage_of(row), 0)
  end
end

--- Runs a line such as ":watch inv".
---@param session table
---@param text string
function commands.run(session, text)
  local name, rest = text:match "^%s*:(%S*)%s*(.-)%s*$"
  local words = {}
  for word in rest:gmatch "%S+" do
    words[#words + 1] = word
  end
  for _, row in ipairs(rows) do
    if row[1] == name then
      if row.changes and words[1] and session.is_read_only then
        error("this console only looks", 0)
      end
      check_number(row, words)
      return row[4](session, words)
    end
  end
  local near = core.nearest(name, commands.names())
  error(("unknown command :%s%s; :help lists them"):format(safe(name),
    near and (", the nearest known is :" .. near) or ""), 0)
end

return commands
