--- Peer stores: creating, finding, changing, walking, choosing peers.
local moonpeer = require "moonpeer"
local process = require "support.process"

local store

before_each(function()
  store = assert(moonpeer.store "memory:")
end)

after_each(function()
  collectgarbage()
  store:close()
end)

local function fails(code, pattern, ...)
  local value, message, got = ...
  assert.is_nil(value)
  assert.equal(code, got)
  assert.matches(pattern, message)
end

local function raises(pattern, fn, ...)
  local good, message = pcall(fn, ...)
  assert.is_false(good)
  assert.matches(pattern, message)
end

--- The i-th of many addresses, a network group each.
local function nth(i)
  return ("%d.%d.1.1"):format(1 + i // 256, i % 256)
end

local function fill(n, fields)
  for i = 1, n do
    local row = { ip = nth(i), port = 8333 }
    for key, value in pairs(fields or {}) do
      row[key] = value
    end
    assert(store:create(row))
  end
end

describe("a store", function()
  it("finds a peer by id, and by ip and port", function()
    local peer = assert(store:create { ip = "1.2.3.4", port = 8333 })
    assert.equal(peer, store:read(peer.id))
    assert.equal(peer, store:read(peer.id:upper()))
    assert.equal(peer, store:read(peer))
    assert.equal(peer, store:find_by_ip_port("1.2.3.4", 8333))
    assert.equal(peer, store:find_by_ip_port "1.2.3.4:8333")
    assert.equal(peer, store:find_by_ip_port("::ffff:1.2.3.4", 8333))
  end)

  it("does not find who is not there", function()
    store:create { ip = "1.2.3.4", port = 8333 }
    fails("peer_not_found", "1.2.3.4:8334",
      store:find_by_ip_port("1.2.3.4", 8334))
    fails("peer_not_found", "1.2.3.5:8333",
      store:find_by_ip_port("1.2.3.5", 8333))
    fails("peer_not_found", "no peer has the id",
      store:read "01234567-89ab-4def-8123-456789abcdef")
    fails("peer_not_found", "a UUID, got \"what\"", store:read "what")
    fails("peer_not_found", "no peer has", store:update(
      "01234567-89ab-4def-8123-456789abcdef", { failures = 1 }))
    fails("peer_not_found", "no peer has",
      store:delete "01234567-89ab-4def-8123-456789abcdef")
    fails("invalid_configuration", "address", store:find_by_ip_port("x", 1))
  end)

  it("refuses a second peer at an address, or with an id", function()
    local peer = assert(store:create { ip = "1.2.3.4", port = 8333 })
    fails("duplicate_peer", "1.2.3.4:8333",
      store:create { ip = "1.2.3.4", port = 8333 })
    fails("duplicate_peer", "id",
      store:create { ip = "1.2.3.5", port = 8333, id = peer.id })
    assert.is_truthy(store:create { ip = "1.2.3.4", port = 8334 })
    assert.equal(2, #store)
  end)

  it("lets an address come back after it was deleted", function()
    local peer = store:create { ip = "1.2.3.4", port = 8333 }
    local id = peer.id
    assert.is_true(store:delete(id))
    assert.equal(0, #store)
    fails("peer_not_found", id:gsub("%-", "%%-"), store:read(id))
    assert.not_equal(id, store:create({ ip = "1.2.3.4", port = 8333 }).id)
  end)

  it("changes all of an update or nothing", function()
    local peer = store:create { ip = "1.2.3.4", port = 8333 }
    fails("invalid_configuration", ".",
      store:update(peer, { failures = 5, rtt = -1 }))
    raises("unknown field", store.update, store, peer,
      { failures = 5, nonsense = 1 })
    assert.equal(0, peer.failures)
    assert.is_truthy(store:update(peer, {}))
  end)

  it("lists all, and those of a status", function()
    fill(10)
    for i = 1, 3 do
      store:update(store:find_by_ip_port(nth(i), 8333), { status = "valid" })
    end
    assert.equal(10, #store:list_all())
    local valid = store:find_by_status "valid"
    assert.equal(3, #valid)
    for _, peer in ipairs(valid) do
      assert.is_true(peer:is_valid())
    end
    assert.same({}, store:find_by_status "banned")
    raises('unknown status "bannd"', store.find_by_status, store, "bannd")
  end)

  it("counts by status", function()
    fill(10)
    store:update(store:list_all()[1], { status = "inaccessible" })
    assert.equal(9, store:count_by_status "unknown")
    assert.equal(1, store:count_by_status "inaccessible")
    assert.same({ unknown = 9, valid = 0, inaccessible = 1, banned = 0 },
      store:count_by_status())
    assert.equal(10, #store)
  end)

  it("evicts when it is full", function()
    local small <close> = assert(moonpeer.store("memory:", { capacity = 3 }))
    local gone = {}
    small:on("peer_deleted", "log", function(change)
      gone[#gone + 1] = change
    end)
    for i = 1, 5 do
      assert(small:create { ip = nth(i), port = 1, status = "valid" })
    end
    assert.equal(3, #small)
    moonpeer.run(function() moonpeer.sleep(0) end)
    assert.equal(2, #gone)
    assert.equal("evicted", gone[1].cause)
  end)

  it("is misuse with other options, URLs and arguments", function()
    raises('unknown option of a store "capasity"; the nearest known is '
      .. '"capacity"', moonpeer.store, "memory:", { capasity = 1 })
    raises("capacity: expected 1 to", moonpeer.store, "memory:",
      { capacity = 0 })
    raises("status of ttl", moonpeer.store, "memory:",
      { ttl = { banned = "1d" } })
    raises("expected a duration above 0", moonpeer.store, "memory:",
      { ttl = { valid = 0 } })
    raises("ban_time: expected 100 years", moonpeer.store, "memory:",
      { ban_time = "forever" })
    raises("string expected", moonpeer.store)
    raises("expected a peer or its id, got no value", store.read, store)
    raises("expected a peer or its id, got number", store.delete, store, 5)
    raises("moonpeer.store expected", store.read, {}, "x")
    fails("invalid_configuration", "expected memory:, json:FILE or sqlite:FILE",
      moonpeer.store "nonsense")
    fails("invalid_configuration", "asmap",
      moonpeer.store("memory:", { asmap = "/no/such/file" }))
  end)

  it("is closed twice without harm, and then says so", function()
    assert.matches("memory: %(0 peers%)", tostring(store))
    assert.is_true(store.is_open)
    assert.is_true(store:close())
    assert.is_true(store:close())
    assert.is_false(store.is_open)
    assert.equal("moonpeer.store: closed", tostring(store))
    for _, method in ipairs { "create", "read", "list_all", "each", "save",
      "pick", "expire", "values" } do
      raises("the store is closed", store[method], store)
    end
    raises("the store is closed", store.bans.count, store.bans)
    raises("the store is closed", function() return #store end)
  end)

  it("can be dropped like anything", function()
    for _ = 1, 100 do
      local one = moonpeer.store "memory:"
      one:create { ip = "1.2.3.4", port = 1 }
      one:on("peer_created", "x", print)
    end
    collectgarbage()
    collectgarbage()
  end)

  it("tells what it is", function()
    assert.equal("memory:", store.url)
    assert.equal("", store.warning)
    assert.equal(65536, store.capacity)
    assert.is_false(store.is_changed)
    assert.is_nil(store.nonsense)
  end)

  it("is configured while it is used", function()
    fill(5)
    assert.is_true(store:configure { capacity = 2 })
    assert.equal(2, store.capacity)
    while store:expire() do end
    assert.equal(2, #store)
    raises("for opening only", store.configure, store, { read_only = true })
    raises("unknown option", store.configure, store, { capasity = 2 })
  end)
end)

describe("walking a store", function()
  it("sees every peer once", function()
    fill(300)
    local seen, n = {}, 0
    for peer in store:each() do
      assert.is_nil(seen[peer])
      seen[peer] = true
      n = n + 1
    end
    assert.equal(300, n)
  end)

  it("is safe while the body changes and deletes", function()
    fill(300)
    local n = 0
    for peer in store:each { status = "unknown" } do
      n = n + 1
      if n % 3 == 0 then
        store:delete(peer)
      elseif n % 3 == 1 then
        store:update(peer, { status = "valid" })
      else
        store:create { ip = "99.1.1.1", port = n, status = "inaccessible" }
      end
      collectgarbage "step"
    end
    assert.equal(300, n)
    assert.equal(100, store:count_by_status "valid")
    assert.equal(100, store:count_by_status "inaccessible")
  end)

  it("is over when it was left, at any place", function()
    fill(10)
    for _ = 1, 20 do
      for peer in store:each() do
        if peer.ip:find "5" then
          break
        end
      end
    end
    pcall(function()
      for _ in store:each() do
        error "left"
      end
    end)
    for _ in store:each() do
      store:close()
    end
    store = assert(moonpeer.store "memory:")
  end)

  it("ends when the store is closed in a loop within a loop", function()
    fill(10)
    local n = 0
    for _ in store:each() do
      for _ in store:each() do
        n = n + 1
        store:close()
      end
    end
    assert.equal(1, n)
    store = assert(moonpeer.store "memory:")
  end)

  it("lets filters choose", function()
    fill(4)
    store:create { ip = "50.60.1.1", port = 1, source = "dns" }
    store:create {
      ip = "50.60.2.2", port = 1, source = "peer",
      source_address = "9.9.9.9:8333", status = "valid",
      first_seen = os.time() - 5000,
    }
    local function count(filter)
      local n = 0
      for _ in store:each(filter) do
        n = n + 1
      end
      return n
    end
    assert.equal(6, count())
    assert.equal(6, count {})
    assert.equal(5, count { status = "unknown" })
    assert.equal(6, count { status = { "unknown", "valid" } })
    assert.equal(2, count { group = "50.60.9.9" })
    assert.equal(1, count { source = "dns" })
    assert.equal(1, count { source = "peer" })
    assert.equal(1, count { source_address = "9.9.9.9:1" })
    assert.equal(0, count { source_address = "9.9.9.8" })
    assert.equal(1, count { older_than = "1h" })
    assert.equal(5, count { newer_than = 3600 })
    assert.equal(1, count { status = "valid", group = "50.60.1.1" })
    assert.equal(6, count { untried_for = "1h" })
    raises('unknown filter "stats"; the nearest known is "status"', count,
      { stats = "valid" })
    raises("expected a name or a list", count, { status = {} })
    raises("expected an address", count, { group = "x" })
    raises("unknown filter", count, { except = {} })
  end)
end)

describe("choosing peers", function()
  it("takes as many as are asked for, from different groups", function()
    fill(20)
    for i = 1, 50 do
      store:create { ip = "200.1.1." .. i, port = 1 }
    end
    local picked, groups = store:pick(21), {}
    assert.equal(21, #picked)
    for _, peer in ipairs(picked) do
      groups[store:group(peer)] = true
    end
    local n = 0
    for _ in pairs(groups) do
      n = n + 1
    end
    assert.equal(21, n)
    assert.equal(70, #store:pick(1000))
    assert.same({}, store:pick(0))
  end)

  it("leaves out whom it is told to", function()
    fill(20)
    local first = store:list_all()[1]
    for _ = 1, 20 do
      local picked = store:pick(20, { except = { first, nth(2) .. ":8333" } })
      assert.equal(18, #picked)
      for _, peer in ipairs(picked) do
        assert.not_equal(first, peer)
        assert.not_equal(nth(2), peer.ip)
      end
    end
    assert.equal(19, #store:pick(20, { except_groups = { nth(3) } }))
    store:delete(first)
    assert.equal(19, #store:pick(20, { except = { first } }))
    raises("except: expected a list", store.pick, store, 1, { except = 5 })
    raises("0 to 65536", store.pick, store, -1)
  end)

  it("obeys the filters", function()
    fill(20)
    store:update(store:list_all()[7], { status = "valid" })
    assert.equal(1, #store:pick(20, { status = "valid" }))
    assert.equal(19, #store:pick(20, { status = "unknown" }))
  end)

  it("names groups", function()
    assert.equal(store:group "1.2.3.4", store:group "1.2.9.9:8333")
    assert.not_equal(store:group "1.2.3.4", store:group "1.3.3.4")
    assert.matches("^%x+$", store:group "2001:db8::1")
  end)
end)

describe("hearsay", function()
  it("enters with its source", function()
    local peer = assert(store:hear("8.8.8.8:8333", {
      source_address = "9.9.9.9:8333", services = 5,
    }))
    assert.equal("peer", peer.source)
    assert.equal("9.9.9.9:8333", peer.source_address)
    assert.equal(5, peer.services)
    fails("duplicate_peer", "8.8.8.8", store:hear("8.8.8.8:8333",
      { source = "dns" }))
    assert.equal("manual", store:hear("8.8.8.9:8333").source)
  end)

  it("is slow, but for what was asked for", function()
    local function hear(n)
      local heard = 0
      for i = 1, n do
        local _, _, code = store:hear(nth(i) .. ":" .. n,
          { source_address = "9.9.9.9:1" })
        heard = heard + (code and 0 or 1)
        assert.is_true(code == nil or code == "limit")
      end
      return heard
    end
    assert.is_true(hear(50) <= 2)
    assert.is_true(store:expect(20, { source_address = "9.9.9.9:2" }))
    assert.is_true(hear(51) >= 20)
    assert.is_true(hear(52) <= 2)
  end)

  it("is misuse without an address", function()
    raises("expected an address", store.hear, store)
    fails("invalid_configuration", "port", store:hear "8.8.8.8")
    fails("invalid_configuration", "address", store:hear "8.8")
    raises("unknown field of hearsay", store.hear, store, "8.8.8.8:1",
      { sorce = "dns" })
    raises("0 to 1000", store.expect, store, 1001)
  end)
end)

describe("named values", function()
  it("are bytes under a name", function()
    assert.is_nil(store:value "a")
    assert.is_true(store:set_value("a", "x\0y"))
    assert.equal("x\0y", store:value "a")
    assert.is_true(store:set_value("a", ""))
    assert.equal("", store:value "a")
    assert.is_true(store:set_value("a"))
    assert.is_nil(store:value "a")
  end)

  it("are walked in order, while they come and go", function()
    for _, name in ipairs { "c", "a", "b", "d" } do
      store:set_value(name, name .. "!")
    end
    local seen = {}
    for name, bytes in store:values() do
      seen[#seen + 1] = name .. bytes
      store:set_value(name)
      store:set_value("A" .. name, "")
    end
    assert.same({ "aa!", "bb!", "cc!", "dd!" }, seen)
  end)

  it("have limits", function()
    fails("invalid_configuration", "name", store:set_value("", "x"))
    fails("invalid_configuration", "name", store:set_value("a\n", "x"))
    fails("limit", ".", store:set_value("a", ("x"):rep(65537)))
  end)
end)

describe("discouragement", function()
  it("is of an address, not of its port", function()
    assert.is_false(store:is_discouraged "1.2.3.4")
    assert.is_true(store:discourage "1.2.3.4:99")
    assert.is_true(store:is_discouraged "1.2.3.4:8333")
    assert.is_true(store:encourage "1.2.3.4")
    assert.is_false(store:is_discouraged "1.2.3.4")
    fails("invalid_configuration", "address", store:discourage "x")
  end)
end)

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
