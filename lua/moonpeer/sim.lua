--- sim - simulated worlds: whole engines and scripted peers on a virtual clock
--- and network. The same seed gives the same run, and a run takes no time.
local core = require "moonpeer.core"
local engine = require "moonpeer.engine"
local environment = require "moonpeer.sim.environment"
local misuse = require "moonpeer.misuse"
local remote = require "moonpeer.sim.remote"
local report = require "moonpeer.sim.report"

misuse.own_file()

---@class moonpeer.Sim
local sim = {}

local raw = core.methods "moonpeer.world"
local methods = require "moonpeer.sim.weather"
local meta = { __index = methods, __name = "moonpeer.world" }

--- Raises unless it is a world that is open.
function methods:check()
  if getmetatable(self) ~= meta then
    misuse.raise("expected a world: call world:method(...), with a colon")
  elseif raw.is_closed(self.handle) then
    misuse.raise "the world is closed"
  end
end

local function open(self)
  methods.check(self)
  return self.handle
end

--- Raises the failure that C gave as nil, message.
local function must(what, result, message)
  if not result then
    misuse.raise("%s%s", message:find(what .. ": ", 1, true) == 1 and ""
      or what .. ": ", message)
  end
  return result
end

-- --- hosts -----------------------------------------------------------------

--- Takes an address for a host: its ip, and its port or 0.
local function claim(self, what, address)
  if type(address) ~= "string" then
    misuse.raise("%s: expected an address such as \"10.0.0.1\", got %s", what,
      type(address))
  end
  local ip, port = misuse.guard(what, raw.ip, address)
  must(what, raw.host(open(self), ip))
  return ip, port
end

local function add_host(self, host)
  if self.by_ip[host.ip] then -- what was there before has ended
    local list = {}
    for _, one in ipairs(self.hosts) do
      list[#list + 1] = one ~= self.by_ip[host.ip] and one or nil
    end
    self.hosts = list
  end
  self.hosts[#self.hosts + 1] = host
  self.by_ip[host.ip] = host
end

local function with_port(ip, port)
  return (ip:find ":" and "[%s]:%d" or "%s:%d"):format(ip, port)
end

local function copy(t)
  local made = {}
  for key, value in pairs(t) do -- any order: copies
    made[key] = value
  end
  return made
end

--- Calls fn with the world's time and chance in the places of the real ones.
local function in_time(self, fn, ...)
  local before = environment.swap(self.functions)
  local results = table.pack(pcall(fn, ...))
  environment.swap(before)
  if not results[1] then
    error(results[2], 0)
  end
  return table.unpack(results, 2, results.n)
end

--- A whole engine on a host of its own, started. It listens when its options
--- say so, or when the address has a port.
---@param address string  "10.0.0.1" or "10.0.0.1:8333"
---@param config? table    as for moonpeer.engine
---@return moonpeer.Engine
function methods:engine(address, config)
  open(self)
  if config ~= nil and type(config) ~= "table" then
    misuse.raise("engine: expected a table of options, got %s", type(config))
  end
  local ip, port = claim(self, "engine", address)
  config = copy(config or {})
  config.network = config.network or self.network
  if config.listen == nil and port ~= 0 then
    config.listen = with_port(ip, port)
  end
  -- what policies do when they are loaded and begin is in the world, too
  local made = must("engine", misuse.guard("engine", in_time, self, raw.at,
    self.handle, ip, engine.new, config))
  assert(in_time(self, made.start, made))
  add_host(self, { ip = ip, engine = made })
  return made
end

--- A scripted peer on a host of its own: fn(remote) is a task. The run ends
--- with the error when it raises one.
---@param address string    "10.0.0.1" or "10.0.0.1:8333"
---@param fn function
---@param options? table    of its connections, as for moonpeer.connect
---@return moonpeer.Remote  done, result, error, address
function methods:remote(address, fn, options)
  open(self)
  if type(fn) ~= "function" then
    misuse.raise("remote: expected a function, its script, got %s", type(fn))
  end
  options = copy(options or {})
  options.network = options.network or self.network
  misuse.guard("remote", core.check_options, options)
  local ip, port = claim(self, "remote", address)
  if port == 0 then
    local network = options.network or "mainnet"
    port = type(network) == "table" and network.port
      or core.network[network].port
  end
  local made = remote.new(self, {
    ip = ip, address = with_port(ip, port), options = options,
    at = function(...)
      return raw.at(self.handle, ip, ...)
    end,
  }, fn)
  add_host(self, { ip = ip, remote = made })
  return made
end

-- --- time ------------------------------------------------------------------

--- Somebody's script has failed: the run ends.
function methods:fail(who)
  self.failed = self.failed or who
  raw.stop(self.handle)
end

local function raise_failure(self)
  local who = self.failed
  if who then
    self.failed = nil
    local message = who.error
    if type(message) == "string" then
      message = ("remote %s: %s"):format(who.ip, message)
    end
    error(message, 0)
  end
end

--- Runs, with the world's time and chance in the places of the real ones.
local function run(self, duration, condition)
  local how, what = in_time(self, raw.run, self.handle, duration, condition)
  if how == "refused" then
    misuse.raise("%s", what)
  elseif how == "failed" then
    error(what, 0)
  end
  raise_failure(self)
  return how
end

local function describe(self)
  return report.of(self.hosts, raw.trace(self.handle))
end

local function check_end(self, how)
  if how == "stuck" then
    misuse.raise("a script never waits, or somebody always does something at "
      .. "%.9g s and time cannot pass; what happened last:\n%s", self:now(),
      describe(self))
  elseif how == "stopped" then
    misuse.raise "the run was interrupted"
  end
end

--- Lets time pass, and everything happen that is due until then.
---@param duration number|string
---@return boolean
function methods:run_for(duration)
  open(self)
  misuse.duration("run_for", duration)
  check_end(self, run(self, duration))
  return true
end

--- Lets time pass until the condition holds. It is asked before anything
--- happens and between any two events, and must change nothing.
---@param condition function
---@param limit? number|string  "1h" when left out
---@return boolean|nil, string?, string?  true; or nil, what happened last,
---  remote by remote, and "timeout"
function methods:run_until(condition, limit)
  open(self)
  if type(condition) ~= "function" then
    misuse.raise("run_until: expected a function, the condition, got %s",
      type(condition))
  end
  misuse.duration("run_until", limit or "1h")
  local how = run(self, limit or "1h", condition)
  check_end(self, how)
  if how == "condition" then
    return true
  end
  return nil, ("expected the condition within %s of virtual time; at %.9g s "
    .. "what happened last is:\n%s"):format(limit or "1h", self:now(),
    describe(self)), "timeout"
end

--- Seconds since the world began.
---@return number
function methods:now()
  return raw.now(open(self))
end

--- Sets everybody's wall clock forward or back; timers go on as before.
---@param seconds number  negative to set it back; 1970 to 2200 is possible
function methods:jump(seconds)
  if type(seconds) ~= "number" then
    misuse.raise("jump: expected seconds, got %s", type(seconds))
  end
  must("jump", misuse.guard("jump", raw.jump, open(self), seconds))
end

-- --- what happened ---------------------------------------------------------

--- All that happened, a JSON object a line.
---@return string
function methods:trace()
  return raw.trace(open(self))
end

--- The hash of all that happened, 64 hex digits.
---@return string
function methods:hash()
  return raw.hash(open(self))
end

--- Writes a line into the trace.
---@param host string|table
---@param text string
function methods:note(host, text)
  open(self)
  if type(text) ~= "string" then
    misuse.raise("note: expected a text, got %s", type(text))
  end
  raw.note(self.handle, self:ip_of("note", host), text)
end

--- What there is now, and was so far: hosts, streams, listeners, lookups,
--- works, bytes, memory, events, messages.
---@return table<string, integer>
function methods:count()
  return raw.count(open(self))
end

-- --- the end ---------------------------------------------------------------

--- Asks everything to end and gives it a minute. What is left, in words.
local function take_down(self)
  local left, streams
  raw.shut(self.handle)
  run(self, "1m", function()
    return raw.is_empty(self.handle)
  end)
  left, streams = raw.leftovers(self.handle)
  if #left > 0 or streams > 0 then
    return ("%s%d streams, listeners and look-ups"):format(
      #left > 0 and table.concat(left, ", ") .. "; " or "", streams)
  end
end

--- What could not be closed; or false and an error. Inside a task of the real
--- loop no time can pass: all is just cut off.
local function close(self)
  local good, left = true, nil
  self.is_closing, self.failed = true, nil
  if not raw.is_busy(self.handle) then
    good, left = pcall(take_down, self)
  end
  raw.shut(self.handle, true)
  in_time(self, raw.free, self.handle)
  return good, left
end

local function raise_left(good, left)
  if not good then
    error(left, 0)
  elseif left then
    misuse.raise("the world is closed, but this was left open: %s", left)
  end
end

--- Closes everything in the world, and the world. Raises what could not be
--- closed. Twice is fine.
function methods:close()
  if raw.is_closed(self.handle) then
    return
  elseif raw.is_running(self.handle) then
    misuse.raise "close: the world is running; what runs in it cannot close it"
  end
  raise_left(close(self))
end

function meta.__close(self, message)
  if raw.is_closed(self.handle) or raw.is_running(self.handle) then
    return
  end
  local good, left = close(self)
  if message == nil then
    raise_left(good, left)
  end
end

function meta.__tostring(self)
  return tostring(self.handle)
end

-- --- making ----------------------------------------------------------------

local options_known = {
  seed = true, start = true, work_time = true, trace = true,
  trace_limit = true, instructions = true, network = true,
}

local whole = { "seed", "start", "trace_limit", "instructions" }
local least = { trace_limit = 1 }
local most = { instructions = 0x7fffffff }
local traces = { text = true, hash = true, off = true }

local function check_integer(name, value)
  local floor = least[name] or 0
  if math.type(value) ~= "integer" or value < floor and name ~= "seed" then
    misuse.raise("world: expected an integer%s for %s, got %s",
      name == "seed" and "" or (", %d or more,"):format(floor), name,
      tostring(value))
  elseif most[name] and value > most[name] then
    misuse.raise("world: expected at most %d for %s, got %d", most[name], name,
      value)
  end
end

local function check_values(options)
  for _, name in ipairs(whole) do
    if options[name] ~= nil then
      check_integer(name, options[name])
    end
  end
  local trace = options.trace
  if trace ~= nil and not traces[trace] then
    misuse.raise('world: expected trace to be "text", "hash" or "off", got %s',
      tostring(trace))
  end
end

--- Makes a world. Close it, best with `local world <close> = ...`.
---@param options? table  seed; network: of its engines and remotes when they
---  name none; start: os.time of its beginning; trace: "text", "hash" or
---  "off"; trace_limit: bytes kept; work_time: what blocking work takes;
---  instructions: that a script may run without waiting, 0 for any number
---@return moonpeer.World
function sim.world(options)
  misuse.check_options("world", options, options_known)
  options = options or {}
  check_values(options)
  if options.network ~= nil then
    misuse.guard("world", core.check_options, { network = options.network })
  end
  local handle = must("world", misuse.guard("world", core.world, options))
  local self = setmetatable({
    handle = handle, network = options.network, hosts = {}, by_ip = {},
  }, meta)
  self.functions = environment.of(raw, handle, raw.start(handle))
  return self
end

return sim
