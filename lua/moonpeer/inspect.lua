--- inspect - values as text for people: keys in order, cut at a depth and a
--- size, safe with cycles, bytes as hex. What it gives for tables, texts and
--- numbers is Lua again, where nothing was cut.
local inspect = {}

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in
  local nil not or repeat return then true until while]]):gmatch "%a+" do
  keywords[word] = true
end

local defaults = {
  depth = 4,    -- tables inside tables
  items = 64,   -- of one table
  text = 256,   -- bytes of one text
  size = 16384, -- bytes in all
  width = 78,   -- columns; what is longer gets a line for each item
}

-- --- single values ---------------------------------------------------------

local function is_text(value)
  return utf8.len(value) and not value:find "[%c\127]"
end

local escapes = {
  ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"',
  ["\\"] = "\\\\",
}

--- Text with a few line ends and tabs is still text; C1 controls are not.
local function is_plain(value)
  return is_text((value:gsub("[\n\r\t]", " ")))
    and not value:find "\xc2[\x80-\x9f]"
end

local function quote(value)
  return '"' .. value:gsub('[%c"\\]', escapes) .. '"'
end

--- Cuts at a character, not within one.
local function cut(value, n)
  while n > 0 and (value:byte(n + 1) or 0) & 0xc0 == 0x80 do
    n = n - 1
  end
  return value:sub(1, n)
end

local function show_bytes(value, limit)
  local shown = value:sub(1, limit // 2):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end)
  return ("<%d bytes: %s%s>"):format(#value, shown,
    #value > limit // 2 and "..." or "")
end

--- Of a long text only the beginning is looked at, which is more than what is
--- shown: a console has no time for millions of bytes.
local function show_text(value, limit)
  if not is_plain(cut(value, 16 * limit)) then
    return show_bytes(value, limit)
  elseif #value <= limit then
    return quote(value)
  end
  return ("%s... (%d bytes)"):format(quote(cut(value, limit)), #value)
end

local function show_number(value)
  if value ~= value then
    return "nan"
  elseif value == math.huge or value == -math.huge then
    return value > 0 and "inf" or "-inf"
  end
  return tostring(value)
end

--- What an object says of itself, on one line. It may fail to.
local function show_object(value)
  local good, text = pcall(tostring, value)
  text = good and text or ("%s: __tostring failed"):format(type(value))
  text = is_plain(text) and text:gsub("[\n\r\t]", " ")
    or show_bytes(text, 128)
  return "<" .. cut(text, 200) .. ">"
end

-- --- order -----------------------------------------------------------------

local ranks = { number = 1, string = 2, boolean = 3 }

--- Numbers, then texts, then truths, then all else by its kind: nothing that
--- is printed depends on the order of pairs, addresses in memory apart.
local function before(a, b)
  local a_type, b_type = type(a), type(b)
  if a_type ~= b_type then
    local x, y = ranks[a_type] or 4, ranks[b_type] or 4
    if x ~= y then
      return x < y
    end
    return a_type < b_type
  elseif a_type == "number" or a_type == "string" then
    return a < b
  end
  return tostring(a) < tostring(b)
end

--- The keys after those of the list 1 to n, at most `limit` of them in order;
--- and how many more there are. Only so many are kept while it looks, so that
--- a table of millions costs no memory.
local function keys_after(t, n, limit)
  local keys, more = {}, 0
  for key in next, t do -- any order: sorts them
    if math.type(key) ~= "integer" or key < 1 or key > n then
      keys[#keys + 1] = key
    end
    if #keys >= 4 * limit + 64 then
      table.sort(keys, before)
      more = more + #keys - limit
      keys = table.move(keys, 1, limit, 1, {})
    end
  end
  table.sort(keys, before)
  for i = #keys, limit + 1, -1 do
    keys[i] = nil
    more = more + 1
  end
  return keys, more
end

--- How many from 1 on are there without a gap.
local function list_length(t)
  local n = rawlen(t)
  return n > 0 and rawget(t, 1) ~= nil and rawget(t, n) ~= nil and n or 0
end

-- --- tables ----------------------------------------------------------------

local show

local function show_key(state, key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$"
    and not keywords[key] then
    return key
  end
  return "[" .. show(state, key, state.depth) .. "]"
end

local function take(state, parts, text)
  state.left = state.left - #text
  parts[#parts + 1] = text
end

local function collect(state, t, level)
  local parts = {}
  local n = list_length(t)
  local listed = math.min(n, state.items)
  for i = 1, listed do
    if state.left <= 0 then
      listed = i - 1
      break
    end
    take(state, parts, show(state, rawget(t, i), level + 1))
  end
  if listed < n then
    parts[#parts + 1] = ("... %d more"):format(n - listed)
  end
  local keys, more = keys_after(t, n, state.items)
  for i, key in ipairs(keys) do
    if state.left <= 0 then
      more = more + #keys - i + 1
      break
    end
    take(state, parts, show_key(state, key) .. " = "
      .. show(state, rawget(t, key), level + 1))
  end
  if more > 0 then
    parts[#parts + 1] = ("... %d more"):format(more)
  end
  return parts
end

local function is_long(parts, room)
  local columns = 2
  for _, part in ipairs(parts) do
    columns = columns + #part + 2
    if columns > room or part:find "\n" then
      return true
    end
  end
  return false
end

local function join(state, parts, level)
  if #parts == 0 then
    return "{}"
  elseif not is_long(parts, state.width - 2 * level) then
    return "{ " .. table.concat(parts, ", ") .. " }"
  end
  local indent = ("  "):rep(level + 1)
  return "{\n" .. indent .. table.concat(parts, ",\n" .. indent) .. "\n"
    .. ("  "):rep(level) .. "}"
end

local function show_table(state, t, level)
  local meta = debug.getmetatable(t)
  if meta and rawget(meta, "__tostring") then
    return show_object(t)
  elseif state.above[t] then
    return "<cycle>"
  elseif level >= state.depth then
    return next(t) == nil and "{}" or "{...}"
  end
  state.above[t] = true
  local text = join(state, collect(state, t, level), level)
  state.above[t] = nil
  return text
end

--- Messages and the like show what is in them.
local function show_userdata(state, value, level)
  local good, fields = pcall(function()
    return value.table and value:table()
  end)
  if good and type(fields) == "table" and level < state.depth then
    return show_object(value) .. " " .. show_table(state, fields, level)
  end
  return show_object(value)
end

function show(state, value, level)
  local kind = type(value)
  if kind == "string" then
    return show_text(value, state.text)
  elseif kind == "number" then
    return show_number(value)
  elseif kind == "table" then
    return show_table(state, value, level)
  elseif kind == "userdata" then
    return show_userdata(state, value, level)
  elseif kind == "nil" or kind == "boolean" then
    return tostring(value)
  end
  return show_object(value)
end

--- Any value as text.
---@param value any
---@param options? table  depth (4), items (64) of a table, text (256) and size
---  (16384) in bytes, width (78) in columns
---@return string
function inspect.value(value, options)
  options = options or {}
  local state = { above = {} }
  for name, default in pairs(defaults) do -- any order: copies
    state[name] = options[name] or default
  end
  state.left = state.size
  return show(state, value, 0)
end

--- Several results as the prompt shows them: one to a line; nothing for none.
---@param results table  with n, as from table.pack
---@param options? table
---@return string
function inspect.results(results, options)
  local lines = {}
  for i = 1, math.min(results.n, 32) do
    lines[i] = inspect.value(results[i], options)
  end
  if results.n > 32 then
    lines[33] = ("... %d more results"):format(results.n - 32)
  end
  return table.concat(lines, "\n")
end

return inspect
