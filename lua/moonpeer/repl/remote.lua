--- remote - the other end of a console: asks a running process.
local core = require "moonpeer.core"

local remote = {}

local client = {}
client.__index = client

local reasons = { [2] = "there is no such file",
  [13] = "it may not be opened by you" }

--- Why nobody could be asked at a path; "r+" waits for nobody at a pipe.
local function reason(path)
  local file, _, code = io.open(path, "r+")
  if file then
    file:close()
  end
  return reasons[code]
end

--- Attaches: in a task.
---@param path string
---@return table|nil, string?, string?  nil, message, code
function remote.attach(path)
  local line, message, code = core.line_connect(path)
  if not line then
    return nil, reason(path) or message, code
  end
  local hello
  hello, message, code = line:read "5s"
  local about = hello and core.json_decode(hello)
  if type(about) ~= "table" or not about.moonpeer then
    line:close()
    return nil, type(about) == "table" and about.error or message
      or "no moonpeer answers there", code or "io_error"
  end
  return setmetatable({
    line = line, about = about, last = 0, answers = {}, gate = core.gate(),
  }, client)
end

--- Takes what comes, until the end: in a task of its own. What is printed
--- over there goes to print(text).
function client:listen(print)
  repeat
    local text = self.line:read()
    local answer = text and core.json_decode(text)
    if type(answer) == "table" and answer.id then
      self.answers[answer.id] = answer
      self.gate:open()
    elseif type(answer) == "table" and answer.printed then
      print(answer.printed)
    elseif type(answer) == "table" then
      self.complaint = answer.error
    end
  until not text
  self.is_over = true
  self.gate:open()
end

function client:send(request)
  self.last = self.last + 1
  request.id = self.last
  self.line:write(core.json_encode(request) .. "\n")
  return request.id
end

--- Asks and waits for the answer; nil when the other side has gone.
---@param request table
---@return table|nil
function client:ask(request)
  local id = self:send(request)
  while not self.answers[id] do
    if self.is_over then
      return nil
    end
    self.present = id
    self.gate:wait()
  end
  self.present = nil
  local answer = self.answers[id]
  self.answers[id] = nil
  return answer
end

--- Asks the other side to end what is being waited for.
function client:cancel()
  if self.present then
    self:send { cancel = self.present }
  end
end

function client:close()
  self.line:close()
end

return remote
