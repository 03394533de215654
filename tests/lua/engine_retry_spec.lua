--- When a peer that failed is dialled again: backoff, restarts, giving up, and
--- what happens when our own network is down.
local field = require "support.field"
local it = field.it

--- The status of a peer of an engine, by its address.
local function status(engine, address)
  for peer in engine:peers() do
    if peer.address == address then
      return peer.status
    end
  end
end

describe("a dial that is refused", function()
  it("is tried again after 5 s, 10 s, 20 s ... with half of it up to chance",
    function(world)
      field.empty(world, "10.0.0.2")
      local _, log = field.engine(world, "10.0.0.1", {
        peers = { "10.0.0.2:8333" }, max_retries = 1000,
      })
      world:run_for "2h"
      local rows = log:all("connection_failed", "connection_refused")
      local gaps = field.gaps(rows)
      assert.is_true(#gaps > 10)
      for i, gap in ipairs(gaps) do
        local wait = math.min(5 * 2 ^ (i - 1), 600)
        assert.is_true(gap > wait / 2 - 0.1 and gap < wait * 1.5 + 0.1,
          ("gap %d: %g"):format(i, gap))
      end
    end)

  it("waits for each peer another time", function(world)
    local peers = {}
    for i = 1, 20 do
      peers[i] = ("10.1.%d.1:8333"):format(i)
      field.empty(world, peers[i])
    end
    local _, log = field.engine(world, "10.0.0.1", { peers = peers })
    world:run_for(0.1)
    assert.equal(20, #log:all "connection_failed")
    world:run_for(9)
    local seen, different = {}, 0
    for i = 21, 40 do
      local at = ("%.2f"):format(log:all("connection_failed")[i].at)
      different = different + (seen[at] and 0 or 1)
      seen[at] = true
    end
    assert.is_true(different > 15, different)
  end)

  it("is as long as the jitter says: without it exactly", function(world)
    field.empty(world, "10.0.0.2")
    local _, log = field.engine(world, "10.0.0.1", {
      peers = { "10.0.0.2:8333" }, jitter = 0, initial_backoff = 1,
      backoff_multiplier = 3, max_backoff = 10,
    })
    world:run_for "30s"
    local gaps = field.gaps(log:all "connection_failed")
    for i, wait in ipairs { 1, 3, 9, 10 } do
      assert.is_true(math.abs(gaps[i] - wait - 0.02) < 1e-6, gaps[i])
    end
  end)

  it("makes the peer inaccessible after max_retries", function(world)
    field.empty(world, "10.0.0.2")
    local engine, log = field.engine(world, "10.0.0.1", {
      peers = { "10.0.0.2:8333" }, max_retries = 3, jitter = 0,
      inaccessible_time = "1h",
    })
    world:run_for "40s"
    assert.equal(4, #log:all "connection_failed") -- one and three more
    assert.equal("inaccessible", status(engine, "10.0.0.2:8333"))
    world:run_for "50m"
    assert.equal(4, #log:all "connection_failed")
    world:run_for "11m"
    assert.is_true(#log:all "connection_failed" > 4)
  end)

  it("stays the engine's own business: a normal one does not select a peer "
    .. "that waits", function(world)
    field.empty(world, "10.0.0.2")
    local _, log = field.engine(world, "10.0.0.1", { jitter = 0, policies = {
      { select = function() return { "10.0.0.2:8333" } end },
    } })
    world:run_for "34s"
    local gaps = field.gaps(log:all "connection_failed")
    assert.equal(2, #gaps)
    assert.is_true(gaps[1] >= 5 and gaps[2] >= 10)
  end)

  it("is tried when the retry policy says, and never when it says false",
    function(world)
      field.empty(world, "10.0.0.2")
      field.empty(world, "10.0.0.3")
      local seen = {}
      local _, log = field.engine(world, "10.0.0.1", {
        peers = { "10.0.0.2:8333", "10.0.0.3:8333" },
        policies = { { retry = function(_, peer, failure)
          seen[#seen + 1] = ("%s %s %d"):format(peer.address, failure.code,
            failure.attempts)
          if failure.address == "10.0.0.3:8333" then
            return false
          end
          return "1m"
        end } },
      })
      world:run_for "90s"
      local times = {}
      for _, row in ipairs(log:all "connection_failed") do
        times[#times + 1] = ("%s %.0f"):format(row.address, row.at)
      end
      assert.same({ "10.0.0.2:8333 0", "10.0.0.3:8333 0", "10.0.0.2:8333 60" },
        times)
      assert.equal("10.0.0.2:8333 connection_refused 2", seen[3])
    end)
end)

describe("a dial that nobody answers", function()
  it("is given up after connect_timeout and retried", function(world)
    local _, log = field.engine(world, "10.0.0.1", {
      peers = { "10.9.9.9:8333" }, jitter = 0,
    })
    world:run_for "16s"
    local rows = log:all("connection_failed", "connection_timeout")
    assert.equal(2, #rows)
    assert.equal("expected an answer to the dial within 5 s, got none",
      rows[1].reason)
    assert.is_true(math.abs(rows[1].at - 5) < 0.01)
    assert.is_true(math.abs(rows[2].at - 15) < 0.01)
  end)
end)

describe("a dial that fails because it cannot even begin", function()
  --- What they say of the peers: their status, and how often they failed.
  local function failures(engine)
    local n = 0
    for peer in engine:peers() do
      assert.not_equal("inaccessible", peer.status)
      n = n + peer.failures
    end
    return n
  end

  it("is not retried: nobody is dialled whom nobody selects", function(world)
    local chosen, seen = { "10.0.0.2:8333" }, field.node(world, "10.0.0.2:8333")
    local engine, log = field.engine(world, "10.0.0.1:8333", {
      target_connections = 1, policies = { {
        select = function() return chosen end,
        retry = function() error "asked" end,
      } },
    })
    engine.store:create { ip = "10.0.0.2", port = 8333 }
    world:limit(engine, { descriptors = 1 }) -- the listener
    world:run_for "1s"
    assert.equal(1, #log:all("connection_failed", "connection_failed"))
    assert.equal(1, failures(engine))
    chosen = {}
    world:limit(engine, { descriptors = 100 })
    world:run_for "2h"
    assert.equal(1, engine:counts().dials)
    assert.is_nil(log:find "policy_failed")
    chosen = { "10.0.0.2:8333" }
    world:run_for "6s"
    assert.equal(1, seen.visits)
  end)

  it("makes room for another that is selected meanwhile", function(world)
    local seen = field.node(world, "10.0.0.3:8333")
    local chosen = {}
    local engine, log = field.engine(world, "10.0.0.1:8333", {
      target_connections = 1,
      policies = { { select = function() return chosen end } },
    })
    world:run_for "1s"
    world:limit(engine, { descriptors = 1 })
    chosen = { "10.0.0.2:8333" }
    world:run_until(function() return log:find "connection_failed" end, "6s")
    chosen = { "10.0.0.2:8333", "10.0.0.3:8333" }
    world:limit(engine, { descriptors = 100 })
    world:run_for(0.1)
    assert.equal(2, engine:counts().dials)
    assert.equal(1, seen.visits)
  end)

  it("never makes a peer inaccessible, and a fixed one is kept",
    function(world)
      local seen = field.node(world, "10.0.0.2:8333")
      local engine, log = field.engine(world, "10.0.0.1:8333", {
        max_retries = 2, max_backoff = "1m", target_connections = 1,
      })
      world:run_for "1s"
      world:limit(engine, { descriptors = 1 })
      assert(engine:configure { mode = "fixed", peers = { "10.0.0.2:8333" } })
      world:run_for "1h"
      local n = #log:all("connection_failed", "connection_failed")
      assert.is_true(n > 30 and n < 150, n)
      assert.equal(n, failures(engine))
      world:limit(engine, { descriptors = 100 })
      world:run_for "2m"
      assert.equal(1, seen.visits)
    end)
end)

describe("a handshake that does not come to its end", function()
  it("ends after handshake_timeout, and the peer is inaccessible",
    function(world)
      local peer = field.silent(world, "10.0.0.2:8333")
      local engine, log = field.engine(world, "10.0.0.1", {
        peers = { "10.0.0.2:8333" }, inaccessible_time = "2h",
      })
      world:run_for "1h"
      local row = log:find("connection_failed", "handshake_timeout")
      assert.is_true(row.at > 15 and row.at < 15.1)
      assert.equal(1, peer.visits)
      assert.equal("inaccessible", status(engine, "10.0.0.2:8333"))
    end)

  it("ends after inaccessible_time in another try", function(world)
    local peer = field.silent(world, "10.0.0.2:8333")
    field.engine(world, "10.0.0.1", {
      peers = { "10.0.0.2:8333" }, inaccessible_time = "1h",
    })
    world:run_for "1h"
    assert.equal(1, peer.visits)
    world:run_for "1m"
    assert.equal(2, peer.visits)
  end)
end)

describe("an established connection that the network breaks", function()
  it("is made anew at once, three times an hour, then with backoff",
    function(world)
      field.node(world, "10.0.0.2:8333")
      local _, log = field.engine(world, "10.0.0.1", {
        peers = { "10.0.0.2:8333" }, jitter = 0,
      })
      world:run_for "1s"
      for i = 1, 4 do
        world:sever("10.0.0.1", "10.0.0.2")
        world:run_for "1s"
        assert.equal(math.min(i, 3), #log:all "connection_restarting")
      end
      assert.equal(4, #log:all "handshake_complete") -- the first and three
      local row = log:find "connection_restarting"
      assert.equal("connection_reset", row.code)
      assert.equal("10.0.0.2:8333", row.address)
      world:run_for "5s"
      assert.equal(5, #log:all "handshake_complete") -- after the backoff
      world:run_for "1h"
      world:sever("10.0.0.1", "10.0.0.2")
      world:run_for "1s"
      assert.equal(4, #log:all "connection_restarting")
    end)

  it("counts only the restarts within the window", function(world)
    field.node(world, "10.0.0.2:8333")
    local _, log = field.engine(world, "10.0.0.1", {
      peers = { "10.0.0.2:8333" }, restart_window = "10m", max_restarts = 2,
    })
    world:run_for "1s"
    for _ = 1, 10 do
      world:sever("10.0.0.1", "10.0.0.2")
      world:run_for "6m"
    end
    assert.equal(10, #log:all "connection_restarting")
  end)

  it("is not restarted when max_restarts is 0", function(world)
    field.node(world, "10.0.0.2:8333")
    local _, log = field.engine(world, "10.0.0.1", {
      peers = { "10.0.0.2:8333" }, max_restarts = 0, jitter = 0,
    })
    world:run_for "1s"
    world:sever("10.0.0.1", "10.0.0.2")
    world:run_for "4s"
    assert.equal(0, #log:all "connection_restarting")
    assert.equal(1, #log:all "handshake_complete")
    world:run_for "2s"
    assert.equal(2, #log:all "handshake_complete")
  end)

  it("ends when it is inbound", function(world)
    local engine, log = field.engine(world, "10.0.0.1:8333")
    local peer = field.engine(world, "10.0.0.2", {
      peers = { "10.0.0.1:8333" }, max_restarts = 0,
    })
    world:run_for "1s"
    world:sever("10.0.0.1", "10.0.0.2")
    world:run_for(0.5)
    assert.equal("connection_reset", log:find("connection_lost").code)
    assert.is_nil(log:find "connection_restarting")
    assert.equal(0, engine:counts().connections)
    assert.equal(0, peer:counts().connections)
  end)
end)

describe("our own network", function()
  --- An engine with eight of twelve nodes, whose network goes down.
  local function cut_off(world, config)
    local nodes, peers = {}, {}
    for i = 1, 12 do
      peers[i] = ("10.%d.0.2:8333"):format(i)
      nodes[i] = field.node(world, peers[i])
    end
    config = config or {}
    config.policies = { { select = function()
      return peers
    end } }
    local engine, log = field.engine(world, "10.0.0.1", config)
    for _, peer in ipairs(peers) do
      engine.store:create { ip = peer:match "^[^:]*", port = 8333 }
    end
    world:run_for "1m"
    assert.equal(8, engine:counts().connected)
    local number = world:partition("10.0.0.1")
    return engine, log, number, peers, nodes
  end

  it("gone and back burns no peer and is no storm", function(world)
    local engine, log, number = cut_off(world)
    world:run_for "6h"
    assert.equal(0, engine:counts().connected)
    local dials = engine:counts().dials
    assert.is_true(dials < 6 * 3600 / 2, dials)
    for peer in engine:peers() do
      assert.is_true(peer.status == "valid" or peer.status == "unknown",
        peer.address .. " " .. peer.status)
      assert.is_true(peer.failures < 10, peer.failures)
    end
    world:heal(number)
    world:run_for "5m" -- the first of twelve tries is long before max_backoff
    assert.equal(8, engine:counts().connected)
    local back = engine:counts().dials - dials
    assert.is_true(back <= 40, back)
    assert.is_nil(log:find "peer_banned")
  end)

  it("that is back is not met by all dials in one instant", function(world)
    local peers = {}
    for i = 1, 20 do
      peers[i] = ("10.%d.0.2:8333"):format(i)
      field.node(world, peers[i])
    end
    local engine, log = field.engine(world, "10.0.0.1", { peers = peers })
    world:run_for "1m"
    local number = world:partition "10.0.0.1"
    world:run_for "1h"
    world:heal(number)
    world:run_for "10m"
    assert.equal(20, engine:counts().connected)
    local times, most = {}, 0
    for _, row in ipairs(log:all "handshake_complete") do
      if row.at > 3600 then
        times[#times + 1] = row.at
      end
    end
    for i, time in ipairs(times) do
      local n = 0
      for j = i, #times do
        n = n + (times[j] - time < 1 and 1 or 0)
      end
      most = math.max(most, n)
    end
    assert.is_true(most < 12, most) -- twenty over five seconds
  end)

  it("cut in the middle of handshakes burns nobody", function(world)
    local peers = {}
    for i = 1, 8 do
      peers[i] = ("10.%d.0.2:8333"):format(i)
      field.silent(world, peers[i])
    end
    local engine, log = field.engine(world, "10.0.0.1", { peers = peers })
    world:run_for(0.05) -- streams are open, versions on their way
    world:partition "10.0.0.1"
    world:run_for "10m"
    assert.is_truthy(log:find("connection_failed", "handshake_timeout"))
    local burnt = 0
    for peer in engine:peers() do
      burnt = burnt + (peer.status == "inaccessible" and 1 or 0)
    end
    assert.is_true(burnt <= 2, burnt)
  end)
end)
