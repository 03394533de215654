--- Jobs that an engine does again and again, on a virtual clock.
local files = require "support.files"
local moonpeer = require "moonpeer"
local sim = require "moonpeer.sim"

local start = 1700000000

--- Runs an engine with a schedule for a while; gives it, and the world.
local function run(schedule, span, more, at)
  local world = sim.world {
    seed = 7, network = "regtest", start = at or start,
  }
  local config = { schedule = schedule }
  for key, value in pairs(more or {}) do
    config[key] = value
  end
  local engine = world:engine("10.0.0.1", config)
  world:run_for(span)
  return world, engine
end

local function counts_of(engine, name)
  for _, counts in ipairs(engine:schedule()) do
    if counts.name == name then
      return counts
    end
  end
end

describe("a schedule", function()
  after_each(files.remove_all)

  it("runs a job every so often", function()
    local times = {}
    local world <close> = run({ tick = { every = "10s", run = function()
      times[#times + 1] = moonpeer.time() // 1 - start
    end } }, "35s")
    assert.same({ 10, 20, 30 }, times)
    assert.truthy(world)
  end)

  it("runs at the start when told to", function()
    local n = 0
    local world <close> = run({ tick = { every = "1h", at_start = true,
      run = function() n = n + 1 end } }, "1s")
    assert.equal(1, n)
    assert.truthy(world)
  end)

  it("moves the times by chance, the same chance for the same seed",
    function()
      local function times()
        local list = {}
        local world <close> = run({ tick = { every = "10s", jitter = 0.5,
          run = function() list[#list + 1] = moonpeer.now() end } }, "10m")
        assert.truthy(world)
        return list
      end
      local first = times()
      assert.same(first, times())
      for i = 2, #first do
        local gap = first[i] - first[i - 1]
        assert.is_true(gap >= 4.9 and gap <= 15.1, gap)
      end
    end)

  it("skips what a long run has missed", function()
    local times = {}
    local world <close>, engine = run({ slow = { every = "10s",
      overlap = "skip", run = function()
        times[#times + 1] = moonpeer.time() // 1 - start
        moonpeer.sleep "25s"
      end } }, "64s")
    assert.same({ 10, 40 }, times)
    assert.equal(2, counts_of(engine, "slow").skipped)
    assert.truthy(world)
  end)

  it("keeps a job that fails, and says so", function()
    local told = {}
    local world <close> = sim.world { seed = 1, network = "regtest" }
    local engine = world:engine("10.0.0.1", { schedule = {
      bad = { every = "10s", run = function() error "no luck" end },
    } })
    engine:on("policy_failed", "spec", function(event)
      told[#told + 1] = event.reason
    end)
    world:run_for "85s"
    assert.equal(8, counts_of(engine, "bad").runs)
    assert.equal(8, counts_of(engine, "bad").failures)
    assert.equal(4, #told) -- the 1st, 2nd, 4th and 8th time
    assert.matches("no luck", told[1])
  end)

  it("remembers the last run over a restart", function()
    local n = 0
    local schedule = { daily = { every = "24h", run = function()
      n = n + 1
    end } }
    local store = moonpeer.store "memory:"
    run(schedule, "25h", { store = store }):close()
    assert.equal(1, n)
    -- down for an hour: the next run is due 22 hours from now
    local world <close> = run(schedule, "21h", { store = store },
      start + 26 * 3600)
    assert.equal(1, n)
    world:run_for "2h"
    assert.equal(2, n)
    world:close()
    store:close()
  end)

  it("saves after a ban, and by the number of changes", function()
    local path = files.make ""
    os.remove(path)
    local world <close> = sim.world { seed = 1, network = "regtest" }
    local engine = world:engine("10.0.0.1", {
      store = "json:" .. path, schedule = {
        save = { every = "1h", after_ban = true, changes = 3 },
      },
    })
    local saved = 0
    engine:on("store_saved", "spec", function() saved = saved + 1 end)
    world:run_for "10s"
    assert.equal(0, saved)
    engine:ban("1.2.3.4", { reason = "spec" })
    world:run_for "2s"
    assert.equal(1, saved)
    for i = 1, 3 do
      engine.store:create { ip = "1.2.4." .. i, port = 8333 }
    end
    world:run_for "3s"
    assert.equal(2, saved)
  end)

  it("that nobody gave saves every five minutes, and after a ban", function()
    local path = files.make ""
    os.remove(path)
    local world <close> = sim.world { seed = 1, network = "regtest" }
    local engine = world:engine("10.0.0.1", { store = "json:" .. path })
    local times = {}
    engine:on("store_saved", "spec", function()
      times[#times + 1] = world:now()
    end)
    for i = 1, 60 do -- something changes each minute
      engine.store:create { ip = "1.2.3." .. i, port = 8333 }
      world:run_for "1m"
    end
    for i = 1, #times do
      local gap = times[i] - (times[i - 1] or 0)
      assert.is_true(gap >= 270 and gap <= 330, gap) -- a tenth up to chance
    end
    local n = #times
    assert.is_true(n >= 10 and n <= 13, n)
    engine:ban "1.2.4.1"
    world:run_for "1s"
    assert.equal(n + 1, #times)
  end)

  it("ends with the engine", function()
    local n = 0
    local world <close>, engine = run({ tick = { every = "1s",
      run = function() n = n + 1 end } }, "3.5s")
    engine:close()
    world:run_for "10s"
    assert.equal(3, n)
  end)

  it("of a policy from a file is held to its budget", function()
    local path = files.make [[
      return { name = "jobs", schedule = {
        good = { every = "5s", run = function(engine) assert(engine) end },
      } }]]
    local world <close>, engine = run(nil, "12s", { policies = { path } })
    assert.equal(2, counts_of(engine, "good").runs)
    assert.equal(0, counts_of(engine, "good").failures)
    assert.truthy(world)
  end)

  it("a job that never ends is stopped, on real time", function()
    moonpeer.run(function()
      local engine <close> = assert(moonpeer.engine { network = "regtest",
        mode = "fixed", peers = {}, schedule = {
          mad = { every = "0.1s", run = function() while true do end end },
        } })
      engine:start()
      moonpeer.sleep(0.5)
      assert.is_true(counts_of(engine, "mad").failures >= 1)
    end)
  end)

  it("refuses what makes no sense, and names the nearest", function()
    for wrong, words in pairs {
      [{ save = { evry = "5m" } }] = "every",
      [{ save = { every = "soon" } }] = "seconds or a text",
      [{ save = { every = 0 } }] = "at least 100ms",
      [{ save = { every = "5m", jitter = 2 } }] = "0 to 1",
      [{ save = { every = "5m", overlap = "queue" } }] = "skip",
      [{ own = { every = "5m" } }] = "function",
      [{ save = 5 }] = "table",
      [{ save = {} }] = "every",
    } do
      assert.error_matches(function()
        moonpeer.engine { schedule = wrong }
      end, words)
    end
    assert.has_error(function() moonpeer.engine { schedule = 5 } end)
  end)
end)
