--- held - what evaluations of a console find in the places of functions that
--- nobody could stop: they would hold the engine for longer than their budget.
--- It also keeps from them what would reach the originals.
local core = require "moonpeer.core"
local tables = require "moonpeer.policy.tables"

local held = {}

local function copy(library)
  local made = {}
  for name, value in pairs(library) do
    made[name] = value
  end
  return made
end

--- Raises: the engine would wait for somebody else.
local function refuse(library, name)
  return function()
    error(("%s.%s would hold the engine: not from a console"):format(library,
      name), 2)
  end
end

local blocking = {
  os = { "execute", "exit" }, io = { "popen", "read", "input", "output" },
}

-- --- files -----------------------------------------------------------------

--- Raises unless it can be opened at once.
local function check_path(path)
  if type(path) == "string" and not core.is_plain(path) then
    error(path .. " is no plain file; it might hold the engine: not from a "
      .. "console", 3)
  end
end

local function open(path, ...)
  check_path(path)
  return io.open(path, ...)
end

local function lines(path, ...)
  if path == nil then
    error("io.lines would hold the engine: not from a console", 2)
  end
  check_path(path)
  return io.lines(path, ...)
end

--- What is written goes to whoever is at the console: the process's own output
--- may be full.
local function put_output(globals)
  local out = setmetatable({ flush = function() end }, {
    __tostring = function() return "file (this console)" end,
  })
  function out.write(self, ...)
    local text = table.concat { ... }
    globals.print(text:sub(-1) == "\n" and text:sub(1, -2) or text)
    return self
  end
  globals.io.stdin, globals.io.stdout, globals.io.stderr = nil, out, out
  globals.io.write = function(...)
    return out:write(...)
  end
end

-- --- code ------------------------------------------------------------------

--- Code that is loaded sees what the session sees, not the globals of all.
local function load_in(env)
  return function(chunk, name, mode, ...)
    if select("#", ...) == 0 then
      return load(chunk, name, mode, env)
    end
    return load(chunk, name, mode, (...))
  end
end

local function loadfile_in(env)
  return function(path, mode, ...)
    if not path then
      error("loadfile would wait for stdin: not from a console", 2)
    end
    check_path(path)
    if select("#", ...) == 0 then
      return loadfile(path, mode, env)
    end
    return loadfile(path, mode, (...))
  end
end

local public = { ["moonpeer"] = true, ["moonpeer.sim"] = true,
  ["moonpeer.test"] = true }

--- The libraries of the session instead of those of all; of moonpeer what is
--- for everybody.
local function module_in(globals)
  return function(name)
    local own = globals[name]
    if type(own) == "table" and (name == "_G" or type(_G[name]) == "table") then
      return own
    elseif type(name) == "string" and name:find "^moonpeer%."
      and not public[name] and not name:find "^moonpeer%.policies%." then
      error(name .. " is moonpeer's own: not from a console", 3)
    end
  end
end

local function put_modules(globals)
  local find = module_in(globals)
  globals.require = function(name)
    return find(name) or require(name)
  end
  globals.package = {
    path = package.path, cpath = package.cpath, config = package.config,
    loaded = setmetatable({}, {
      __index = function(_, name)
        return find(name) or package.loaded[name]
      end,
    }),
  }
end

-- --- Lua itself ------------------------------------------------------------

--- Without the function: from it one would get anywhere.
local function getinfo(first, ...)
  if math.type(first) == "integer" then
    first = first + 1 -- this function is one more
  end
  local about = debug.getinfo(first, ...)
  if about then
    about.func = nil
  end
  return about
end

local collecting = { collect = true, count = true, step = true,
  isrunning = true }

local function collect(what, ...)
  if not collecting[what or "collect"] then
    error(("collectgarbage %q would be the whole engine's: not from a "
      .. "console"):format(tostring(what)), 2)
  end
  return collectgarbage(what, ...)
end

--- Puts them into a table of globals, which env looks up in. Who may evaluate
--- here may do to the engine all that there is to do, and use files; what keeps
--- it from its work, he may not.
---@param globals table  print is there
---@param env table
function held.put(globals, env)
  for name, value in pairs(core.confined()) do
    globals[name] = value
  end
  globals.table = tables.new()
  for library, names in pairs(blocking) do
    globals[library] = copy(_G[library])
    for _, name in ipairs(names) do
      globals[library][name] = refuse(library, name)
    end
  end
  globals.io.open, globals.io.lines = open, lines
  put_output(globals)
  globals._G = env
  globals.load, globals.loadfile = load_in(env), loadfile_in(env)
  globals.dofile = function(path)
    return assert(globals.loadfile(path))()
  end
  put_modules(globals)
  globals.debug = { traceback = debug.traceback, getinfo = getinfo }
  globals.collectgarbage = collect
end

return held
