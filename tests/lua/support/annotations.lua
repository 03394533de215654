--- annotations - reads what the types file says, strictly: the grammar that
--- lua-language-server knows, and nothing else. What a type is, is a table:
--- { kind = "name", name }, "literal" (value), "array" (of), "map" (key,
--- value), "fun" (params, returns), "union" (a list).
local annotations = {}

local builtin = {}
for name in ("any nil true false boolean integer number string table function "
  .. "thread userdata file*"):gmatch "%S+" do
  builtin[name] = true
end

-- --- types -----------------------------------------------------------------

--- What stands next in the text, taken when it is the pattern.
local function take(s, pattern)
  local from, to, word = s.text:find("^%s*(" .. pattern .. ")", s.at)
  if from then
    s.at = to + 1
    return word
  end
end

local function must(s, pattern, what)
  return take(s, pattern) or error(("expected %s before %q"):format(what,
    s.text:sub(s.at)), 0)
end

local function must_end(s)
  if s.text:find("%S", s.at) then
    error(("nobody reads %q"):format(s.text:sub(s.at)), 0)
  end
end

local parse_union

--- With nil besides, when it may be left out.
local function maybe(optional, one)
  return optional and { kind = "union", one, { kind = "name", name = "nil" } }
    or one
end

local function parse_list(s, parse)
  local list = {}
  repeat
    list[#list + 1] = parse(s)
  until not take(s, ",")
  return list
end

local function parse_param(s)
  local name = must(s, "[%a_][%w_]*", "the name of a parameter")
  local optional = take(s, "%?") ~= nil
  must(s, ":", "':' and a type")
  return { name = name, is_optional = optional,
    type = maybe(optional, parse_union(s)) }
end

--- A '(' after the colon is that of a list, as in the original.
local function parse_returns(s)
  if not take(s, ":") then
    return {}
  elseif not take(s, "%(") then
    return parse_list(s, parse_union)
  end
  local list = parse_list(s, parse_union)
  must(s, "%)", "')'")
  return list
end

local function parse_fun(s)
  local one = { kind = "fun", params = {} }
  if not take(s, "%)") then
    one.params = parse_list(s, parse_param)
    must(s, "%)", "')'")
  end
  one.returns = parse_returns(s)
  return one
end

local function parse_name(s)
  local name = must(s, "[%a_][%w_.]*%*?", "a type")
  if name ~= "table" or not take(s, "<") then
    s.names[#s.names + 1] = name
    return { kind = "name", name = name }
  end
  local key = parse_union(s)
  must(s, ",", "','")
  local one = { kind = "map", key = key, value = parse_union(s) }
  must(s, ">", "'>'")
  return one
end

local function parse_unit(s)
  local one
  if take(s, "%(") then
    one = parse_union(s)
    must(s, "%)", "')'")
  elseif take(s, "fun%(") then
    one = parse_fun(s)
  else
    local text = take(s, '"[^"]*"')
    one = text and { kind = "literal", value = text:sub(2, -2) }
      or parse_name(s)
  end
  while s.text:find("^%[%]", s.at) do
    s.at = s.at + 2
    one = { kind = "array", of = one }
  end
  local optional = s.text:find("^%?", s.at) ~= nil
  s.at = s.at + (optional and 1 or 0)
  return maybe(optional, one)
end

function parse_union(s)
  local one = parse_unit(s)
  if not s.text:find("^%s*|", s.at) then
    return one
  end
  one = { kind = "union", one }
  while take(s, "|") do
    one[#one + 1] = parse_unit(s)
  end
  return one
end

-- --- lines -----------------------------------------------------------------

local readers = {}

function readers.meta(s)
  must(s, "[%w_.]+", "the name of a module")
  must_end(s)
end

function readers.class(s, types)
  local name = must(s, "[%w_.]+", "the name of a class")
  assert(not types.classes[name], name .. ": is there twice")
  local class = { name = name, members = {}, parent = take(s, ":")
    and parse_name(s).name }
  must_end(s)
  types.classes[name], types.open, types.bind = class, class, class
end

function readers.field(s, types)
  assert(types.open, "a field of no class")
  if take(s, "%[string%]") then
    types.open.is_open = parse_union(s)
    return
  end
  local name = must(s, "[%a_][%w_]*", "the name of a field")
  assert(not types.open.members[name], name .. ": is there twice")
  local optional = s.text:find("^%?", s.at) ~= nil
  s.at = s.at + (optional and 1 or 0)
  types.open.members[name] = { type = maybe(optional, parse_union(s)) }
end

function readers.param(s, types)
  local name = must(s, "[%a_.][%w_.]*", "the name of a parameter")
  local optional = take(s, "%?") ~= nil
  table.insert(types.call.params, { name = name, is_optional = optional,
    type = maybe(optional, parse_union(s)) })
end

readers["return"] = function(s, types)
  table.insert(types.call.returns, parse_union(s))
  must_end(s)
end

function readers.alias(s, types)
  local name = must(s, "[%w_.]+", "the name of an alias")
  types.aliases[name] = parse_union(s)
  must_end(s)
end

local function new_call()
  return { kind = "fun", params = {}, returns = {} }
end

--- A function, of the class that its table is of.
local function read_function(types, line)
  local place, mark, name, args = line:match
    "^function ([%w_.]-)([.:])([%w_]+)%((.-)%) end$"
  local class = types.places[place]
  assert(class, "a function of no class")
  assert(not class.members[name], name .. ": is there twice")
  local names = {}
  for i, param in ipairs(types.call.params) do
    names[i] = param.name
  end
  assert(table.concat(names, ", ") == args, name .. ": has other parameters")
  class.members[name] = { type = types.call, is_method = mark == ":" }
  types.call = new_call()
end

--- The table that stands for the class before it.
local function read_code(types, line)
  local place = line:match "^local ([%w_]+) = {}$"
    or line:match "^([%w_.]+) = {}$"
  if place then
    types.places[place] = assert(types.bind, "a table of no class")
  elseif line:find "^function" then
    read_function(types, line)
  else
    assert(line == "" or line:find "^%-%-" or line:find "^return ",
      "what is this?")
  end
  types.open = nil
end

local function read_line(types, line)
  local tag, rest = line:match "^%-%-%-@(%a+)%s*(.*)$"
  if not tag then
    return read_code(types, line)
  end
  local s = { text = rest, at = 1, names = types.names }
  assert(readers[tag], "unknown annotation")(s, types)
end

local function check_names(types, n)
  for _, name in ipairs(types.names) do
    if not (builtin[name] or types.classes[name] or types.aliases[name]) then
      table.insert(types.problems, ("%d: nothing is called %s"):format(n, name))
    end
  end
end

--- One type.
---@param text string
---@return table|nil, string  nil and what is wrong
function annotations.type(text)
  local s = { text = text, at = 1, names = {} }
  local good, one = pcall(parse_union, s)
  return good and one or nil, one
end

--- All that a types file says; what is wrong with it is in `problems`.
---@param text string
function annotations.read(text)
  local types = { classes = {}, aliases = {}, places = {}, problems = {},
    names = {}, call = new_call() }
  local n = 0
  for line in text:gmatch "([^\n]*)\n" do
    n = n + 1
    local good, message = pcall(read_line, types, line)
    if not good then
      table.insert(types.problems, ("%d: %s: %s"):format(n,
        tostring(message):gsub("^[^:]*:%d+: ", ""), line))
    end
  end
  check_names(types, n)
  return types
end

--- The member of a class, or of one it comes from.
function annotations.member(types, class, name)
  local one = types.classes[class]
  return one.members[name] or one.is_open and { type = one.is_open }
    or one.parent and annotations.member(types, one.parent, name)
end

--- What an editor offers after a dot, or after a colon, sorted.
---@param mark string  "." or ":"
function annotations.offered(types, class, mark)
  local one = types.classes[class]
  local names = one.parent and annotations.offered(types, one.parent, mark)
    or {}
  for name, member in pairs(one.members) do
    if mark == "." or member.is_method then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

return annotations
