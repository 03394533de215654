--- How an engine ends: in order, at its deadline, inside every event.
local busted = require "busted"
local core = require "moonpeer.core"
local field = require "support.field"
local folder = require "support.folder"
local moonpeer = require "moonpeer"
local sim = require "moonpeer.sim"
local visitors = require "support.visitors"
local watch = require "support.watch"
local it = field.it

local net = {
  name = "seeded", magic = "\xda\xb5\xbf\xfa", port = 8333,
  seeds = { "seed.one" },
}

local function is_gone(engine)
  return function()
    return tostring(engine):find "closed" ~= nil
  end
end

describe("close", function()
  it("ends the connections in order, then the engine is gone", function(world)
    local node = field.node(world, "10.0.0.2:8333")
    local engine, log = field.engine(world, "10.0.0.1:8333", {
      peers = { "10.0.0.2:8333" },
    })
    world:run_for "1s"
    engine:broadcast("ping", { nonce = 1 })
    engine:close()
    engine:close() -- twice is fine
    assert(world:run_until(is_gone(engine), "1s"))
    local row = log:find "connection_lost"
    assert.equal("closed", row.code)
    assert.equal("the engine closes", row.reason)
    world:run_for "1s"
    assert.equal("disconnected", node.last.state)
    assert.same({}, { engine:connections()() })
    local _, _, code = engine:start()
    assert.equal("closed", code)
  end)

  it("waits for the deadline when a peer does not take what is queued",
    function(world)
      world:link(nil, nil, { bandwidth = 1000 })
      field.node(world, "10.0.0.2:8333")
      local engine = field.engine(world, "10.0.0.1", {
        peers = { "10.0.0.2:8333" },
      })
      world:run_for "30s"
      for connection in engine:connections() do
        assert(connection:send("xyzzy", ("x"):rep(900000)))
      end
      world:run_for(0.01)
      local before = world:now()
      engine:close "3s"
      assert(world:run_until(is_gone(engine), "1m"))
      local took = world:now() - before
      assert.is_true(took > 2.9 and took < 3.1, took)
    end)

  it("with no time ends at once, and a shorter limit counts", function(world)
    world:link(nil, nil, { bandwidth = 1000 })
    field.node(world, "10.0.0.2:8333")
    local engine = field.engine(world, "10.0.0.1", {
      peers = { "10.0.0.2:8333" },
    })
    world:run_for "30s"
    for connection in engine:connections() do
      assert(connection:send("xyzzy", ("x"):rep(900000)))
    end
    world:run_for(0.01)
    local before = world:now()
    engine:close "1h"
    world:run_for "1s"
    engine:close "2h"
    engine:close(0)
    assert(world:run_until(is_gone(engine), "1s"))
    assert.is_true(world:now() - before < 1.1)
  end)

  it("waits for the deadline when the store does not take what is saved",
    function(world)
      local applied = 0
      local store
      world:remote("10.0.0.9", function()
        store = assert(moonpeer.store {
          load = function() end,
          apply = function()
            applied = applied + 1
            moonpeer.sleep "1h"
          end,
        })
      end)
      world:run_for "1s"
      local engine = field.engine(world, "10.0.0.1", { store = store })
      world:run_for "1s"
      engine:ban "1.2.3.4"
      local before = world:now()
      engine:close "3s"
      assert(world:run_until(is_gone(engine), "1m"))
      local took = world:now() - before
      assert.equal(1, applied)
      assert.is_true(took > 2.9 and took < 3.1, took)
      store:close { save = false }
    end)

  it("frees the port", function(world)
    local engine = field.engine(world, "10.0.0.1:8333")
    world:run_for "1s"
    engine:close()
    world:run_for "1s"
    local _, log = field.engine(world, "10.0.0.1:8333")
    world:run_for "1s"
    assert.is_truthy(log:find "listener_started")
  end)

  it("saves what has changed", function(world)
    local path = os.tmpname()
    local engine = field.engine(world, "10.0.0.1", {
      store = "json:" .. path .. ".json", peers = { "10.9.9.9:1" },
    })
    world:run_for "1s"
    engine:close()
    assert(world:run_until(is_gone(engine), "1m"))
    local store <close> = assert(moonpeer.store("json:" .. path .. ".json"))
    assert.equal(1, #store:list_all())
    os.remove(path)
    os.remove(path .. ".json")
  end)
end)

--- A world in which every event happens; fn(engine, log) prepares the engine
--- in its middle.
local function stormy(fn)
  local world <close> = sim.world { seed = 3, network = "regtest" }
  world:dns("seed.one", { "30.0.0.1" })
  field.node(world, "30.1.0.1:8333")
  field.node(world, "30.1.0.2:8333", { user_agent = "/bad/" })
  field.empty(world, "30.1.0.3")
  local engine = world:engine("10.0.0.1:8333", {
    network = net, target_connections = 1, max_connections = 4,
    per_group = 100, listen = "10.0.0.1:8333",
    policies = { watch.policy {
      select = function()
        return { "30.1.0.1:8333" }
      end,
      evict = function(_, list)
        return list[1] and list[1].connection
      end,
      validate = function(_, _, version)
        if version.user_agent == "/bad/" then
          return "offence", "banned_user_agent"
        end
      end,
    } },
  })
  fn(engine)
  world:run_for "1s"
  local function try(name, ...)
    if not is_gone(engine)() then
      return engine[name](engine, ...)
    end
  end
  try("dial", "30.1.0.2:8333")
  try("dial", "30.1.0.3:8333")
  world:run_for "1s"
  for i = 1, 6 do
    world:remote(("50.%d.0.1"):format(i), function(remote)
      local connection = remote:dial "10.0.0.1:8333"
      if connection and connection:handshake() then
        connection:receive "nothing"
      end
    end)
    world:run_for(0.1)
  end
  try("ban", "50.1.0.0/16")
  try("unban", "50.1.0.0/16")
  try("ban", "50.2.0.0/16")
  try "save_soon"
  world:remote("50.2.0.2", function(remote)
    remote:dial "10.0.0.1:8333"
  end)
  world:run_for "1s"
  world:sever("10.0.0.1", "30.1.0.1")
  world:run_for "20s"
  try("configure", { max_connections = 1, target_connections = 0 })
  world:remote("60.2.0.2", function(remote)
    local connection = remote:dial "10.0.0.1:8333"
    if connection then
      connection:receive "nothing"
    end
  end)
  world:run_for "10s"
  try("configure", { listen = "9.9.9.9:1" }) -- no address of this host
  world:run_for "10s"
  return engine
end

--- What brings about those that do not happen by themselves.
local bring_about = {
  chunk = function(world)
    visitors.visitor(world, "50.1.0.1", function(connection)
      connection:handshake()
      connection:send("xyzzy", ("x"):rep(100000))
      connection:receive "nothing"
    end)
  end,
  store_failed = function(_, engine)
    engine.store:create { ip = "1.2.3.4", port = 1 }
    engine:save_soon()
  end,
  policy_failed = function(_, engine)
    engine:ban "1.2.3.4"
  end,
}

--- In an hour's time to close nothing may be left that needs a deadline.
describe("an engine that is closed inside the event", function()
  for _, name in ipairs(core.events) do
    for _, limit in ipairs(bring_about[name] and {} or { "1h", 0 }) do
      busted.it(("%s, with %s to close"):format(name, limit), function()
        local happened = 0
        local engine = stormy(function(engine)
          engine:on(name, "closer", watch.collected(function()
            happened = happened + 1
            engine:close(limit)
          end))
        end)
        assert.is_true(happened > 0)
        assert.matches("closed", tostring(engine))
      end)
    end
  end
end)

describe("an engine that is closed inside the rare event", function()
  for name, prepare in pairs(bring_about) do -- any order: tests
    for _, limit in ipairs { "1h", 0 } do
      it(("%s, with %s to close"):format(name, limit), function(world)
        local happened = 0
        local path = folder.make()
        local engine = world:engine(visitors.at, {
          target_connections = 0, receive_memory = 1024,
          store = "json:" .. path .. "/peers.json",
          policies = { { on = { peer_banned = function()
            error "broken"
          end } } },
        })
        engine:on(name, "closer", watch.collected(function()
          happened = happened + 1
          engine:close(limit)
        end))
        world:run_for "1s"
        folder.remove(path) -- nothing can be saved
        prepare(world, engine)
        world:run_for "10s"
        assert.is_true(happened > 0)
        assert.matches("closed", tostring(engine))
      end)
    end
  end
end)

describe("an engine that is closed when a round of seeds", function()
  for _, limit in ipairs { "1h", 0 } do
    it(("is given up, with %s to close"):format(limit), function(world)
      world:dns("seed.one", { "30.0.0.1" }, { delay = "never" })
      local engine = world:engine("10.0.0.1", {
        network = net, target_connections = 0, discovery_interval = "1m",
      })
      local happened = 0
      engine:on("discovery_finished", "closer", watch.collected(function()
        happened = happened + 1
        engine:close(limit)
      end))
      world:run_for "10m"
      assert.equal(1, happened)
      assert.matches("closed", tostring(engine))
      assert.equal(0, world:count().lookups)
    end)
  end
end)

describe("an engine that is closed inside the decision", function()
  for _, name in ipairs {
    "accept", "validate", "judge", "select", "retry", "evict", "keep",
  } do
    it(name, function(world)
      local asked = 0
      field.node(world, "30.1.0.2:8333", { user_agent = "/x/" })
      local engine = world:engine("10.0.0.1:8333", {
        network = net, target_connections = 2, max_connections = 3,
        listen = "10.0.0.1:8333", per_group = 100,
        policies = {
          watch.policy { [name] = function(engine)
            asked = asked + 1
            engine:close "1h"
          end },
          { select = function()
            return { "30.1.0.2:8333", "30.1.0.3:8333" }
          end },
        },
      })
      field.empty(world, "30.1.0.3")
      world:run_for(0.5)
      for i = 1, 4 do
        world:remote(("50.%d.0.1"):format(i), function(remote)
          local connection = remote:dial "10.0.0.1:8333"
          if connection and connection:handshake() then
            connection:send("addr", { entries = { {
              time = 0, services = 0, ip = remote.ip, port = 1,
            } } })
            if name == "judge" then
              connection:send_raw(("\0"):rep(24))
            end
            connection:receive "nothing"
          end
        end)
      end
      world:run_for "10s"
      assert.is_true(asked > 0)
      assert.matches("closed", tostring(engine))
    end)
  end
end)
