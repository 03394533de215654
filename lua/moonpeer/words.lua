--- words - values as people read them in messages.
local core = require "moonpeer.core"
local misuse = require "moonpeer.misuse"

misuse.own_file()

local words = {}

local function show_text(text)
  local shown = text:find "^[%g ]*$" and ("%q"):format(text) or core.hex(text)
  return #shown > 80 and shown:sub(1, 77) .. "..." or shown
end

--- A value in words: text as it is, other bytes in hex, tables in order, and
--- nothing too long.
---@param value any
---@return string
function words.show(value)
  if type(value) == "string" then
    return show_text(value)
  elseif type(value) ~= "table" then
    return tostring(value)
  end
  local parts = {}
  for _, name in ipairs(misuse.names(value)) do
    if #parts == 8 then
      parts[9] = "..."
      break
    end
    local item = value[name]
    if item == nil then
      item = value[tonumber(name)]
    end
    parts[#parts + 1] = name .. " = " .. words.show(item)
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

--- tostring for what somebody raised: an object whose own words fail has none.
---@param value any
---@return string
function words.raised(value)
  local good, text = pcall(tostring, value)
  return good and text or ("(a %s without words)"):format(type(value))
end

--- "ping, inv and 3 more", or "nothing".
---@param list string[]
---@return string
function words.list(list)
  if #list == 0 then
    return "nothing"
  end
  local shown = table.concat(list, ", ", 1, math.min(#list, 8))
  return #list > 8 and ("%s and %d more"):format(shown, #list - 8) or shown
end

--- What is said of a name that is neither a built-in message nor one of the
--- others: it may be meant, or mistyped. Nil of those.
---@param name string
---@param others? string[]
---@return string|nil
function words.doubt(name, others)
  local known = table.move(others or {}, 1, #(others or {}), 1, {})
  for _, one in ipairs(core.types()) do
    known[#known + 1] = one.command
  end
  for _, one in ipairs(known) do
    if one == name then
      return nil
    end
  end
  local near = core.nearest(name, known)
  return ("%s is no built-in message%s"):format(words.show(name),
    near and ("; the nearest is %q"):format(near) or "")
end

return words
