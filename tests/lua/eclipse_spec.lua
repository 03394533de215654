--- How many of its outbound slots an engine gives to an attacker who fills a
--- few networks with nodes: the stock selection, beside one without groups.
---
--- 1,000 honest peers in 250 groups, two fifths of them reachable; 400
--- attackers in 8 groups, all reachable and valid; a restart without anchors.
--- The engine dials what the selection names until eight connections stand.
local sim = require "moonpeer.sim"

local seeds = tonumber(os.getenv "ECLIPSE_SEEDS") or 100

local function ip_of(group, host)
  return ("%d.%d.%d.7"):format(44 + group // 200, group % 200, host)
end

local function attacker(i)
  return ip_of(300 + i % 8, 100 + i // 8)
end

--- What an engine's store knows, and who can be reached.
local function fill(store)
  local reachable = {}
  for i = 0, 999 do
    local ip = ip_of(i % 250, i // 250)
    store:create { ip = ip, port = 18444,
      status = i % 5 < 2 and "valid" or "unknown" }
    reachable[ip] = i % 5 < 2 or nil
  end
  for i = 0, 399 do
    local ip = attacker(i)
    store:create { ip = ip, port = 18444, status = "valid" }
    reachable[ip] = "attacker"
  end
  return reachable
end

--- Without groups: any peers, evenly.
local function plain(engine, n)
  local all = {}
  for _, status in ipairs { "valid", "unknown" } do
    for peer in engine.store:each { status = status } do
      all[#all + 1] = ("%s:%d"):format(peer.ip, peer.port)
    end
  end
  local list = {}
  for i = 1, n do
    local j = math.random(i, #all)
    all[i], all[j] = all[j], all[i]
    list[i] = all[i]
  end
  return list
end

--- The slots of eight that are the attacker's.
local function slots_lost(seed, policies)
  local world <close> = sim.world { seed = seed, network = "regtest",
    trace = "off" }
  local engine = world:engine("10.0.0.1", {
    policies = policies, feeler_interval = 0, target_connections = 8,
    connect_timeout = "2s",
  })
  local reachable = fill(engine.store)
  local all = {}
  for ip in pairs(reachable) do
    all[#all + 1] = ip
  end
  table.sort(all)
  for _, ip in ipairs(all) do
    world:remote(ip .. ":18444", function(remote)
      remote:serve(function(connection)
        connection:handshake()
        connection:receive("nothing", "1h")
      end)
    end)
  end
  world:run_until(function()
    return engine:counts().connected >= 8
  end, "10m")
  local lost = 0
  for connection in engine:connections { state = "connected" } do
    local ip = connection.address:match "^[^:]*"
    lost = lost + (reachable[ip] == "attacker" and 1 or 0)
  end
  return lost
end

local function measure(policies)
  local sum, most, over = 0, 0, 0
  for seed = 1, seeds do
    local lost = slots_lost(seed, policies)
    sum, most = sum + lost, math.max(most, lost)
    over = over + (lost > 2 and 1 or 0)
  end
  return sum / seeds, most, over
end

describe("an attacker with 400 nodes in 8 networks", function()
  it("gets at most one of eight slots on average, never more than three",
    function()
      local mean, most = measure {}
      local plain_mean, plain_most, plain_over =
        measure { { name = "plain", select = plain } }
      print(("eclipse, %d seeds: stock selection %.2f of 8 slots on average, "
        .. "%d at most; without groups %.2f, %d at most, over a quarter in %d")
        :format(seeds, mean, most, plain_mean, plain_most, plain_over))
      assert.is_true(mean <= 1 and most <= 3)
      assert.is_true(plain_mean > 2 * mean)
    end)
end)
