--- moonpeer.test: assertions that say what came instead, and the guard.
local moonpeer = require "moonpeer"
local sim = require "moonpeer.sim"
local test = require "moonpeer.test"

test.install(assert)

local function raised(fn, ...)
  local good, message = pcall(fn, ...)
  assert.is_false(good, "expected an error")
  return tostring(message)
end

local log = {
  { type = "listener_started", address = "10.0.0.1:8333" },
  { type = "connection_failed", address = "10.0.0.2:8333",
    code = "handshake_timeout" },
  { type = "peer_misbehaved", address = "10.0.0.3:8333", code = "flood",
    verdict = "throttle" },
}

describe("assert.event", function()
  it("finds an event by its type and fields", function()
    assert.event(log, "connection_failed", { code = "handshake_timeout" })
    assert.has_no.event(log, "handshake_complete")
    assert.equal(log, (test.event(log, "listener_started")))
  end)

  it("shows what happened instead", function()
    local message = raised(assert.event, log, "handshake_complete")
    assert.matches("expected the event handshake_complete; what happened:",
      message, 1, true)
    assert.matches('connection_failed address = "10.0.0.2:8333", code = '
      .. '"handshake_timeout"', message, 1, true)
    assert.matches("nothing happened", raised(assert.event, {},
      "handshake_complete"))
  end)

  it("shows those of the type first", function()
    local message = raised(assert.event, log, "connection_failed",
      { code = "ping_timeout" })
    assert.matches('expected the event connection_failed { code = '
      .. '"ping_timeout" }; of these there were:', message, 1, true)
    assert.is_nil(message:find "listener_started")
  end)

  it("shows what should not have happened", function()
    assert.matches("expected no event peer_misbehaved, got\n  peer_misbehaved",
      raised(assert.has_no.event, log, "peer_misbehaved"), 1, true)
  end)

  it("refuses events that do not exist", function()
    assert.matches('unknown event "connection_fail"; the nearest known is '
      .. '"connection_failed"', raised(test.event, log, "connection_fail"), 1,
      true)
  end)
end)

describe("assert.decision", function()
  it("looks at verdicts only", function()
    assert.decision(log, { verdict = "throttle", code = "flood" })
    assert.has_no.decision(log, { code = "handshake_timeout" })
    assert.matches('expected the decision { verdict = "ban" }; what happened:'
      .. "\n  peer_misbehaved", raised(assert.decision, log,
      { verdict = "ban" }), 1, true)
  end)
end)

describe("assert.in_state", function()
  it("compares the state of a connection", function()
    assert.in_state({ state = "connected" }, "connected")
    assert.is_not.in_state({ state = "connected" }, "failed")
    local connection = setmetatable({ state = "failed" },
      { __tostring = function() return "10.0.0.1 (failed)" end })
    assert.matches("expected 10.0.0.1 (failed) to be connected",
      raised(assert.in_state, connection, "connected"), 1, true)
  end)
end)

describe("assert.stored", function()
  local store = assert(moonpeer.store "memory:")
  assert(store:create { ip = "10.0.0.1", port = 8333, source = "manual" })

  it("looks for a peer and its fields", function()
    assert.stored(store, "10.0.0.1", 8333, { status = "unknown" })
    assert.is_not.stored(store, "10.0.0.2", 8333)
    assert.matches('10.0.0.1 port 8333 with { status = "banned" }, got status '
      .. '= "unknown"', raised(assert.stored, store, "10.0.0.1", 8333,
      { status = "banned" }), 1, true)
    assert.matches("got none", raised(assert.stored, store, "10.0.0.2", 8333))
  end)
end)

describe("the guard", function()
  it("is content when nothing is left", function()
    local check = test.look_around()
    local world = sim.world()
    world:close()
    moonpeer.run(function()
      local listener <close> = assert(moonpeer.listen("127.0.0.1:0", print))
      assert.is_string(listener.address)
    end)
    check()
  end)

  it("names a world that was not closed", function()
    local check = test.look_around()
    local world = sim.world()
    world:engine "10.0.0.1"
    assert.matches("the spec leaves behind: 1 engine, 1 world", raised(check),
      1, true)
    world:close()
    check()
  end)

  it("names a listener, a connection and a task", function()
    local check = test.look_around()
    local listener, task
    local connection = moonpeer.run(function()
      local accepted
      listener = assert(moonpeer.listen("127.0.0.1:0", function(connection)
        accepted = connection
        connection:receive "nothing"
      end))
      local dialled = assert(moonpeer.connect(listener.address))
      while not accepted do
        moonpeer.sleep(0.001)
      end
      task = moonpeer.spawn(moonpeer.sleep, "1h")
      return dialled
    end)
    assert.matches("leaves behind: 2 connections, 1 listener, 2 tasks",
      raised(check), 1, true)
    listener:close()
    connection:close()
    task:cancel()
    check()
  end)

  it("sees memory that stays", function()
    local check = test.look_around { memory = 100 }
    local kept = {}
    for i = 1, 20000 do
      kept[i] = { i }
    end
    assert.matches("the spec leaves %d+ KiB behind, expected 100 at most",
      raised(check))
    assert.equal(20000, #kept)
  end)

  it("refuses options that it does not know", function()
    assert.matches('unknown option "memmory"; the nearest known is "memory"',
      raised(test.look_around, { memmory = 1 }), 1, true)
  end)
end)

describe("test.collect", function()
  it("runs a full collection around every hook", function()
    local function count(on)
      local before = test.collect(on)
      local collected = 0
      local world <close> = sim.world()
      world:remote("10.0.0.1", function(remote)
        for _ = 1, 10 do
          setmetatable({}, { __gc = function()
            collected = collected + 1
          end })
          remote:sleep(1)
        end
      end)
      world:run_for(5.5)
      test.collect(before)
      return collected
    end
    collectgarbage "stop"
    local without, with = count(false), count(true)
    collectgarbage "restart"
    assert.equal(0, without)
    assert.is_true(with >= 5)
  end)

  it("does not change what happens in a world", function()
    local function hash(on)
      local before = test.collect(on)
      local world <close> = sim.world { seed = 3, network = "regtest" }
      world:engine "10.0.0.1:18444"
      for i = 2, 9 do
        world:remote("10.0.0." .. i, function(remote)
          local connection = remote:dial "10.0.0.1"
          connection:handshake()
          for _ = 1, 10 do
            assert(remote:dial "10.0.0.1") -- and nobody keeps it
            remote:sleep(math.random())
          end
        end)
      end
      world:run_for "1m"
      test.collect(before)
      return world:hash()
    end
    assert.equal(hash(false), hash(true))
  end)
end)
