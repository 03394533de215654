--- bans - looks into the bans of a store, and changes them, without an engine.
local store_file = require "moonpeer.cli.store_file"

local bans = {
  summary = "Lists and changes the bans of a store.",
}

local reasons = {
  "network_mismatch", "blockchain_mismatch", "banned_user_agent",
  "misbehaviour", "manual",
}
local reason_names = table.concat(reasons, ", ") .. "."

local function duration(text)
  if text == "forever" then
    return text
  end
  return store_file.duration(text, ", or forever")
end

local function add_time(command)
  command:option("--time", "How long: 10m, 24h, 7d, forever. 24h when not "
    .. "given."):convert(duration)
end

function bans.configure(parser)
  parser:argument("store", "A store's file, or its URL: json:FILE, "
    .. "sqlite:FILE.")
  parser:require_command(false):command_target "action"
  parser:flag("--json", "One JSON object a line.")
  local list = parser:command("list", "Lists bans; what is done when nothing "
    .. "else is said.")
  list:option("--reason", "Only for this reason: " .. reason_names)
    :choices(reasons):argname "<reason>"
  list:option("--origin", "Only from this origin.")
  local show = parser:command("show", "Shows the ban that covers an address.")
  show:argument("address", "An address, or a banned prefix.")
  local add = parser:command("add", "Adds bans, or changes them.")
  add:argument("prefix", "Addresses, or prefixes such as 1.2.3.0/24.")
    :args("+")
  add_time(add)
  add:option("--reason", reason_names .. " manual when not given.")
    :choices(reasons):argname "<reason>"
  add:option("--note", "Why, in words.")
  local remove = parser:command("remove", "Removes bans.")
  remove:argument("prefix", "As they were banned."):args("+")
  local import = parser:command("import", "Adds the bans of a file, all or "
    .. "none.")
  import:argument("file", "Bitcoin's banlist.json, or an address or prefix a "
    .. "line; - is stdin.")
  import:option("--format", "json or plain; else the file tells.")
    :choices { "json", "plain" }
  add_time(import)
  local export = parser:command("export", "Writes all bans.")
  export:argument("file", "- is stdout."):default("-")
  export:option("--format", "json, Bitcoin's banlist.json, when not given.")
    :choices { "json", "plain" }:default("json")
  parser:epilog "Exit codes: 0 done, 1 failed, 2 called the wrong way."
  return store_file.actions {
    list = list, show = show, add = add, remove = remove, import = import,
    export = export,
  }
end

--- JSON has no infinity: a ban that lasts for ever has no end.
local function export_row(ban)
  if ban.expires == math.huge then
    ban.expires = nil
  end
  return ban
end

local function print_ban(ban, is_json)
  if is_json then
    store_file.print_json(export_row(ban))
    return
  end
  print(("%-43s  %-19s  %-19s  %s%s"):format(ban.prefix, ban.reason,
    store_file.time(ban.expires), store_file.plain(ban.origin),
    ban.note ~= "" and ": " .. store_file.plain(ban.note) or ""))
end

local actions = {}

function actions.list(store, options)
  for ban in store.bans:each() do
    if (not options.reason or ban.reason == options.reason)
      and (not options.origin or ban.origin == options.origin) then
      print_ban(ban, options.json)
    end
  end
  return true
end

function actions.show(store, options)
  local what = options.address
  local find = what:find("/", 1, true) and store.bans.get or store.bans.find
  local ban, message = find(store.bans, what)
  if not ban then
    return nil, message or what .. " is not banned"
  end
  print_ban(ban, options.json)
  return true
end

--- Says it when it is called: once what was done is saved.
local function say(options, what, n, expired)
  return function()
    if options.json then
      store_file.print_json { [what] = n, expired = expired }
    else
      print(("%d %s%s"):format(n, what, expired and expired > 0
        and (", %d had expired"):format(expired) or ""))
    end
  end
end

function actions.add(store, options)
  for _, prefix in ipairs(options.prefix) do
    local ban, message = store.bans:add(prefix, {
      time = options.time,
      reason = options.reason,
      note = options.note,
    })
    if not ban then
      return nil, message
    end
  end
  return say(options, "added", #options.prefix)
end

function actions.remove(store, options)
  for _, prefix in ipairs(options.prefix) do
    local done, message = store.bans:remove(prefix)
    if not done then
      return nil, message
    end
  end
  return say(options, "removed", #options.prefix)
end

function actions.import(store, options)
  local text, message = store_file.read(options.file)
  if not text then
    return nil, message
  end
  local added, expired = store.bans:import(text, {
    name = options.file,
    format = options.format,
    time = options.time,
  })
  if not added then
    return nil, expired
  end
  return say(options, "added", added, expired)
end

function actions.export(store, options)
  local text, message = store.bans:export(options.format)
  if not text then
    return nil, message
  end
  return store_file.write(options.file, text)
end

local writes = { add = true, remove = true, import = true }

function bans.run(options)
  local action = options.action or "list"
  return store_file.run("bans", options, writes[action] or false,
    actions[action])
end

return bans
