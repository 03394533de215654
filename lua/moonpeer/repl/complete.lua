--- complete - what could stand at the end of a text that is being typed: from
--- the live values, and from the API's description where these keep silent.
local api = require "moonpeer.api"
local core = require "moonpeer.core"

local complete = {}

local most = 200 -- words that are looked for

local keywords = {
  "and", "break", "do", "else", "elseif", "end", "false", "for", "function",
  "goto", "if", "in", "local", "nil", "not", "or", "repeat", "return", "then",
  "true", "until", "while",
}

--- A list that takes words once, those that begin as asked.
local function collector(prefix)
  local words, seen = {}, {}
  return function(word)
    if type(word) == "string" and not seen[word] and #words < most
      and word:sub(1, #prefix) == prefix then
      seen[word] = true
      words[#words + 1] = word
    end
  end, words
end

-- --- values ----------------------------------------------------------------

local function is_name(key)
  return type(key) == "string" and key:find "^[%a_][%w_]*$" ~= nil
end

--- Names of a table and of those it looks up in.
local function add_keys(add, value, wants_functions)
  for _ = 1, 8 do
    for key, item in next, value do
      if is_name(key) and (not wants_functions or type(item) == "function") then
        add(key)
      end
    end
    local meta = debug.getmetatable(value)
    value = meta and rawget(meta, "__index")
    if type(value) ~= "table" then
      return
    end
  end
end

local function add_members(add, value, wants_functions)
  local meta = debug.getmetatable(value)
  if type(value) == "table" then
    add_keys(add, value, wants_functions)
  elseif type(value) == "string" then
    add_keys(add, string, wants_functions)
  elseif meta and type(meta.__name) == "string" then
    local good, methods = pcall(core.methods, meta.__name)
    if good and methods then
      add_keys(add, methods, true)
    end
    for _, name in ipairs(wants_functions and {} or api.fields(meta.__name)) do
      add(name)
    end
  end
end

--- One step of a path, without running anything that is not ours.
local function step(value, name)
  if type(value) == "table" then
    local item = rawget(value, name)
    local meta = debug.getmetatable(value)
    local index = item == nil and meta and rawget(meta, "__index")
    return type(index) == "table" and rawget(index, name) or item
  elseif type(value) == "userdata" then
    local good, item = pcall(function()
      return value[name]
    end)
    return good and item or nil
  end
end

--- The value of a path such as "a.b.c" in an environment; nil for all else.
local function value_of(path, env)
  local value
  for name in path:gmatch "[^.]+" do
    if value == nil then
      value = env[name]
    else
      value = step(value, name)
    end
    if value == nil then
      return nil
    end
  end
  return value
end

-- --- kinds of places -------------------------------------------------------

local function add_all(add, list)
  for _, word in ipairs(list) do
    add(word)
  end
end

local function add_messages(add)
  for _, one in ipairs(core.types()) do
    add(one.command)
  end
end

--- Of connections and of the store.
local function add_addresses(add, session, prefix)
  local engine = session:engine()
  if not engine then
    return
  end
  for connection in engine:connections() do
    add(connection.address)
  end
  local store = session:store()
  if store and prefix:find "^[%x:%[]" then
    for _, address in ipairs(core.addresses(store, prefix, most)) do
      add(address)
    end
  end
end

--- In an open text: names of events, networks, addresses of peers; messages
--- once it has begun, for they are many.
local function add_texts(add, session, prefix)
  add_all(add, core.events)
  for name in pairs(core.network) do
    add(name)
  end
  add_addresses(add, session, prefix)
  if prefix ~= "" then
    add_messages(add)
  end
end

--- What may stand behind a command: its first word, its second.
local behind = {
  watch = { function(add)
    add_all(add, core.events)
    add_messages(add)
  end },
  explain = { add_addresses },
  log = { function(add)
    add_all(add, { "error", "warning", "info", "debug" })
  end, function(add)
    add_all(add, require("moonpeer.log").components())
  end },
  help = { function(add, _, prefix)
    for _, one in ipairs(api.types()) do
      add(one.variable)
      local is_inside = prefix:find(".", 1, true)
      for _, member in ipairs(is_inside and one.members or {}) do
        add(one.variable .. "." .. member.name)
      end
    end
  end },
}

local function add_behind(add, session, found)
  local _, words = found.before:gsub("%S+", "")
  local offer = behind[found.command] and behind[found.command][words + 1]
  if offer then
    offer(add, session, found.prefix)
  end
end

--- The beginning of an open text; nil outside of one.
local function open_text(text)
  text = text:gsub("\\.", "__")
  local place = 1
  while true do
    local first, _, quote = text:find("([\"'])", place)
    if not first then
      return nil
    end
    local last = text:find(quote, first + 1, true)
    if not last then
      return text:sub(first + 1)
    end
    place = last + 1
  end
end

--- What is called with the table that is open at the end: its name.
local function open_call(text)
  local depth = 0
  for i = #text, 1, -1 do
    local char = text:sub(i, i)
    if char == "}" then
      depth = depth + 1
    elseif char == "{" and depth > 0 then
      depth = depth - 1
    elseif char == "{" then
      local before = text:sub(1, i - 1)
      return before:match "([%a_][%w_]*)%s*%(?%s*$"
        or before:match "([%a_][%w_]*)%s*%([^()]*,%s*$"
    end
  end
end

local function add_commands(add)
  for _, name in ipairs(require("moonpeer.repl.commands").names()) do
    add(":" .. name)
  end
end

local function add_globals(add, session)
  for _, name in ipairs { "moonpeer", "engine", "engines", "help", "_" } do
    add(name)
  end
  add_keys(add, session.own)
  if not session.is_read_only then
    add_keys(add, _G)
  end
  for _, word in ipairs(keywords) do
    add(word)
  end
end

--- The kinds of places, first that fits: pattern or test, and what is added.
local function add_for(add, session, text, found)
  if text:find "^%s*:[%w-]*$" then
    add_commands(add)
  elseif found.command then
    add_behind(add, session, found)
  elseif found.quoted then
    add_texts(add, session, found.prefix)
  elseif found.mark then
    add_members(add, value_of(found.path, session.env), found.mark == ":")
  else
    local call = open_call(text)
    add_all(add, call and api.options(call) or {})
    if found.prefix ~= "" or not call then
      add_globals(add, session)
    end
  end
end

--- Words for the end of a text, sorted, and how many bytes each replaces.
---@param session table  of moonpeer.repl
---@param text string    up to the cursor
---@return string[], integer
function complete.find(session, text)
  local found = { quoted = open_text(text) }
  local last
  found.command, found.before = text:match "^%s*:(%w+)%s(.-)%S*$"
  found.path, found.mark, last = text:match "([%a_][%w_.]*)([.:])([%w_]*)$"
  if not found.path then -- what has no value yet: a call, an index
    found.path = ""
    found.mark, last = text:match "[%)%]}\"']([.:])([%w_]*)$"
  end
  found.prefix = text:match "^%s*(:[%w-]*)$"
    or found.command and text:match "%S*$" or found.quoted or last
    or text:match "[%w_]*$"
  local add, words = collector(found.prefix)
  add_for(add, session, text, found)
  table.sort(words)
  return words, #found.prefix
end

return complete
