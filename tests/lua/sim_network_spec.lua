--- Worlds: what the network between hosts is like.
local moonpeer = require "moonpeer"
local test = require "moonpeer.test"
local worlds = require "support.worlds"

local in_world = worlds.within
local waits = worlds.waits

describe("the network", function()
  test.guard()

  local function timed(world, from, to)
    local took
    world:remote(from, function(remote)
      local before = remote:now()
      local connection, _, code = remote:dial(to)
      took = { remote:now() - before, connection ~= nil, code }
    end)
    world:run_until(function()
      return took
    end)
    return table.unpack(took)
  end

  it("is as a link says, both ways or one", function()
    in_world({}, function(world)
      world:remote("10.0.0.1", waits)
      world:remote("10.0.0.8", waits)
      world:remote("10.0.0.9", waits)
      world:link("10.0.0.1", nil, { latency = "100ms" })
      assert.equal(0.2, timed(world, "10.0.0.2", "10.0.0.1"))
      world:link("10.0.0.1", nil, { latency = "100ms", one_way = true })
      world:link(nil, "10.0.0.1")
      assert.is_true(timed(world, "10.0.0.3", "10.0.0.1") < 0.15)
      world:link(nil, nil, { refuse = 1 })
      local _, good, code = timed(world, "10.0.0.4", "10.0.0.8")
      assert.is_false(good)
      assert.equal("connection_refused", code)
      world:link(nil, nil, { silence = 1 })
      assert.equal("connection_timeout",
        select(3, timed(world, "10.0.0.5", "10.0.0.9")))
    end)
  end)

  it("can be cut, healed and severed", function()
    in_world({ network = "regtest" }, function(world)
      local engine = world:engine "10.0.0.1:18444"
      local heard = 0
      local peer = world:remote("10.0.0.2", function(remote)
        local connection = remote:dial "10.0.0.1"
        connection:handshake()
        for _ = 1, 100 do
          connection:send("ping", { nonce = 1 })
          if connection:receive("pong", 1) then
            heard = heard + 1
          end
        end
      end)
      world:run_for "10ms"
      local number = world:partition(engine, { peer })
      world:run_for "2s"
      assert.equal(0, heard)
      world:heal(number)
      world:run_for "10s"
      assert.is_true(heard > 0)
      world:partition(engine)
      world:heal()
      assert.is_true(world:sever(engine, "10.0.0.2") <= 1)
    end)
  end)

  it("has names", function()
    in_world({}, function(world)
      world:dns("seed.example", { "10.0.0.1", "10.0.0.2" })
      world:dns("broken.example", {})
      world:dns("dead.example", { "10.0.0.1" }, { delay = "never" })
      local answers = {}
      world:remote("10.0.0.9", function()
        answers[1] = table.concat(moonpeer.resolve "SEED.example", " ")
        answers[2] = select(3, moonpeer.resolve "broken.example")
        answers[3] = select(3, moonpeer.resolve("dead.example", "5s"))
      end)
      world:run_for "1m"
      assert.same({ "10.0.0.1 10.0.0.2", "dns_failed", "timeout" }, answers)
    end)
  end)
end)
