--- Objects that outlived their world: whatever is asked of them is answered or
--- refused, and nothing that is freed is touched (which the sanitizers see).
local core = require "moonpeer.core"
local sim = require "moonpeer.sim"
local test = require "moonpeer.test"

--- A world that is closed, and what was in it.
local function leftover()
  local world = sim.world { seed = 1, network = "regtest" }
  local made = { world = world }
  made.engine = world:engine("10.0.0.1:18444", {})
  made.store = made.engine.store
  made.next_event = made.engine:events()
  made.remote = world:remote("10.0.0.2", function(remote)
    made.connection = remote:dial "10.0.0.1"
    made.connection:handshake()
    made.listener = remote:listen()
    made.task = remote:spawn(function()
      remote:sleep "1h"
    end)
    remote:sleep "1h"
  end)
  world:run_for "1s"
  for connection in made.engine:connections() do
    made.peer_connection = connection
  end
  world:close()
  assert(made.connection and made.peer_connection and made.task)
  return made
end

local arguments = {
  {}, { print }, { "x", print }, { 1 }, { {} }, { "10.0.0.1", "1s" },
  { function() end, "1s" }, { "ping", { nonce = 1 } },
  { "connection_lost", "x", print }, { false },
}

--- Calls every method with all kinds of arguments.
local function try_all(object, methods, but)
  local tried = 0
  for name, method in pairs(methods) do
    if type(method) == "function" and not name:find "^__"
      and not (but or {})[name] then
      for _, list in ipairs(arguments) do
        pcall(method, object, table.unpack(list))
      end
      tried = tried + 1
    end
  end
  assert.is_true(tried > 0)
end

describe("what outlived its world", function()
  test.guard()

  it("is refused as closed where it would need the world", function()
    local made = leftover()
    for name, list in pairs {
      spawn = { print }, reload = {}, watch = {}, stats = {},
    } do
      local good, message = pcall(made.engine[name], made.engine,
        table.unpack(list))
      assert.is_false(good)
      assert.matches("the engine is closed", message)
    end
  end)

  for _, row in ipairs {
    { "engine", "moonpeer.engine" }, { "store", "moonpeer.store" },
    { "connection", "moonpeer.connection" },
    { "peer_connection", "moonpeer.connection" },
    { "task", "moonpeer.task" }, { "listener", "moonpeer.listener" },
  } do
    it("takes every call: " .. row[1], function()
      local made = leftover()
      try_all(made[row[1]], core.methods(row[2]))
      tostring(made[row[1]])
    end)
  end

  it("takes every call: remote, world and bans", function()
    local made = leftover()
    try_all(made.remote, getmetatable(made.remote).__index)
    try_all(made.world, getmetatable(made.world).__index)
    try_all(made.store.bans, core.methods "moonpeer.bans")
  end)

  it("takes every call in a task of the real loop", function()
    local moonpeer = require "moonpeer"
    local made = leftover()
    moonpeer.run(function()
      try_all(made.connection, core.methods "moonpeer.connection")
      try_all(made.engine, core.methods "moonpeer.engine", { save = true })
      try_all(made.remote, getmetatable(made.remote).__index)
      try_all(made.task, core.methods "moonpeer.task")
      try_all(made.listener, core.methods "moonpeer.listener")
      while made.next_event() do
        assert.is_nil(made.engine:address())
      end
    end)
  end)
end)

describe("readers of an engine's events", function()
  test.guard()

  it("learn in the order in which they began that it is gone", function()
    local world = sim.world { seed = 1, network = "regtest" }
    local engine = world:engine("10.0.0.1:18444", {})
    local order = {}
    world:remote("10.0.0.2", function(remote)
      for i = 1, 40 do
        remote:spawn(function()
          for _ in engine:events { events = { "evicted" } } do
            order[#order + 1] = 0
          end
          order[#order + 1] = i
        end)
      end
    end)
    world:run_for "1s"
    engine:close(0)
    world:run_for "1m"
    world:close()
    local expected = {}
    for i = 1, 40 do
      expected[i] = i
    end
    assert.same(expected, order)
  end)
end)
