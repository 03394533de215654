--- quickstart - a whole network in one process: ten peers on loopback, each
--- with a character of its own, and an engine that learns of them from a seed
--- peer, remembers them in its store and dials whom it chooses. With --simulate
--- all of it happens in a simulated world, in no time; with --network NAME the
--- same engine meets the peers of a real network.
local argparse = require "argparse"
local moonpeer = require "moonpeer"
local sim = require "moonpeer.sim"

local MOST = 20 -- rows of a network that nobody knows

-- The policy: three lines decide who may stay.
---@type moonpeer.Policy
local only_bitcoin_sv = {
  name = "only-bitcoin-sv",
  validate = function(_, _, version)
    if moonpeer.glob(version.user_agent, "/Bitcoin SV*") then return "ok" end
    return "offence", "blockchain_mismatch", "no Bitcoin SV node"
  end,
}

--- What each of the ten peers does with a connection; nil: nobody listens.
local characters = {}

---@param connection moonpeer.Connection
local function silent(connection)
  connection:receive "nothing" -- comes, so this waits for the end
end

--- A node that shakes hands and stays.
local function node(user_agent)
  ---@param connection moonpeer.Connection
  return function(connection)
    if connection:handshake { user_agent = user_agent } then
      silent(connection)
    end
  end
end

--- A node of another network that speaks first, so that its magic is seen.
---@param connection moonpeer.Connection
local function foreigner(connection)
  local nowhere = { services = 0, ip = "::", port = 0 }
  connection:send("version", {
    version = 70016, services = 0, timestamp = 0, addr_recv = nowhere,
    addr_from = nowhere, nonce = 1, user_agent = "/Satoshi:28.1.0/",
    start_height = 0, relay = true,
  })
  silent(connection)
end

---@param connection moonpeer.Connection
local function resets(connection)
  connection:reset()
end

---@param about string
---@param fn? fun(connection: moonpeer.Connection)
---@param options? moonpeer.connect.Options
local function add(about, fn, options)
  characters[#characters + 1] = { about = about, fn = fn, options = options }
end

add("good node", node "/Bitcoin SV:1.2.2/")
add("good node", node "/Bitcoin SV:1.2.1/")
add("good node", node "/Bitcoin SV:1.1.0/")
add("good node", node "/Bitcoin SV:1.0.16/")
add("good node", node "/Bitcoin SV:1.2.2(quickstart)/")
add("BTC node", node "/Satoshi:28.1.0/")
add("other network", foreigner, { network = "btc-main" })
add("silent", silent)
add("dead port", nil)
add("resets", resets)

--- Opens the peers, each at its own loopback address: bans are by address.
---@return string[] addresses
---@return moonpeer.Listener[] listeners
local function open_peers()
  local addresses, listeners = {}, {}
  for i, character in ipairs(characters) do
    local listener = assert(moonpeer.listen(("127.0.0.%d:0"):format(i + 1),
      character.fn or silent, character.options or { network = "regtest" }))
    addresses[i] = listener.address
    listeners[i] = listener
    if not character.fn then
      listener:close()
    end
  end
  return addresses, listeners
end

--- The one peer that the engine is told of: it knows all the others.
local function seed_of(addresses)
  local entries = {}
  for i, address in ipairs(addresses) do
    local ip, port = address:match "^(.*):(%d+)$"
    entries[i] = { time = 0, services = 0, ip = ip, port = tonumber(port) }
  end
  ---@param connection moonpeer.Connection
  return function(connection)
    if not connection:handshake { user_agent = "/Bitcoin SV:1.2.2(seed)/" } then
      return
    end
    while connection:receive "getaddr" do
      connection:send("addr", { entries = entries })
    end
  end
end

--- Collects what happens to each peer.
---@param engine moonpeer.Engine
local function watch(engine, rows)
  engine:on("connection_started", "quickstart", function(event)
    rows:meet(event.address)
  end)
  engine:on("handshake_complete", "quickstart", function(event)
    local version = event.connection.version
    local row = rows:meet(event.address)
    row.agent, row.version = version.user_agent, version.version
    row.verdict, row.why = "connected", ""
    row.connection = event.connection
  end)
  engine:on("peer_misbehaved", "quickstart", function(event)
    local row = rows:meet(event.address)
    row.verdict, row.why = event.verdict, event.code
    local version = event.connection.version
    if version then
      row.agent, row.version = version.user_agent, version.version
    end
  end)
  engine:on("connection_failed", "quickstart", function(event)
    local row = rows:meet(event.address)
    if not row.verdict then
      row.verdict, row.why = "failed", event.code
    end
  end)
end

local rows_meta = {}
rows_meta.__index = rows_meta

--- The row of an address; in a network that nobody knows, a new one.
function rows_meta:meet(address)
  local row = self.of[address]
  if not row then
    row = { address = address }
    self.of[address] = row
    if not self.is_known and #self < MOST then
      self[#self + 1] = row
    end
  end
  return row
end

--- A row for each of these, or for whoever is met.
local function rows_of(addresses)
  local rows = setmetatable({ of = {}, is_known = addresses ~= nil }, rows_meta)
  for i, address in ipairs(addresses or {}) do
    rows[i] = { address = address }
    rows.of[address] = rows[i]
  end
  return rows
end

--- Whether every peer has a verdict and the connected ones a round trip.
local function is_settled(rows)
  local settled = #rows >= (rows.is_known and 1 or MOST)
  for _, row in ipairs(rows) do
    row.rtt = row.connection and row.connection.rtt or row.rtt
    settled = settled and row.verdict and (row.rtt or not row.connection)
  end
  return settled
end

local layout = "%-22s %-14s %-11s %-20s %-30s %7s %9s"

local function show_row(row, about)
  print((layout:format(row.address, about, row.verdict, row.why or "",
    row.agent or "-", row.version or "-",
    row.rtt and ("%.2f ms"):format(row.rtt * 1000) or "-")))
end

--- "1 ban, 4 failed, 5 connected"
local function summary(counts)
  local words = {}
  for verdict, n in pairs(counts) do
    if n > 0 then
      words[#words + 1] = n .. " " .. verdict
    end
  end
  table.sort(words)
  return table.concat(words, ", ")
end

---@param store moonpeer.Store
local function show(rows, about, store)
  local counts = {}
  print((layout:format("address", about and "character" or "", "verdict",
    "why", "user agent", "version", "rtt")))
  for i, row in ipairs(rows) do
    row.verdict = row.verdict or "failed"
    counts[row.verdict] = (counts[row.verdict] or 0) + 1
    show_row(row, about and about[i].about or "")
  end
  print(("%d peers: %s"):format(#rows, summary(counts)))
  print(("the store remembers %d peers: %s"):format(#store,
    summary(store:count_by_status())))
  return counts
end

--- An engine that is told of one peer, or of none, and finds the others.
---@return moonpeer.Configuration
local function config_of(network, seed, store)
  return {
    network = network, peers = seed and { seed }, mode = "normal",
    store = store, policies = { only_bitcoin_sv }, handshake_timeout = "2s",
    target_connections = #characters + 1, max_connections = 20,
  }
end

--- Meets peers on sockets; inside a task.
---@param config moonpeer.Configuration
local function meet(config, rows, about)
  local engine <close> = assert(moonpeer.engine(config))
  local answer
  watch(engine, rows)
  engine:on("discovery_finished", "quickstart", function(event)
    answer = event.code
  end)
  engine:start()
  local deadline = moonpeer.now() + 15
  repeat
    moonpeer.sleep "50ms"
  until is_settled(rows) or moonpeer.now() > deadline
    or not about and answer and #engine.store == 0
  if not about and #engine.store == 0 then
    error(("no DNS seed of %s answered (%s): is there a way to the internet?")
      :format(config.network, table.concat(
        moonpeer.network[config.network].seeds, ", ")), 0)
  end
  return show(rows, about, engine.store)
end

--- The same peers and the same engine in a simulated world: each on a host of
--- its own, and no time passes but the world's.
local function simulate()
  print "Ten peers in a simulated world, and an engine that finds them all."
  local world <close> = sim.world { seed = 1, network = "regtest" }
  world:link(nil, nil, { latency = "40ms", jitter = "20ms" })
  local addresses = {}
  local function host(at, fn, options)
    return world:remote(at, function(remote)
      if fn then
        remote:serve(fn)
      end
    end, options).address
  end
  for i, character in ipairs(characters) do
    addresses[i] = host(("10.%d.0.1:18444"):format(i), character.fn,
      character.options)
  end
  local rows = rows_of(addresses)
  local seed = host("10.99.0.1:18444", seed_of(addresses))
  local engine = world:engine("10.0.0.1", config_of("regtest", seed))
  watch(engine, rows)
  world:run_until(function()
    return is_settled(rows)
  end, "1m")
  show(rows, characters, engine.store)
  print(("%.3g virtual seconds; all of it has the hash %s"):format(
    world:now(), world:hash():sub(1, 16)))
  return true
end

local function on_loopback(store)
  print "Ten peers on loopback, and an engine that finds them all."
  local addresses, listeners = open_peers()
  listeners[#listeners + 1] = assert(moonpeer.listen("127.0.0.99:0",
    seed_of(addresses), { network = "regtest" }))
  meet(config_of("regtest", listeners[#listeners].address, store),
    rows_of(addresses), characters)
  for _, listener in ipairs(listeners) do
    listener:close()
  end
  return true
end

local function main(options)
  if not options.network then
    return on_loopback(options.store)
  end
  print(("Looking for peers of %s ..."):format(options.network))
  local counts = meet(config_of(options.network, nil, options.store),
    rows_of(nil))
  return (counts.connected or 0) > 0
end

local parser = argparse("quickstart",
  "An engine finds ten peers on loopback and tells what came of it.")
parser:option("--network", "Meet the peers of a real network instead, found "
  .. "through its DNS seeds: mainnet, testnet or stn.")
  :choices { "mainnet", "testnet", "stn" }
parser:option("--store", "Where it remembers peers: memory:, json:FILE or "
  .. "sqlite:FILE.", "memory:")
parser:flag("--simulate", "Play the same network in virtual time.")
local options = parser:parse(arg)
local good, result
if options.simulate then
  good, result = pcall(simulate)
else
  good, result = pcall(moonpeer.run, main, options)
end
if not good then
  io.stderr:write("quickstart: ", tostring(result):match "^[^\n]*", "\n")
end
os.exit(good and result or false, true)
