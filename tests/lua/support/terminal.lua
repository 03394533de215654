--- terminal - the executable on a pseudo-terminal, as a person meets it.
local path = os.getenv "MOONPEER_PTY" or "build/dev/tests/integration/pty.so"
local open = assert(package.loadlib(path, "luaopen_pty"))
local pty = open()

local terminal = {}
terminal.__index = terminal

local slow = os.getenv "MOONPEER_SANITIZE" and 4 or 1
local patience = 15 * slow -- seconds for one thing
local budget = 30 * slow -- and for all that came late or never, in one spec

--- Waiting in vain is paid from the budget: specs that fail one after the
--- other must not take minutes.
local function pay(seconds)
  budget = math.max(1, budget - seconds)
end

--- What a person sees of a stream of bytes: without the sequences that move
--- the cursor. Enough for what is looked for here.
local function visible(bytes)
  return (bytes:gsub("\27%[[%d;?]*[@-~]", ""):gsub("\r", ""):gsub("\8", ""))
end

--- The executable that is tested.
terminal.executable = os.getenv "MOONPEER" or "build/dev/moonpeer"

--- Starts the executable with arguments; home is where its history goes;
--- program is another one.
function terminal.start(arguments, options)
  options = options or {}
  local words = { "HOME=" .. (options.home or "/nonexistent"),
    options.env or "MOONPEER_X=", options.program or terminal.executable }
  table.move(arguments or {}, 1, #(arguments or {}), #words + 1, words)
  return setmetatable({
    pty = pty.open("/usr/bin/env", words, options.columns, options.rows),
    bytes = "",
    place = 1, -- in what is visible, behind what was expected last
  }, terminal)
end

--- Types: all of it, as fast as it is taken. Reads meanwhile.
function terminal:type(text)
  while #text > 0 do
    local n = self.pty:write(text)
    if n <= 0 then
      self:take(0.01)
    else
      text = text:sub(n + 1)
      self:take(0)
    end
  end
end

function terminal:take(seconds)
  local bytes = self.pty:read(seconds)
  if bytes then
    self.bytes = self.bytes .. bytes
  end
  return bytes
end

function terminal:shown()
  return visible(self.bytes)
end

--- Waits until a plain text, or a pattern, has come after what was expected
--- last.
function terminal:expect(text, seconds, is_pattern)
  local most = seconds or math.min(patience, budget)
  local left = most * 20 -- times that nothing came
  while left > 0 do
    local shown = self:shown()
    local first, last = shown:find(text, self.place, not is_pattern)
    if first then
      local before = shown:sub(self.place, first - 1)
      self.place = last + 1
      return before
    end
    local bytes = self:take(0.05)
    if not bytes then
      break
    end
    left = left - (bytes == "" and 1 or 0)
  end
  pay(most)
  error(("expected %q on the terminal, got %q"):format(text,
    self:shown():sub(self.place)), 2)
end

--- Types a line and waits for its results.
function terminal:enter(line, result)
  self:type(line .. "\n")
  if result then
    self:expect(line:sub(-20))
    return self:expect(result)
  end
end

function terminal:code(seconds)
  local most = seconds or math.min(patience, budget)
  for _ = 1, most * 20 do
    self.pty:read(0)
    local code = self.pty:wait(0.05)
    if code then
      return code
    end
  end
  pay(most)
end

return terminal
