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

--- Puts them into a table of globals.
---@param globals table
function held.put(globals)
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
end

return held
