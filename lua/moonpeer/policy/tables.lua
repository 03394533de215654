--- tables - the table library of policies from files. Lua's own functions loop
--- in C, where nothing stops them, over as many elements as a table claims:
--- a __len, or a few far-off keys, are enough to claim 2^62. Where that may
--- happen these loop in Lua, which the watchdog stops.
local tables = {}

local native = table

local native_most = 1 << 16 -- elements that C may go through at once

--- What it claims is what it holds, and that is not much.
local function is_small(t)
  return type(t) ~= "table" or not getmetatable(t) and #t <= native_most
end

local function insert_slowly(t, at, value)
  local n = #t + 1
  if math.type(at) ~= "integer" or at < 1 or at > n then
    error("bad argument #2 to 'insert' (position out of bounds)", 3)
  end
  for i = n, at + 1, -1 do
    t[i] = t[i - 1]
  end
  t[at] = value
end

local function insert(t, ...)
  if is_small(t) then
    return native.insert(t, ...)
  elseif select("#", ...) == 1 then
    t[#t + 1] = (...)
  elseif select("#", ...) == 2 then
    insert_slowly(t, ...)
  else
    error("wrong number of arguments to 'insert'", 2)
  end
end

local function remove(t, at)
  if is_small(t) then
    if at == nil then
      return native.remove(t)
    end
    return native.remove(t, at)
  end
  local n = #t
  at = at or n
  if n + 1 ~= at and (math.type(at) ~= "integer" or at < 1 or at > n + 1) then
    error("bad argument #2 to 'remove' (position out of bounds)", 2)
  end
  local value = t[at]
  for i = at, n - 1 do
    t[i] = t[i + 1]
  end
  t[math.max(at, n)] = nil
  return value
end

local function move(from, first, last, at, to)
  to = to or from
  for name, value in pairs { first, last, at } do
    if math.type(value) ~= "integer" then
      error(("bad argument #%d to 'move' (expected an integer)"):format(
        name + 1), 2)
    end
  end
  local forth = at > last or at <= first or to ~= from
  for i = 0, last - first do
    local step = forth and i or last - first - i
    to[at + step] = from[first + step]
  end
  return to
end

local function concat(t, gap, first, last)
  if type(t) == "table" and getmetatable(t) then
    local plain = {}
    for i = first or 1, last or #t do
      plain[i] = t[i]
    end
    return native.concat(plain, gap, first or 1, last or #t)
  end
  return native.concat(t, gap, first, last)
end

--- The comparison is Lua, whatever is given: between two of them it can be
--- stopped.
local function sort(t, is_before)
  if is_before == nil then
    return native.sort(t, function(a, b)
      return a < b
    end)
  elseif type(is_before) ~= "function" then
    return native.sort(t, is_before)
  end
  return native.sort(t, function(a, b)
    local answer = is_before(a, b)
    return answer
  end)
end

--- A library of one's own.
---@return table
function tables.new()
  return {
    concat = concat, insert = insert, move = move, pack = native.pack,
    remove = remove, sort = sort, unpack = native.unpack,
  }
end

return tables
