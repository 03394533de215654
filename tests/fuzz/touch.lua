--- touch - reads everything of what a frame holds, in every way there is, and
--- encodes it again.
local core = require "moonpeer.core"

local options = { network = "mainnet" }
local set = core.hashes(100)

core.define { command = "own", fields = {
  { name = "a", type = "uint24" },
  { name = "g", type = "uint8", min = 0, max = 9 },
  { name = "b", type = "text", max = 20, when = "g" },
  { name = "c", type = "list", max = 50, fields = {
    { name = "d", type = "hash" },
    { name = "e", type = "var_bytes" },
  } },
  { name = "n", type = "count_of", of = "c" },
  { name = "h", type = "hashes_of", of = "c" },
  { name = "i", type = "list", item = "compact64", optional = true },
} }

--- The names of a message's fields, those within lists and records, too.
local function names_of(list, into)
  for _, field in ipairs(list or {}) do
    if field.name then
      into[#into + 1] = field.name
    end
    names_of(field.fields, into)
  end
  return into
end

local fields = { own = { "a", "g", "b", "c", "n", "h", "i", "d", "e" } }
for _, type in ipairs(core.types()) do
  fields[type.command] = names_of(type.fields, {})
end

local walk

--- One list of a message, or of a part of one.
local function walk_list(thing, name, names, budget)
  local found, each, state, first = pcall(thing.each, thing, name)
  local i = 0
  if not found then
    return
  end
  for entry in each, state, first do
    i = i + 1
    if i > budget then
      break
    end
    if type(entry) == "userdata" then
      assert(#entry:raw() > 0 and entry:table() and #entry >= 0)
      walk(entry, names, budget // 4)
    end
  end
end

function walk(thing, names, budget)
  for _, name in ipairs(names) do
    if type(thing[name]) == "table" then
      walk_list(thing, name, names, budget)
    end
  end
end

local function use_verbs(message)
  pcall(message.import, message, set)
  local good, known, all = pcall(message.count_known, message, set)
  assert(not good or known <= all)
  pcall(message.check_chain, message)
  assert(#message:text() > 0 and #message:json() > 20)
  local copy = message:copy()
  assert(copy:raw() == message:raw() and copy:json() == message:json())
end

--- What is made of its table has the same fields, and is the same when it is
--- made again.
local function make_again(message, frame)
  local again =
    assert(core.encode(message.command, message:table(), options))
  local copy = assert(core.decode(again, options))
  assert(copy:json():gsub("^.-\"fields\"", "")
    == message:json():gsub("^.-\"fields\"", ""))
  assert(core.encode(copy.command, copy:table(), options) == again)
  assert(#again <= #frame)
end

local allowed = { protocol_error = true, oversize_message = true }

return function(frame)
  local message, words, code = core.decode(frame, options)
  if not message then
    assert(#words > 5 and allowed[code], code)
    return
  end
  local names = fields[message.command] or {}
  walk(message, names, 32)
  use_verbs(message)
  if #names > 0 then
    make_again(message, frame)
  end
end
