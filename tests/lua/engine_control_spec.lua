--- Telling an engine what to do: whom it means, and what is refused.
local field = require "support.field"
local moonpeer = require "moonpeer"
local test = require "moonpeer.test"
local worlds = require "support.worlds"
local it = field.it

--- An engine with seven connections: to 10.1.0.2 and .3, to 10.2.0.2, to
--- 2001:db8::2, from 10.1.0.4, and from 10.3.0.2, which is a peer that listens,
--- and from 2001:db9::2.
local function busy(world)
  local peers = {
    "10.1.0.2:8333", "10.1.0.3:8333", "10.2.0.2:8333", "[2001:db8::2]:8333",
  }
  for _, peer in ipairs(peers) do
    field.node(world, peer)
  end
  local engine, log = field.engine(world, "10.0.0.1:8333", {
    peers = peers, per_group = 10,
  })
  engine.store:create { ip = "10.3.0.2", port = 8333 }
  for _, ip in ipairs { "10.1.0.4", "10.3.0.2", "2001:db9::2" } do
    world:remote(ip, function(remote)
      local connection = remote:dial "10.0.0.1:8333"
      connection:handshake {
        addr_from = ip == "10.3.0.2" and "10.3.0.2:8333" or nil,
      }
      connection:receive "nothing"
    end)
  end
  world:run_for "1s"
  assert.equal(7, engine:counts().connected)
  return engine, log
end

describe("disconnect", function()
  local function closes(n, what)
    it(what, function(world)
      local engine, log = busy(world)
      assert.equal(n, engine:disconnect(what, "enough"))
      world:run_for(0.5)
      assert.equal(n, #log:all("connection_lost", "closed"))
      for _, row in ipairs(log:all "connection_lost") do
        assert.equal("enough", row.reason)
      end
    end)
  end
  closes(3, "10.1.0.0/16")
  closes(5, "0.0.0.0/0")
  closes(2, "2001:db8::/31")
  closes(1, "2001:0db8:0000::0002")
  closes(1, "[2001:db8::2]")
  closes(1, "[2001:db8:0::2]:8333")
  closes(0, "[2001:db8::2]:8334")
  closes(1, "10.1.0.3")
  closes(0, "10.1.0.3:1")
  closes(0, "9.9.9.9")

  it("a peer: whom it dialled, and who says to be it", function(world)
    local engine = busy(world)
    for i, ip in ipairs { "10.1.0.2", "10.3.0.2" } do
      local peer = engine.store:find_by_ip_port(ip, 8333)
      local connection
      for one in engine:connections() do
        connection = one.peer == peer and one or connection
      end
      assert.equal(i == 2, connection.inbound)
      assert.equal(1, engine:disconnect(peer))
      world:run_for(0.1)
      assert.not_equal("connected", connection.state)
    end
    assert.equal(5, engine:disconnect "::/0" + engine:disconnect "0.0.0.0/0")
  end)

  it("one that is over closes nothing", function(world)
    local engine = busy(world)
    local connection = engine:connections()()
    assert.equal(1, engine:disconnect(connection))
    assert.equal(0, engine:disconnect(connection))
    world:run_for "1s"
    assert.equal(0, engine:disconnect(connection))
  end)
end)

describe("close", function()
  it("takes no longer than shutdown_timeout when nothing else is said",
    function(world)
      world:link(nil, nil, { bandwidth = 1000 })
      field.node(world, "10.0.0.2:8333")
      local engine = field.engine(world, "10.0.0.1", {
        peers = { "10.0.0.2:8333" }, shutdown_timeout = "1h",
      })
      world:run_for "30s"
      assert(engine:connections()():send("xyzzy", ("x"):rep(900000)))
      world:run_for(0.01)
      assert(engine:configure { shutdown_timeout = "4s" })
      local before = world:now()
      engine:close()
      assert(world:run_until(function()
        return tostring(engine):find "closed"
      end, "1m"))
      local took = world:now() - before
      assert.is_true(took > 3.9 and took < 4.1, took)
    end)
end)

describe("broadcast", function()
  it("reaches those that have shaken hands, of any direction", function(world)
    local engine = busy(world)
    field.silent(world, "10.4.0.2:8333")
    assert(engine:dial "10.4.0.2:8333")
    world:run_for "1s"
    assert.equal(8, engine:counts().connections)
    local sent, failures = engine:broadcast("xyzzy", "x")
    assert.equal(7, sent)
    assert.is_nil(next(failures))
    assert.equal(3, (engine:broadcast("xyzzy", "x", { inbound = true })))
    assert.equal(4, (engine:broadcast("xyzzy", "x", { inbound = false })))
    assert.equal(0, (engine:broadcast("xyzzy", "x", {
      state = "awaiting_handshake",
    })))
    assert.equal(0, (engine:send({}, "xyzzy", "x")))
  end)
end)

describe("ban", function()
  it("takes a peer, and a connection, by their address", function(world)
    local engine = busy(world)
    assert(engine:ban(engine.store:find_by_ip_port("10.1.0.2", 8333)))
    assert(engine:ban(engine:connections { address = "10.2.0.2:8333" }()))
    assert.equal(2, #engine.store.bans)
    world:run_for "1s"
    assert.equal(5, engine:counts().connected)
  end)
end)

describe("misuse of an engine's verbs", function()
  test.guard()

  -- one line each: the line is what is looked at
  -- luacheck: push no max line length
  it("is refused at the caller's line", function(world)
    local engine = busy(world)
    for _, row in ipairs {
      { "disconnect: expected a connection, a peer or an address, got nil", function() engine:disconnect() end },
      { "disconnect: expected a connection, a peer or an address, got number", function() engine:disconnect(5) end },
      { "disconnect: expected a connection, a peer or an address, got table", function() engine:disconnect {} end },
      { 'disconnect: expected a prefix such as 1.2.3.0/24 or 2001:db8::/32, got "foo"', function() engine:disconnect "foo" end },
      { "disconnect: expected a reason as a text, got table", function() engine:disconnect("1.2.3.4", {}) end },
      { "send: expected a connection or a list of them, got nil", function() engine:send(nil, "ping") end },
      { "send: expected a connection or a list of them, got number", function() engine:send({ 5 }, "ping") end },
      { 'connections: unknown filter "stat"; the nearest known is "state"', function() engine:broadcast("ping", "", { stat = "x" }) end },
      { 'connections: unknown filter "stat"; the nearest known is "state"', function() engine:connections { stat = "x" } end },
      { "connections: expected a table of filters, got string", function() engine:connections "connected" end },
      { 'connections: unknown state "conected"; the nearest known is "connected"', function() engine:connections { state = "conected" } end },
      { "connections: state: expected string, got number", function() engine:connections { state = 5 } end },
      { "connections: inbound: expected boolean, got string", function() engine:connections { inbound = "yes" } end },
      { "connections: address: expected string, got number", function() engine:connections { address = 5 } end },
      { 'unknown filter "sttus"; the nearest known is "status"', function() engine:peers { sttus = "valid" } end },
      { 'unknown status "vaild"; the nearest known is "valid"', function() engine:peers { status = "vaild" } end },
      { "ban: time: expected 1 s or more, got 0", function() engine:ban("1.2.3.4", { time = 0 }) end },
      { "ban: time: expected 1 s or more, got 0.5", function() engine:ban("1.2.3.4", { time = 0.5 }) end },
      { "explain: expected an address, a connection or a peer, got number", function() engine:explain(5) end },
      { "events: expected a table of options, got string", function() engine:events "peer_banned" end },
      { "events: events: expected a list of names, got string", function() engine:events { events = "peer_banned" } end },
      { 'events: unknown event "peer_baned"; the nearest known is "peer_banned"', function() engine:events { events = { "peer_baned" } } end },
      { 'events: unknown option "capacty"; the nearest known is "capacity"', function() engine:events { capacty = 5 } end },
      { "events: capacity: expected a whole number from 1, got x", function() engine:events { capacity = "x" } end },
      { "events: command: expected string, got number", function() engine:events { command = 5 } end },
    } do
      worlds.refused(row[1], debug.getinfo(row[2], "S").linedefined, row[2])
    end
    engine:close(0)
    world:run_for "1m"
    for _, row in ipairs {
      { "configure: the engine is closed", function() engine:configure {} end },
      { "peers: the store is closed", function() engine:peers() end },
      { "save_soon: the engine is closed", function() engine:save_soon() end },
    } do
      worlds.refused(row[1], debug.getinfo(row[2], "S").linedefined, row[2])
    end
  end)
  -- luacheck: pop
end)

describe("a queue of events of an engine that is gone", function()
  for _, was in ipairs { "started", "never started" } do
    it("ends at once, when it was " .. was, function(world)
      local engine
      if was == "started" then
        engine = world:engine "10.0.0.1:8333"
      end
      local seen, is_over = 0, false
      world:remote("10.0.0.2", function()
        engine = engine or moonpeer.engine { network = "regtest" }
        engine:close(0)
        moonpeer.sleep "1s"
        for _ in engine:events() do
          seen = seen + 1
        end
        is_over = true
      end)
      world:run_for "2s"
      assert.is_true(is_over)
      assert.equal(0, seen)
    end)
  end
end)
