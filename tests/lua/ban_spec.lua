--- Bans: adding, finding, ending, walking, importing, exporting.
local moonpeer = require "moonpeer"
local outcome = require "support.outcome"

local fails, raises = outcome.fails, outcome.raises

local store, bans

before_each(function()
  store = assert(moonpeer.store "memory:")
  bans = store.bans
end)

after_each(function()
  collectgarbage()
  store:close()
end)

local function near(expected, seconds)
  assert.is_true(math.abs(expected - seconds) <= 2)
end

describe("a ban", function()
  it("is of an address, for a day, by hand, unless more is said", function()
    local ban = assert(bans:add "1.2.3.4")
    assert.equal("1.2.3.4", ban.prefix)
    assert.equal("manual", ban.reason)
    assert.equal("manual", ban.origin)
    assert.equal("", ban.note)
    near(os.time(), ban.created)
    near(os.time() + 86400, ban.expires)
    assert.equal(1, #bans)
    assert.equal(1, bans:count())
  end)

  it("may be of a prefix, for a time, for ever, with words", function()
    local ban = assert(bans:add("1.2.3.0/24", {
      time = "2h", reason = "misbehaviour", origin = "own", note = "why",
    }))
    assert.equal("1.2.3.0/24", ban.prefix)
    assert.equal("misbehaviour", ban.reason)
    assert.equal("own", ban.origin)
    assert.equal("why", ban.note)
    near(os.time() + 7200, ban.expires)
    assert.equal(math.huge,
      bans:add("2001:db8::/32", { time = "forever" }).expires)
    assert.equal(math.huge,
      bans:add("2001:db8::/33", { expires = math.huge }).expires)
    local t = os.time() + 1000
    assert.equal(t, bans:add("::1", { expires = t }).expires)
    assert.equal(t - 5000,
      bans:add("::2", { expires = t, created = t - 5000 }).created)
  end)

  it("may be of a peer, or of an address with its port", function()
    local peer = store:create { ip = "1.2.3.4", port = 8333 }
    assert.equal("1.2.3.4", bans:add(peer).prefix)
    assert.equal("1.2.3.5", bans:add("1.2.3.5:8333").prefix)
  end)

  it("is found by the narrowest that covers", function()
    bans:add("1.0.0.0/8", { note = "wide" })
    bans:add("1.2.0.0/16", { note = "narrow" })
    assert.equal("narrow", bans:find("1.2.3.4").note)
    assert.equal("wide", bans:find("1.3.3.4:99").note)
    assert.is_nil(bans:find "2.2.2.2")
    assert.equal("wide", bans:get("1.0.0.0/8").note)
    assert.is_nil(bans:get "1.0.0.0/9")
  end)

  it("takes the place of one on the same prefix", function()
    bans:add("1.2.3.4", { note = "a" })
    bans:add("1.2.3.4", { note = "b" })
    assert.equal(1, #bans)
    assert.equal("b", bans:get("1.2.3.4").note)
  end)

  it("ends when it is removed, or all that cover are lifted", function()
    bans:add "1.0.0.0/8"
    bans:add "1.2.0.0/16"
    assert.is_true(bans:remove "1.0.0.0/8")
    fails("peer_not_found", "1.0.0.0/8 is not banned", bans:remove "1.0.0.0/8")
    bans:add "1.0.0.0/8"
    assert.equal(2, bans:lift "1.2.3.4")
    assert.equal(0, bans:lift "1.2.3.4")
  end)

  it("reaches peers, and lets them go", function()
    local peer = store:create { ip = "1.2.3.4", port = 1, status = "valid" }
    bans:add("1.2.0.0/16", { reason = "banned_user_agent" })
    assert.is_true(peer:is_banned())
    assert.equal("banned_user_agent", peer.ban_reason)
    fails("invalid_configuration", "1.2.0.0/16",
      store:update(peer, { status = "valid" }))
    assert.is_true(store:create({ ip = "1.2.9.9", port = 1 }):is_banned())
    bans:remove "1.2.0.0/16"
    assert.equal("unknown", peer.status)
    assert.is_nil(peer.ban_reason)
  end)

  it("is over in time", function()
    local sim = require "moonpeer.sim"
    local world <close> = sim.world { seed = 7 }
    local seen = {}
    world:remote("10.0.0.1:1", function()
      local own <close> = assert(moonpeer.store("memory:",
        { ban_time = "1h" }))
      local peer = own:create { ip = "1.2.3.4", port = 1 }
      own.bans:add "1.2.3.4"
      seen[1] = own.bans:find "1.2.3.4" ~= nil
      moonpeer.sleep(3601)
      seen[2] = own.bans:find "1.2.3.4" ~= nil
      while own:expire() do end
      seen[3] = peer.status
      seen[4] = #own.bans
    end)
    world:run_for(4000)
    assert.same({ true, false, "unknown", 0 }, seen)
  end)

  it("is refused when it makes no sense", function()
    fails("invalid_configuration", "1.2.3.4/33", bans:add "1.2.3.4/33")
    fails("invalid_configuration", ".", bans:add "1.2.3.4/8")
    fails("invalid_configuration", ".", bans:add "nonsense")
    fails("invalid_configuration", "expired",
      bans:add("1.2.3.4", { expires = 1000 }))
    fails("invalid_configuration", "bytes at most",
      bans:add("1.2.3.4", { note = ("x"):rep(300) }))
    fails("invalid_configuration", "expires",
      bans:add("1.2.3.4", { expires = -1 }))
    raises('unknown option of a ban "tme"', bans.add, bans, "1.2.3.4",
      { tme = 1 })
    raises('unknown ban reason "manul"; the nearest known is "manual"',
      bans.add, bans, "1.2.3.4", { reason = "manul" })
    raises("note: expected a text", bans.add, bans, "1.2.3.4", { note = {} })
    raises("expires: expected seconds", bans.add, bans, "1.2.3.4",
      { expires = "soon" })
    raises("^time: expected seconds or a text", bans.add, bans, "1.2.3.4",
      { time = "soon" })
    raises("expected an address", bans.add, bans, 5)
    assert.equal(0, #bans)
  end)
end)

describe("all bans", function()
  it("are walked, while they come and go", function()
    for i = 1, 200 do
      bans:add("1.2.3." .. i)
    end
    local n = 0
    for ban in bans:each() do
      n = n + 1
      assert.is_true(bans:remove(ban.prefix))
      collectgarbage "step"
    end
    assert.equal(200, n)
    assert.equal(0, #bans)
    for _ in bans:each() do
      error "none"
    end
  end)

  it("have a cap: the soonest to expire makes room", function()
    local small <close> = assert(moonpeer.store("memory:", { max_bans = 2 }))
    small.bans:add("1.1.1.1", { time = 60 })
    small.bans:add("1.1.1.2", { time = "forever" })
    small.bans:add("1.1.1.3", { time = "forever" })
    assert.is_nil(small.bans:get "1.1.1.1")
    fails("limit", "for ever", small.bans:add "1.1.1.4")
  end)

  it("print how many they are", function()
    bans:add "1.1.1.1"
    assert.equal("moonpeer.bans: 1", tostring(bans))
    store:close()
    assert.equal("moonpeer.bans: of a closed store", tostring(bans))
    store = assert(moonpeer.store "memory:")
  end)
end)

describe("ban lists as text", function()
  it("go out and come in again", function()
    bans:add("1.2.3.0/24", { time = "3d" })
    bans:add("2001:db8::/32", { time = "forever" })
    for _, format in ipairs { "json", "plain" } do
      local text = assert(bans:export(format))
      local other <close> = assert(moonpeer.store "memory:")
      local added, expired = other.bans:import(text)
      assert.equal(2, added)
      assert.equal(0, expired)
      assert.is_truthy(other.bans:get "1.2.3.0/24")
      assert.equal("import", other.bans:get("1.2.3.0/24").origin)
    end
    assert.matches("banned_nets", bans:export())
  end)

  it("leave out what has expired", function()
    local added, expired = bans:import [[
      {"banned_nets": [
        {"version": 1, "ban_created": 1, "banned_until": 2,
         "address": "1.2.3.4/32"},
        {"version": 1, "ban_created": 1, "banned_until": 9000000000,
         "address": "1.2.3.5/32"}
      ]}]]
    assert.equal(1, added)
    assert.equal(1, expired)
  end)

  it("in plain text last as long as is said", function()
    bans:import("1.1.1.1 # a comment\n\n# another\n2.0.0.0/8\n",
      { time = "1h", origin = "list" })
    near(os.time() + 3600, bans:get("1.1.1.1").expires)
    assert.equal("list", bans:get("2.0.0.0/8").origin)
  end)

  it("are taken whole or not, with the place of what is wrong", function()
    fails("invalid_configuration", "my.txt.*2",
      bans:import("1.1.1.1\nnonsense\n", { name = "my.txt" }))
    fails("invalid_configuration", ".", bans:import "{\"banned_nets\": 5}")
    fails("invalid_configuration", ".", bans:import "{")
    fails("invalid_configuration", ".",
      bans:import("1.1.1.1", { format = "json" }))
    assert.equal(0, #bans)
    raises("unknown format \"jsn\"", bans.import, bans, "", { format = "jsn" })
    raises("unknown option of import", bans.import, bans, "", { nme = "x" })
    raises("unknown format", bans.export, bans, "xml")
  end)
end)
