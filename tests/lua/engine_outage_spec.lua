--- Whose fault it is when nobody answers: the peers', or our own network's.
local field = require "support.field"
local it = field.it

--- How many peers of an engine have a status.
local function count(engine, status)
  return engine.store:count_by_status(status)
end

local function addresses(n, first)
  local list = {}
  for i = 1, n do
    list[i] = ("%d.1.0.1:8333"):format((first or 30) + i)
  end
  return list
end

local function remember(engine, list)
  for _, address in ipairs(list) do
    engine.store:create { ip = address:match "^[^:]*", port = 8333 }
  end
end

local function nodes(world, list)
  for _, address in ipairs(list) do
    field.node(world, address)
  end
  return list
end

local function silent(world, list)
  for _, address in ipairs(list) do
    field.silent(world, address)
  end
  return list
end

describe("many peers that take a connection and say nothing", function()
  it("become inaccessible, though all are dialled at once", function(world)
    local engine = field.engine(world, "10.0.0.1", {
      peers = silent(world, addresses(8)),
    })
    world:run_for "15m"
    assert.equal(8, count(engine, "inaccessible"))
  end)

  it("are not excused twice, however close together they are", function(world)
    local engine = field.engine(world, "10.0.0.1", {
      peers = silent(world, addresses(8)), initial_backoff = "10ms",
      max_backoff = "20ms",
    })
    world:run_for "2m"
    assert.equal(8, count(engine, "inaccessible"))
  end)

  it("are blamed at once while others refuse", function(world)
    local list = silent(world, addresses(6))
    for i = 1, 3 do
      list[6 + i] = ("7%d.1.0.1:8333"):format(i)
      field.empty(world, list[6 + i])
    end
    local engine = field.engine(world, "10.0.0.1", {
      peers = list, initial_backoff = 1, max_backoff = 1, max_retries = 1000,
    })
    world:run_for "16s"
    assert.equal(6, count(engine, "inaccessible"))
  end)

  it("become inaccessible when an engine selects them", function(world)
    local list = silent(world, addresses(20))
    local engine = field.engine(world, "10.0.0.1")
    remember(engine, list)
    world:run_for "1h"
    assert.equal(20, count(engine, "inaccessible"))
  end)

  it("are blamed at once while another works", function(world)
    local list = silent(world, addresses(6))
    list[7] = nodes(world, { "60.1.0.1:8333" })[1]
    local engine = field.engine(world, "10.0.0.1", { peers = list })
    world:run_for "16s"
    assert.equal(6, count(engine, "inaccessible"))
  end)
end)

describe("many peers whose dials nobody answers", function()
  --- When they are inaccessible, by the world's clock.
  local function wait(world, engine, n)
    assert.is_true(world:run_until(function()
      return count(engine, "inaccessible") == n
    end, "6h"))
    return world:now()
  end

  it("become inaccessible after max_retries when nothing has ever worked",
    function(world)
      local engine = field.engine(world, "10.0.0.1", { peers = addresses(8) })
      local now = wait(world, engine, 8)
      assert.is_true(now > 1200 and now < 3 * 3600, now)
    end)

  it("are not excused by a network that has never worked, however long an "
    .. "outage may be", function(world)
    local engine = field.engine(world, "10.0.0.1", {
      peers = addresses(8), inaccessible_time = "30000d",
    })
    wait(world, engine, 8)
  end)

  it("are dialled side by side again at the first word of another",
    function(world)
      local engine = field.engine(world, "10.0.0.1:8333", {
        ping_interval = 0, initial_backoff = 1, max_backoff = 1,
        max_retries = 1000,
      })
      remember(engine, addresses(40))
      local speaks
      field.guest(world, "90.1.0.1", "10.0.0.1:8333",
        function(connection, remote)
          while not speaks do
            remote:sleep(0.1)
          end
          connection:send "xyzzy"
          connection:receive "nothing"
        end)
      world:run_for "10m" -- it is too quiet for too long
      local most = 0
      local function is_idle()
        most = math.max(most, engine:counts().outbound)
        return most > 0 and engine:counts().outbound == 0
      end
      assert.is_true(world:run_until(is_idle, "1m"))
      assert.equal(1, most)
      speaks = true
      world:run_for "6s"
      assert.equal(8, engine:counts().outbound)
    end)

  it("become inaccessible after max_retries while others work",
    function(world)
      local list = addresses(7)
      list[8] = nodes(world, { "60.1.0.1:8333" })[1]
      local engine, log = field.engine(world, "10.0.0.1", {
        peers = list, jitter = 0,
      })
      local now = wait(world, engine, 7)
      assert.is_true(now > 1200 and now < 3600, now)
      assert.equal(7 * 11, #log:all("connection_failed", "connection_timeout"))
    end)

  it("become inaccessible after max_retries while one talks now and then",
    function(world)
      local list = addresses(7)
      list[8] = "60.1.0.1:8333"
      field.node(world, list[8], nil, function(connection)
        while connection:send "xyzzy" do
          connection:receive("nothing", 20)
        end
      end)
      local engine, log = field.engine(world, "10.0.0.1", {
        peers = list, ping_interval = 0, jitter = 0, initial_backoff = "30s",
        max_backoff = "30s",
      })
      wait(world, engine, 7)
      assert.equal(7 * 11, #log:all("connection_failed", "connection_timeout"))
    end)

  it("are known again when it turns out that our network was down",
    function(world)
      local list = nodes(world, addresses(12))
      local engine = field.engine(world, "10.0.0.1")
      remember(engine, list)
      world:partition "10.0.0.1"
      wait(world, engine, 11)
      world:heal()
      world:run_for "15m"
      assert.equal(0, count(engine, "inaccessible"))
      assert.equal(8, engine:counts().connected)
    end)
end)

describe("an outage", function()
  local function cut(world, config, n)
    local list = nodes(world, addresses(n))
    config.peers = list
    config.target_connections = 20
    local engine, log = field.engine(world, "10.0.0.1", config)
    world:run_for "10m"
    assert.equal(n, engine:counts().connected)
    return engine, log, world:partition "10.0.0.1"
  end

  it("that lasts longer than inaccessible_time ends in blame, and its end in "
    .. "pardon", function(world)
    local engine, _, number = cut(world, { inaccessible_time = "2h" }, 8)
    world:run_for "2h"
    assert.equal(0, count(engine, "inaccessible"))
    local most = 0
    world:run_until(function()
      most = math.max(most, count(engine, "inaccessible"))
      return false
    end, "8h")
    assert.is_true(most > 0)
    world:heal(number)
    world:run_for "15m"
    assert.equal(8, engine:counts().connected)
    assert.equal(0, count(engine, "inaccessible"))
  end)

  it("in the middle of handshakes burns nobody, though others are connected",
    function(world)
      local engine, log = cut(world, {}, 5)
      world:heal()
      local others = silent(world, addresses(3, 60))
      remember(engine, others)
      for _, address in ipairs(others) do
        assert(engine:dial(address))
        world:run_for(0.01)
      end
      world:run_for(0.1)
      world:partition "10.0.0.1"
      world:run_for "3h"
      assert.is_truthy(log:find("connection_failed", "handshake_timeout"))
      assert.equal(0, count(engine, "inaccessible"))
    end)

  it("is over when somebody dials us", function(world)
    local engine, _, number = cut(world, { listen = "10.0.0.1:8333" }, 8)
    world:run_for "2h"
    local dials = engine:counts().dials
    world:heal(number)
    field.guest(world, "77.1.1.1", "10.0.0.1:8333", function(connection)
      connection:receive "nothing"
    end)
    world:run_for "6s"
    assert.equal(9, engine:counts().connected)
    assert.is_true(engine:counts().dials - dials <= 9)
  end)

  it("whose dials fail at once is no storm", function(world)
    local engine = field.engine(world, "10.0.0.1:8333")
    world:limit(engine, { descriptors = 1 })
    remember(engine, addresses(100))
    world:run_for "1m"
    local dials = engine:counts().dials
    assert.is_true(dials > 8 and dials <= 8 + 60 / 5, dials)
  end)

  it("in which what was sent is given up restarts at once", function(world)
    local engine, log = cut(world, {
      ping_interval = "30s", ping_timeout = "10h",
    }, 1)
    assert.is_true(world:run_until(function()
      return #log:all("connection_restarting", "io_error") > 0
    end, "3h"))
    assert.equal(1, engine:counts().outbound)
  end)
end)

describe("a portal that takes every connection and lets nothing through",
  function()
    --- Nodes that work until the portal comes, which closes what there is.
    local function enter(world, config, n)
      local portal, list = {}, addresses(n)
      config.peers, config.target_connections = list, 20
      for _, address in ipairs(list) do
        world:remote(address, function(remote)
          remote:serve(function(connection)
            if portal.is_here or connection:handshake() then
              connection:receive "nothing"
            end
          end)
        end)
      end
      local engine, log = field.engine(world, "10.0.0.1", config)
      world:run_for "10m"
      assert.equal(n, engine:counts().connected)
      portal.is_here = true
      for _, address in ipairs(list) do
        world:sever("10.0.0.1", address:match "^[^:]*")
      end
      return engine, log, portal
    end

    it("burns nobody, is no storm, and ends in the same company",
      function(world)
        local engine, log, portal = enter(world, {}, 8)
        local dials = engine:counts().dials
        world:run_for "3h"
        assert.is_true(#log:all("connection_failed", "handshake_timeout") > 20)
        assert.equal(0, count(engine, "inaccessible"))
        dials = engine:counts().dials - dials
        assert.is_true(dials < 3 * 3600 / 15, dials) -- one at a time
        portal.is_here = false
        world:run_for "15m"
        assert.equal(8, engine:counts().connected)
      end)

    it("for longer than inaccessible_time is not to be told from silent peers",
      function(world)
        local engine, _, portal = enter(world, { inaccessible_time = "2h" }, 8)
        local most = 0
        world:run_until(function()
          most = math.max(most, count(engine, "inaccessible"))
          return false
        end, "5h")
        assert.equal(8, most)
        portal.is_here = false
        world:run_for "3h"
        assert.equal(8, engine:counts().connected)
        assert.equal(0, count(engine, "inaccessible"))
      end)
  end)
