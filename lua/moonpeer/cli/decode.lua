--- decode - prints frames: what they are, and what is in them.
local core = require "moonpeer.core"
local networks = require "moonpeer.cli.networks"

local decode = {
  summary = "Prints the messages in a file or in what is piped in.",
}

local CHUNK = 64 * 1024
local MAGIC, HEADER, EXTENDED = 4, 24, 44
local HELD = 256 * 1024 * 1024 -- a payload above it is passed over

function decode.configure(parser)
  parser:argument("file", "Hex digits, a frame a line, or the bytes of a "
    .. "stream; - is what is piped in."):args "?"
  parser:option("--network", "Whose frames these are.", "mainnet")
  parser:flag("--json", "An object for each frame, a line each.")
  parser:epilog("Exit code 0: all are good; 1: some are not; 2: misuse.")
end

--- What is printed, and whether all was good.
local printer = {}
printer.__index = printer

local function quote(text)
  return '"' .. text:gsub('[%c"\\\x7f-\xff]', function(c)
    return ("\\u%04x"):format(c:byte())
  end) .. '"'
end

function printer:good(message)
  io.write(self.json and message:json() or message:text(), "\n")
end

--- place: of the mistake, counted from 0 in the line, or in all of the bytes.
function printer:bad(words, code, place)
  self.failed = true
  if self.json then
    io.write(('{"error": %s, "message": %s, "offset": %d}\n'):format(
      quote(code), quote(words), place))
  else
    io.write(("%s at byte %d: %s\n"):format(code, place,
      (words:gsub("%c", "?"))))
  end
end

--- What has come of a file, and nil at its end. Who reads what is printed has
--- it before more is waited for.
local function read_some(file)
  io.stdout:flush()
  local bytes, words, code = core.read_some(file, CHUNK)
  if code then
    error({ unreadable = words })
  end
  return bytes
end

--- A frame that is cut off is a mistake of whoever made it.
local function code_of(code)
  return code == "would_block" and "protocol_error" or code
end

--- Several frames may stand in one line; what follows one that has no known
--- end is not looked at.
local function print_line(out, line, network)
  local bytes = core.unhex((line:gsub("%s", "")))
  if not bytes then
    local place = line:find "[^%x%s]"
    out:bad("expected hex digits, two for a byte", "protocol_error",
      place and place - 1 or #line)
    return
  end
  local position = 1
  while position and position <= #bytes do
    local message, words, code, next, place =
      core.decode(bytes, { network = network, position = position })
    if message then
      position = words
      out:good(message)
    else
      out:bad(words, code_of(code), place - 1)
      position = code ~= "would_block" and next or nil
    end
  end
end

--- The lines of a file whose first bytes are known; a long one is put together
--- only once its end has come.
local function lines(file, first)
  local parts, held, position = {}, first, 1
  return function()
    while held do
      local stop = held:find("\n", position, true)
      parts[#parts + 1] = held:sub(position, (stop or 0) - 1)
      if stop then
        position = stop + 1
        break
      end
      held, position = read_some(file), 1
    end
    local line = #parts > 0 and table.concat(parts) or nil
    parts = {}
    return line
  end
end

local function print_lines(out, file, first, network)
  for line in lines(file, first) do
    if line:find "%S" then
      print_line(out, line, network)
    end
  end
end

--- The bytes of a file from `at` on, read when they are asked for.
local stream = {}
stream.__index = stream

--- Makes sure that n bytes are held, if there are so many.
function stream:fill(n)
  local have = #self.bytes - self.position + 1
  if have >= n or self.ended then
    return
  end
  local parts = { self.bytes:sub(self.position) }
  self.at, self.position = self.at + self.position - 1, 1
  while have < n do
    local chunk = read_some(self.file)
    if not chunk then
      self.ended = true
      break
    end
    parts[#parts + 1] = chunk
    have = have + #chunk
  end
  self.bytes = table.concat(parts)
end

function stream:left()
  return #self.bytes - self.position + 1
end

--- Passes over n bytes without holding them; how many there were.
function stream:skip(n)
  local passed = 0
  while passed < n do
    self:fill(1)
    local some = math.min(self:left(), n - passed)
    if some == 0 then
      break
    end
    self.position = self.position + some
    passed = passed + some
  end
  return passed
end

--- Goes to the next place where the magic stands, one byte on at least.
function stream:search(magic)
  self:skip(1)
  repeat
    self:fill(#magic)
    local found = self.bytes:find(magic, self.position, true)
    if found then
      self.position = found
      return
    end
    self:skip(math.max(self:left() - #magic + 1, 0))
  until self.ended and self:left() < #magic
  self:skip(self:left())
end

--- The command of the frame in front, whose header is there.
local function command_of(bytes)
  local header = bytes.bytes:sub(bytes.position, bytes.position + EXTENDED)
  local is_extended = header:find("extmsg", MAGIC + 1, true) == MAGIC + 1
  return (("z"):unpack(header:sub((is_extended and HEADER or MAGIC) + 1)
    :sub(1, 12) .. "\0"))
end

--- A payload that is too large to be held here.
local function pass_over(out, bytes, missing)
  local place = bytes.at + bytes.position - 1
  local size, command = bytes:left() + missing, command_of(bytes)
  local passed = bytes:skip(size)
  if passed < size then
    out:bad(("frame: expected %d bytes, got %d"):format(size, passed),
      "protocol_error", place + passed)
  else
    out:bad(("%s: a frame of %d bytes is more than the %d that are looked into")
      :format(command, size, HELD), "limit", place)
  end
end

--- One frame; how many bytes are missing when it is not all there.
local function print_frame(out, bytes, network)
  local message, words, code, next, place = core.decode(bytes.bytes,
    { network = network, position = bytes.position })
  if message then
    bytes.position = words
    out:good(message)
    return
  end
  if code == "would_block" and not bytes.ended then
    return next
  end
  out:bad(words, code_of(code), bytes.at + place - 1)
  if code == "would_block" then
    bytes:skip(bytes:left())
  elseif next then
    bytes.position = next
  else
    bytes:search(network.magic)
  end
end

local function print_stream(out, file, first, network)
  local bytes = setmetatable(
    { file = file, bytes = first, position = 1, at = 0 }, stream)
  bytes:fill(1)
  while bytes:left() > 0 do
    local missing = print_frame(out, bytes, network)
    if missing and bytes:left() + missing > HELD then
      pass_over(out, bytes, missing)
    elseif missing or bytes:left() == 0 then
      bytes:fill(bytes:left() + (missing or 1))
    end
  end
end

--- Text is taken for hex digits; no header of a frame is all text.
local function is_text(first)
  return not first:sub(1, 256):find "[^%g%s]"
end

--- Raises when the file cannot be read.
local function print_all(out, file, network)
  local first = ""
  while #first < MAGIC do
    local more = read_some(file)
    if not more then
      break
    end
    first = first .. more
  end
  if is_text(first) then
    print_lines(out, file, first, network)
  else
    print_stream(out, file, first, network)
  end
end

local function open(name)
  if not name or name == "-" then
    return io.stdin
  end
  return io.open(name, "rb")
end

function decode.run(options)
  local network, words = networks.find(options.network)
  local file
  if network then
    file, words = open(options.file)
  end
  if not file then
    io.stderr:write("moonpeer decode: ", words, "\n")
    return 2
  end
  local out = setmetatable({ json = options.json }, printer)
  local good, message = pcall(print_all, out, file, network)
  if not good then
    local why = type(message) == "table" and ("%s: %s"):format(
      options.file or "stdin", message.unreadable) or tostring(message)
    io.stderr:write("moonpeer decode: ", why, "\n")
    return 2
  end
  return out.failed and 1 or 0
end

return decode
