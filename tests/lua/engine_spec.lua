--- Engines: events, closing inside hooks, several in one process, misuse.
local stage = require "support.stage"
local watch = require "support.watch"
local wire = require "support.wire"

local hello = table.concat { wire.hello() }
local bad_ping = wire.frame("ping", "12345678", { checksum = "oops" })

stage.describe("closing inside a hook", function(one)
  local connection_hooks = {
    "connection_started", "connection_established", "handshake_complete",
    "connection_failed", "connection_lost", "peer_misbehaved", "message",
    "inbound_accepted", "validate", "judge",
  }
  local engine_hooks = { "listener_started", "accept" }
  local decisions = { validate = true, judge = true, accept = true }
  local answers = { accept = true }

  --- A remote that does all that leads to every hook, twice.
  local function live(peer)
    peer:send_raw(hello .. bad_ping .. wire.frame("ping", "12345678"))
    peer:receive("pong", 0.03)
    peer:close()
  end

  --- Lets an engine listen and dial, and calls act in one hook.
  local function play(hook, act)
    local engine, inside
    local fired = 0
    local function fire(connection)
      assert(not inside, "a hook was called inside a hook")
      inside = true
      fired = fired + 1
      collectgarbage()
      act(engine, connection)
      collectgarbage()
      inside = false
    end
    local listener = assert(one.listen(one.host(3) .. ":0", live,
      { network = "regtest" }))
    local dead = assert(one.listen(one.host(4) .. ":0", live))
    dead:close()
    engine = one.engine {
      network = "regtest", listen = one.host(1) .. ":0",
      peers = { listener.address, dead.address },
      policies = { decisions[hook] and {
        [hook] = function(_, connection)
          fire(type(connection) == "userdata" and connection)
          return answers[hook]
        end,
      } or {} },
    }
    if not decisions[hook] then
      engine:on(hook, "spec", function(event)
        fire(event.connection)
      end)
    end
    for _ = 1, 20 do
      local address = engine:address()
      if address then
        local peer = one.connect(address, { network = "regtest" })
        if peer then
          live(peer)
        end
        break
      end
      one.sleep(0.001)
    end
    one.await(hook, function()
      return fired > 0
    end)
    one.sleep(0.01)
    return fired
  end

  local acts = {
    ["the connection"] = function(_, connection)
      connection:close("in a hook")
      connection:close()
    end,
    ["it with a reset"] = function(_, connection)
      connection:reset()
      connection:reset()
      connection:close()
    end,
    ["the engine"] = function(engine, connection)
      engine:close()
      engine:close()
      assert(not connection or connection.state)
    end,
    ["all connections"] = function(engine)
      for connection in engine:connections() do
        connection:close()
      end
    end,
    ["nothing but sending"] = function(_, connection)
      connection:send("ping", "12345678")
      connection:send_raw "x"
    end,
  }
  for what, act in pairs(acts) do
    for _, hook in ipairs(connection_hooks) do
      one.it(hook .. " closes " .. what, function()
        play(hook, act)
      end)
    end
  end
  for _, hook in ipairs(engine_hooks) do
    one.it(hook .. " closes the engine", function()
      assert.equal(1, play(hook, acts["the engine"]))
    end)
  end

  one.it("sees no more messages of what lies there already", function()
    local engine, log, peer = one.visited()
    local seen = {}
    engine:on("message", "spec", watch.collected(function(event)
      seen[#seen + 1] = event.message:raw()
      event.connection:close()
    end), { command = "xyzzy" })
    peer:send_raw(hello)
    one.event(log, "handshake_complete")
    peer:send_raw(wire.frame("xyzzy", "1") .. wire.frame("xyzzy", "2"))
    local row = one.event(log, "connection_lost")
    assert.equal("closed", row.code)
    assert.equal("closed by us", row.reason)
    assert.same({ "1" }, seen)
  end)

  one.it("sends what was queued before", function()
    local engine, log, peer = one.visited()
    engine:on("message", "spec", function(event)
      event.connection:send("plugh", "last words")
      event.connection:close()
    end, { command = "xyzzy" })
    peer:send_raw(hello .. wire.frame "xyzzy")
    one.event(log, "handshake_complete")
    assert.equal("last words", assert(peer:receive("plugh", 5)):raw())
    local _, _, code = peer:receive(nil, 5)
    assert.equal("closed", code)
  end)
end)

stage.describe("events", function(one)
  one.it("come in order, with their fields", function()
    local engine, log, peer = one.visited()
    peer:send_raw(hello)
    one.event(log, "handshake_complete")
    assert(peer:receive("ping", 5)) -- what is unread would be a reset
    peer:close()
    local row = one.event(log, "connection_lost")
    local kinds = {}
    for _, each in ipairs(log) do
      kinds[#kinds + 1] = each.type
    end
    assert.same({ "listener_started", "inbound_accepted",
      "connection_started", "handshake_complete", "connection_lost" }, kinds)
    assert.equal(engine:address(), log[1].address)
    assert.equal(log[2].address, row.address)
    assert.equal("disconnected", row.state)
    assert.is_nil(log[1].code)
    assert.equal("", log[1].reason)
  end)

  one.it("are heard by all listeners, whatever one of them raises", function()
    local engine, log = one.visiting()
    local heard = {}
    engine:on("connection_failed", "bad", function()
      error(setmetatable({}, { __tostring = function() error "no" end }))
    end)
    engine:on("connection_failed", "good", function()
      heard[#heard + 1] = "good"
    end)
    for connection in engine:connections() do
      connection:close()
    end
    one.event(log, "connection_failed")
    assert.same({ "good" }, heard)
  end)

  one.it("are heard once by a name, until it is taken away", function()
    local engine, log, peer = one.visited()
    local heard = {}
    local function hear(name)
      return function()
        heard[#heard + 1] = name
      end
    end
    engine:on("message", "spec", hear "first")
    engine:on("message", "spec", hear "second", { command = "xyzzy" })
    engine:on("message", "other", hear "other", { command = "plugh" })
    engine:off("message", "other")
    engine:off("message", "never there")
    peer:send_raw(hello .. wire.frame "plugh" .. wire.frame "xyzzy"
      .. wire.frame("ping", "12345678"))
    one.event(log, "handshake_complete")
    assert(peer:receive("pong", 5))
    assert.same({ "second" }, heard)
  end)

  one.it("and their messages raise when they are used late", function()
    local engine, log, peer = one.visited()
    local event, message, copy, each
    engine:on("message", "spec", function(given)
      event, message = given, given.message
      copy, each = message:copy(), message:each()
    end, { command = "inv" })
    peer:send_raw(hello .. wire.frame("inv", "\1\1\0\0\0" .. ("h"):rep(32)))
    one.event(log, "handshake_complete")
    one.await("an inv", function()
      return event
    end)
    for _, use in ipairs {
      function() return event.type end, function() return event.connection end,
      function() return message.items end, function() return #message end,
      function() return message:raw() end, function() return message:copy() end,
      function() return message:table() end, each,
    } do
      local good, words = pcall(use)
      assert.is_false(good)
      assert.matches("was used after its %a+ returned", words)
    end
    assert.equal("moonpeer.message (stale)", tostring(message))
    assert.equal("moonpeer.event (stale)", tostring(event))
    assert.equal(1, #copy)
    assert.equal(1, copy:table().items[1].type)
  end)

  one.it("name the nearest", function()
    local engine = one.visiting()
    local good, words = pcall(engine.on, engine, "handshake_complet", "x",
      print)
    assert.is_false(good)
    assert.matches('unknown event "handshake_complet"; the nearest known is '
      .. '"handshake_complete"', words, 1, true)
    assert.is_false(pcall(engine.on, engine, "message", print))
    assert.is_false(pcall(engine.on, engine, "message", "x"))
    assert.is_false(pcall(engine.on, engine, nil, "x", print))
    good, words = pcall(engine.on, engine, "message", "x", print,
      { comand = "inv" })
    assert.is_false(good)
    assert.matches('"comand"; the nearest known is "command"', words, 1, true)
    good, words = pcall(engine.connections, engine, { stat = "connected" })
    assert.is_false(good)
    assert.matches('unknown filter "stat"; the nearest known is "state"', words,
      1, true)
  end)
end)

stage.describe("engines", function(one)
  one.it("may be several in one process, each with its own", function()
    local listening, logs, addresses = {}, {}, {}
    for i = 1, 3 do
      listening[i], logs[i], addresses[i] = one.watched {
        network = "regtest", listen = one.host(i) .. ":0",
        user_agent = ("/engine:%d/"):format(i),
      }
    end
    local dialling, log = one.watched {
      network = "regtest", peers = addresses, user_agent = "/dialler:1/",
    }
    one.await("three handshakes", function()
      return log:count "handshake_complete" == 3
    end)
    for i = 1, 3 do
      one.event(logs[i], "handshake_complete")
      assert.equal("/dialler:1/",
        listening[i]:connections()().version.user_agent)
    end
    local agents = {}
    for connection in dialling:connections { inbound = false } do
      agents[#agents + 1] = connection.version.user_agent
    end
    table.sort(agents)
    assert.same({ "/engine:1/", "/engine:2/", "/engine:3/" }, agents)
    listening[2]:close()
    local code = one.event(log, "connection_lost").code
    assert.is_true(code == "closed" or code == "connection_reset", code)
    assert.is_nil(logs[1]:find "connection_lost")
  end)

  one.it("close once and for all", function()
    local engine, log, peer = one.visited()
    peer:send_raw(hello)
    one.event(log, "handshake_complete")
    local connection = engine:connections()()
    engine:close()
    engine:close()
    local started, words, code = engine:start()
    assert.is_nil(started)
    assert.equal("the engine is closed", words)
    assert.equal("closed", code)
    one.await("its end", function()
      return tostring(engine):find "closed"
    end)
    assert.equal("disconnected", connection.state)
    assert.equal("/Bitcoin SV:1.2.2/", connection.version.user_agent)
    local sent
    sent, words, code = connection:send("ping", "12345678")
    assert.is_nil(sent)
    assert.matches("closed", words)
    assert.equal("closed", code)
    connection:close()
    connection:reset()
    assert.is_nil(engine:address())
    assert.is_nil(engine:connections()())
    engine:close()
    engine:off("message", "x")
  end)

  one.it("whose listener fails say so and go on", function()
    local first = assert(one.listen(one.host(1) .. ":0", function() end))
    local listener = assert(one.listen(one.host(2) .. ":0", function(peer)
      peer:handshake()
    end, { network = "regtest" }))
    local engine = one.engine {
      network = "regtest", listen = first.address,
      peers = { listener.address },
    }
    local log = watch.events(engine)
    local row = one.event(log, "listener_failed")
    assert.equal("listen_failed", row.code)
    assert.equal(first.address, row.address)
    one.event(log, "handshake_complete")
    local _, _, code = engine:address()
    assert.equal("listen_failed", code)
  end)

  one.it("hand their connections to nobody who would wait on them", function()
    local engine, log, peer = one.visited()
    peer:send_raw(hello)
    one.event(log, "handshake_complete")
    local connection = engine:connections()()
    for _, name in ipairs { "handshake", "receive" } do
      local good, words = pcall(connection[name], connection)
      assert.is_false(good)
      assert.matches("an engine has this one", words)
    end
  end)
end)
