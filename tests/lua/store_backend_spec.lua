--- Backends written in Lua: what they are given, and what may go wrong.
local core = require "moonpeer.core"
local moonpeer = require "moonpeer"
local outcome = require "support.outcome"

local fails, raises = outcome.fails, outcome.raises

--- A backend that keeps what it is given, as a file would.
local function memory()
  local backend = { saved = { peers = {}, bans = {}, values = {} }, log = {} }
  local function note(what)
    assert.is_true(core.in_task())
    backend.log[#backend.log + 1] = what
    collectgarbage()
  end
  backend.made = {
    name = "own:",
    load = function()
      note "load"
      moonpeer.sleep(0)
      return backend.saved
    end,
    apply = function(batch)
      note "apply"
      moonpeer.sleep(0)
      if backend.fails then
        return backend.fails()
      end
      for kind, rows in pairs(backend.saved) do
        for key, row in pairs(batch[kind]) do
          rows[key] = row or nil
        end
      end
      backend.batch = batch
      return true
    end,
    close = function()
      note "close"
    end,
  }
  return backend
end

local function in_task(fn)
  return function()
    moonpeer.run(fn)
    moonpeer.run()
    collectgarbage()
  end
end

local function size(t)
  local n = 0
  for _ in pairs(t) do
    n = n + 1
  end
  return n
end

describe("a backend in Lua", function()
  it("loads, applies and closes in tasks", in_task(function()
    local backend = memory()
    local store = assert(moonpeer.store(backend.made))
    assert.equal("own:", store.url)
    store:create { ip = "1.2.3.4", port = 1 }
    assert.is_true(store:save())
    assert.is_true(store:close())
    moonpeer.sleep(0)
    moonpeer.sleep(0)
    assert.same({ "load", "apply", "close" }, backend.log)
  end))

  it("gives back all that it was given", in_task(function()
    local backend = memory()
    local rows = {}
    do
      local store = assert(moonpeer.store(backend.made))
      for i = 1, 1200 do
        local peer = assert(store:create {
          ip = "1.2.3.4", port = i, data = { n = i },
          services = -i, status = i % 2 == 0 and "valid" or nil,
        })
        rows[peer.id] = peer:table()
      end
      store.bans:add("9.0.0.0/8", { time = "forever", note = "x" })
      store:set_value("v", "\0\xff")
      assert.is_true(store:close())
    end
    assert.equal(1200, size(backend.saved.peers))
    local store = assert(moonpeer.store(backend.made))
    assert.equal(1200, #store)
    for peer in store:each() do
      assert.same(rows[peer.id], peer:table())
    end
    assert.equal(math.huge, store.bans:get("9.0.0.0/8").expires)
    assert.equal("\0\xff", store:value "v")
    assert.is_false(store.is_changed)
    store:close()
  end))

  it("that is slower than a save waits is let go on", in_task(function()
    local backend = memory()
    local store = assert(moonpeer.store(backend.made))
    local gate, is_held = core.gate(), true
    store:create { ip = "1.2.3.4", port = 1 }
    raises("expected seconds or a text", store.save, store, "soon")
    raises("expected seconds or a text", store.save, store, {})
    assert.is_true(store:save "1h")
    backend.fails = function()
      if is_held then
        gate:wait()
      end
      return true
    end
    store:create { ip = "1.2.3.4", port = 2 }
    fails("timeout", "expected the save to end within", store:save(0.01))
    is_held = false
    gate:open()
    assert.is_true(store:save())
    assert.is_false(store.is_changed)
    store:close()
  end))

  it("is told what was deleted, and only what has changed", in_task(function()
    local backend = memory()
    local store = assert(moonpeer.store(backend.made))
    local one = store:create { ip = "1.2.3.4", port = 1 }
    local other = store:create { ip = "1.2.3.4", port = 2 }
    store.bans:add "8.8.8.8"
    store:set_value("v", "x")
    assert(store:save())
    store:delete(one)
    store.bans:remove "8.8.8.8"
    store:set_value("v")
    assert(store:save())
    assert.equal(1, size(backend.batch.peers))
    assert.is_false(select(2, next(backend.batch.peers)))
    assert.is_false(select(2, next(backend.batch.bans)))
    assert.is_false(backend.batch.values.v)
    assert.is_false(backend.batch.all)
    assert.equal(1, size(backend.saved.peers))
    assert.equal(0, size(backend.saved.values))
    store:update(other, { failures = 1 })
    assert(store:save())
    assert.equal(1, size(backend.batch.peers))
    assert(store:save()) -- nothing: it is not asked
    assert.equal(4, #backend.log)
    store:close()
  end))

  it("may want everything each time", in_task(function()
    local backend = memory()
    backend.made.wants_all = true
    local store = assert(moonpeer.store(backend.made))
    for i = 1, 5 do
      store:create { ip = "1.2.3.4", port = i }
    end
    assert(store:save())
    store:create { ip = "1.2.3.4", port = 6 }
    assert(store:save())
    assert.is_true(backend.batch.all)
    assert.equal(6, size(backend.batch.peers))
    store:close()
  end))

  it("that fails loses nothing", in_task(function()
    local backend = memory()
    local store = assert(moonpeer.store(backend.made))
    store:create { ip = "1.2.3.4", port = 1 }
    local ways = {
      function() error "broken" end,
      function() return nil, "full" end,
      function() return false end,
      function() error { setmetatable({}, { __tostring = error }) } end,
    }
    for i, words in ipairs { "broken", "full", "apply returned false", "." } do
      backend.fails = ways[i]
      fails("store_error", words, store:save())
      assert.is_true(store.is_changed)
    end
    backend.fails = nil
    assert.is_true(store:save())
    assert.equal(1, size(backend.saved.peers))
    store:close()
  end))

  it("that cannot load opens no store", in_task(function()
    local function load_of(fn)
      return moonpeer.store { load = fn, apply = function() end }
    end
    fails("store_error", "broken", load_of(function() error "broken" end))
    fails("store_error", "gone", load_of(function() return nil, "gone" end))
    fails("store_error", "expected a table, got string",
      load_of(function() return "x" end))
    local store = assert(load_of(function() end))
    assert.equal(0, #store)
    store:close()
  end))

  it("with rows that are wrong opens no store", in_task(function()
    local id = "01234567-89ab-4def-8123-456789abcdef"
    local good = { id = id, ip = "1.2.3.4", port = 1 }
    local function with(change)
      local row = {}
      for key, value in pairs(good) do
        row[key] = value
      end
      for key, value in pairs(change) do
        row[key] = value
      end
      return row
    end
    local wrong = {
      ["peers: expected a table"] = { peers = 5 },
      ["rows by number"] = { peers = { x = good } },
      ["peers%[1%]: expected a table"] = { peers = { "x" } },
      ["fields id, ip and port"] = { peers = { { ip = "1.2.3.4", port = 1 } } },
      ["unknown field of a peer \"colour\""] =
        { peers = { with { colour = 1 } } },
      ["expected an address"] = { peers = { with { ip = "x" } } },
      ["there twice"] = { peers = { good, good } },
      ["ban_reason"] = { peers = { with { status = "banned" } } },
      ["status: expected a name"] = { peers = { with { status = 5 } } },
      ["ban of 1.1.1.1 is there twice"] = { bans = {
        { prefix = "1.1.1.1", reason = "manual", created = 1, expires = 2 },
        { prefix = "1.1.1.1", reason = "manual", created = 1, expires = 2 },
      } },
      ["out of range"] = { bans = { { prefix = "1.1.1.1" } } },
      ["unknown field of a ban"] = { bans = { { prefx = "1.1.1.1" } } },
      ["values: expected texts"] = { values = { a = 5 } },
    }
    for words, rows in pairs(wrong) do
      fails("store_error", words, moonpeer.store {
        load = function() return rows end, apply = function() end,
      })
    end
  end))

  it("is asked in tasks only", function()
    raises("waits; call it inside moonpeer.spawn or moonpeer.run",
      moonpeer.store, { load = print, apply = print })
    local backend, store = memory(), nil
    moonpeer.run(function()
      store = assert(moonpeer.store(backend.made))
      store:create { ip = "1.2.3.4", port = 1 }
    end)
    raises("save waits; call it inside", store.save, store)
    fails("would_block", "saved when the loop runs", store:close())
    moonpeer.run()
    assert.equal(1, size(backend.saved.peers))
    assert.same({ "load", "apply", "close" }, backend.log)
  end)

  it("is a table of the right functions", function()
    raises('unknown key of a backend "aply"; the nearest known is "apply"',
      moonpeer.store, { load = print, aply = print })
    raises("backend.apply: expected a function, got nil", moonpeer.store,
      { load = print })
    raises("backend.close: expected a function", moonpeer.store,
      { load = print, apply = print, close = 5 })
  end)

  it("may have its task cancelled", in_task(function()
    local store, task
    store = assert(moonpeer.store {
      load = function() end,
      apply = function()
        moonpeer.sleep(0.05)
      end,
    })
    store:create { ip = "1.2.3.4", port = 1 }
    task = moonpeer.spawn(function() return store:save() end)
    moonpeer.sleep(0.01)
    task:cancel()
    moonpeer.sleep(0)
    assert.equal("failed", task.state)
    moonpeer.sleep(0.1)
    assert.is_false(store.is_changed) -- the save went on without it
    store:close { save = false }
  end))

  it("serves engines, at the end too", function()
    local backend = memory()
    moonpeer.run(function()
      local store = assert(moonpeer.store(backend.made))
      local engine = assert(moonpeer.engine {
        network = "regtest", store = store,
      })
      assert(engine:start())
      engine:ban "1.2.3.4"
      engine:close()
    end)
    moonpeer.run()
    assert.equal(1, size(backend.saved.bans))
  end)

  it("works in a world", function()
    local sim = require "moonpeer.sim"
    local world <close> = sim.world { seed = 4 }
    local backend, saved = memory(), nil
    world:remote("10.0.0.1:1", function()
      local store = assert(moonpeer.store(backend.made))
      store:create { ip = "1.2.3.4", port = 1 }
      saved = store:save()
      store:close()
    end)
    world:run_for(5)
    assert.is_true(saved)
    assert.equal(1, size(backend.saved.peers))
  end)

  it("in a world that is closed meanwhile loses what it was at", function()
    local sim = require "moonpeer.sim"
    local world = sim.world { seed = 4 }
    local store
    world:remote("10.0.0.1:1", function()
      store = assert(moonpeer.store {
        load = function() end,
        apply = function() moonpeer.sleep(1000) end,
      })
      store:create { ip = "1.2.3.4", port = 1 }
      store:save()
    end)
    pcall(world.run_for, world, 5)
    pcall(world.close, world)
    assert.is_true(store.is_changed)
    moonpeer.run(function() store:close { save = false } end)
  end)
end)
