--- environment - the globals of a policy from a file: nothing that waits for
--- the outside, nothing that could not be stopped, nothing that reaches other
--- scripts; a global that was never made is an error, not nil.
local core = require "moonpeer.core"
local misuse = require "moonpeer.misuse"
local tables = require "moonpeer.policy.tables"

misuse.own_file()

local environment = {}

local plain = {
  "assert", "error", "ipairs", "next", "pairs", "pcall",
  "rawequal", "rawget", "rawlen", "select", "tonumber", "tostring",
  "type", "_VERSION",
}

local function copy(t, without)
  local made = {}
  for key, value in pairs(t) do -- any order: copies
    made[key] = not (without and without[key]) and value or nil
  end
  return made
end

--- Tables of tables, too: what a policy does to them is nobody else's.
local function copy_all(value)
  if type(value) ~= "table" then
    return value
  end
  local made = {}
  for key, part in pairs(value) do -- any order: copies
    made[key] = copy_all(part)
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
    moonpeer[name] = copy_all(core[name])
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

local longest_date = 256 -- bytes of a format

local function date(format, ...)
  if type(format) == "string" and #format > longest_date then
    error(("expected a format of at most %d bytes"):format(longest_date), 2)
  end
  return os.date(format, ...)
end

--- A stock policy of one's own, made anew: what is changed of it, or in its
--- tables, changes no other.
local function make_anew(name)
  for _, search in ipairs(package.searchers) do
    local loader, place = search(name)
    if type(loader) == "function" then
      return loader(name, place)
    end
  end
  error(("there is no stock policy %q"):format(name), 3)
end

local stock = "^moonpeer%.policies%.[%w_]+$"

local function require_for(moonpeer)
  local loaded = { moonpeer = moonpeer }
  return function(name)
    if type(name) == "string" and not loaded[name] and name:find(stock) then
      loaded[name] = make_anew(name)
    end
    local made = loaded[name]
    if made == nil then
      error(("a policy can require \"moonpeer\" and "
        .. "\"moonpeer.policies.NAME\", not %q"):format(tostring(name)), 2)
    end
    return made
  end
end

local function all_names(globals)
  local names = {}
  for name in pairs(globals) do -- any order: sorts them
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
  globals.table, globals.utf8 = tables.new(), copy(utf8)
  globals.os = {
    time = late(os, "time"), date = date,
    clock = late(os, "clock"), difftime = os.difftime,
  }
  globals.moonpeer = face_of()
  globals.require = require_for(globals.moonpeer)
  local made = {}
  globals._G = made
  return setmetatable(made, guard(globals))
end

return environment
