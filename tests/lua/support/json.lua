--- json - reading JSON in plain Lua, independent of what is tested. null is
--- json.null; whole numbers are integers.
local json = { null = setmetatable({}, { __name = "null" }) }

local escapes = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

local value

local function space(text, at)
  return text:match("^[ \t\r\n]*()", at)
end

local function string_at(text, at)
  local parts = {}
  while true do
    local plain, stop = text:match('^([^"\\%c]*)()', at)
    parts[#parts + 1] = plain
    local c = text:sub(stop, stop)
    if c == '"' then
      local whole = table.concat(parts)
      assert(utf8.len(whole), "not UTF-8")
      return whole, stop + 1
    end
    assert(c == "\\", "a text that does not end, or a bare control character")
    local kind = text:sub(stop + 1, stop + 1)
    if kind == "u" then
      local code = assert(text:match("^%x%x%x%x", stop + 2), "bad \\u")
      parts[#parts + 1] = utf8.char(tonumber(code, 16))
      at = stop + 6
    else
      parts[#parts + 1] = assert(escapes[kind] or kind:match '["\\/]')
      at = stop + 2
    end
  end
end

--- What stands between brackets, each taken by one(at) -> next place.
local function list(text, at, close, one)
  at = space(text, at)
  if text:sub(at, at) == close then
    return at + 1
  end
  while true do
    at = space(text, one(space(text, at)))
    local c = text:sub(at, at)
    at = at + 1
    if c == close then
      return at
    end
    assert(c == ",", "expected a comma at " .. at)
  end
end

local function object_at(text, at)
  local object = {}
  at = list(text, at, "}", function(place)
    assert(text:sub(place, place) == '"', "expected a name at " .. place)
    local name, after = string_at(text, place + 1)
    after = space(text, after)
    assert(text:sub(after, after) == ":", "expected a colon at " .. after)
    assert(object[name] == nil, "a name stands twice: " .. name)
    object[name], after = value(text, after + 1)
    return after
  end)
  return object, at
end

local function array_at(text, at)
  local array = {}
  at = list(text, at, "]", function(place)
    local after
    array[#array + 1], after = value(text, place)
    return after
  end)
  return array, at
end

local words = { ["true"] = true, ["false"] = false, null = json.null }

function value(text, at)
  at = space(text, at)
  local c = text:sub(at, at)
  if c == "{" then
    return object_at(text, at + 1)
  elseif c == "[" then
    return array_at(text, at + 1)
  elseif c == '"' then
    return string_at(text, at + 1)
  end
  local word, after = text:match("^(%l+)()", at)
  if word then
    assert(words[word] ~= nil, "unknown word " .. word)
    return words[word], after
  end
  local number
  number, after = text:match("^(-?%d[%d.eE+-]*)()", at)
  return assert(math.tointeger(number) or tonumber(number)), after
end

--- The value of a whole text; raises for what is no JSON.
function json.read(text)
  local result, at = value(text, 1)
  assert(space(text, at) == #text + 1, "something follows the value")
  return result
end

return json
