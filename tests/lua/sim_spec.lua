--- Worlds: engines and peers in one, its clock and chance, its trace.
local moonpeer = require "moonpeer"
local files = require "support.files"
local test = require "moonpeer.test"
local worlds = require "support.worlds"

local in_world = worlds.within
local here = worlds.here

test.install(assert)

describe("a world", function()
  test.guard()

  it("lets time pass without taking any", function()
    in_world({ seed = 1 }, function(world)
      local before = os.clock()
      assert.equal(0, world:now())
      assert.is_true(world:run_for("10m"))
      assert.equal(600, world:now())
      assert.is_true(world:run_for(0.25))
      assert.equal(600.25, world:now())
      assert.is_true(os.clock() - before < 1)
    end)
  end)

  it("has engines and peers that meet", function()
    in_world({ seed = 1, network = "regtest" }, function(world)
      local engine = world:engine "10.0.0.1:18444"
      local log = test.watch(engine)
      local peer = world:remote("10.0.0.2", function(remote)
        local connection = assert(remote:dial "10.0.0.1")
        return connection:handshake().user_agent
      end)
      assert(world:run_until(function()
        return test.find(log, "handshake_complete")
      end, "1m"))
      assert.matches("^/moonpeer", peer.result)
      assert.event(log, "handshake_complete", { inbound = true })
    end)
  end)

  it("lets remotes listen, at their address, in turn or all at once",
    function()
      in_world({ network = "regtest" }, function(world)
        local greeted = 0
        local function greet(connection)
          assert(connection:handshake())
          greeted = greeted + 1
          connection:receive("nothing", "1m")
        end
        world:remote("10.0.0.2", function(remote)
          local first = assert(remote:accept())
          greet(first)
        end)
        world:remote("10.0.0.3", function(remote)
          remote:serve(greet)
        end)
        for i = 4, 6 do
          world:engine("10.0.0." .. i, { peers = { "10.0.0.3" } })
        end
        world:engine("10.0.0.7", { peers = { "10.0.0.2" } })
        assert(world:run_until(function()
          return greeted == 4
        end, "10s"))
      end)
    end)

  it("has tasks on its engines' hosts", function()
    in_world({}, function(world)
      local engine = world:engine "10.0.0.1"
      local waited
      engine:spawn(function(t)
        local before = moonpeer.now()
        moonpeer.sleep(t)
        waited = moonpeer.now() - before
      end, "3h")
      world:run_for "4h"
      assert.equal(10800, waited)
    end)
  end)

  it("asks a store for the time of its engine", function()
    in_world({ start = 86400 }, function(world)
      local bans = world:engine "10.0.0.1".store.bans
      assert(bans:add("1.2.3.4", { time = "1h" }))
      world:run_for "59m"
      assert.is_not_nil(bans:find "1.2.3.4")
      world:run_for "1m"
      assert.is_nil(bans:find "1.2.3.4")
    end)
  end)

  it("has its own chance and time while its Lua runs", function()
    local random, time, clock, date =
      math.random, os.time, os.clock, os.date
    in_world({ seed = 5, start = 86400 }, function(world)
      local said
      world:remote("10.0.0.1", function(remote)
        remote:sleep "90s"
        said = { os.time(), os.clock(), os.date(), moonpeer.time(),
          os.time { year = 2000, month = 1, day = 1, hour = 0 },
          os.date("%H:%M", 0), math.random(), math.random(6),
          math.random(10, 12), math.random(0), }
        math.randomseed(7)
      end)
      world:run_until(function()
        return said and os.time() == 86490 and math.random ~= random
      end, "2m")
      assert.same({ 86490, 90, "Fri Jan  2 00:01:30 1970", 86490, 946684800,
        "00:00" }, { table.unpack(said, 1, 6) })
      assert.is_true(said[7] >= 0 and said[7] < 1)
      assert.is_true(said[8] >= 1 and said[8] <= 6)
      assert.is_true(said[9] >= 10 and said[9] <= 12)
      assert.equal("integer", math.type(said[10]))
    end)
    assert.equal(random, math.random)
    assert.equal(time, os.time)
    assert.equal(clock, os.clock)
    assert.equal(date, os.date)
  end)

  it("has them also while policies are loaded", function()
    local path = files.make "error('loaded at ' .. os.time())"
    in_world({ start = 86400 }, function(world)
      assert.error_matches(function()
        world:engine("10.0.0.1", { policies = { path } })
      end, "loaded at 86400")
      assert.is_true(os.time() > 86400)
    end)
    files.remove_all()
  end)

  it("draws from a store of outside by its own seed", function()
    local function play(seed)
      local store <close> = assert(moonpeer.store "memory:")
      for i = 1, 40 do
        store:create { ip = ("%d.1.0.1"):format(30 + i), port = 8333 }
      end
      return in_world({ seed = seed }, function(world)
        world:engine("10.0.0.1", { store = store, target_connections = 4 })
        world:run_for(2)
        return world:hash()
      end)
    end
    assert.equal(play(1), play(1))
    assert.not_equal(play(1), play(2))
  end)

  it("puts chance and time back when something fails", function()
    local random = math.random
    in_world({}, function(world)
      assert.has_error(function()
        world:run_until(function()
          error "no"
        end)
      end)
      assert.equal(random, math.random)
    end)
  end)

  it("refuses intervals that are none, as math.random does", function()
    in_world({}, function(world)
      local message
      world:remote("10.0.0.1", function()
        message = select(2, pcall(math.random, 2, 1))
      end)
      world:run_for(1)
      assert.matches("interval is empty", message)
    end)
  end)

  it("does the same for the same seed, and else something else", function()
    local function hash(seed)
      return in_world({ seed = seed }, function(world)
        world:link(nil, nil, { jitter = "50ms", split = 0.5 })
        world:engine("10.0.0.1:8333")
        world:engine("10.0.0.2", { peers = { "10.0.0.1" } })
        world:run_for "1h"
        return world:hash(), world:trace()
      end)
    end
    local first, trace = hash(1)
    local again, same = hash(1)
    assert.equal(trace, same)
    assert.equal(first, again)
    assert.not_equal(first, (hash(2)))
    assert.matches("^%x+$", first)
    assert.equal(64, #first)
  end)

  it("tells what happens as JSON lines", function()
    in_world({}, function(world)
      world:engine("10.0.0.1:8333")
      world:remote("10.0.0.2", function(remote)
        remote:note "here I am"
        remote:dial "10.0.0.1"
      end)
      world:note("10.0.0.1", 'a "note"')
      world:run_for(1)
      local trace = world:trace()
      assert.matches('"what":"note","note":"here I am"', trace, 1, true)
      assert.matches('"note":"a \\"note\\""', trace, 1, true)
      assert.matches('"what":"dial"', trace, 1, true)
      for line in trace:gmatch "[^\n]+" do
        assert.matches('^{"t":%d+%.%d+,.*}$', line)
      end
    end)
  end)
end)

describe("run_until", function()
  test.guard()

  it("says what happened last when the condition never comes true", function()
    in_world({ network = "regtest" }, function(world)
      world:engine "10.0.0.1:18444"
      local line
      world:remote("10.0.0.2", function(remote)
        local connection = assert(remote:dial "10.0.0.1")
        connection:handshake()
        line = here() + 1
        connection:receive "tx"
      end)
      world:remote("10.0.0.3", function() end)
      local good, what, code = world:run_until(function()
        return false
      end, "5m")
      assert.is_nil(good)
      assert.equal("timeout", code)
      assert.matches("engine 10.0.0.1: ", what, 1, true)
      assert.matches(("tests/lua/sim_spec.lua:%d")
        :format(line), what, 1, true)
      assert.matches('last: {"t":', what, 1, true)
      assert.matches("remote 10.0.0.3: ended at 0 s", what, 1, true)
      assert.equal(300, world:now())
    end)
  end)

  it("ends by itself when no limit is given", function()
    in_world({}, function(world)
      local _, _, code = world:run_until(function() end)
      assert.equal("timeout", code)
      assert.equal(3600, world:now())
    end)
  end)

  it("stops between two events", function()
    in_world({}, function(world)
      local times = {}
      world:remote("10.0.0.1", function(remote)
        for i = 1, 10 do
          times[i] = remote:now()
          remote:sleep(1)
        end
      end)
      assert(world:run_until(function()
        return #times == 3
      end))
      assert.equal(2, world:now())
      world:run_for "1m"
      assert.equal(10, #times)
    end)
  end)
end)

describe("a host", function()
  test.guard()

  it("is free again when what was on it has ended", function()
    in_world({}, function(world)
      world:remote("10.0.0.1", function() end)
      world:run_for(1)
      local engine = world:engine "10.0.0.1"
      world:run_for(1)
      engine:close()
      world:run_for(1)
      world:engine "10.0.0.1"
    end)
  end)

  it("has limits", function()
    in_world({ network = "regtest" }, function(world)
      local slow = world:remote("10.0.0.1", function(remote)
        local connection = remote:accept()
        connection:stall()
        remote:sleep "1h"
      end)
      world:limit(slow, { window = 1000 })
      local sent
      world:remote("10.0.0.2", function(remote)
        local connection = remote:dial "10.0.0.1"
        connection:send_raw(("x"):rep(500000))
        sent = true
        remote:sleep "1h"
      end)
      world:run_for "1m"
      assert.is_true(sent)
      local waiting = world:count().bytes
      assert.is_true(waiting > 0 and waiting < 500000)
    end)
  end)
end)
