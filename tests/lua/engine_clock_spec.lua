--- Clocks that are set while an engine runs: what lasts is measured by the
--- clock that cannot be set; what has a date follows the date.
local field = require "support.field"
local it = field.it

local DAY = 86400

--- An engine with a node that answers pings, and one that is not there.
local function busy(world, config)
  field.node(world, "10.0.0.2:8333")
  field.empty(world, "10.0.0.3")
  config = config or {}
  config.peers = { "10.0.0.2:8333", "10.0.0.3:8333" }
  local engine, log = field.engine(world, "10.0.0.1", config)
  world:run_for "1s"
  assert.equal(1, engine:counts().connected)
  return engine, log
end

describe("a clock that is set", function()
  for _, way in ipairs { { "forward", 30 * DAY }, { "back", -30 * DAY } } do
    local name, by = way[1], way[2]
    it(name .. " ends no connection and hurries no dial", function(world)
      local engine, log = busy(world, { jitter = 0, max_retries = 1000 })
      world:jump(by)
      world:run_for "1h"
      assert.equal(1, engine:counts().connected)
      assert.equal(1, engine:counts().handshakes)
      assert.is_nil(log:find "connection_lost")
      local gaps = field.gaps(log:all "connection_failed")
      for i, gap in ipairs(gaps) do
        local wait = math.min(5 * 2 ^ (i - 1), 600)
        assert.is_true(math.abs(gap - wait) < 0.1, gap)
      end
      assert.is_true(#gaps >= 10)
    end)

    it(name .. " neither lengthens nor shortens a handshake's time",
      function(world)
        field.silent(world, "10.0.0.2:8333")
        local _, log = field.engine(world, "10.0.0.1", {
          peers = { "10.0.0.2:8333" },
        })
        world:run_for "5s"
        world:jump(by)
        world:run_for "20s"
        local row = log:find("connection_failed", "handshake_timeout")
        assert.is_true(math.abs(row.at - 15.02) < 0.1, row.at)
      end)

    it(name .. " fires every job of a schedule when it is due", function(world)
      local times = {}
      field.engine(world, "10.0.0.1", {
        schedule = { tick = { every = "1m", jitter = 0, run = function()
          times[#times + 1] = world:now()
        end } },
      })
      world:run_for "2m"
      world:jump(by)
      world:run_for "3m"
      assert.is_true(#times >= 4 and #times <= 6, #times)
    end)
  end

  it("back neither stops nor speeds up what is heard of addresses",
    function(world)
      local engine = field.engine(world, "10.0.0.1:8333", {
        target_connections = 0,
      })
      world:remote("40.1.0.1", function(remote)
        local connection = assert(remote:dial "10.0.0.1:8333")
        assert(connection:handshake())
        for i = 1, 600 do
          connection:send("addr", { entries = { {
            time = 0, services = 0, ip = "40.1.0.1", port = 8333 + i,
          } } })
          remote:sleep "1s"
        end
        connection:receive "nothing"
      end)
      world:run_for "10s"
      local before = #engine.store
      world:jump(-30 * DAY)
      world:run_for "5m"
      local more = #engine.store - before
      assert.is_true(more >= 25 and more <= 35, more) -- one in ten seconds
    end)

  it("forward ends bans whose date has come", function(world)
    local engine, log = busy(world)
    engine:ban("20.1.0.1", { time = "1d" })
    world:jump(2 * DAY)
    world:run_for "1m"
    assert.is_nil(engine.store.bans:find "20.1.0.1")
    assert.is_truthy(log:find "peer_unbanned")
  end)

  it("back keeps them", function(world)
    local engine = busy(world)
    engine:ban("20.1.0.1", { time = "1d" })
    world:jump(-2 * DAY)
    world:run_for "1h"
    assert.is_truthy(engine.store.bans:find "20.1.0.1")
  end)

  it("beyond all time is refused", function(world)
    for _, by in ipairs { 1e10, -1e10, math.huge, 0 / 0 } do
      assert.has_error(function() world:jump(by) end)
    end
    assert.has_error(function() world:jump "1d" end,
      "jump: expected seconds, got string")
  end)
end)
