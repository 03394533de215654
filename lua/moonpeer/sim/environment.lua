--- environment - while a world's Lua runs, chance and time are the world's:
--- math.random, os.time, os.clock and os.date. What a script has kept in
--- a local before (local time = os.time) stays the real one.
local misuse = require "moonpeer.misuse"

misuse.own_file()

local environment = {}

local maths, system = math, os

--- The functions as a world has them.
---@param raw table   the world's functions from C
---@param world userdata
---@return table
function environment.of(raw, world, start)
  local date = system.date
  local function time(parts)
    if parts ~= nil then
      return raw.utc(parts)
    end
    return start + raw.now(world) // 1 | 0
  end
  return {
    random = function(...)
      return raw.random(world, ...)
    end,
    randomseed = function() end, -- the world has its own seed
    time = time,
    clock = function()
      return raw.now(world)
    end,
    --- In UTC, wherever the machine stands.
    date = function(format, at)
      format = format or "%c"
      if format:sub(1, 1) ~= "!" then
        format = "!" .. format
      end
      return date(format, at or time())
    end,
  }
end

local places = {
  random = maths, randomseed = maths, time = system, clock = system,
  date = system,
}

--- Puts these functions in their places.
---@param functions table
---@return table  those that were there, to be put back
function environment.swap(functions)
  local before = {}
  for name, place in pairs(places) do -- any order: each is put in its own place
    before[name] = place[name]
    place[name] = functions[name]
  end
  return before
end

return environment
