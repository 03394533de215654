--- repl - read, evaluate, print: what the prompt and consoles share. A session
--- knows nothing of terminals or sockets; it is handed lines and a function
--- that prints.
local core = require "moonpeer.core"
local inspect = require "moonpeer.inspect"
local misuse = require "moonpeer.misuse"
local sorted = require "moonpeer.sorted"

misuse.own_file()

local repl = {}

-- --- compiling -------------------------------------------------------------

--- The chunk of a text, an expression first. nil, message; and whether the
--- text only ends too early.
---@param text string
---@param env table
---@return function|nil, string?, boolean?
function repl.compile(text, env)
  text = text:gsub("^%s*=", "return ")
  local chunk = load("return " .. text, "=stdin", "t", env)
  if chunk then
    return chunk
  end
  -- without the line end an open "text" would look unfinished as well
  local _, missing = load("return " .. text .. "\n", "=stdin", "t", env)
  local message
  chunk, message = load(text .. "\n", "=stdin", "t", env)
  if chunk or message:find "<eof>$" then
    return chunk, message, not chunk
  elseif missing and missing:find "<eof>$" then
    return nil, missing, true
  end
  return nil, message, false
end

-- --- what a session can name -----------------------------------------------

local session = {}
session.__index = session

--- The engine at hand: the one that was chosen, else the first that runs.
---@return moonpeer.Engine|nil
function session:engine()
  local all = core.engines()
  for _, engine in ipairs(all) do
    if engine == self.chosen then
      return engine
    end
  end
  return all[#all]
end

--- The peer store of that engine, or nil.
function session:store()
  local engine = self:engine()
  local store = engine and engine.store
  if type(store) == "function" then
    return store(engine)
  end
  return store
end

--- What is there beside the globals.
local function names(self)
  local function show_help(what)
    local is_itself = what == show_help
    self.print(require("moonpeer.help").text(not is_itself and what or nil))
  end
  return {
    moonpeer = function()
      return require "moonpeer"
    end,
    engine = function()
      return self:engine()
    end,
    engines = function()
      return core.engines()
    end,
    help = function()
      return show_help
    end,
    inspect = function()
      return inspect.value
    end,
  }
end

--- Globals are seen; a console's own are its own, those of the prompt are the
--- interpreter's.
local function environment(self, globals)
  local own, lazy = self.own, names(self)
  return setmetatable({}, {
    __index = function(_, name)
      local value = own[name]
      if value == nil then
        value = globals[name]
      end
      if value == nil and lazy[name] then
        return lazy[name]()
      end
      return value
    end,
    __newindex = self.is_private and own or globals,
    __pairs = function()
      return pairs(globals) -- any order: for the person who asks
    end,
  })
end

--- Prints as print does, to the session.
local function printer(self)
  return function(...)
    local parts = table.pack(...)
    for i = 1, parts.n do
      parts[i] = tostring(parts[i])
    end
    self.print(table.concat(parts, "\t"))
  end
end

--- Makes a session.
---@param options table  print: fn(line); private: its globals are its own and
---  print is the session's; read_only: looks, and changes nothing; width
function repl.new(options)
  local self = setmetatable({
    print = options.print,
    is_private = options.private,
    is_read_only = options.read_only,
    width = options.width,
    own = {},
    watches = {},
  }, session)
  self.env = environment(self, _G)
  if options.private then
    require("moonpeer.repl.held").put(self.own, self.env)
    self.own.print = printer(self)
  end
  if options.read_only then
    self.env = require("moonpeer.repl.readonly").environment(self)
  end
  return self
end

-- --- evaluating ------------------------------------------------------------

--- Without the lines that are ours.
local function own_part(trace)
  return (trace:gsub("\n%s*%[C%]: in function 'xpcall'.*$", "")
    :gsub("\n[^\n]*moonpeer/repl[^\n]*", "")
    :gsub("\nstack traceback:$", ""))
end

local function explain(message)
  if type(message) ~= "string" then
    local meta = debug.getmetatable(message)
    return meta and meta.__tostring and tostring(message)
      or "error: " .. inspect.value(message)
  end
  if message:find "interrupted!$" or message:find "the task was cancelled$" then
    return "interrupted"
  end
  return own_part(debug.traceback(message, 2))
end

local function is_task(value)
  local meta = type(value) == "userdata" and debug.getmetatable(value)
  return meta and meta.__name == "moonpeer.task"
end

--- A task is waited for: its results are the results.
local function await(good, ...)
  local first = ...
  if good and is_task(first) and select("#", ...) == 1 then
    return true, first:wait()
  end
  return good, ...
end

local function outcome(good, ...)
  if not good then
    return { error = tostring((...)) }
  end
  return { results = table.pack(...) }
end

--- Evaluates a text: in a task, which may wait. An unfinished text gives
--- { unfinished = message }; else { results } as of table.pack, or { error }.
---@param text string
---@return table
function session:evaluate(text)
  if text:find "^%s*:" then
    local commands = require "moonpeer.repl.commands"
    return outcome(pcall(commands.run, self, text))
  end
  local chunk, message, is_unfinished = repl.compile(text, self.env)
  if not chunk then
    return is_unfinished and { unfinished = message } or { error = message }
  end
  local result = outcome(await(xpcall(chunk, explain)))
  if self.is_read_only and result.error and result.error:find "a nil value" then
    result.error = result.error .. "\n(this console only looks: what changes "
      .. "things is not here)"
  end
  if result.results and result.results.n > 0 then
    self.own._ = result.results[1]
  end
  return result
end

--- What a person is to see of an outcome; nil for nothing.
---@param result table
---@return string|nil
function session:describe(result)
  if result.error then
    return result.error
  elseif result.results and result.results.n > 0 then
    return inspect.results(result.results, { width = self.width })
  end
end

--- What could stand at the end of a text: the words, and how much of the text
--- each would replace.
---@param text string  up to the cursor
---@return string[] words, integer replaced
function session:complete(text)
  return require("moonpeer.repl.complete").find(self, text)
end

--- Ends what it has started.
function session:close()
  for name in sorted(self.watches) do
    require("moonpeer.repl.commands").unwatch(self, name)
  end
end

return repl
