--- help - what is known of a name or a value, from the API's description.
local api = require "moonpeer.api"
local core = require "moonpeer.core"

local help = {}

--- The first part of a sentence or two: "moonpeer.sim" is one word.
local function beginning(text)
  local stop = (text .. " "):find "[.:;]%s"
  return stop and text:sub(1, stop - 1) or text
end

local function rows(lines, title, list)
  if #list == 0 then
    return
  end
  lines[#lines + 1] = title
  for _, row in ipairs(list) do
    lines[#lines + 1] = ("  %-20s %s%s"):format(row[1], row[2],
      row[3] and row[3] ~= "" and row[3] ~= "options" and ": " .. row[3] or "")
  end
end

local function add_results(lines, member)
  for i, result in ipairs(member.returns or {}) do
    lines[#lines + 1] = (i == 1 and "returns  " or "         ") .. result[1]
      .. (result[2] ~= "" and ": " .. result[2] or "")
  end
  if member.default then
    lines[#lines + 1] = "without  " .. member.default
  end
  if member.errors then
    lines[#lines + 1] = "or       nil, message, code: "
      .. table.concat(member.errors, ", ")
  end
end

local function describe_member(one, member)
  local lines = { api.signature(one, member)
    .. (member.type and ": " .. member.type or ""), "  " .. member.summary }
  rows(lines, "arguments", member.args or {})
  rows(lines, "options", api.options_of(member))
  add_results(lines, member)
  if member.range then
    lines[#lines + 1] = ("range    %s; default %s"):format(member.range,
      member.default)
  end
  if member.waits then
    lines[#lines + 1] = "It waits: inside a task."
  end
  if member.example then
    lines[#lines + 1] = "example\n  " .. member.example:gsub("\n", "\n  ")
  end
  return table.concat(lines, "\n")
end

local function describe_type(one)
  local lines = { one.class .. "\n  " .. one.summary }
  for _, member in ipairs(one.members) do
    lines[#lines + 1] = ("  %-36s %s"):format(api.signature(one, member),
      beginning(member.summary))
  end
  for _, row in ipairs(one.values and one.values[2] or {}) do
    lines[#lines + 1] = ("  %-36s %s"):format(
      ("%q"):format(row[1]), row[2])
  end
  return table.concat(lines, "\n")
end

local function list_types()
  local lines = { "What there is; help \"engine\" or help \"engine.ban\" "
    .. "tells more." }
  for _, one in ipairs(api.types()) do
    lines[#lines + 1] = ("  %-16s %s"):format(one.variable,
      beginning(one.summary))
  end
  return table.concat(lines, "\n")
end

local function find_by_name(name)
  local found = api.find(name)
  if #found == 0 then
    local near = core.nearest(name, api.names())
    return ("nothing is known of %q%s"):format(name,
      near and (", the nearest known is %q"):format(near) or "")
  end
  local parts = {}
  for i, pair in ipairs(found) do
    parts[i] = pair[2] and describe_member(pair[1], pair[2])
      or describe_type(pair[1])
  end
  return table.concat(parts, "\n\n")
end

--- The table that a type describes, when it is none of objects.
local function module_of(one)
  if one.variable == "moonpeer" then
    return require "moonpeer"
  elseif one.variable == "moonpeer.message" then
    return require("moonpeer").message
  end
  return one.outside and package.loaded[one.name]
end

--- The member whose live function or table this is, or what describes it.
local function find_value(value)
  for _, one in ipairs(api.types()) do
    if value == module_of(one) then
      return describe_type(one)
    end
  end
  for _, one in ipairs(api.types()) do
    local good, methods = pcall(core.methods, one.name)
    local place = module_of(one) or good and methods or {}
    for _, member in ipairs(one.members) do
      if rawget(place, member.name) == value then
        return describe_member(one, member)
      end
    end
  end
end

--- What a name or value is.
---@param what any  "engine.ban", moonpeer.connect, an engine ...; nil: all
---@return string
function help.text(what)
  if what == nil then
    return list_types()
  elseif type(what) == "string" then
    return find_by_name(what)
  end
  local known = find_value(what)
  if known or type(what) == "function" then
    return known or "a function that is none of moonpeer's"
  end
  local meta = debug.getmetatable(what)
  local one = meta and type(meta.__name) == "string" and api.type(meta.__name)
  return one and describe_type(one)
    or ("a %s of nobody moonpeer knows"):format(type(what))
end

return help
