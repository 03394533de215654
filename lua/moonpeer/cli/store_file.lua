--- store_file - what the commands about peers and bans share: opening a store's
--- file, reading text files, saying what went wrong.
local core = require "moonpeer.core"
local moonpeer = require "moonpeer"

local store_file = {}

local schemes = { db = "sqlite:", sqlite = "sqlite:", sqlite3 = "sqlite:" }

local ENOENT = 2

--- Whether there is something, and the first bytes of a file; a pipe is not
--- opened, which would wait for who writes. What may not be read is there.
local function look(path)
  if not core.is_plain(path) then
    return true
  end
  local file <close>, _, code = io.open(path, "rb")
  return file ~= nil or code ~= ENOENT, file and file:read(16)
end

--- Whether there is a file, or else its good copy, and its first bytes.
local function look_both(path)
  local is_there, head = look(path)
  if is_there then
    return true, head
  end
  return look(path .. ".good")
end

--- A URL for what somebody called a store: a URL as it is; a file by what it,
--- or else its good copy, begins with; if there is none by its name's end
--- (.db, .sqlite are SQLite, all others JSON). Also the file's name, nil for
--- other URLs.
---@param text string
---@return string, string?
function store_file.url(text)
  local scheme, rest = text:match "^(%l+):(.*)$"
  if scheme then
    local is_file = scheme == "json" or scheme == "sqlite"
    return text, is_file and rest or nil
  end
  local is_there, head = look_both(text)
  if is_there then
    return (head == "SQLite format 3\0" and "sqlite:" or "json:") .. text, text
  end
  return (schemes[text:match "%.(%w+)$" or ""] or "json:") .. text, text
end

--- Opens a file for reading only, without its lock; nil when it is no store.
local function open_to_read(url)
  local store, message = moonpeer.store(url, { read_only = true })
  if not store or not store.warning then
    return store, message
  elseif #store == 0 and #store.bans == 0 then
    message = store.warning:gsub(";.*$", "")
    store:close { save = false }
    return nil, message
  end
  io.stderr:write("moonpeer: ", store.warning, "\n")
  return store
end

--- Opens a store. What is only read must be there, or its good copy; what is
--- to be written and is no store of ours stays as it is.
---@param text string      URL or file
---@param is_written boolean
---@return moonpeer.Store|nil, string?
function store_file.open(text, is_written)
  local url, path = store_file.url(text)
  if path and not is_written and not look_both(path) then
    return nil, path .. ": no such file"
  elseif path and look(path) or not is_written then
    local store, message = open_to_read(url)
    if not store or not is_written then
      return store, message
    end
    store:close { save = false }
  end
  return moonpeer.store(url)
end

local mark = "\239\187\191" -- which some editors write before UTF-8

local function unmarked(text)
  return text:sub(1, #mark) == mark and text:sub(#mark + 1) or text
end

--- All of a file, or of stdin for "-".
---@param path string
---@return string|nil, string?
function store_file.read(path)
  if path == "-" then
    return unmarked(io.read "a" or "")
  end
  local file <close>, message = io.open(path, "rb")
  if not file then
    return nil, message
  end
  local text, why = file:read "a"
  if not text then
    return nil, ("%s: %s"):format(path, why)
  end
  return unmarked(text)
end

--- Writes a file, or to stdout for "-".
---@param path string
---@param text string
---@return boolean|nil, string?
function store_file.write(path, text)
  if path == "-" then
    return io.write(text) and true
  end
  local file, message = io.open(path, "wb")
  if not file then
    return nil, message
  end
  local good, why = file:write(text)
  local closed, reason = file:close()
  return good and closed, why or reason
end

--- Converts an argument that is a duration.
---@param text string
---@param or_else? string  what else may stand there, for the message
---@return number|nil seconds
---@return string? message
function store_file.duration(text, or_else)
  local good, seconds = pcall(core.duration, tonumber(text) or text)
  if good then
    return seconds
  end
  return nil, ("expected seconds, a duration such as 10m or 7d%s, got '%s'")
    :format(or_else or "", text)
end

--- Gives each action of a command the flag that the command has.
---@param actions table<string, table>  parsers by name
---@return table<string, table>  the same
function store_file.actions(actions)
  for _, action in pairs(actions) do
    action:flag("--json", "One JSON object a line."):target "action_json"
  end
  return actions
end

--- Says on stderr what failed.
---@param command string
---@param message string
---@return integer  the exit code
function store_file.fail(command, message)
  io.stderr:write("moonpeer ", command, ": ", message, "\n")
  return 1
end

--- Prints a value as one line of JSON; bytes that are no text are replaced.
---@param value any
function store_file.print_json(value)
  print(core.json_encode(value, { lossy = true }))
end

--- A text for a terminal: what is not printable becomes \xx.
---@param text string
---@return string
function store_file.plain(text)
  return (text:gsub("[^\32-\126]", function(byte)
    return ("\\x%02x"):format(byte:byte())
  end))
end

--- "2026-01-31 12:00:00" in UTC, or "-" for never.
---@param seconds? number
---@return string
function store_file.time(seconds)
  if not seconds then
    return "-"
  elseif seconds == math.huge then
    return "for ever"
  end
  return os.date("!%Y-%m-%d %H:%M:%S", math.floor(seconds)) --[[@as string]]
end

--- Runs a command's action on a store: work(store, options) returns nil and a
--- message when it fails. What has changed is saved when it does not; then a
--- function that it returned is called, to say what was done.
---@param command string
---@param options table    store: its file or URL; json, action_json
---@param is_written boolean
---@param work function
---@return integer  the exit code
function store_file.run(command, options, is_written, work)
  options.json = options.json or options.action_json
  local store, message = store_file.open(options.store, is_written)
  if not store then
    return store_file.fail(command, message)
  end
  local done, why = work(store, options)
  if done and is_written then
    local saved
    saved, why = store:save()
    done = saved and done
  end
  store:close { save = false }
  if not done then
    return store_file.fail(command, why)
  elseif type(done) == "function" then
    done()
  end
  return 0
end

return store_file
