--- Peer stores: creating, finding, changing peers; values, discouragement.
local moonpeer = require "moonpeer"
local outcome = require "support.outcome"
local rows = require "support.rows"

local fails, raises = outcome.fails, outcome.raises

local nth = rows.nth

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
    assert.is_nil(store.warning)
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
