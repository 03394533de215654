--- child - another program beside a play: started and ended by it, its output
--- a line at a time, and nothing of it lasts longer than it may.
local process = require "support.process"

local child = {}
child.__index = child
child.__close = function(self)
  self:stop()
end

--- Starts a shell command.
---@param command string
---@param seconds? integer  after which it is ended; half a minute
function child.start(command, seconds)
  local output = os.tmpname()
  local pipe = assert(io.popen(
    ("timeout -k 1 %d %s >%s 2>&1 </dev/null & echo $!"):format(
      seconds or 30, command, process.quote(output))))
  local pid = pipe:read "n"
  pipe:close()
  return setmetatable({ pid = pid, output = output }, child)
end

--- All that it has printed so far.
function child:text()
  local file <close> = assert(io.open(self.output))
  return file:read "a"
end

--- The whole lines so far, of JSON objects, as patterns find them.
function child:line(pattern)
  for line in self:text():gmatch "([^\n]*)\n" do
    if line:find(pattern) then
      return line
    end
  end
end

function child:stop()
  if self.pid then
    os.execute(("kill %d 2>/dev/null"):format(self.pid))
    self.pid = nil
    os.remove(self.output)
  end
end

return child
