--- Learning of peers: DNS seeds, and addresses that peers tell.
local field = require "support.field"
local it = field.it

local net = {
  name = "seeded", magic = "\x01\x02\x03\x04", port = 8333,
  seeds = { "seed.one", "seed.two" },
}

local function known(engine)
  local set, n = {}, 0
  for peer in engine:peers() do
    set[peer.address], n = peer, n + 1
  end
  return set, n
end

--- An entry of an addr message.
local function entry(ip, port)
  return { time = 0, services = 0, ip = ip, port = port or 8333 }
end

describe("DNS seeds", function()
  it("are asked at start and then every discovery_interval", function(world)
    world:dns("seed.one", { "30.0.0.1", "30.1.0.1" })
    world:dns("seed.two", { "30.1.0.1", "30.2.0.1" })
    local engine, log = field.engine(world, "10.0.0.1", {
      network = net, target_connections = 0,
    })
    world:run_for "1m"
    local set, n = known(engine)
    assert.equal(3, n)
    assert.equal("dns", set["30.1.0.1:8333"].source)
    assert.equal("3 of 4 addresses are new, from 2 seeds",
      log:find("discovery_finished").reason)
    world:dns("seed.two", { "30.3.0.1" })
    world:run_for "3h"
    assert.equal(4, #log:all "discovery_finished")
    for _, gap in ipairs(field.gaps(log:all "discovery_finished")) do
      assert.is_true(math.abs(gap - 3600) < 1, gap)
    end
    assert.equal(4, select(2, known(engine)))
  end)

  it("are not asked in fixed mode", function(world)
    world:dns("seed.one", { "30.0.0.1" })
    local engine, log = field.engine(world, "10.0.0.1", {
      network = net, peers = {},
    })
    world:run_for "2h"
    assert.is_nil(log:find "discovery_finished")
    assert.equal(0, select(2, known(engine)))
  end)

  it("that fail are an event, and nothing else", function(world)
    local engine, log = field.engine(world, "10.0.0.1", { network = net })
    world:run_for "1m"
    assert.equal("dns_failed", log:find("discovery_finished").code)
    assert.equal(0, select(2, known(engine)))
    world:dns("seed.one", { "30.0.0.1" })
    world:run_for "1h"
    assert.equal(1, select(2, known(engine)))
  end)

  it("of which one hangs delay neither the others' answers nor a close",
    function(world)
      world:dns("seed.one", { "30.0.0.1" })
      world:dns("seed.two", { "30.0.0.2" }, { delay = "never" })
      local engine, log = field.engine(world, "10.0.0.1", {
        network = net, target_connections = 0,
      })
      world:run_for "3h"
      assert.equal(1, select(2, known(engine)))
      assert.equal(3, #log:all "discovery_finished") -- at the next round
      assert.matches("from 1 seeds", log:find("discovery_finished").reason)
      local before = world:now()
      engine:close()
      assert(world:run_until(function()
        return tostring(engine):find "closed"
      end, "1m"))
      assert.is_true(world:now() - before < 0.1)
      assert.equal(0, world:count().lookups)
    end)

  it("may answer with as much as they like", function(world)
    local list = {}
    for i = 1, 256 do
      list[i] = ("30.%d.%d.1"):format(i // 16, i % 16)
    end
    world:dns("seed.one", list)
    local engine = field.engine(world, "10.0.0.1", {
      network = net, target_connections = 0, max_peers = 100,
    })
    world:run_for "1m"
    assert.equal(100, select(2, known(engine)))
  end)

  it("bring no banned address, and not ourselves", function(world)
    world:dns("seed.one", { "30.0.0.1", "30.0.0.2" }, { delay = "1s" })
    local engine = field.engine(world, "10.0.0.1", {
      network = net, target_connections = 0,
    })
    engine:ban "30.0.0.2"
    world:run_for "1m"
    local set = known(engine)
    assert.is_truthy(set["30.0.0.1:8333"])
    assert.is_nil(set["30.0.0.2:8333"])
  end)

  it("that name ourselves cost a single dial", function(world)
    world:dns("seed.one", { "30.0.0.1" })
    local engine, log = field.engine(world, "30.0.0.1:8333", { network = net })
    world:run_for "1m"
    assert(engine.store:delete(known(engine)["30.0.0.1:8333"]))
    world:run_for "12h"
    assert.equal(1, engine:counts().dials)
    assert.is_true(#log:all "discovery_finished" > 10)
    assert.equal(0, select(2, known(engine)))
  end)

  it("of a network that many share bring public addresses only",
    function(world)
      local engine = field.engine(world, "10.0.0.1", {
        network = "mainnet", target_connections = 0,
      })
      local name = require("moonpeer").network.mainnet.seeds[1]
      world:dns(name, { "30.0.0.1", "127.0.0.1", "10.0.0.7", "::1" })
      world:run_for "1m"
      local set, n = known(engine)
      assert.equal(1, n)
      assert.is_truthy(set["30.0.0.1:8333"])
    end)

  it("are dialled", function(world)
    local list = {}
    for i = 1, 12 do
      list[i] = ("%d.1.0.1"):format(30 + i)
      field.node(world, list[i] .. ":8333", { user_agent = "/x/" })
    end
    world:dns("seed.one", list)
    local engine = field.engine(world, "10.0.0.1", { network = net })
    world:run_for "5s"
    assert.equal(8, engine:counts().connected)
  end, { network = net })

  it("are asked at another interval when it is changed", function(world)
    world:dns("seed.one", { "30.0.0.1" })
    local engine, log = field.engine(world, "10.0.0.1", {
      network = net, target_connections = 0,
    })
    world:run_for "1m"
    assert(engine:configure { discovery_interval = "10m" })
    world:run_for "35m"
    assert.equal(4, #log:all "discovery_finished")
  end)
end)

describe("addresses that peers tell", function()
  --- An engine that a remote has dialled, and what it tells it.
  local function told(world, entries, config, home)
    home = home or "40.1.0.1"
    local engine = field.engine(world, "10.0.0.1:8333", config or {
      target_connections = 0,
    })
    world:remote(home, function(remote)
      local connection = assert(remote:dial "10.0.0.1:8333")
      assert(connection:handshake())
      connection:send("addr", { entries = entries })
      connection:receive "nothing"
    end)
    world:run_for "5s"
    return engine
  end

  it("are asked for once, by getaddr, of those we dial", function(world)
    local asked = 0
    local entries = {}
    for i = 1, 1000 do
      entries[i] = entry(("%d.%d.0.1"):format(31 + i // 200, i % 200))
    end
    field.node(world, "40.1.0.1:8333", nil, function(connection)
      while connection:receive "getaddr" do
        asked = asked + 1
        connection:send("addr", { entries = entries })
      end
    end)
    local engine = field.engine(world, "10.0.0.1", {
      target_connections = 1, policies = { { select = function()
        return { "40.1.0.1:8333" }
      end } },
    })
    world:run_for "1m"
    assert.equal(1, asked)
    local _, n = known(engine)
    assert.is_true(n > 500 and n <= 1001, n)
  end)

  it("are not asked for by who knows a thousand peers", function(world)
    for i, others in ipairs { 998, 999 } do -- and the one that is dialled
      local peer, asked = ("40.%d.0.1:8333"):format(i), nil
      field.node(world, peer, nil, function(connection)
        asked = connection:receive("getaddr", "1m")
      end)
      local engine = field.engine(world, "10.0.0." .. i, {
        target_connections = 1, feeler_interval = 0, policies = { {
          select = function() return { peer } end,
        } },
      })
      engine.store:create { ip = ("40.%d.0.1"):format(i), port = 8333 }
      for j = 1, others do
        engine.store:create { ip = ("60.%d.%d.1"):format(j // 250, j % 250),
          port = 8333 }
      end
      world:run_for "2m"
      assert.equal(others + 1 < 1000, asked ~= nil)
    end
  end)

  it("are not asked for of those who dial us", function(world)
    local engine = field.engine(world, "10.0.0.1:8333")
    local asked
    world:remote("40.1.0.1", function(remote)
      local connection = assert(remote:dial "10.0.0.1:8333")
      assert(connection:handshake())
      asked = connection:receive("getaddr", "1m")
    end)
    world:run_for "2m"
    assert.is_nil(asked)
    assert.equal(0, select(2, known(engine)))
  end)

  it("by an inbound peer are its own alone", function(world)
    local engine = told(world, {
      entry "40.1.0.1", entry "41.1.0.1", entry "42.1.0.1",
    })
    local set, n = known(engine)
    assert.equal(1, n)
    assert.equal("inbound", set["40.1.0.1:8333"].source)
  end)

  it("are not kept when a policy does not want them", function(world)
    local engine = told(world, { entry "40.1.0.1" }, {
      target_connections = 0, policies = { {
        keep = function(_, address, source)
          assert(address == "40.1.0.1:8333" and source:match "^40.1.0.1:")
          return false
        end,
      } },
    })
    assert.equal(0, select(2, known(engine)))
  end)

  it("send nobody from outside to our own network", function(world)
    local entries = { entry "31.1.0.1" }
    for _, ip in ipairs { "127.0.0.1", "10.0.0.9", "192.168.1.1", "::1",
      "169.254.1.1", "0.0.0.0", "255.255.255.255", "fe80::1" } do
      entries[#entries + 1] = entry(ip)
    end
    local function dialled(home)
      field.node(world, home, nil, function(connection)
        connection:receive "getaddr"
        connection:send("addr", { entries = entries })
        connection:receive "nothing"
      end)
      local engine = world:engine(home == "40.1.0.1:8333" and "10.0.0.1"
        or "10.0.0.2", { target_connections = 1, policies = { {
          select = function() return { home } end,
        } } })
      world:run_for "5s"
      return select(2, known(engine))
    end
    assert.equal(1, dialled "40.1.0.1:8333")
    assert.is_true(dialled "10.1.0.1:8333" > 5) -- who is in there may
  end)

  it("are ignored in fixed mode", function(world)
    local engine = told(world, { entry "40.1.0.1" }, { peers = {} })
    assert.equal(0, select(2, known(engine)))
  end)
end)
