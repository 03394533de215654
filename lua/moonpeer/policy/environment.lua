--- environment - the globals of a policy from a file: nothing that waits for
--- the outside, nothing that could not be stopped, nothing that reaches other
--- scripts; a global that was never made is an error, not nil.
local core = require "moonpeer.core"
local misuse = require "moonpeer.misuse"

misuse.own_file()

local environment = {}

local plain = {
  "assert", "error", "ipairs", "next", "pairs", "pcall",
  "rawequal", "rawget", "rawlen", "select", "tonumber", "tostring",
  "type", "_VERSION",
}

local function copy(t, without)
  local made = {}
  for key, value in pairs(t) do
    made[key] = not (without and without[key]) and value or nil
  end
  return made
end

--- The parts of the module that do not wait.
local face = {
  "glob", "hex", "network", "now", "time", "version",
}

local function face_of()
  local moonpeer = {}
  for _, name in ipairs(face) do
    moonpeer[name] = core[name]
  end
  return moonpeer
end

--- Chance and time are looked up when they are asked for: in a world they are
--- the world's.
local function late(library, name)
  return function(...)
    return library[name](...)
  end
end

local stock = "^moonpeer%.policies%.[%w_]+$"

local function require_for(moonpeer)
  return function(name)
    if name == "moonpeer" then
      return moonpeer
    elseif type(name) == "string" and name:find(stock) then
      return copy(require(name))
    end
    error(("a policy can require \"moonpeer\" and \"moonpeer.policies.NAME\", "
      .. "not %q"):format(tostring(name)), 2)
  end
end

local function all_names(globals)
  local names = {}
  for name in pairs(globals) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- Reading or writing what is no global.
local function guard(globals)
  local names = all_names(globals)
  return {
    __index = function(_, name)
      local value = globals[name]
      if value ~= nil then
        return value
      end
      local near = core.nearest(tostring(name), names)
      error(("there is no global %q%s"):format(tostring(name), near
        and ("; the nearest known is %q"):format(near) or ""), 2)
    end,
    __newindex = function(_, name)
      error(("a policy has no globals of its own: local %s = ..."):format(
        tostring(name)), 2)
    end,
    __metatable = "protected",
  }
end

--- A new environment: policies share nothing.
---@return table
function environment.new()
  local globals = core.confined()
  for _, name in ipairs(plain) do
    globals[name] = _G[name]
  end
  globals.math = copy(math, { randomseed = true })
  globals.math.random = late(math, "random")
  globals.print = late(_G, "print")
  globals.table, globals.utf8 = copy(table), copy(utf8)
  globals.os = {
    time = late(os, "time"), date = late(os, "date"),
    clock = late(os, "clock"), difftime = os.difftime,
  }
  globals.moonpeer = face_of()
  globals.require = require_for(globals.moonpeer)
  local made = {}
  globals._G = made
  return setmetatable(made, guard(globals))
end

return environment
