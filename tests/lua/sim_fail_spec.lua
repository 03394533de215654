--- Worlds: scripts that fail or never end, and how a world ends.
local moonpeer = require "moonpeer"
local sim = require "moonpeer.sim"
local test = require "moonpeer.test"
local worlds = require "support.worlds"

local in_world = worlds.within
local here, refused, waits = worlds.here, worlds.refused, worlds.waits

test.install(assert)

describe("a script that fails", function()
  test.guard()

  it("ends the run with its error and a traceback", function()
    in_world({}, function(world)
      local line = here() + 2
      local function deep()
        error "the peer is confused"
      end
      local remote = world:remote("10.0.0.1", function(remote)
        remote:sleep(1)
        deep()
      end)
      local good, message = pcall(world.run_for, world, "1m")
      assert.is_false(good)
      assert.matches(("tests/lua/sim_fail_spec.lua:%d: the "
        .. "peer is confused"):format(line), message, 1, true)
      assert.matches("in upvalue 'deep'", message, 1, true)
      assert.equal(1, world:now())
      assert.is_true(remote.done)
      assert.is_true(world:run_for(1)) -- told once
    end)
  end)

  it("keeps what is no text as it is", function()
    in_world({}, function(world)
      local problem = setmetatable({}, { __tostring = function()
        return "a problem"
      end })
      world:remote("10.0.0.1", function()
        error(problem)
      end)
      local _, message = pcall(world.run_for, world, "1m")
      assert.equal(problem, message)
    end)
  end)

  it("also does in a task of a remote", function()
    in_world({}, function(world)
      world:remote("10.0.0.1", function(remote)
        remote:spawn(error, "in a task")
        remote:sleep(5)
      end)
      assert.has_error(function()
        world:run_for "1m"
      end)
      assert.equal(0, world:now())
    end)
  end)

  it("ends the run when it never waits", function()
    in_world({ instructions = 100000 }, function(world)
      world:remote("10.0.0.1", function()
        while true do
          pcall(function()
            while true do end
          end)
        end
      end)
      local good, message = pcall(world.run_for, world, "1m")
      assert.is_false(good)
      assert.matches("ran for 100000 instructions without an end or a wait",
        message, 1, true)
      assert.matches("sim_fail_spec.lua:", message, 1, true)
    end)
  end)

  it("ends the run when time never passes", function()
    in_world({}, function(world)
      world:remote("10.0.0.1", function(remote)
        while true do
          remote:sleep(0)
        end
      end)
      local line = here() + 2
      refused("time cannot pass", line, function()
        world:run_for "1m"
      end)
    end)
  end)

  it("stops a condition that never ends", function()
    in_world({ instructions = 100000 }, function(world)
      local good, message = pcall(world.run_until, world, function()
        while true do end
      end)
      assert.is_false(good)
      assert.matches("ran for 100000 instructions", message, 1, true)
    end)
  end)

  it("ends the run when it is a policy that does not return", function()
    in_world({ instructions = 100000, network = "regtest" }, function(world)
      world:engine("10.0.0.1:18444", { policies = { {
        name = "endless",
        validate = function()
          while true do end
        end,
      } } })
      world:remote("10.0.0.2", function(remote)
        remote:dial("10.0.0.1"):handshake()
      end)
      local good, message = pcall(world.run_for, world, "1m")
      assert.is_false(good)
      assert.matches("tests/lua/sim_fail_spec.lua:", message, 1,
        true)
    end)
  end)
end)

describe("the end of a world", function()
  test.guard { collect = true }

  it("takes everything down", function()
    local world = sim.world { network = "regtest" }
    local closed = {}
    world:engine("10.0.0.1:18444", {})
    world:engine("10.0.0.2", { peers = { "10.0.0.1", "10.0.0.3" } })
    world:remote("10.0.0.3", function(remote)
      local _ <close> = setmetatable({}, { __close = function()
        closed[#closed + 1] = "remote"
      end })
      local connection = remote:accept()
      connection:handshake()
      connection:receive "nothing"
    end)
    world:run_for "1m"
    world:close()
    assert.same({ "remote" }, closed)
    local line = here() + 2
    refused("the world is closed", line, function()
      world:run_for(1)
    end)
    world:close()
    assert.matches("closed", tostring(world))
  end)

  it("names what does not end", function()
    local line
    local good, message = pcall(function()
      local world <close> = sim.world()
      world:remote("10.0.0.1", function(remote)
        while true do
          pcall(remote.sleep, remote, 1)
          coroutine.yield()
        end
      end)
      world:run_for(1)
      line = here() + 1
    end)
    assert.is_false(good)
    assert.matches("left open: task at 10.0.0.1", message, 1, true)
    assert.is_number(line)
  end)

  it("does not hide an error that is on its way", function()
    local good, message = pcall(function()
      local world <close> = sim.world()
      world:remote("10.0.0.1", function(remote)
        while true do
          pcall(remote.sleep, remote, 1)
          coroutine.yield()
        end
      end)
      world:run_for(1)
      error "mine"
    end)
    assert.is_false(good)
    assert.matches("mine$", message)
  end)

  it("comes inside a task of the real loop, too", function()
    moonpeer.run(function()
      local world <close> = sim.world()
      world:engine "10.0.0.1:8333"
      world:remote("10.0.0.2", waits)
    end)
  end)

  it("is the end of a remote's connections, which nobody need close",
    function()
      in_world({}, function(world)
        local log = test.watch(world:engine "10.0.0.1:8333")
        world:remote("10.0.0.2", function(remote)
          remote:dial("10.0.0.1"):handshake()
        end)
        world:run_for(10)
        assert.event(log, "connection_lost", { code = "closed" })
        assert.equal(0, world:count().streams)
      end)
    end)
end)
