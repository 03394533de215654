--- quickstart - a whole network in one process: ten peers on loopback, each
--- with a character of its own, and an engine that dials them all. With
--- --simulate all of it happens in a simulated world, in no time; with
--- --network NAME the same engine meets the peers of a real network.
local argparse = require "argparse"
local moonpeer = require "moonpeer"
local sim = require "moonpeer.sim"

-- The policy: three lines decide who may stay.
local only_bitcoin_sv = {
  name = "only-bitcoin-sv",
  validate = function(_, _, version)
    if moonpeer.glob(version.user_agent, "/Bitcoin SV*") then return "ok" end
    return "offence", "blockchain_mismatch", "no Bitcoin SV node"
  end,
}

--- What each of the ten peers does with a connection; nil: nobody listens.
local characters = {}

local function silent(connection)
  connection:receive "nothing" -- comes, so this waits for the end
end

--- A node that shakes hands and stays.
local function node(user_agent)
  return function(connection)
    if connection:handshake { user_agent = user_agent } then
      silent(connection)
    end
  end
end

--- A node of another network that speaks first, so that its magic is seen.
local function foreigner(connection)
  local nowhere = { services = 0, ip = "::", port = 0 }
  connection:send("version", {
    version = 70016, services = 0, timestamp = 0, addr_recv = nowhere,
    addr_from = nowhere, nonce = 1, user_agent = "/Satoshi:28.1.0/",
    start_height = 0, relay = true,
  })
  silent(connection)
end

local function resets(connection)
  connection:reset()
end

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
---@return string[] addresses, moonpeer.Listener[] listeners
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

--- Asks all DNS seeds of a network for addresses.
local function discover(name)
  local found, seen = {}, {}
  local network = moonpeer.network[name]
  for _, seed in ipairs(network.seeds) do
    for _, ip in ipairs(moonpeer.resolve(seed, "10s") or {}) do
      if not seen[ip] then
        seen[ip] = true
        found[#found + 1] = ip:find ":" and "[" .. ip .. "]" or ip
      end
    end
  end
  if #found == 0 then
    error(("no DNS seed of %s answered (%s): is there a way to the internet?")
      :format(name, table.concat(network.seeds, ", ")), 0)
  end
  return { table.unpack(found, 1, 20) }
end

--- Collects what happens to each peer.
local function watch(engine, rows)
  engine:on("handshake_complete", "quickstart", function(event)
    local version = event.connection.version
    local row = rows[event.address]
    row.agent, row.version = version.user_agent, version.version
    row.verdict, row.why = "connected", ""
    row.connection = event.connection
  end)
  engine:on("peer_misbehaved", "quickstart", function(event)
    local row = rows[event.address]
    row.verdict, row.why = event.verdict, event.code
    local version = event.connection.version
    if version then
      row.agent, row.version = version.user_agent, version.version
    end
  end)
  engine:on("connection_failed", "quickstart", function(event)
    local row = rows[event.address]
    if not row.verdict then
      row.verdict, row.why = "failed", event.code
    end
  end)
end

--- Whether every peer has a verdict and the connected ones a round trip.
local function is_settled(rows)
  local settled = true
  for _, row in pairs(rows) do
    row.rtt = row.connection and row.connection.rtt or row.rtt
    settled = settled and row.verdict and (row.rtt or not row.connection)
  end
  return settled
end

local layout = "%-22s %-14s %-11s %-20s %-30s %7s %9s"

local function show_row(address, about, row)
  print((layout:format(address, about, row.verdict, row.why or "",
    row.agent or "-", row.version or "-",
    row.rtt and ("%.2f ms"):format(row.rtt * 1000) or "-")))
end

--- "1 ban, 4 failed, 5 connected"
local function summary(counts)
  local words = {}
  for verdict, n in pairs(counts) do
    words[#words + 1] = n .. " " .. verdict
  end
  table.sort(words)
  return table.concat(words, ", ")
end

local function show(addresses, rows, about)
  local counts = {}
  print((layout:format("address", about and "character" or "", "verdict",
    "why", "user agent", "version", "rtt")))
  for i, address in ipairs(addresses) do
    local row = rows[address]
    row.verdict = row.verdict or "failed"
    counts[row.verdict] = (counts[row.verdict] or 0) + 1
    show_row(address, about and about[i].about or "", row)
  end
  print(("%d peers: %s"):format(#addresses, summary(counts)))
  return counts
end

local function config_of(network, addresses)
  return {
    network = network, peers = addresses, policies = { only_bitcoin_sv },
    handshake_timeout = "2s", max_connections = 20,
  }
end

local function rows_of(addresses)
  local rows = {}
  for _, address in ipairs(addresses) do
    rows[address] = {}
  end
  return rows
end

local function with_port(addresses, port)
  local list = {}
  for i, address in ipairs(addresses) do
    list[i] = address:find ":%d+$" and address or address .. ":" .. port
  end
  return list
end

--- Meets peers on sockets; inside a task.
local function meet(network, addresses, about)
  addresses = with_port(addresses, moonpeer.network[network].port)
  local rows = rows_of(addresses)
  local engine <close> =
    assert(moonpeer.engine(config_of(network, addresses)))
  watch(engine, rows)
  engine:start()
  local deadline = moonpeer.now() + 10
  repeat
    moonpeer.sleep "50ms"
  until is_settled(rows) or moonpeer.now() > deadline
  return show(addresses, rows, about)
end

--- The same peers and the same engine in a simulated world: each on a host of
--- its own, and no time passes but the world's.
local function simulate()
  print "Ten peers in a simulated world, and an engine that dials them all."
  local world <close> = sim.world { seed = 1, network = "regtest" }
  world:link(nil, nil, { latency = "40ms", jitter = "20ms" })
  local addresses = {}
  for i, character in ipairs(characters) do
    local remote = world:remote(("10.%d.0.1:18444"):format(i), function(remote)
      if character.fn then
        remote:serve(character.fn)
      end
    end, character.options)
    addresses[i] = remote.address
  end
  local rows = rows_of(addresses)
  watch(world:engine("10.0.0.1", config_of("regtest", addresses)), rows)
  world:run_until(function()
    return is_settled(rows)
  end, "10s")
  show(addresses, rows, characters)
  print(("%.3g virtual seconds; all of it has the hash %s"):format(
    world:now(), world:hash():sub(1, 16)))
  return true
end

local function main(options)
  if options.network then
    print(("Looking for peers of %s ..."):format(options.network))
    local counts = meet(options.network, discover(options.network))
    return (counts.connected or 0) > 0
  end
  print "Ten peers on loopback, and an engine that dials them all."
  local addresses, listeners = open_peers()
  meet("regtest", addresses, characters)
  for _, listener in ipairs(listeners) do
    listener:close()
  end
  return true
end

local parser = argparse("quickstart",
  "An engine meets ten peers on loopback and tells what came of it.")
parser:option("--network", "Meet the peers of a real network instead, found "
  .. "through its DNS seeds: mainnet, testnet or stn.")
  :choices { "mainnet", "testnet", "stn" }
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
