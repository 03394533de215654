--- Keys of the configuration that are no numbers, changed while it runs: each
--- takes effect and is reported, or is refused with what to do instead.
local field = require "support.field"
local moonpeer = require "moonpeer"
local it = field.it

describe("configure", function()
  it("reports the listener, the peers, the mode and the trusted",
    function(world)
      local engine = field.engine(world, "10.0.0.1")
      assert.same({
        listen = { false, "10.0.0.1:8333" },
        peers = { {}, { "10.0.0.2:8333", "[2001:db8::1]:9" } },
        mode = { "normal", "fixed" }, trusted = { {}, { "10.0.0.0/8" } },
      }, engine:configure {
        listen = "10.0.0.1:8333", trusted = { "10.0.0.0/8" },
        peers = { "10.0.0.2:8333", "[2001:db8::1]:9" },
      })
      assert.same({}, engine:configure {
        listen = "10.0.0.1:8333", trusted = { "10.0.0.0/8" }, mode = "fixed",
      })
      assert.same({
        listen = { "10.0.0.1:8333", false }, mode = { "fixed", "normal" },
        trusted = { { "10.0.0.0/8" }, { "11.1.1.1" } },
      }, engine:configure {
        listen = false, mode = "normal", trusted = { "11.1.1.1" },
      })
      local config = engine:config()
      assert.is_false(config.listen)
      assert.equal("normal", config.mode)
      assert.equal("regtest", config.network)
      assert.same({ "11.1.1.1" }, config.trusted)
      assert.same({ "10.0.0.2:8333", "[2001:db8::1]:9" }, config.peers)
    end)

  it("refuses what lasts as long as the engine, and says what to do",
    function(world)
      local policies = { { name = "mine" } }
      local engine = field.engine(world, "10.0.0.1", {
        policies = policies, budget = { decision = 0.5 },
      })
      local before = engine:config()
      for key, row in pairs {
        policies = { {}, "engine:reload" },
        store = { "json:/nowhere.json", "another engine" },
        budget = { { decision = 1 }, "another engine" },
        network = { "mainnet", "another engine" },
      } do
        local changed, message, code = engine:configure {
          [key] = row[1], ping_interval = "1m",
        }
        assert.is_nil(changed, key)
        assert.matches("^" .. key .. ": .* cannot change while", message)
        assert.matches(row[2], message, 1, true)
        assert.equal("invalid_configuration", code)
        assert.same(before, engine:config())
      end
    end)

  it("takes what an engine was made with as no change", function(world)
    local config = {
      policies = { { name = "mine" } }, budget = { decision = 0.5 },
      schedule = { tick = { every = 1, run = function() end } },
      network = "regtest", store = "memory:",
    }
    local engine = field.engine(world, "10.0.0.1", config)
    assert.same({}, engine:configure(config))
    assert.same({}, engine:configure { store = engine.store })
  end)

  it("refuses another network of the same name and magic", function(world)
    local function network(port)
      return { name = "n", magic = "\1\2\3\4", port = port }
    end
    local engine = field.engine(world, "10.0.0.1", { network = network(1) })
    assert(engine:configure { network = network(1) })
    local changed, message = engine:configure { network = network(2) }
    assert.is_nil(changed)
    assert.matches("^network: .* cannot change", message)
  end)

  it("names the nearest of these keys, too", function(world)
    local engine = field.engine(world, "10.0.0.1")
    local good, message = pcall(engine.configure, engine, { shedule = {} })
    assert.is_false(good)
    assert.matches('the nearest known is "schedule"', message, 1, true)
  end)
end)

describe("a schedule given to configure", function()
  local function counting(counts, name, every)
    return { every = every, run = function()
      counts[name] = (counts[name] or 0) + 1
    end }
  end

  it("takes the place of the one before", function(world)
    local counts = {}
    local first = { old = counting(counts, "old", 1),
      both = counting(counts, "both", 1) }
    local engine = field.engine(world, "10.0.0.1", { schedule = first })
    world:run_for(5.5)
    assert.same({ old = 5, both = 5 }, counts)
    local second = { new = counting(counts, "new", 1), both = first.both }
    assert.same({ schedule = { first, second } },
      engine:configure { schedule = second })
    assert.is_nil(counts.new)
    world:run_for(3)
    assert.same({ old = 5, both = 8, new = 3 }, counts)
    assert.same({}, engine:configure { schedule = second })
    world:run_for(1)
    assert.equal(4, counts.new)
    assert(engine:configure { schedule = {} })
    world:run_for "1h"
    assert.same({ old = 5, both = 9, new = 4 }, counts)
  end)

  it("before the start counts from the start on", function(world)
    local counts, raw = {}, require("moonpeer.core").methods "moonpeer.world"
    field.empty(world, "10.0.0.1")
    local engine = raw.at(world.handle, "10.0.0.1", moonpeer.engine, {
      network = "regtest", schedule = { old = counting(counts, "old", 1) },
    })
    assert(engine:configure { schedule = { new = counting(counts, "new", 1) } })
    assert(engine:start())
    world:run_for(2.5)
    assert.same({ new = 2 }, counts)
    engine:close()
    world:run_for(1)
  end)

  it("changes nothing when anything is wrong", function(world)
    local counts = {}
    local engine = field.engine(world, "10.0.0.1", {
      schedule = { old = counting(counts, "old", 1) },
    })
    local before = engine:config()
    local good, message = pcall(engine.configure, engine, {
      max_connections = 30, schedule = { new = { every = "often" } },
    })
    assert.is_false(good)
    assert.matches("schedule.new", message, 1, true)
    local changed, _, code = engine:configure {
      schedule = { new = counting(counts, "new", 1) }, max_connections = 1,
    }
    assert.is_nil(changed)
    assert.equal("invalid_connection_limits", code)
    world:run_for(2.5)
    assert.same({ old = 2 }, counts)
    assert.same(before, engine:config())
  end)
end)

describe("a shadow given to configure", function()
  local shadow = { name = "other", accept = function() return false end }

  it("decides beside the others, and false ends it", function(world)
    local engine = field.engine(world, "10.0.0.1:8333")
    assert.same({ shadow = { false, shadow } },
      engine:configure { shadow = shadow })
    field.engine(world, "10.0.0.2", { peers = { "10.0.0.1:8333" } })
    world:run_for "1s"
    assert.equal(1, engine:trial().differs)
    assert.same({}, engine:configure { shadow = shadow })
    assert.equal(1, engine:trial().differs)
    assert.same({ shadow = { shadow, false } },
      engine:configure { shadow = false })
    assert.is_nil(engine:trial())
  end)

  it("that cannot be loaded changes nothing", function(world)
    local engine = field.engine(world, "10.0.0.1")
    local before = engine:config()
    local changed, _, code = engine:configure {
      shadow = "/nowhere.lua", ping_interval = "1m",
    }
    assert.is_nil(changed)
    assert.equal("invalid_configuration", code)
    assert(engine:configure { shadow = shadow })
    changed = engine:configure { shadow = false, max_connections = 1 }
    assert.is_nil(changed)
    assert.is_truthy(engine:trial())
    assert.same(before, engine:config())
  end)
end)
