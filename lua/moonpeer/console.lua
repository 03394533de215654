--- console - a running process answers over a Unix socket, in lines of JSON.
---   to it    {"id": 1, "eval": "engine:counts()"}; {"id": 2, "complete":
---            "engine:co"}; {"id": 3, "cancel": 1}
---   from it  {"id": 1, "ok": true, "results": [...], "printed": "..."} or
---            {"id": 1, "ok": false, "error": "..."} or, when the code only
---            ends too early, {"id": 1, "ok": false, "unfinished": true, ...};
---            {"id": 2, "ok": true, "words": [...], "replaced": 2};
---            {"printed": "..."} for what is printed later; "cut": true in an
---            answer that has no room for all results or all that was printed
--- With "text": true results come as text for people, too, and what is
--- printed comes at once. Texts that are no UTF-8 come as hex digits.
local core = require "moonpeer.core"
local log = require "moonpeer.log"
local repl = require "moonpeer.repl"
local sorted = require "moonpeer.sorted"

local console = {}

local waiting_most = 64    -- evaluations of one client that wait their turn
local printed_most = 1 << 20
local results_most = 64
local bytes_most = 8 << 20 -- of all results as JSON
local clients_most = 32

-- --- values ----------------------------------------------------------------

local plain

local function plain_text(value)
  if utf8.len(value) then
    return value
  end
  return (value:gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

--- Without holes, and without names: what JSON has arrays for.
local function is_list(value)
  local n, count = rawlen(value), 0
  for key in next, value do -- any order: only counts
    if math.type(key) ~= "integer" or key < 1 or key > n then
      return false
    end
    count = count + 1
  end
  return n > 0 and count == n
end

local function plain_table(value, state)
  if state.above[value] or state.depth >= 16 then
    state.is_cut = true
    return "..."
  end
  state.above[value] = true
  state.depth = state.depth + 1
  local made, has_indexes = {}, is_list(value)
  -- any order: for people, of more than fits; a list's is that of its indexes
  for key, item in next, value do
    state.left = state.left - 1
    if state.left < 0 then
      state.is_cut = true
      break
    end
    made[has_indexes and key or plain_text(tostring(key))] = plain(item, state)
  end
  state.depth = state.depth - 1
  state.above[value] = nil
  return made
end

--- What JSON has no words for becomes text.
function plain(value, state)
  local kind = type(value)
  if kind == "string" then
    return plain_text(value)
  elseif kind == "table" then
    return plain_table(value, state)
  elseif math.type(value) == "float" and (value ~= value
    or math.abs(value) == math.huge) then
    return tostring(value)
  elseif kind == "number" or kind == "boolean" then
    return value
  end
  return plain_text(tostring(value))
end

--- Nil for what JSON has no form for.
local function encode(value)
  local good, text = pcall(core.json_encode, value)
  return good and text or nil
end

--- One result as JSON, what cannot be as text; and whether something is
--- missing.
local function encode_result(value, room)
  if value == nil then
    return "null"
  end
  local state = { above = {}, depth = 0, left = 100000 }
  local text = encode(plain(value, state))
  if text and #text <= room then
    return text, state.is_cut
  end
  text = type(value) == "string" and "..." or plain_text(tostring(value))
  return encode(text), true
end

--- All of them.
local function encode_results(results)
  local parts, room, is_cut = {}, bytes_most, results.n > results_most
  for i = 1, math.min(results.n, results_most) do
    local is_part
    parts[i], is_part = encode_result(results[i], room)
    room = room - #parts[i]
    is_cut = is_cut or is_part
  end
  return "[" .. table.concat(parts, ",") .. "]", is_cut
end

-- --- a client --------------------------------------------------------------

local client = {}
client.__index = client

function client:send(fields)
  self.line:write(encode(fields) .. "\n")
end

--- An answer whose results are JSON already.
function client:answer(request, fields, results)
  fields.id = request.id
  local text = encode(fields)
  if results then
    text = text:sub(1, -2) .. ',"results":' .. results .. "}"
  end
  self.line:write(text .. "\n")
end

--- During an evaluation for a program: kept for the answer.
function client:print(text)
  text = plain_text(text)
  local request = self.present
  if not request or request.text == true then
    self:send { printed = text .. "\n" }
  elseif #request.printed + #text < printed_most then
    request.printed = request.printed .. text .. "\n"
  else
    request.is_cut = true
  end
end

function client:note(request, result, seconds)
  log.write("info", "console", "evaluated", {
    client = self.number, code = request.eval, ok = not result.error,
    error = result.error, ms = math.floor(seconds * 1e6) / 1e3,
  })
end

--- Of what ended a task, without the place in our own code.
local function own_words(message)
  return (tostring(message):match("^[^\n]*")
    :gsub("^%S*moonpeer/[%w_/]+%.lua:%d+: ", ""))
end

--- What becomes of an evaluation, and the words for it: values have their own
--- ideas of how to be shown.
function client:outcome(request)
  local result = self.session:evaluate(request.eval)
  if not result.unfinished then
    result.text = request.text and self.session:describe(result) or nil
    if result.results then
      result.json, result.is_cut = encode_results(result.results)
    end
    result.is_cut = result.is_cut or request.is_cut or nil
  end
  return result
end

function client:evaluate(request)
  self.present = request
  request.printed = ""
  core.console_ready()
  local start = core.now()
  local task = core.spawn(function()
    core.console_task(self.budget)
    coroutine.yield() -- from here on it is held to that
    return self:outcome(request)
  end)
  self.task = task
  local result, message = task:wait()
  self.task, self.present = nil, nil
  result = result or { error = own_words(message) }
  if result.unfinished then
    return self:answer(request, { ok = false, unfinished = true,
      error = result.unfinished })
  end
  self:note(request, result, core.now() - start)
  self:answer(request, {
    ok = not result.error, error = result.error and plain_text(result.error),
    printed = request.printed ~= "" and request.printed or nil,
    text = result.text or request.text and result.error or nil,
    cut = result.is_cut,
  }, result.json)
end

--- One evaluation at a time, in the order in which they came.
function client:work()
  while #self.queue > 0 and not self.is_gone do
    local request = table.remove(self.queue, 1)
    local good, message = xpcall(self.evaluate, debug.traceback, self, request)
    if not good and not self.is_gone then
      self:answer(request, { ok = false, error = plain_text(message) })
    end
  end
  self.is_working = false
end

local kinds = {}

function kinds.eval(self, request)
  if type(request.eval) ~= "string" then
    return self:answer(request, { ok = false,
      error = "eval: expected a text" })
  elseif #self.queue >= waiting_most then
    return self:answer(request, { ok = false,
      error = "too many evaluations wait" })
  end
  self.queue[#self.queue + 1] = request
  if not self.is_working then
    self.is_working = true
    core.spawn(self.work, self)
  end
end

function kinds.complete(self, request)
  core.console_ready()
  -- it looks into values that may raise
  local good, words, replaced = pcall(self.session.complete, self.session,
    tostring(request.complete))
  self:answer(request, good and { ok = true, replaced = replaced,
    words = core.json_list(words) } or { ok = false,
    error = plain_text(tostring(words)) })
end

local function is_same(id, other)
  return id == other or encode { id } == encode { other }
end

--- Of what runs, or waits for its turn.
function kinds.cancel(self, request)
  local present, is_there = self.present, false
  if present and is_same(present.id, request.cancel) and self.task then
    self.task:cancel()
    is_there = true
  end
  for i = #self.queue, 1, -1 do
    local waiting = self.queue[i]
    if is_same(waiting.id, request.cancel) then
      table.remove(self.queue, i)
      self:answer(waiting, { ok = false, error = "interrupted" })
      is_there = true
    end
  end
  self:answer(request, { ok = is_there })
end

function client:take(text)
  local request = core.json_decode(text)
  if type(request) ~= "table" then
    return self:send { ok = false,
      error = 'expected a JSON object such as {"id": 1, "eval": "1 + 1"}' }
  elseif not encode { id = request.id } then
    return self:send { ok = false, error = "id: expected texts in UTF-8" }
  end
  for kind, fn in sorted(kinds) do
    if request[kind] ~= nil then
      return fn(self, request)
    end
  end
  self:answer(request, { ok = false,
    error = "expected eval, complete or cancel" })
end

function client:leave()
  self.is_gone = true
  self.queue = {}
  if self.task then
    self.task:cancel()
  end
  self.session:close()
  self.line:close()
end

local function serve_client(server, line)
  core.console_share()
  server.count = server.count + 1
  server.open = server.open + 1
  local self = setmetatable({
    line = line, queue = {}, number = server.count, budget = server.budget,
  }, client)
  self.session = repl.new {
    print = function(text) self:print(text) end,
    private = true, read_only = server.read_only, width = 78,
  }
  log.write("info", "console", "attached", { client = self.number })
  self:send { moonpeer = core.version, read_only = server.read_only or false }
  local message, code
  repeat
    local text
    text, message, code = line:read()
    if text and text:find "%S" then
      self:take(text)
    end
  until not text
  if code == "limit" then
    self:send { ok = false, error = message }
  end
  self:leave()
  log.write("info", "console", "detached", { client = self.number,
    reason = code })
end

--- Answers at a Unix socket, mode 0600, until the listener is closed.
---@param path string
---@param options? table  read_only; budget: how much processor time an
---  evaluation may hold the loop for, 1 s
---@return table|nil, string?, string?  the listener; nil, message, code
function console.serve(path, options)
  options = options or {}
  local server = {
    count = 0, open = 0, read_only = options.read_only,
    budget = options.budget or 1,
  }
  return core.line_listen(path, function(line)
    core.background()
    if server.open >= clients_most then
      line:write '{"ok":false,"error":"too many consoles are attached"}\n'
      line:close()
      return
    end
    local good, message = xpcall(serve_client, debug.traceback, server, line)
    server.open = server.open - 1
    line:close()
    if not good then
      log.write("debug", "console", "ended", { reason = message })
    end
  end)
end

--- Where a process puts its socket when nobody says where.
---@return string
function console.default_path()
  local id, folder = core.process()
  return ("%s/moonpeer-%d.sock"):format(folder, id)
end

--- The sockets of this user's processes, where they are put by default.
---@return string[]
function console.paths()
  local _, folder = core.process()
  return core.sockets(folder .. "/moonpeer-*.sock")
end

return console
