--- held - what evaluations of a console find in the places of functions that
--- nobody could stop: they would hold the engine for longer than their budget.
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
  os = { "execute", "exit" }, io = { "popen", "read", "lines", "input" },
}

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
    elseif select("#", ...) == 0 then
      return loadfile(path, mode, env)
    end
    return loadfile(path, mode, (...))
  end
end

--- The libraries of the session instead of those of all.
local function require_in(globals)
  return function(name)
    local own = name == "_G" and globals._G or globals[name]
    if type(own) == "table" and (name == "_G" or _G[name] ~= nil) then
      return own
    end
    return require(name)
  end
end

--- Puts them into a table of globals, which env looks up in. This keeps people
--- from holding the engine by mistake; it is no wall: who may evaluate here may
--- do all that the process may.
---@param globals table
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
  globals.io.stdin = nil
  globals._G = env
  globals.load, globals.loadfile = load_in(env), loadfile_in(env)
  globals.dofile = function(path)
    return assert(globals.loadfile(path))()
  end
  globals.require = require_in(globals)
end

return held
