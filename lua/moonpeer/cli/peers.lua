--- peers - looks into a peer store, and changes it, without an engine.
local core = require "moonpeer.core"
local store_file = require "moonpeer.cli.store_file"

local peers = {
  summary = "Lists and changes the peers of a store.",
}

local statuses = { "unknown", "valid", "inaccessible", "banned" }
local sources = { "manual", "dns", "peer", "inbound" }

local function port(text)
  local number = math.tointeger(tonumber(text))
  if number and number >= 1 and number <= 65535 then
    return number
  end
  return nil, "expected a port from 1 to 65535, got '" .. text .. "'"
end

--- The filters that list and export share.
local function add_filters(command)
  command:option("--status", "Only of this status; may be given again.")
    :choices(statuses):count("*")
  command:option("--group", "Only of the network group of this address.")
    :argname("<address>")
  command:option("--source", "Only those heard of in this way.")
    :choices(sources)
  command:option("--source-address", "Only those that this address named.")
    :argname("<address>")
  command:option("--older", "Only those first seen at least so long ago.")
    :argname("<duration>"):convert(store_file.duration)
  command:option("--newer", "Only those first seen less than so long ago.")
    :argname("<duration>"):convert(store_file.duration)
end

--- The filter that was asked for; nil and a message for an address that is
--- none.
local function filter_of(store, options)
  for _, key in ipairs { "group", "source_address" } do
    local good, message = true, nil
    if options[key] then
      good, message = store:group(options[key])
    end
    if not good then
      return nil, message
    end
  end
  return {
    status = options.status and options.status[1] and options.status,
    group = options.group,
    source = options.source,
    source_address = options.source_address,
    older_than = options.older,
    newer_than = options.newer,
  }
end

local function configure_changes(parser)
  local add = parser:command("add", "Adds peers.")
  add:argument("address", "With its port."):args("+")
  add:option("--port", "For addresses without one."):convert(port)
  add:option("--status", "unknown when not given.")
    :choices { "unknown", "valid", "inaccessible" }
  local remove = parser:command("remove", "Removes peers.")
  remove:argument("peer", "Ids or addresses."):args("+")
  local import = parser:command("import", "Adds the peers of a file.")
  import:argument("file", "A line is an address, or a JSON object as export "
    .. "writes it; - is stdin.")
  import:option("--port", "For addresses without one."):convert(port)
  import:epilog("All or none are added; those that are there already are left "
    .. "as they are.")
  return add, remove, import
end

function peers.configure(parser)
  parser:argument("store", "A store's file, or its URL: json:FILE, "
    .. "sqlite:FILE.")
  parser:require_command(false):command_target "action"
  parser:flag("--json", "One JSON object a line.")
  local list = parser:command("list", "Lists peers; what is done when nothing "
    .. "else is said.")
  add_filters(list)
  list:flag("--count", "Only how many there are of each status.")
  local show = parser:command("show", "Shows all that is known of a peer.")
  show:argument("peer", "Its id or address.")
  local add, remove, import = configure_changes(parser)
  local export = parser:command("export", "Writes peers, a JSON object a line.")
  export:argument("file", "- is stdout."):default("-")
  export:flag("--plain", "Only addresses.")
  add_filters(export)
  parser:epilog "Exit codes: 0 done, 1 failed, 2 called the wrong way."
  return store_file.actions {
    list = list, show = show, add = add, remove = remove, import = import,
    export = export,
  }
end

--- User agents are any bytes: %XX stands for what is not printable, as in the
--- files of json: stores.
local function escape(text)
  return (text:gsub("[^\32-\126]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

local function export_row(peer)
  local row = peer:table()
  row.user_agent = escape(row.user_agent:gsub("%%", "%%25"))
  return row
end

--- The peer that an id or address means.
local function find(store, text)
  if text:match "^%x+%-%x+%-" then
    return store:read(text)
  end
  return store:find_by_ip_port(text)
end

local actions = {}

local function print_peer(peer)
  print(("%-45s  %-12s  %s  %3d  %s"):format(peer.address, peer.status,
    store_file.time(peer.last_seen), peer.failures,
    store_file.plain(peer.user_agent)))
end

local function print_counts(store, filter, is_json)
  local counts = { unknown = 0, valid = 0, inaccessible = 0, banned = 0 }
  for peer in store:each(filter) do
    counts[peer.status] = counts[peer.status] + 1
  end
  if is_json then
    store_file.print_json(counts)
    return
  end
  for _, status in ipairs(statuses) do
    print(("%-12s  %d"):format(status, counts[status]))
  end
end

local function print_list(store, filter, is_json)
  for peer in store:each(filter) do
    if is_json then
      store_file.print_json(export_row(peer))
    else
      print_peer(peer)
    end
  end
end

function actions.list(store, options)
  local filter, message = filter_of(store, options)
  if not filter then
    return nil, message
  end
  local show = options.count and print_counts or print_list
  show(store, filter, options.json)
  return true
end

local order = {
  "id", "address", "status", "status_time", "ban_reason", "source",
  "source_address", "user_agent", "protocol_version", "services",
  "start_height", "first_seen", "last_seen", "last_tried", "failures", "rtt",
  "data",
}

local function legible(key, value)
  if key == "data" then
    return core.json_encode(value, { lossy = true })
  elseif key:match "_seen$" or key == "status_time" or key == "last_tried" then
    return store_file.time(value)
  elseif key == "services" then
    return ("0x%x"):format(value)
  elseif key == "rtt" then
    return ("%.3f s"):format(value)
  end
  return store_file.plain(tostring(value))
end

function actions.show(store, options)
  local peer, message = find(store, options.peer)
  if not peer then
    return nil, message
  elseif options.json then
    store_file.print_json(export_row(peer))
    return true
  end
  local row = peer:table()
  for _, key in ipairs(order) do
    if row[key] ~= nil and row[key] ~= "" then
      print(("%-16s  %s"):format(key, legible(key, row[key])))
    end
  end
  return true
end

--- Says it when it is called: once what was done is saved.
local function say(options, what, n, rest)
  return function()
    if options.json then
      store_file.print_json { [what] = n, left = rest }
    else
      print(("%d %s%s"):format(n, what,
        rest and rest > 0 and (", %d were there already"):format(rest) or ""))
    end
  end
end

--- An address without a port gets the one that was asked for.
local function with_port(address, default)
  if not default or address:match "^[%d.]+:%d+$" or address:match "%]:" then
    return address
  elseif address:find(":", 1, true) and address:sub(1, 1) ~= "[" then
    return ("[%s]:%d"):format(address, default)
  end
  return ("%s:%d"):format(address, default)
end

--- create, but what is misuse in a script is a mistake in a file.
local function create(store, row)
  local good, peer, message, code = pcall(store.create, store, row)
  if good then
    return peer, message, code
  end
  return nil, (tostring(peer):gsub("^[^ ]+:%d+: ", ""))
end

function actions.add(store, options)
  for _, address in ipairs(options.address) do
    local peer, message = create(store, {
      address = with_port(address, options.port),
      status = options.status,
      source = "manual",
    })
    if not peer then
      return nil, address .. ": " .. message
    end
  end
  return say(options, "added", #options.address)
end

function actions.remove(store, options)
  for _, text in ipairs(options.peer) do
    local peer, message = find(store, text)
    if not peer then
      return nil, message
    end
    store:delete(peer)
  end
  return say(options, "removed", #options.peer)
end

--- What a line of an import says, or nil for a comment.
local function row_of(line, options)
  line = line:match "^%s*(.-)%s*$"
  if line:sub(1, 1) == "{" then
    local row, message = core.json_decode(line)
    if row and type(row.user_agent) == "string" then
      row.user_agent = unescape(row.user_agent)
    end
    return row, message
  end
  line = line:match "^[^#%s]*"
  if line ~= "" then
    return {
      address = with_port(line, options.port),
      source = "manual",
    }
  end
end

function actions.import(store, options)
  local text, message = store_file.read(options.file)
  if not text then
    return nil, message
  end
  local added, left, number = 0, 0, 0
  for line in text:gmatch "([^\n]*)\n?" do
    number = number + 1
    local row, why = row_of(line, options)
    local peer, code
    if row then
      peer, why, code = create(store, row)
    end
    if peer then
      added = added + 1
    elseif code == "duplicate_peer" then
      left = left + 1
    elseif why then
      return nil, ("%s, line %d: %s"):format(options.file, number, why)
    end
  end
  return say(options, "added", added, left)
end

function actions.export(store, options)
  local filter, message = filter_of(store, options)
  if not filter then
    return nil, message
  end
  local lines = {}
  for peer in store:each(filter) do
    lines[#lines + 1] = options.plain and peer.address
      or core.json_encode(export_row(peer), { lossy = true })
  end
  lines[#lines + 1] = ""
  return store_file.write(options.file, table.concat(lines, "\n"))
end

local writes = { add = true, remove = true, import = true }

function peers.run(options)
  local action = options.action or "list"
  return store_file.run("peers", options, writes[action] or false,
    actions[action])
end

return peers
