--- remote - a scripted peer of a world: a task on a host of its own that
--- listens, dials, and talks on connections (moonpeer.conversation).
local core = require "moonpeer.core"
local dial = require "moonpeer.dial"
local misuse = require "moonpeer.misuse"

require "moonpeer.conversation" -- what connections can say

misuse.own_file()

local remote = {}

local methods = {}
local meta = { __index = methods, __name = "moonpeer.remote" }

function meta.__tostring(self)
  return ("moonpeer.remote: %s (%s)"):format(self.address,
    self.error and "failed" or self.done and "done" or "running")
end

--- Keeps a connection, to close it when the script has ended.
local function keep(self, connection, ...)
  local list = self.connections
  if connection then
    if #list >= self.prune then
      local live = {}
      for _, one in ipairs(list) do
        live[#live + 1] = one.state ~= "disconnected" and one or nil
      end
      self.connections, list = live, live
      self.prune = math.max(16, 2 * #live)
    end
    list[#list + 1] = connection
  end
  return connection, ...
end

local function finish(self)
  self.done, self.ended = true, self.world:now()
  for _, connection in ipairs(self.connections) do
    connection:close()
  end
  self.connections = {}
  if self.listener then
    self.listener:close()
  end
end

--- A traceback for what is no object of somebody's.
local function explain(message)
  if type(message) == "string" then
    return debug.traceback(message, 2)
  end
  return message
end

--- Runs a function of the script; its error ends the run of the world.
local function play(self, fn, ...)
  self.running = self.running + 1
  local results = table.pack(xpcall(fn, explain, ...))
  self.running = self.running - 1
  if not results[1] and not self.world.is_closing and not self.error then
    self.error = results[2] or "nil"
    self.world:fail(self)
  end
  if self.running == 0 then
    finish(self)
  end
  return table.unpack(results, 2, results.n)
end

local function options_of(self, options)
  local all = {}
  for _, source in ipairs { self.options, options } do
    for name, value in pairs(source) do -- any order: copies
      all[name] = value
    end
  end
  return all
end

--- Raises unless a script of a remote calls this, which can wait.
local function check_waits(self, what)
  if getmetatable(self) ~= meta then
    misuse.raise("%s: expected a remote: call remote:%s(...), with a colon",
      what, what)
  elseif not coroutine.isyieldable() then
    misuse.raise("%s waits; call it in the script of the remote", what)
  end
  self.world:check()
end

--- The options of a connection: the remote's, and these before them.
local function checked_options(self, what, options)
  if options == nil then
    return self.options
  elseif type(options) ~= "table" then
    misuse.raise("%s: expected a table of options, got %s", what,
      type(options))
  end
  local all = options_of(self, options)
  misuse.guard(what, core.check_options, all)
  return all
end

--- Listens at the remote's address from now on. accept does it by itself.
---@param options? table  as for moonpeer.connect
---@return moonpeer.Listener
function methods:listen(options)
  if not self.listener then
    self.listener = assert(core.listen(self.address, nil,
      checked_options(self, "listen", options)))
  end
  return self.listener
end

--- Waits for the next one who dials.
---@param timeout? number|string
---@return moonpeer.Connection|nil, string?, string?  nil, message, code
function methods:accept(timeout)
  check_waits(self, "accept")
  if timeout ~= nil then
    misuse.duration("accept", timeout)
  end
  return keep(self, self:listen():accept(timeout))
end

--- Runs fn(connection) for everyone who dials, each in a task of its own.
--- Returns when the listener is closed.
---@param fn function
function methods:serve(fn)
  check_waits(self, "serve")
  if type(fn) ~= "function" then
    misuse.raise("serve: expected a function, got %s", type(fn))
  end
  local listener = self:listen()
  local connection = listener:accept()
  while connection do
    self:spawn(fn, keep(self, connection))
    connection = listener:accept()
  end
end

--- Dials.
---@param address string  or a name of world:dns; without a port: the network's
---@param options? table  as for moonpeer.connect
---@return moonpeer.Connection|nil, string?, string?  nil, message, code
function methods:dial(address, options)
  check_waits(self, "dial")
  options = checked_options(self, "dial", options)
  return keep(self, dial("dial", address, options))
end

--- Starts another task of this remote.
function methods:spawn(fn, ...)
  check_waits(self, "spawn")
  if type(fn) ~= "function" then
    misuse.raise("spawn: expected a function, got %s", type(fn))
  end
  return core.spawn(play, self, fn, ...)
end

function methods:sleep(duration)
  check_waits(self, "sleep")
  misuse.duration("sleep", duration)
  return core.sleep(duration)
end

--- Seconds since the world began.
function methods:now()
  return self.world:now()
end

--- Writes a line into the world's trace.
function methods:note(text)
  self.world:note(self.ip, text)
end

--- Where its script waits: "spec.lua:12", nil when it does not.
---@return string|nil
function remote.place(self)
  local level = 0
  local thread = self.thread
  local info = thread and debug.getinfo(thread, level, "Sl")
  while info do
    if info.what ~= "C" and not misuse.is_own(info.source) then
      return ("%s:%d"):format(info.short_src, info.currentline)
    end
    level = level + 1
    info = debug.getinfo(thread, level, "Sl")
  end
end

--- Makes one; its host is there. The script begins with the next run.
---@param world table
---@param host table   address, ip, options, at(fn, ...)
---@param fn function  fn(remote)
function remote.new(world, host, fn)
  local self = setmetatable({
    world = world, address = host.address, ip = host.ip,
    options = host.options, connections = {}, prune = 16, running = 0,
    done = false,
  }, meta)
  self.task = host.at(core.spawn, function()
    self.thread = coroutine.running()
    self.result = play(self, fn, self)
  end)
  return self
end

return remote
