--- api - everything public, described once: reference pages, help(), what is
--- completed, the types for editors and the manual page come from here.
--- A type is { name, class, summary, variable, members }; is_table: people
--- write it; in_lua: it is made in Lua; internal: names that are nobody's
--- business; outside: its examples run outside of tasks; parent: the class
--- whose members it has besides; is_open: other fields, too; values: { class,
--- { { value, text }, ... } } of its field `type`. A member is
---   name     in the type
---   kind     "function", "method" or "field"; nil is the type's usual one
---   args     { { name, type, text, like }, ... }; a name that ends in ? may be
---            left out; `options` instead of a text: a table, described beside;
---            like: the call ("moonpeer.Store.each") that has the same options
---   options  { { name, type, text }, ... }
---   returns  { { type, text }, ... }
---   errors   codes that it fails with; then it returns nil, message, code
---   waits    only inside a task
---   type     of a field
---   default  of a field that may be left out; of a function that people
---            write: what happens without it
---   since    the version that brought it
---   example  code that runs in tests/lua/docs_spec.lua
local api = {}

local files = { "module", "engine", "configuration", "policy", "connection",
  "store", "bans", "peer", "message", "event", "objects", "simulation",
  "testing" }

local types

--- All types, in the order of the pages.
---@return table[]
function api.types()
  if not types then
    types = {}
    for _, file in ipairs(files) do
      local part = require("moonpeer.api." .. file)
      for _, one in ipairs(part.name and { part } or part) do
        one.file = file
        types[#types + 1] = one
      end
    end
  end
  return types
end

--- The type whose objects bear the name; nil when it is not public.
---@param name string  "moonpeer.engine"
function api.type(name)
  for _, one in ipairs(api.types()) do
    if one.name == name then
      return one
    end
  end
end

--- What kind of thing a member of a type is.
function api.kind(one, member)
  return member.kind or one.kind
end

--- Names of the fields of a type's objects.
---@param name string
---@return string[]
function api.fields(name)
  local fields = {}
  local one = api.type(name)
  for _, member in ipairs(one and one.members or {}) do
    if api.kind(one, member) == "field" then
      fields[#fields + 1] = member.name
    end
  end
  return fields
end

--- Names of the options of what is called so; nil when it has none.
---@param call string  "engine", "ban"
---@return string[]|nil
function api.options(call)
  local names
  for _, one in ipairs(api.types()) do
    for _, member in ipairs(one.members) do
      if member.name == call and member.options then
        names = names or {}
        for _, option in ipairs(api.options_of(member)) do
          names[#names + 1] = option[1]
        end
      end
    end
  end
  return names
end

--- The rows of a member's options: its own, or those of the configuration.
function api.options_of(member)
  if member.options ~= "configuration" then
    return member.options or {}
  end
  local rows = {}
  for _, key in ipairs(api.type "configuration".members) do
    rows[#rows + 1] = { key.name, key.type, key.summary }
  end
  return rows
end

--- How it is written: "engine:ban(what, options?)".
function api.signature(one, member)
  local kind = api.kind(one, member)
  local mark = kind == "method" and ":" or "."
  local text = (one.variable and one.variable .. mark or "") .. member.name
  if kind == "field" then
    return text
  end
  local names = {}
  for i, arg in ipairs(member.args or {}) do
    names[i] = arg[1]
  end
  return text .. "(" .. table.concat(names, ", ") .. ")"
end

local function is_meant(one, member, owner, last)
  local is_owner = not owner or owner == one.variable or owner == one.name
  return is_owner and member.name == last
end

--- What a name means: "engine.ban", "ban", "moonpeer.connect". All that fit.
---@param name string
---@return table[]  { one, member } or { one }
function api.find(name)
  local owner, last = name:match "^(.*)[.:]([%w_]+)$"
  local found = {}
  for _, one in ipairs(api.types()) do
    if name == one.name or name == one.variable or name == one.class then
      found[#found + 1] = { one }
    end
    for _, member in ipairs(one.members) do
      if is_meant(one, member, owner, last or name) then
        found[#found + 1] = { one, member }
      end
    end
  end
  return found
end

--- All names that help() knows, for what is near.
---@return string[]
function api.names()
  local names = {}
  for _, one in ipairs(api.types()) do
    names[#names + 1] = one.variable
    for _, member in ipairs(one.members) do
      names[#names + 1] = member.name
    end
  end
  return names
end

return api
