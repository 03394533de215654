--- conversation - what a scripted peer says and expects, in a world or on
--- sockets: methods of the connections of moonpeer.connect and listen. What
--- does not come as expected raises, with words for people.
local core = require "moonpeer.core"
local misuse = require "moonpeer.misuse"
local recording = require "moonpeer.recording"
local words = require "moonpeer.words"

misuse.own_file()

local methods = core.methods "moonpeer.connection"
local pause, wait_closed = methods.pause, methods.wait_closed
local record_to = methods.record_to
methods.pause, methods.wait_closed, methods.record_to = nil, nil, nil

local patience = 10 -- seconds, when nothing else is said

-- --- words -----------------------------------------------------------------

local function show_message(message)
  local fields = message:table()
  return message.command
    .. (next(fields) ~= nil and " " .. words.show(fields) or "")
end

local function seconds(duration)
  return ("%.6g s"):format(core.duration(duration))
end

-- --- expecting -------------------------------------------------------------

--- The first difference: the path, what was expected, what came; nil when all
--- that is wanted is there.
local function difference(wanted, got, path)
  if type(wanted) ~= "table" or type(got) ~= "table" then
    if wanted ~= got then
      return path, wanted, got
    end
    return nil
  end
  for _, name in ipairs(misuse.names(wanted)) do
    local key = wanted[name] ~= nil and name or tonumber(name)
    local at, a, b = difference(wanted[key], got[key],
      path == "" and name or path .. "." .. name)
    if at then
      return at, a, b
    end
  end
end

local function check_fields(message, fields)
  if type(fields) == "function" then
    if not fields(message) then
      misuse.raise("expected another %s than %s", message.command,
        show_message(message))
    end
    return
  end
  local at, wanted, got = difference(fields or {}, message:table(), "")
  if at then
    misuse.raise("%s: expected %s = %s, got %s; the message is %s",
      message.command, at, words.show(wanted), words.show(got),
      show_message(message))
  end
end

--- Waits for a command and gives its message. What comes before it is dropped.
--- Raises when it does not come, or its fields are others.
---@param command string
---@param fields? table|function  those that matter; or fn(message) -> boolean
---@param timeout? number|string  10 s
---@return moonpeer.Message
function methods:expect(command, fields, timeout)
  if type(command) ~= "string" then
    misuse.raise("expect(command, fields, timeout): expected a command, got %s",
      type(command))
  elseif type(fields) == "number" or type(fields) == "string" then
    misuse.raise("expect(command, fields, timeout): expected a table or a "
      .. "function for fields, got %s", words.show(fields))
  end
  timeout = timeout or patience
  local came = {}
  local deadline = core.now() + misuse.duration("expect", timeout)
  repeat
    local message, why, code =
      self:receive(nil, math.max(0, deadline - core.now()))
    if message and message.command == command then
      check_fields(message, fields)
      return message
    elseif message then
      came[#came + 1] = message.command
    elseif code == "timeout" then
      misuse.raise("expected %s within %s, got %s", command, seconds(timeout),
        words.list(came))
    else
      misuse.raise("expected %s, but %s (%s); before that came %s", command,
        why, code, words.list(came))
    end
  until false
end

--- Makes sure that nothing comes.
---@param duration? number|string  1 s
function methods:expect_nothing(duration)
  duration = duration or 1
  misuse.duration("expect_nothing", duration)
  local message, why, code = self:receive(nil, duration)
  if message then
    misuse.raise("expected nothing for %s, got %s", seconds(duration),
      show_message(message))
  elseif code ~= "timeout" then
    misuse.raise("expected nothing for %s, but %s (%s)", seconds(duration),
      why, code)
  end
end

--- Waits until the connection is over. What comes before is dropped.
---@param duration? number|string  10 s
---@param code? string  "closed" or "connection_reset" ...; any when left out
---@return string code, string message
function methods:expect_closed(duration, code)
  if type(duration) == "string" and duration:find "^%l" then
    duration, code = nil, duration
  end
  duration = duration or patience
  misuse.duration("expect_closed", duration)
  local _, why, got = wait_closed(self, duration)
  if not got then
    misuse.raise("expected the connection to end within %s, it is %s",
      seconds(duration), self.state)
  elseif code and code ~= got then
    misuse.raise("expected an end by %s, got %s: %s", code, got, why)
  end
  return got, why
end

-- --- saying ----------------------------------------------------------------

--- Sends bytes in small pieces: n at once, each t.
---@param bytes string
---@param n integer
---@param t number|string
---@return boolean|nil, string?, string?  true; nil, message, code
function methods:drip(bytes, n, t)
  if math.type(n) ~= "integer" or n < 1 then
    misuse.raise("drip(bytes, n, t): expected a number of bytes, 1 or more, "
      .. "got %s", tostring(n))
  end
  misuse.duration("drip", t)
  for i = 1, #bytes, n do
    if i > 1 then
      core.sleep(t)
    end
    local sent, message, code = self:send_raw(bytes:sub(i, i + n - 1))
    if not sent then
      return nil, message, code
    end
  end
  return true
end

--- Does not read: for a while, or without a duration until something is
--- received or expected.
---@param duration? number|string
function methods:stall(duration)
  pause(self, true)
  if duration then
    misuse.duration("stall", duration)
    core.sleep(duration)
    pause(self, false)
  end
end

-- --- recorded conversations ------------------------------------------------

local function plays(step, sender)
  return step.sender == sender
end

--- Waits for a command; what comes before it stays for later.
local function await(self, command, pile, timeout)
  for i, name in ipairs(pile) do
    if name == command then
      return table.remove(pile, i)
    end
  end
  local message, why, code
  repeat
    message, why, code = self:receive(nil, timeout)
    if message and message.command ~= command then
      pile[#pile + 1] = message.command
    end
  until not message or message.command == command
  if not message then
    misuse.raise("play: expected %s, but %s (%s); before that came %s",
      command, why, code, words.list(pile))
  end
end

local player = {}

function player.say(self, step)
  local sent, message, code = self:send_raw(step.frame)
  if not sent then
    misuse.raise("play: %s could not be sent: %s (%s)", step.command, message,
      code)
  end
end

function player.hear(self, step, options, pile)
  local commands = options.expect
  if not commands or commands[step.command] then
    await(self, step.command, pile, options.timeout or patience)
  end
end

--- The end of a recorded conversation, by us or by the other.
function player.finish(self, is_ours, options)
  if is_ours then
    self:close()
  elseif not options.expect then
    self:expect_closed(options.timeout)
  end
end

local play_options = { expect = true, timeout = true, in_time = true }

local function take_options(options)
  misuse.check_options("play", options, play_options)
  options = options or {}
  local commands = options.expect and {}
  for _, command in ipairs(options.expect or {}) do
    commands[command] = true
  end
  return {
    expect = commands, timeout = options.timeout, in_time = options.in_time,
  }
end

--- A policy from a file reads and writes no others.
local function check_files(what)
  local _, is_confined = core.active()
  if is_confined then
    misuse.raise("%s: a policy from a file cannot use other files", what)
  end
end

--- Plays one side of a recorded conversation: sends its frames, byte for byte
--- and in order, and expects the commands of the other.
---@param file string    in the format of tests/data/captures
---@param sender string  the side to play, such as "node"
---@param options? table  expect: the commands to expect, all when left out;
---  timeout: for each, 10 s; in_time: with the pauses of the recording
function methods:play(file, sender, options)
  check_files "play"
  options = take_options(options)
  local steps = misuse.guard("play", recording.read, file)
  local start, pile = core.now(), {}
  for _, step in ipairs(steps) do
    if options.in_time then
      core.sleep(math.max(0, start + step.t - core.now()))
    end
    if step.event then
      player.finish(self, recording.ended_by(step) == sender, options)
    elseif plays(step, sender) then
      player.say(self, step)
    else
      player.hear(self, step, options, pile)
    end
  end
end

--- Writes down, in the same format, what is said from now on.
---@param file string
---@param options? table  name, note: of the conversation; us, remote: what
---  the sides are called, "us" and "node" when left out
---@return boolean|nil, string?, string?
function methods:record(file, options)
  check_files "record"
  misuse.check_options("record", options,
    { name = true, note = true, us = true, remote = true })
  options = options or {}
  local us, remote = options.us or "us", options.remote or "node"
  for _, name in ipairs { us, remote } do
    if not name:find "^[%w_-]+$" or #name > 31 then
      misuse.raise("record: expected a name of letters, digits, _ and - for a "
        .. "side, got %q", name)
    end
  end
  return record_to(self, file, recording.title(options), us, remote)
end

return methods
