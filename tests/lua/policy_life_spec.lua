--- Days of an engine in a world: bans end, jobs come back after a restart, the
--- jobs that everybody has do what they are named for.
local field = require "support.field"
local files = require "support.files"
local process = require "support.process"
local sim = require "moonpeer.sim"
local wire = require "support.wire"
local it = field.it

local at = "10.0.0.1:18444"

--- Somebody who calls himself so, and whether he came in.
local function visit(world, user_agent)
  local seen = {}
  world:remote("50.1.0.1", function(remote)
    local connection = remote:dial(at)
    if not connection then
      return
    end
    connection:send("version", wire.version { user_agent = user_agent })
    connection:send "verack"
    seen.is_in = connection:receive("verack", "5s") ~= nil
    connection:receive("nothing", "1s")
  end)
  world:run_for "10s"
  return seen.is_in == true
end

describe("a ban", function()
  it("keeps out for as long as the policy has said, and no longer",
    function(world)
      local engine, log = field.engine(world, at, {
        target_connections = 0, policies = { "scripts/ban-user-agents.lua" },
      })
      assert.is_false(visit(world, "/scanner:1/"))
      assert.equal(7 * 86400, engine.store.bans:find("50.1.0.1").expires
        - engine.store.bans:find("50.1.0.1").created)
      world:run_for(6.9 * 86400)
      assert.is_false(visit(world, "/Bitcoin SV:1/"))
      world:run_for(0.2 * 86400)
      assert.is_true(visit(world, "/Bitcoin SV:1/"))
      assert.is_truthy(log:find "peer_unbanned")
      assert.is_nil(engine.store.bans:find "50.1.0.1")
    end)

  it("of the stock policy is for a day, and clears what it wrote",
    function(world)
      local engine, log = field.engine(world, "10.0.0.1", {
        network = "mainnet", peers = { "30.1.0.1:8333" },
      })
      field.node(world, "30.1.0.1:8333", { user_agent = "/Satoshi:1/" })
      world:run_for "1m"
      local peer = engine.store:find_by_ip_port("30.1.0.1", 8333)
      assert.equal("blockchain_mismatch", peer.ban_reason)
      world:run_for "23h"
      assert.equal("banned", peer.status)
      world:run_for "2h"
      assert.equal(1, #log:all "peer_unbanned") -- and it was dialled again
      assert.equal(2, #log:all "peer_banned")
    end, { network = "mainnet" })
end)

local function counts_of(engine, name)
  for _, counts in ipairs(engine:schedule()) do
    if counts.name == name then
      return counts
    end
  end
end

describe("a job", function()
  after_each(files.remove_all)

  it("remembers its last run in a file, over a restart", function()
    local path, runs = files.make "", 0
    os.remove(path)
    local function live(from, span)
      local world <close> = sim.world { seed = 1, network = "regtest",
        start = from }
      local engine = world:engine("10.0.0.1", {
        store = "json:" .. path, peers = { "30.1.0.1:1" },
        schedule = { daily = { every = "24h", run = function()
          runs = runs + 1
        end } },
      })
      world:run_for(span)
      engine:close()
      world:run_for "1m"
    end
    live(1700000000, "25h")
    assert.equal(1, runs)
    live(1700000000 + 26 * 3600, "21h")
    assert.equal(1, runs)
    live(1700000000 + 48 * 3600, "1m") -- due since then
    assert.equal(2, runs)
    files.remove_all()
    os.remove(path)
    os.remove(path .. ".good")
  end)

  it("named discover asks the network's seeds", function(world)
    world:dns("seed.one", { "30.0.0.1" })
    local _, log = field.engine(world, "10.0.0.1", {
      network = { name = "own", magic = "\1\2\3\4", port = 8333,
        seeds = { "seed.one" } },
      discovery_interval = "100h",
      schedule = { discover = { every = "10m" } },
    })
    world:run_for "35m"
    assert.is_true(#log:all "discovery_finished" >= 4)
  end)

  it("named expire forgets what is stale", function(world)
    local engine = field.engine(world, "10.0.0.1", {
      target_connections = 0, schedule = { expire = { every = "1h" } },
    })
    engine.store.bans:add("50.1.0.1", { time = "30m" })
    world:run_for "61m"
    assert.equal(1, counts_of(engine, "expire").runs)
    assert.equal(0, counts_of(engine, "expire").failures)
    assert.equal(0, #engine.store.bans)
  end)

  it("named report says a line", function()
    local _, err, code = process.lua [[
      local world <close> = require("moonpeer.sim").world { seed = 1 }
      world:engine("10.0.0.1", { schedule = { report = { every = "1h" } } })
      world:run_for "125m"]]
    assert.equal(0, code)
    assert.equal(2, select(2, err:gsub("moonpeer: report: connected 0", "")))
  end)

  it("of a policy is taken by the configuration, or left out", function(world)
    local function jobs(address, schedule)
      local engine = world:engine(address, {
        target_connections = 0, schedule = schedule,
        policies = { { schedule = { own = { every = "1s",
          run = function() end } } } },
      })
      world:run_for "3s"
      return counts_of(engine, "own")
    end
    assert.equal(3, jobs("10.0.0.1").runs)
    assert.is_nil(jobs("10.0.0.2", { own = false }))
  end)
end)

