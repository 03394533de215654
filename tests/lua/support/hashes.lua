--- hashes - a helper of busted (--helper=support.hashes) that writes down what
--- became of every world: at its end a line with the hash of all that happened
--- in it, how much that was, and the spec. Into the file MOONPEER_HASHES, once
--- all is well; with MOONPEER_TRACES=FOLDER also what happened, a file for each
--- world. And with MOONPEER_SHUFFLE=N the order of pairs is one of chance: what
--- depends on it is found at once.
local busted = require "busted"

--- splitmix64, as good as any here.
local state = math.tointeger(tonumber(os.getenv "MOONPEER_SHUFFLE"))

local function draw(n)
  state = state + 0x9e3779b97f4a7c15
  local z = (state ~ (state >> 30)) * 0xbf58476d1ce4e5b9
  return (z >> 33) % n + 1
end

--- The keys of a table in an order of chance.
local function shuffled(t)
  local keys, n = {}, 0
  for key in next, t do
    n = n + 1
    local at = draw(n)
    keys[n] = keys[at]
    keys[at] = key
  end
  return keys
end

--- pairs; a key whose value has gone meanwhile is left out.
local function walk(t)
  local meta = getmetatable(t)
  if type(meta) == "table" and meta.__pairs then
    return meta.__pairs(t)
  end
  local keys, i = shuffled(t), 0
  return function()
    local key, value
    repeat
      i = i + 1
      key = keys[i]
      value = key ~= nil and rawget(t, key)
    until key == nil or value ~= nil
    return key, value
  end, t
end

local core = require "moonpeer.core"

-- busted loads anew, before each file, what it has not seen before all
require "moonpeer"
require "moonpeer.sim"
require "moonpeer.store"

local raw = core.methods "moonpeer.world"
local free, make = raw.free, core.world
local folder = os.getenv "MOONPEER_TRACES"
local path = assert(os.getenv "MOONPEER_HASHES")
local spec, worlds, ordinary = "", 0, pairs
local lines, good = {}, true
os.remove(path)

busted.subscribe({ "test", "start" }, function(element)
  local names = {}
  repeat
    table.insert(names, 1, element.name)
    element = busted.parent(element)
  until not element or element.descriptor == "file"
  spec, worlds = table.concat(names, " "), 0
  _G.pairs = state and walk or ordinary
end)

busted.subscribe({ "test", "end" }, function()
  _G.pairs = ordinary -- busted has an order of its own
end)

busted.subscribe({ "failure" }, function()
  good = false
end)
busted.subscribe({ "error" }, function()
  good = false
end)

--- Sorted: the order of specs is nobody's promise.
busted.subscribe({ "suite", "end" }, function()
  if good then
    table.sort(lines)
    local file <close> = assert(io.open(path, "w"))
    file:write(table.concat(lines))
  end
end)

local function write_trace(world, number)
  local to = ("%s/%s-%d"):format(folder, spec:gsub("%W", "_"), number)
  local trace <close> = assert(io.open(to, "w"))
  trace:write(raw.trace(world))
end

function raw.free(world)
  worlds = worlds + 1
  lines[#lines + 1] = ("%s %d %s (world %d)\n"):format(raw.hash(world),
    raw.count(world).events, spec, worlds)
  if folder then
    write_trace(world, worlds)
  end
  return free(world)
end

if folder then
  function core.world(options)
    options.trace = "text"
    return make(options)
  end
end
