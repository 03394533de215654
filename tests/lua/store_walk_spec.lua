--- Peer stores: walking, filtering, choosing, hearing of peers.
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
    assert.equal(2, count { group = store:group "50.60.9.9" })
    assert.equal(0, count { group = store:group "51.60.9.9" })
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
    raises("expected an address", count, { group = "" })
    raises("expected an address", count, { group = "123" })
    raises("expected an address", count, { group = ("00"):rep(99) })
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
    assert.equal(19,
      #store:pick(20, { except_groups = { store:group(nth(3)) } }))
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
