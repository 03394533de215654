--- Learning of peers: DNS seeds, addresses that peers tell, feelers, anchors.
local field = require "support.field"
local moonpeer = require "moonpeer"
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

describe("feelers", function()
  it("try unknown peers one at a time when nothing is missing",
    function(world)
      for i = 1, 10 do
        field.node(world, ("%d.1.0.1:8333"):format(30 + i))
      end
      local engine, log = field.engine(world, "10.0.0.1", {
        target_connections = 1, feeler_interval = "1m", jitter = 0,
      })
      for i = 1, 10 do
        engine.store:create { ip = ("%d.1.0.1"):format(30 + i), port = 8333 }
      end
      local most = 0
      engine:on("connection_started", "feelers", function()
        most = math.max(most, engine:counts().feelers)
      end)
      world:run_for "20m"
      assert.equal(1, most)
      assert.equal(10, engine.store:count_by_status "valid")
      assert.equal(1, engine:counts().connected)
      assert.equal(9, #log:all("connection_lost", "closed"))
    end)

  --- Unknown peers that take a connection and say nothing, and an engine that
  --- feels more often than a handshake may take.
  local function unfeeling(world, config)
    config.feeler_interval, config.jitter = "1s", 0
    local engine, log = field.engine(world, "10.0.0.1", config)
    for i = 1, 10 do
      field.silent(world, ("%d.1.0.1:8333"):format(30 + i))
      engine.store:create { ip = ("%d.1.0.1"):format(30 + i), port = 8333 }
    end
    return engine, log
  end

  it("wait for the one before", function(world)
    local engine, log = unfeeling(world, { target_connections = 0 })
    world:run_for "14s"
    assert.equal(1, engine:counts().feelers)
    assert.equal(1, engine:counts().dials)
    world:run_for "46s"
    local gaps = field.gaps(log:all "connection_started")
    assert.equal(3, #gaps)
    for _, gap in ipairs(gaps) do
      assert.is_true(gap > 15, gap) -- handshake_timeout
    end
  end)

  it("are none while connections are missing, nor in fixed mode",
    function(world)
      local engine = unfeeling(world, {
        target_connections = 1,
        policies = { { select = function() return {} end } },
      })
      world:run_for "1m"
      assert.equal(0, engine:counts().dials)
      assert(engine:configure { target_connections = 0 })
      world:run_for "2s"
      assert.equal(1, engine:counts().dials)
      assert(engine:configure { mode = "fixed", peers = {} })
      world:run_for "1m"
      assert.equal(1, engine:counts().dials)
    end)

  it("are none when feeler_interval is 0", function(world)
    field.node(world, "31.1.0.1:8333")
    local engine = field.engine(world, "10.0.0.1", {
      target_connections = 0, feeler_interval = 0,
    })
    engine.store:create { ip = "31.1.0.1", port = 8333 }
    world:run_for "1h"
    assert.equal(0, engine:counts().dials)
  end)
end)

describe("anchors", function()
  it("are eight of those whom the engine has chosen and reached",
    function(world)
      local store <close> = assert(moonpeer.store "memory:")
      local chosen = {}
      for i = 1, 11 do
        chosen[i] = ("%d.1.0.1:8333"):format(30 + i)
        if i == 1 then
          field.silent(world, chosen[i])
        else
          field.node(world, chosen[i])
        end
      end
      local engine = field.engine(world, "10.0.0.1", {
        store = store, target_connections = 11,
        policies = { { select = function() return chosen end } },
      })
      world:run_for "1s"
      assert.equal(10, engine:counts().connected)
      engine:close()
      world:run_for "10s"
      engine = field.engine(world, "10.0.0.2", {
        store = store, target_connections = 0,
      })
      local anchors, seen = engine:anchors(), {}
      assert.equal(8, #anchors)
      for _, address in ipairs(anchors) do
        assert.matches("^[34]%d%.1%.0%.1:8333$", address)
        assert.not_equal("31.1.0.1:8333", address)
        assert.is_nil(seen[address])
        seen[address] = true
      end
    end)

  it("are none who dialled us, or whom a script has dialled", function(world)
    local store <close> = assert(moonpeer.store "memory:")
    field.node(world, "30.1.0.1:8333")
    field.node(world, "60.1.0.1:8333")
    local engine = field.engine(world, "10.0.0.1:8333", {
      store = store, target_connections = 1,
      policies = { { select = function() return { "30.1.0.1:8333" } end } },
    })
    field.guest(world, "50.1.0.1", "10.0.0.1:8333", function(connection)
      connection:receive "nothing"
    end)
    world:run_for "1s"
    assert(engine:dial "60.1.0.1:8333")
    world:run_for "1s"
    assert.equal(3, engine:counts().connected)
    engine:close()
    world:run_for "10s"
    engine = field.engine(world, "10.0.0.2", {
      store = store, target_connections = 0,
    })
    assert.same({ "30.1.0.1:8333" }, engine:anchors())
  end)

  it("are dialled first after a restart", function(world)
    local store <close> = assert(moonpeer.store "memory:")
    for i = 1, 40 do
      field.node(world, ("%d.1.0.1:8333"):format(30 + i))
      store:create { ip = ("%d.1.0.1"):format(30 + i), port = 8333,
        status = "valid" }
    end
    local engine = field.engine(world, "10.0.0.1", {
      store = store, target_connections = 4,
    })
    world:run_for "5s"
    local before = {}
    for connection in engine:connections() do
      before[connection.address] = true
    end
    engine:close()
    world:run_for "10s"
    engine = field.engine(world, "10.0.0.2", {
      store = store, target_connections = 4,
    })
    world:run_for "5s"
    local n = 0
    for connection in engine:connections() do
      assert.is_true(before[connection.address])
      n = n + 1
    end
    assert.equal(4, n)
  end)
end)
