--- Whoever dials us is held against the checks in their order: the first that
--- refuses is the one that is told.
local field = require "support.field"
local moonpeer = require "moonpeer"
local visitors = require "support.visitors"
local it = field.it

--- A host that dials the engine when it is told to, and shakes hands.
local function caller(world, address)
  local calls = 0
  world:remote(address, function(remote)
    while true do
      if calls > 0 then
        calls = calls - 1
        remote:spawn(function()
          local connection = remote:dial(visitors.at)
          if connection then
            visitors.shake(connection)
          end
        end)
      end
      remote:sleep(0.1)
    end
  end)
  return function()
    calls = calls + 1
    world:run_for "1s"
  end
end

--- Why the last one who was refused was.
local function last_refusal(log)
  for i = #log, 1, -1 do
    if log[i].type:match "reject" then
      return log[i].reason
    end
  end
end

describe("an inbound connection that several checks would refuse", function()
  it("is told of the first: ban, discouragement, handshakes, crowd, capacity",
    function(world)
      local asked = 0
      local engine, log = field.engine(world, visitors.at, {
        target_connections = 0, max_connections = 2, half_open = 1,
        per_address = 1, per_group = 100, policies = { {
          accept = function()
            asked = asked + 1
          end,
          evict = function() return false end,
        } },
      })
      local call, other = caller(world, "20.1.0.1"), caller(world, "20.3.0.1")
      call()
      visitors.visitor(world, "20.2.0.1", visitors.hang)
      world:run_for "1s"
      assert.equal(2, engine:counts().connections) -- full
      assert.equal(1, engine:counts().half_open) -- as many as may be
      call()
      assert.equal("too many handshakes are under way", last_refusal(log))
      engine.store:discourage "20.1.0.1"
      call()
      assert.equal("the address is discouraged and slots are few",
        last_refusal(log))
      assert(engine:configure { half_open = 2, max_connections = 3 })
      call()
      assert.equal("too many connections from there", last_refusal(log))
      assert.equal(2, asked) -- policies come after these checks
      assert(engine:configure { max_connections = 2 })
      other()
      assert.equal(3, asked)
      assert.equal("max_connections are there", last_refusal(log))
      assert(engine:configure { half_open = 1, max_connections = 1 })
      engine:ban "20.1.0.1" -- and one is closed
      world:run_for "1s"
      call()
      assert.equal("the address is banned", last_refusal(log))
      assert.equal(3, asked)
    end)

  it("is told of the crowd before capacity", function(world)
    local engine, log = field.engine(world, visitors.at, {
      target_connections = 0, max_connections = 1, per_address = 1,
    })
    local call = caller(world, "20.1.0.1")
    call()
    call()
    assert.equal("too many connections from there", last_refusal(log))
    assert.is_nil(log:find "rejected_for_capacity")
    assert.equal(1, engine:counts().connected)
  end)
end)

describe("an inbound connection from this machine", function()
  for _, ip in ipairs { "127.0.0.1", "::1" } do
    it("is one of as many as there is room for: " .. ip, function()
      local place = ip:find ":" and "[::1]:0" or "127.0.0.1:0"
      local options = { network = "regtest" }
      local engine = assert(moonpeer.engine {
        network = "regtest", listen = place, target_connections = 0,
        max_connections = 12, per_address = 1, per_group = 1,
      })
      assert(engine:start())
      assert(moonpeer.run(function()
        local peers = {}
        while not engine:address() do
          moonpeer.sleep(0)
        end
        for i = 1, 10 do -- and no more than four would shake hands at once
          peers[i] = assert(moonpeer.connect(engine:address(), options))
        end
        for i = 1, 10 do
          assert(peers[i]:handshake())
        end
        assert.equal(10, engine:counts().accepted)
        assert.equal(0, engine:counts().rejected)
        engine:close(0)
        return true
      end))
    end)
  end
end)
