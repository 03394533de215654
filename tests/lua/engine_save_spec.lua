--- Saves that an engine is asked for while another is under way: its own, or
--- that of somebody else who shares its store.
local core = require "moonpeer.core"
local field = require "support.field"
local moonpeer = require "moonpeer"
local it = field.it

local raw = core.methods "moonpeer.world"

--- A store whose saves take a second each; the bans that are durable are in
--- `saved`.
local function slow_store(world)
  local made = { saved = {} }
  world:remote("10.0.0.9", function()
    made.store = assert(moonpeer.store {
      load = function() end,
      apply = function(batch)
        moonpeer.sleep "1s"
        for _, ban in pairs(batch.bans) do -- any order: a set
          made.saved[ban.prefix] = true
        end
      end,
    })
  end)
  world:run_for "1s"
  return made
end

local function engine_with(world, address, made)
  local engine, log = field.engine(world, address, {
    store = made.store, schedule = { save = false },
  })
  world:run_for "1s"
  return engine, log
end

local function task(world, ip, fn)
  return raw.at(world.handle, ip, moonpeer.spawn, fn)
end

local function is_gone(engine)
  return tostring(engine):find "closed" ~= nil
end

describe("save", function()
  it("waits for the save that has what was changed during another",
    function(world)
      local made = slow_store(world)
      local engine = engine_with(world, "10.0.0.1", made)
      engine:ban "1.1.1.1"
      engine:save_soon()
      world:run_for(0.1)
      engine:ban "2.2.2.2"
      local saved, what
      task(world, "10.0.0.1", function()
        saved = engine:save()
        what = made.saved["2.2.2.2"]
      end)
      world:run_for "5s"
      assert.is_true(saved)
      assert.is_true(what)
      engine:close()
      world:run_for "1s"
      made.store:close()
    end)

  it("fails when its engine is closed, and is not waited for in vain",
    function(world)
      local made = slow_store(world)
      local engine = engine_with(world, "10.0.0.1", made)
      local code, late
      engine:ban "1.1.1.1"
      task(world, "10.0.0.1", function()
        code = select(3, engine:save())
      end)
      world:run_for(0.1)
      task(world, "10.0.0.1", function()
        engine:close(0)
        late = select(3, engine:save())
      end)
      world:run_for "5s"
      assert.is_true(is_gone(engine))
      assert.equal("closed", code)
      assert.equal("closed", late)
      made.store:close()
    end)

  it("wants a task, and a time", function(world)
    local engine = field.engine(world, "10.0.0.1")
    local good, message = pcall(function() engine:save() end)
    assert.is_false(good)
    assert.matches("engine_save_spec.lua:%d+: save: .* inside moonpeer.spawn",
      message)
    task(world, "10.0.0.1", function()
      good, message = pcall(function() engine:save "soon" end)
    end)
    world:run_for "1s"
    assert.is_false(good)
    assert.matches("engine_save_spec.lua:%d+: save: expected seconds", message)
  end)
end)

describe("two engines of one store", function()
  it("save one after the other, and neither fails", function(world)
    local made = slow_store(world)
    local a, one = engine_with(world, "10.0.0.1", made)
    local b, other = engine_with(world, "10.0.0.2", made)
    a:ban "1.1.1.1"
    a:save_soon()
    world:run_for(0.1)
    local saved, what
    b:ban "2.2.2.2"
    task(world, "10.0.0.2", function()
      saved = b:save()
      what = made.saved["2.2.2.2"]
    end)
    world:run_for "5s"
    assert.is_true(saved)
    assert.is_true(what)
    for _, log in ipairs { one, other } do
      assert.equal(1, #log:all "store_saved")
      assert.is_nil(log:find "store_failed")
    end
    a:close()
    b:close()
    world:run_for "1s"
    made.store:close()
  end)

  it("of which one closes while the other saves lose nothing",
    function(world)
      local made = slow_store(world)
      local a = engine_with(world, "10.0.0.1", made)
      local b, log = engine_with(world, "10.0.0.2", made)
      a:ban "1.1.1.1"
      a:save_soon()
      world:run_for(0.1)
      b:ban "2.2.2.2"
      b:close()
      world:run_until(function() return is_gone(b) end, "1m")
      assert.is_true(is_gone(b))
      assert.is_true(made.saved["2.2.2.2"])
      assert.is_nil(log:find "store_failed")
      a:close()
      world:run_for "1s"
      made.store:close()
    end)

  it("of which one has no time to close leaves the rest to the other",
    function(world)
      local made = slow_store(world)
      local a = engine_with(world, "10.0.0.1", made)
      local b = engine_with(world, "10.0.0.2", made)
      a:ban "1.1.1.1"
      a:save_soon()
      world:run_for(0.1)
      b:ban "2.2.2.2"
      b:close(0)
      world:run_for(0.1)
      assert.is_true(is_gone(b))
      a:close()
      world:run_for "5s"
      assert.is_true(is_gone(a))
      assert.is_true(made.saved["2.2.2.2"])
      made.store:close()
    end)
end)
