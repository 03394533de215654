--- misuse - raises at the line of whoever called into the module, however deep
--- inside the mistake was noticed.
local core = require "moonpeer.core"

local own = {}

local misuse = {}

--- Says that a file belongs to the module: call it at the file's top level.
function misuse.own_file()
  own[debug.getinfo(2, "S").source] = true
end

misuse.own_file()

--- Whether a file (debug.getinfo's source) belongs to the module.
---@param source string
function misuse.is_own(source)
  return own[source] == true
end

--- The level, for error, of the nearest function that is not the module's.
local function outside()
  local level = 3
  local info = debug.getinfo(level, "S")
  while info and own[info.source] do
    level = level + 1
    info = debug.getinfo(level, "S")
  end
  return level - 1
end

--- Raises a message at the caller's line.
---@param format string  as string.format
function misuse.raise(format, ...)
  error(select("#", ...) > 0 and format:format(...) or format, outside())
end

--- The names of a table's keys, in order: nothing may depend on pairs'.
---@param t table
---@return string[]
function misuse.names(t)
  local names = {}
  for name in pairs(t) do -- any order: sorts them
    names[#names + 1] = tostring(name)
  end
  table.sort(names)
  return names
end

--- Raises when a table has keys but the known.
---@param what string  "link: unknown option"
---@param t table
---@param known table<string, any>
function misuse.check_known(what, t, known)
  for _, name in ipairs(misuse.names(t)) do
    if known[name] == nil then
      local near = core.nearest(name, misuse.names(known))
      misuse.raise("%s %q%s", what, name,
        near and ("; the nearest known is %q"):format(near) or "")
    end
  end
end

--- Raises unless the value is nil or a table with no keys but the known.
---@param what string  "link": what the options are for
---@param options table|nil
---@param known table<string, any>
function misuse.check_options(what, options, known)
  if options ~= nil and type(options) ~= "table" then
    misuse.raise("%s: expected a table of options, got %s", what,
      type(options))
  end
  misuse.check_known(what .. ": unknown option", options or {}, known)
end

--- The same error without the place in the module where it was noticed.
---@param message any
---@return string
function misuse.bare(message)
  message = tostring(message)
  return (message:gsub("^[^\n]-%.lua:%d+: ", "")
    :gsub("^bad argument #%d+ to '[^']*' %((.*)%)$", "%1"))
end

--- Calls fn; what it raises is raised at the caller's line.
---@param what string
function misuse.guard(what, fn, ...)
  local results = table.pack(pcall(fn, ...))
  if not results[1] then
    local message = misuse.bare(results[2])
    local is_named = message:find(what .. ": ", 1, true) == 1
    misuse.raise("%s%s", is_named and "" or what .. ": ", message)
  end
  return table.unpack(results, 2, results.n)
end

local longest = 10 * 365 * 86400

--- Seconds of a duration that makes sense: 0 to 10 years.
---@param what string
---@param value number|string
---@return number
function misuse.duration(what, value)
  local good, seconds = pcall(core.duration, value)
  if not good then
    misuse.raise('%s: expected seconds or a text such as "250ms", got %s',
      what, type(value) == "string" and ("%q"):format(value)
        or tostring(value))
  end
  if seconds > longest then
    misuse.raise("%s: expected at most 10 years, got %s", what,
      tostring(value))
  end
  return seconds
end

return misuse
