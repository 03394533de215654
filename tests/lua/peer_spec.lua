--- Peers: what they are made with, how they change, what a script sees.
local core = require "moonpeer.core"
local moonpeer = require "moonpeer"

local store

before_each(function()
  store = assert(moonpeer.store "memory:")
end)

after_each(function()
  collectgarbage()
  store:close()
end)

local function make(fields)
  fields = fields or {}
  fields.ip, fields.port = fields.ip or "1.2.3.4", fields.port or 8333
  return assert(store:create(fields))
end

--- It is nil and a message that matches, with the code.
local function fails(code, pattern, ...)
  local value, message, got = ...
  assert.is_nil(value)
  assert.equal(code, got)
  assert.matches(pattern, message)
end

--- fn raises a message that matches.
local function raises(pattern, fn, ...)
  local good, message = pcall(fn, ...)
  assert.is_false(good)
  assert.matches(pattern, message)
end

describe("a new peer", function()
  it("has an id of its own, version 4", function()
    local one, other = make(), make { port = 1 }
    assert.matches("^%x+%-%x+%-4%x+%-[89ab]%x+%-%x+$", one.id)
    assert.equal(36, #one.id)
    assert.not_equal(one.id, other.id)
  end)

  it("is unknown, seen first now, and never tried", function()
    local peer = make()
    assert.equal("unknown", peer.status)
    assert.is_true(math.abs(peer.status_time - os.time()) <= 2)
    assert.equal(peer.status_time, peer.first_seen)
    assert.is_nil(peer.ban_reason)
    assert.is_nil(peer.last_seen)
    assert.is_nil(peer.last_tried)
    assert.is_nil(peer.rtt)
    assert.is_nil(peer.source)
    assert.equal(0, peer.failures)
    assert.equal("", peer.user_agent)
    assert.same({}, peer.data)
  end)

  it("has its address in parts and whole, IPv4 and IPv6", function()
    local four, six = make(), make { ip = "2001:DB8::1", port = 18333 }
    assert.equal("1.2.3.4", four.ip)
    assert.equal(8333, four.port)
    assert.equal("1.2.3.4:8333", four.address)
    assert.equal("2001:db8::1", six.ip)
    assert.equal("[2001:db8::1]:18333", six.address)
    assert.equal("5.6.7.8", make({ ip = "::ffff:5.6.7.8" }).ip)
  end)

  it("can be given by its whole address", function()
    local peer = assert(store:create { address = "[::1]:18444" })
    assert.equal("::1", peer.ip)
    assert.equal(18444, peer.port)
  end)

  it("keeps all that it is given", function()
    local given = {
      id = "01234567-89ab-4def-8123-456789abcdef",
      status = "valid", source = "peer", source_address = "9.9.9.9:8333",
      services = 0x25, user_agent = "/Bitcoin SV:1.0/\xff\0",
      protocol_version = 70016, start_height = 900000, first_seen = 1700000000,
      last_seen = 1700000100, last_tried = 1700000200, failures = 3,
      rtt = 0.0251, data = { score = 7, tags = { "a", "b" } },
    }
    local peer = make(given)
    for key, value in pairs(given) do
      assert.same(value, peer[key], key)
    end
  end)

  it("may come with the status it has elsewhere", function()
    local peer = make { status = "banned", ban_reason = "misbehaviour" }
    assert.is_true(peer:is_banned())
    assert.equal("misbehaviour", peer.ban_reason)
  end)

  it("is refused when its values make no sense", function()
    fails("invalid_configuration", "expected an address",
      store:create { ip = "1.2.3.400", port = 1 })
    fails("invalid_configuration", "no port",
      store:create { ip = "1.2.3.4:5", port = 1 })
    fails("invalid_configuration", "port: expected 1 to 65535, got 65536",
      store:create { ip = "1.2.3.4", port = 65536 })
    fails("invalid_configuration", "port", store:create { address = "1.2.3.4" })
    fails("invalid_configuration", "port: expected .* got 1.5",
      store:create { ip = "1.2.3.4", port = 1.5 })
    fails("invalid_configuration", "id: expected a UUID",
      store:create { address = "1.2.3.4:1", id = "x" })
    fails("invalid_configuration", "first_seen: expected seconds",
      store:create { address = "1.2.3.4:1", first_seen = -1 })
    fails("invalid_configuration", "ban_reason",
      store:create { address = "1.2.3.4:1", ban_reason = "manual" })
    assert.equal(0, #store)
  end)

  it("is misuse with other names or types", function()
    raises('unknown field of a peer "portt"; the nearest known is "port"',
      store.create, store, { ip = "1.2.3.4", portt = 1 })
    raises("expected the field ip", store.create, store, { port = 1 })
    raises("expected the field port", store.create, store, { ip = "1.2.3.4" })
    raises("port: expected a number, got string", store.create, store,
      { ip = "1.2.3.4", port = "8333" })
    raises('unknown status "vald"; the nearest known is "valid"',
      store.create, store, { address = "1.2.3.4:1", status = "vald" })
    raises('unknown source "dn"; the nearest known is "dns"',
      store.create, store, { address = "1.2.3.4:1", source = "dn" })
    raises("expected a table", store.create, store, "1.2.3.4:1")
    raises("data: expected a table", store.create, store,
      { address = "1.2.3.4:1", data = 5 })
    raises("data: expected a table with names", store.create, store,
      { address = "1.2.3.4:1", data = { 1, 2 } })
    assert.equal(0, #store)
  end)
end)

describe("a peer's status", function()
  local times = {}

  before_each(function()
    times = { make { first_seen = 1, status = "unknown" }.status_time }
  end)

  it("moves between all that there are", function()
    local peer = store:find_by_ip_port("1.2.3.4", 8333)
    for _, status in ipairs { "valid", "inaccessible", "unknown", "valid" } do
      assert(store:update(peer, { status = status }))
      assert.equal(status, peer.status)
      assert.equal(status == "valid", peer:is_valid())
      assert.equal(status == "inaccessible", peer:is_inaccessible())
      assert.is_false(peer:is_banned())
    end
    assert.is_true(peer.status_time >= times[1])
  end)

  it("has the time of its change, and only of that", function()
    local sim = require "moonpeer.sim"
    local world <close> = sim.world { seed = 1 }
    local seen = {}
    world:remote("10.0.0.1:1", function()
      local peer = make { ip = "4.4.4.4" }
      seen[1] = peer.status_time
      moonpeer.sleep(100)
      store:update(peer, { failures = 1 })
      seen[2] = peer.status_time
      store:update(peer, { status = "valid" })
      seen[3] = peer.status_time
      moonpeer.sleep(50)
      store:update(peer, { status = "valid" })
      seen[4] = peer.status_time
    end)
    world:run_for(200)
    assert.equal(seen[1], seen[2])
    assert.equal(seen[1] + 100, seen[3])
    assert.equal(seen[3], seen[4])
  end)

  for _, reason in ipairs { "network_mismatch", "blockchain_mismatch",
    "banned_user_agent", "misbehaviour", "manual" } do
    it("can be banned for " .. reason .. ", which its end clears", function()
      local peer = store:find_by_ip_port "1.2.3.4:8333"
      assert(store:update(peer, { status = "banned", ban_reason = reason }))
      assert.is_true(peer:is_banned())
      assert.is_false(peer:is_valid())
      assert.equal(reason, peer.ban_reason)
      assert(store:update(peer, { status = "unknown" }))
      assert.is_false(peer:is_banned())
      assert.is_nil(peer.ban_reason)
    end)
  end

  it("is banned for somebody's wish when no reason is given", function()
    local peer = make { port = 2 }
    store:update(peer, { status = "banned" })
    assert.equal("manual", peer.ban_reason)
  end)

  it("has no reason without a ban", function()
    fails("invalid_configuration", "ban_reason", store:update(
      store:find_by_ip_port "1.2.3.4:8333", { ban_reason = "manual" }))
  end)
end)

describe("fields", function()
  it("are changed with update, and kept", function()
    local peer = make()
    local same = assert(store:update(peer.id, {
      services = 1, user_agent = "/x/", rtt = 0.5, last_seen = 1700000000,
      failures = 300,
    }))
    assert.is_true(rawequal(peer, same))
    assert.equal(1, peer.services)
    assert.equal("/x/", peer.user_agent)
    assert.equal(0.5, peer.rtt)
    assert.equal(1700000000, peer.last_seen)
    assert.equal(255, peer.failures) -- counts no further
    store:update(peer, { last_seen = 0 })
    assert.is_nil(peer.last_seen)
  end)

  it("cannot be assigned", function()
    local peer = make()
    raises("store:update%(peer, { port = ... }%)", function()
      peer.port = 1
    end)
    raises("store:update", function()
      peer.anything = 1
    end)
  end)

  it("of who it is do not change", function()
    local peer = make()
    for _, name in ipairs { "id", "ip", "port", "address", "status_time" } do
      raises(name .. ": this field of a peer does not change", store.update,
        store, peer, { [name] = 1 })
    end
  end)

  it("that nobody knows are nil", function()
    assert.is_nil(make().colour)
  end)

  it("come as a table, from which another store makes the same", function()
    local peer = make { data = { a = { 1, 2 } }, source = "dns", rtt = 0.25 }
    local row = peer:table()
    local other <close> = assert(moonpeer.store "memory:")
    local copy = assert(other:create(row))
    assert.same(row, copy:table())
    assert.not_equal(peer, copy)
  end)

  it("of services have all 64 bits", function()
    local peer = make { services = -1 }
    assert.equal(-1, peer.services)
    assert.equal(math.mininteger,
      store:update(peer, { services = math.mininteger }).services)
  end)

  it("cut a user agent that is too long", function()
    assert.equal(256, #make({ user_agent = ("x"):rep(300) }).user_agent)
  end)
end)

describe("a script's own fields", function()
  it("come back as they were", function()
    local data = {
      text = "ä\1\"\\", whole = 2 ^ 53 | 1, most = math.maxinteger,
      least = math.mininteger, part = 0.1, one = 1.0, yes = true, no = false,
      list = { 1, { deep = {} }, 3 }, [""] = "empty",
    }
    local peer = make { data = data }
    assert.same(data, peer.data)
    assert.equal("integer", math.type(peer.data.whole))
    assert.equal("float", math.type(peer.data.one))
  end)

  it("change only through update", function()
    local peer = make { data = { score = 1 } }
    peer.data.score = 2
    assert.equal(1, peer.data.score)
    local data = peer.data
    data.score = 2
    assert(store:update(peer, { data = data }))
    assert.equal(2, peer.data.score)
    store:update(peer, { data = false })
    assert.same({}, peer.data)
  end)

  it("keep empty lists and nulls apart from nothing", function()
    local peer = make { data = { list = core.json_list {}, null = core.null } }
    local data = peer.data
    assert.equal("[]", core.json_encode(data.list))
    assert.equal(core.null, data.null)
    assert(store:update(peer, { data = data }))
  end)

  it("are refused when no file could hold them", function()
    raises("no words for a function", make, { data = { f = print } })
    raises("UTF%-8", make, { data = { s = "\xff" } })
    raises("without holes", make, { data = { l = { 1, nil, 3, nil, 5 } } })
    raises("finite", make, { data = { n = 0 / 0 } })
    local cycle = {}
    cycle.cycle = cycle
    raises("64 deep at most", make, { data = cycle })
    fails("invalid_configuration", "data", store:create {
      address = "1.2.3.4:1", data = { long = ("x"):rep(65536) },
    })
    assert.equal(0, #store)
  end)
end)

describe("the object of a peer", function()
  it("is one, however it was found", function()
    local peer = make()
    local seen = { [peer] = true }
    assert.is_true(seen[store:read(peer.id)])
    assert.is_true(seen[store:find_by_ip_port("1.2.3.4", 8333)])
    assert.is_true(seen[store:list_all()[1]])
    assert.is_true(seen[store:pick(1)[1]])
    collectgarbage()
    assert.is_true(seen[store:read(peer.id)])
  end)

  it("says so when its peer was deleted, and keeps its id", function()
    local peer = make()
    local id = peer.id
    assert.is_true(peer:is_stored())
    assert(store:delete(peer))
    assert.is_false(peer:is_stored())
    assert.equal(id, peer.id)
    raises(id:gsub("%-", "%%-") .. " was deleted", function() return peer.status end)
    raises("was deleted", peer.is_valid, peer)
    assert.matches("deleted", tostring(peer))
    fails("peer_not_found", "no peer has the id", store:read(peer))
  end)

  it("does not become the peer that comes into its place", function()
    local peer = make()
    store:delete(peer)
    local other = make()
    assert.not_equal(peer, other)
    assert.is_false(peer:is_stored())
    assert.is_true(other:is_stored())
  end)

  it("outlives others that are deleted", function()
    local peer, other = make(), make { port = 1 }
    store:delete(other)
    assert.equal("1.2.3.4:8333", peer.address)
  end)

  it("holds the store, and says so when that is closed", function()
    local peer = make()
    store:close()
    assert.is_false(peer:is_stored())
    raises("store that is closed", function() return peer.ip end)
    assert.matches("store closed", tostring(peer))
  end)

  it("prints who it is", function()
    assert.equal("moonpeer.peer: 1.2.3.4:8333 (unknown)", tostring(make()))
  end)
end)
