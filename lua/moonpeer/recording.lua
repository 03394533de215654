--- recording - conversations in files: JSON lines. The first line names the
--- conversation; each other is a frame ({"t", "sender", "command", "frame" in
--- hex}) or an event ({"t", "event": "closed by node"}).
local core = require "moonpeer.core"
local misuse = require "moonpeer.misuse"

misuse.own_file()

local recording = {}

local escapes = {
  b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
  ['"'] = '"', ["\\"] = "\\", ["/"] = "/",
}

--- The text of a JSON string that begins after position at; where it ends.
local function read_string(line, at)
  local parts = {}
  repeat
    local plain, stop, next_at = line:match('^([^"\\]*)(["\\])()', at)
    if not plain then
      return nil
    end
    parts[#parts + 1] = plain
    at = next_at
    if stop == "\\" then
      local code, behind = line:match("^u(%x%x%x%x)()", at)
      local letter = line:sub(at, at)
      if not code and not escapes[letter] then
        return nil
      end
      parts[#parts + 1] = code and utf8.char(tonumber(code, 16))
        or escapes[letter]
      at = code and behind or at + 1
    end
  until stop == '"'
  return table.concat(parts), at
end

local function read_value(line, at)
  if line:sub(at, at) == '"' then
    return read_string(line, at + 1)
  end
  local number, behind = line:match("^(%-?%d[%d.eE+-]*)()", at)
  return tonumber(number), behind
end

--- A flat JSON object of strings and numbers; nil for what is none.
local function read_object(line)
  local at = line:match "^%s*{%s*()"
  local object = {}
  if line:match("^}%s*$", at) then
    return object
  end
  while at and line:sub(at, at) == '"' do
    local name, value
    name, at = read_string(line, at + 1)
    at = at and line:match("^%s*:%s*()", at)
    if not at then
      return nil
    end
    value, at = read_value(line, at)
    if value == nil then
      return nil
    end
    object[name] = value
    if line:match("^%s*}%s*$", at) then
      return object
    end
    at = line:match("^%s*,%s*()", at)
  end
end

local function unhex(text)
  if #text % 2 == 0 and not text:find "%X" then
    return (text:gsub("%x%x", function(digits)
      return string.char(tonumber(digits, 16))
    end))
  end
end

--- A step of the conversation; nil for what makes no sense.
local function read_step(line)
  local step = read_object(line)
  if not step or type(step.t) ~= "number" then
    return nil
  end
  if type(step.event) == "string" then
    return step
  end
  if type(step.sender) ~= "string" or type(step.command) ~= "string"
    or type(step.frame) ~= "string" then
    return nil
  end
  step.frame = unhex(step.frame)
  return step.frame and step
end

--- Reads a file; raises when there is none, or a line is damaged.
---@param path string
---@return table[]  steps: t, and sender, command, frame; or event
function recording.read(path)
  if not core.is_plain(path) then
    error(path .. ": is no plain file", 0)
  end
  local file <close> = assert(io.open(path))
  local steps, number = {}, 0
  for line in file:lines() do
    number = number + 1
    local step = number == 1 and read_object(line)
      or number > 1 and read_step(line)
    if not step then
      error(("%s:%d: expected %s of a recorded conversation, got %q"):format(
        path, number, number == 1 and "the first line" or "a line",
        line:sub(1, 60)), 0)
    end
    steps[number - 1] = step
  end
  if number == 0 then
    error(path .. ": expected a recorded conversation, got an empty file", 0)
  end
  steps.title, steps[0] = steps[0], nil
  return steps
end

--- Who ended the conversation: "closed by node".
---@param step table
---@return string|nil
function recording.ended_by(step)
  return step.event:match " by ([%w_-]+)$"
end

local function quote(text)
  return '"' .. text:gsub('[%c"\\]', function(c)
    return ("\\u%04x"):format(c:byte())
  end) .. '"'
end

--- The first line of a file.
---@param about table  name, note
---@return string
function recording.title(about)
  return ('{"name": %s, "note": %s}'):format(quote(about.name or "recorded"),
    quote(about.note or ""))
end

return recording
