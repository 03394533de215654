--- Peer stores: what changes with time, who is told, engines that use them.
local moonpeer = require "moonpeer"
local outcome = require "support.outcome"
local process = require "support.process"
local rows = require "support.rows"

local fails, raises = outcome.fails, outcome.raises

local store

before_each(function()
  store = assert(moonpeer.store "memory:")
end)

after_each(function()
  collectgarbage()
  store:close()
end)

local function fill(n, fields)
  rows.fill(store, n, fields)
end

describe("time", function()
  it("ends what is stale, in a world", function()
    local sim = require "moonpeer.sim"
    local world <close> = sim.world { seed = 7 }
    local statuses = {}
    world:remote("10.0.0.1:1", function()
      local own <close> = assert(moonpeer.store("memory:", {
        ttl = { unknown = "2d" }, inaccessible_time = "1d",
      }))
      local peer = own:create { ip = "1.2.3.4", port = 1,
        status = "inaccessible" }
      for day = 1, 4 do
        moonpeer.sleep(86400)
        while own:expire() do end
        statuses[day] = peer:is_stored() and peer.status or "gone"
      end
    end)
    world:run_for(5 * 86400)
    assert.same({ "unknown", "gone", "gone", "gone" }, statuses)
  end)

  it("needs a budget", function()
    fill(5)
    assert.is_boolean(store:expire(1))
    raises("how many peers", store.expire, store, 0)
  end)
end)

describe("listeners", function()
  local log

  local function listen(...)
    log = {}
    for _, event in ipairs { ... } do
      store:on(event, "log", function(change)
        collectgarbage()
        log[#log + 1] = change
      end)
    end
  end

  local function turn()
    moonpeer.run(function() moonpeer.sleep(0.001) end)
  end

  it("are told of every change, after the call that makes it", function()
    listen("peer_created", "peer_updated", "peer_deleted", "ban_added",
      "ban_removed")
    local peer = store:create { ip = "1.2.3.4", port = 1 }
    store:update(peer, { status = "valid" })
    store.bans:add "1.2.0.0/16"
    store.bans:remove "1.2.0.0/16"
    store:delete(peer)
    assert.same({}, log)
    turn()
    local seen = {}
    for i, change in ipairs(log) do
      seen[i] = ("%s %s %s"):format(change.type, change.cause,
        change.status or change.prefix)
    end
    assert.same({
      "peer_created asked unknown", "peer_updated asked valid",
      "ban_added asked 1.2.0.0/16", "peer_updated banned banned",
      "ban_removed asked 1.2.0.0/16", "peer_updated banned unknown",
      "peer_deleted asked unknown",
    }, seen)
    assert.equal("unknown", log[2].before)
    assert.equal("1.2.3.4:1", log[7].address)
    assert.is_nil(log[7].peer)
    assert.equal("manual", log[3].reason)
  end)

  it("get the peer when it is still there", function()
    listen "peer_created"
    local peer = store:create { ip = "1.2.3.4", port = 1 }
    turn()
    assert.equal(peer, log[1].peer)
    assert.equal(peer.id, log[1].id)
  end)

  it("may change the store, and are told of that next", function()
    local n = 0
    store:on("peer_created", "more", function()
      n = n + 1
      if n < 5 then
        store:create { ip = "1.2.3.4", port = n }
      end
    end)
    store:create { ip = "1.2.3.4", port = 100 }
    moonpeer.run()
    assert.equal(5, n)
  end)

  it("are replaced by name, and taken away", function()
    local calls = {}
    local function note(what)
      return function()
        calls[#calls + 1] = what
      end
    end
    store:on("peer_created", "a", note "first")
    store:on("peer_created", "a", note "second")
    store:on("peer_created", "b", note "third")
    store:create { ip = "1.2.3.4", port = 1 }
    turn()
    assert.same({ "second", "third" }, calls)
    store:off("peer_created", "a")
    store:off("peer_created", "b")
    store:off("peer_created", "none")
    store:create { ip = "1.2.3.4", port = 2 }
    turn()
    assert.equal(2, #calls)
  end)

  it("that fail do not keep others from hearing", function()
    local out, err = process.lua [[
      local moonpeer = require "moonpeer"
      local store <close> = moonpeer.store "memory:"
      store:on("peer_created", "a", function() error "broken" end)
      store:on("peer_created", "b", function() print "heard" end)
      for i = 1, 3 do store:create { ip = "1.2.3.4", port = i } end
      moonpeer.run()
    ]]
    assert.equal("heard\nheard\nheard\n", out)
    assert.matches('listener "a" of peer_created failed %(1 times%).*broken',
      err)
    assert.matches("failed %(2 times%)", err)
    assert.is_nil(err:find("3 times", 1, true))
  end)

  it("may close the store", function()
    store:on("peer_created", "a", function() store:close() end)
    store:create { ip = "1.2.3.4", port = 1 }
    store:create { ip = "1.2.3.4", port = 2 }
    turn()
    assert.is_false(store.is_open)
    store = assert(moonpeer.store "memory:")
  end)

  it("lose the oldest when too many wait", function()
    local first, n = nil, 0
    store:on("peer_updated", "count", function(change)
      first = first or change
      n = n + 1
    end)
    local peer = store:create { ip = "1.2.3.4", port = 1 }
    for i = 1, 70000 do
      store:update(peer, { failures = i % 200 })
    end
    turn()
    assert.equal(65536, n)
    assert.equal(70000 - 65536, first.lost)
  end)

  it("have a name and hear of what there is", function()
    raises('unknown event of a store "peer_create"; the nearest known is '
      .. '"peer_created"', store.on, store, "peer_create", "x", print)
    raises("a listener has a name", store.on, store, "peer_created", print)
  end)
end)

describe("engines", function()
  it("have a store of their own, or the one they are given", function()
    local own <close> = assert(moonpeer.engine { network = "regtest" })
    local one <close> = assert(moonpeer.engine {
      network = "regtest", store = store,
    })
    local other <close> = assert(moonpeer.engine {
      network = "regtest", store = store,
    })
    assert.equal(store, one.store)
    assert.equal(store, other.store)
    assert.not_equal(store, own.store)
    assert.equal("memory:", own.store.url)
    store:create { ip = "1.2.3.4", port = 1 }
    assert.equal(1, #one.store)
    assert.equal(0, #own.store)
  end)

  it("close what was opened for them", function()
    local engine = assert(moonpeer.engine { network = "regtest" })
    local own = engine.store
    engine:close()
    assert.is_false(own.is_open)
  end)

  it("go on when the script closes their store", function()
    local engine = assert(moonpeer.engine {
      network = "regtest", store = store, listen = "127.0.0.1:0",
    })
    assert(engine:start())
    moonpeer.run(function()
      moonpeer.sleep(0.01)
      store:close()
      assert.is_false(engine.store.is_open)
      engine:ban "1.2.3.4"
      moonpeer.sleep(0.01)
      engine:close()
    end)
    moonpeer.run()
    store = assert(moonpeer.store "memory:")
  end)

  it("refuse what is no store", function()
    raises("store: expected a URL or a store, got number", moonpeer.engine,
      { network = "regtest", store = 5 })
    fails("invalid_configuration", "memory:", moonpeer.engine {
      network = "regtest", store = "nonsense",
    })
    store:close()
    raises("the store is closed", moonpeer.engine,
      { network = "regtest", store = store })
    store = assert(moonpeer.store "memory:")
  end)

  it("share a store in a world, which has the world's time", function()
    local sim = require "moonpeer.sim"
    local world <close> = sim.world { seed = 3 }
    local a = world:engine("10.0.0.1:8333", { store = store, mode = "fixed" })
    world:engine("10.0.0.2", {
      store = store, peers = { "10.0.0.1:8333" }, mode = "fixed",
    })
    world:run_for(10)
    assert.equal(store, a.store)
    assert.equal(1, store:count_by_status "valid")
    local peer = store:find_by_ip_port "10.0.0.1:8333"
    assert.is_true(peer.last_seen ~= nil)
  end)
end)
