--- worlds - what specs of worlds share.
local sim = require "moonpeer.sim"

local worlds = {}

--- Calls fn with a world that is closed afterwards, whatever came of it.
function worlds.within(options, fn)
  local world <close> = sim.world(options)
  return fn(world)
end

--- The line of whoever calls.
function worlds.here()
  return debug.getinfo(2, "l").currentline
end

--- Makes sure that fn raises these words, at this line of its file.
function worlds.refused(words, line, fn)
  local good, message = pcall(fn)
  local file = debug.getinfo(fn, "S").short_src
  assert(not good, "expected a refusal: " .. words)
  local place = ("%s:%d: "):format(file, line)
  if message:sub(1, #place) ~= place or not message:find(words, 1, true) then
    error(("expected %s%s, got %s"):format(place, words, message), 0)
  end
end

--- A script that waits for ever.
function worlds.waits(remote)
  remote:accept()
end

return worlds
