--- checked - does to a script what an editor does with the types file: follows
--- the types of values through it, and tells of members, options, arguments
--- and answers that nobody knows. What it does not know the type of it leaves
--- alone.
local annotations = require "support.annotations"
local kinds = require "support.kinds"

-- luacheck's own path: its Debian package is for another Lua
package.path = package.path .. ";/usr/share/lua/5.1/?.lua"
local decoder = require "luacheck.decoder"
local parser = require "luacheck.parser"

local checked = {}

local modules = { moonpeer = "moonpeer", ["moonpeer.sim"] = "moonpeer.Sim",
  ["moonpeer.test"] = "moonpeer.Test" }

local function named(name)
  return { kind = "name", name = name }
end

local function complain(s, node, format, ...)
  table.insert(s.problems, ("%s:%d: "):format(s.name, node.line)
    .. format:format(...))
end

-- --- values ----------------------------------------------------------------

local value, values, block

--- The type of a member; complains when there is none.
local function member(s, node, of, name)
  local found, missing
  for _, part in ipairs(kinds.each(s.types, kinds.held(s.types, of))) do
    local one, is_known = kinds.member_of(s.types, part, name)
    if not is_known then
      return nil -- a table with whatever in it
    end
    found, missing = found or one, missing or part.name
  end
  if missing and not found then
    complain(s, node, "%s has no %s", missing, name)
  end
  return found and found.type
end

--- Complains when what is written down cannot be of the type.
local function expect(s, node, wanted)
  if not kinds.accepts(s.types, wanted, node) then
    complain(s, node, "%s cannot be here", type(node[1]) == "string"
      and ("%q"):format(node[1]) or node.tag:lower())
  end
end

local function pair(s, env, item, class, map)
  local key = item[1].tag == "String" and item[1][1]
  local wanted
  if class and key then
    wanted = annotations.member(s.types, class.name, key)
    if not wanted then
      complain(s, item[1], "%s has no %s", class.name, key)
    end
    wanted = wanted and wanted.type
  elseif map then
    expect(s, item[1], map.key)
    wanted = map.value
  end
  value(s, env, item[2], wanted)
end

local function constructor(s, env, node, wanted)
  local class = kinds.class_of(s.types, wanted)
  local array = kinds.pick(s.types, wanted, "array")
  local map = kinds.pick(s.types, wanted, "map")
  for _, item in ipairs(node) do
    if item.tag == "Pair" then
      pair(s, env, item, class, map)
    else
      value(s, env, item, array and array.of)
    end
  end
  return class and named(class.name)
end

--- What the comments right above say.
local function notes(s, line)
  local found = {}
  line = line - 1
  while s.comments[line] do
    local tag, rest = s.comments[line]:match "^%-@(%a+)%s+(.*)$"
    if tag == "type" then
      found.type = annotations.type(rest)
    elseif tag == "return" then
      found.returns = { annotations.type(rest), table.unpack(found.returns
        or {}) }
    elseif tag == "param" then
      local name, text = rest:match "^([%w_]+)%??%s+(.*)$"
      found[name] = annotations.type(text)
    end
    line = line - 1
  end
  return found
end

local function func(s, env, node, wanted)
  local inner = setmetatable({}, { __index = env })
  local fun = kinds.pick(s.types, wanted, "fun")
  local said = notes(s, node.line)
  for i, id in ipairs(node[1]) do
    local param = fun and fun.params[i]
    inner[id[1]] = param and param.type or said[id[1]] or false
  end
  local answers = said.returns or fun and fun.returns
  inner["return"] = { wanted = answers }
  block(s, inner, node[2])
  return { kind = "fun", is_loose = true,
    returns = answers or inner["return"] }
end

local open_ended = { Call = true, Invoke = true, Dots = true }

local function check_count(s, node, params, first)
  local n, last = #node - first + 1, params[#params]
  if n > #params and not (last and last.name == "...") then
    complain(s, node, "takes %d arguments, not %d", #params, n)
  end
  local missing = params[n + 1]
  if missing and not missing.is_optional and missing.name ~= "..."
    and not (n > 0 and open_ended[node[#node].tag]) then
    complain(s, node, "%s is missing", missing.name)
  end
end

--- Checks what is handed to a call; gives its results.
local function call(s, env, node, fun, first)
  local params = fun and fun.params or {}
  for i = first, #node do
    local param = params[i - first + 1]
    value(s, env, node[i], param and param.type)
  end
  if fun and not fun.is_loose then
    check_count(s, node, params, first)
  end
  return fun and fun.returns or {}
end

--- Functions of Lua that hand types on.
local through = {}

function through.assert(s, env, node)
  local list = values(s, env, { table.unpack(node, 2) })
  list[1] = kinds.held(s.types, list[1])
  return list
end

function through.require(s, _, node)
  local class = node[2] and modules[node[2][1]]
  return { class and s.types.classes[class] and named(class) }
end

function through.ipairs(s, env, node)
  local array = kinds.pick(s.types, value(s, env, node[2]), "array")
  return { { kind = "fun", is_loose = true,
    returns = { named "integer", array and array.of } } }
end

local results = {}

function results.Call(s, env, node)
  local name = node[1].tag == "Id" and node[1][1]
  if through[name] and env[name] == nil then
    return through[name](s, env, node)
  end
  local fun = kinds.pick(s.types, value(s, env, node[1]), "fun")
  return call(s, env, node, fun, 2)
end

function results.Invoke(s, env, node)
  local of = value(s, env, node[1])
  local fun = kinds.pick(s.types, member(s, node[2], of, node[2][1]),
    "fun")
  return call(s, env, node, fun, 3)
end

local single = {}

function single.Id(_, env, node)
  return env[node[1]] or nil
end

function single.Index(s, env, node)
  local of = value(s, env, node[1])
  if node[2].tag == "String" then
    return member(s, node[2], of, node[2][1])
  end
  value(s, env, node[2])
  local array = kinds.pick(s.types, of, "array")
  local map = kinds.pick(s.types, of, "map")
  return array and array.of or map and map.value
end

function single.Paren(s, env, node)
  return value(s, env, node[1])
end

function single.String()
  return named "string"
end

function single.Op(s, env, node)
  local left = value(s, env, node[2])
  local right = node[3] and value(s, env, node[3])
  if node[1] == "and" then
    return right
  elseif node[1] == "or" then
    return left and right
      and { kind = "union", kinds.held(s.types, left), right }
  end
  return node[1] == "concat" and named "string" or nil
end

single.Table, single.Function = constructor, func

--- The types of what a list of expressions gives.
function values(s, env, list, wanted)
  local all = {}
  for i, node in ipairs(list) do
    if i == #list and results[node.tag] then
      for k, one in pairs(results[node.tag](s, env, node)) do
        all[i + k - 1] = one
      end
    else
      all[i] = value(s, env, node, wanted and wanted[i])
    end
  end
  return all
end

function value(s, env, node, wanted)
  expect(s, node, wanted)
  if results[node.tag] then
    return results[node.tag](s, env, node)[1]
  end
  return single[node.tag] and single[node.tag](s, env, node, wanted)
end

-- --- statements ------------------------------------------------------------

local statements = { Call = value, Invoke = value }

function statements.Local(s, env, node)
  local said = notes(s, node.line).type
  local all = values(s, env, node[2] or {}, { said })
  for i, id in ipairs(node[1]) do
    env[id[1]] = i == 1 and said or all[i] or false
  end
end

function statements.Localrec(s, env, node)
  local name = node[1][1] and node[1][1][1] or node[1][1]
  env[name] = false
  local fn = node[2][1] or node[2]
  env[name] = value(s, env, fn) or false
end

--- Gives a variable a type where it is declared, or as a global, unless it has
--- one.
local function assign(env, name, one)
  while rawget(env, name) == nil and getmetatable(env) do
    env = getmetatable(env).__index
  end
  env[name] = env[name] or one
end

function statements.Set(s, env, node)
  local all = values(s, env, node[2])
  for i, place in ipairs(node[1]) do
    value(s, env, place)
    if place.tag == "Id" then
      assign(env, place[1], all[i])
    end
  end
end

function statements.Forin(s, env, node)
  local inner = setmetatable({}, { __index = env })
  local fun = kinds.pick(s.types, values(s, env, node[2])[1], "fun")
  for i, id in ipairs(node[1]) do
    inner[id[1]] = fun and kinds.held(s.types, fun.returns[i]) or false
  end
  block(s, inner, node[3])
end

function statements.Return(s, env, node)
  local out = env["return"] or {}
  for i, one in pairs(values(s, env, node, out.wanted)) do
    out[i] = out[i] or one
  end
end

--- Everything else: expressions and blocks, one after the other.
local function parts(s, env, node)
  local inner = setmetatable({}, { __index = env })
  if node.tag == "Fornum" then
    inner[node[1][1]] = named "integer"
  end
  for _, part in ipairs(node) do
    if type(part) == "table" and part.tag then
      value(s, inner, part)
    elseif type(part) == "table" then
      block(s, inner, part)
    end
  end
end

function block(s, env, list)
  local inner = setmetatable({}, { __index = env })
  for _, node in ipairs(list) do
    (statements[node.tag] or parts)(s, inner, node)
  end
end

--- What is wrong with a script, a line each.
---@param types table  of annotations.read
---@param name string  of the file
---@param text string
---@param there? table<string, string>  classes of variables it finds
---@return string[]
function checked.problems(types, name, text, there)
  local good, ast, comments = pcall(parser.parse,
    decoder.decode((text:gsub("^#[^\n]*", ""))))
  if not good then
    return { ("%s:%d: %s"):format(name, ast.line, ast.msg) }
  end
  local s = { types = types, name = name, problems = {}, comments = {} }
  for _, comment in ipairs(comments) do
    s.comments[comment.line] = comment.contents
  end
  local env = { moonpeer = named "moonpeer" }
  for variable, class in pairs(there or {}) do
    env[variable] = named(class)
  end
  block(s, env, ast)
  return s.problems
end

return checked
