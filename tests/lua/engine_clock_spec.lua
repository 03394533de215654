--- Clocks that are set while an engine runs: what lasts is measured by the
--- clock that cannot be set; what has a date follows the date.
local busted = require "busted"
local field = require "support.field"
local sim = require "moonpeer.sim"
local wire = require "support.wire"
local it = field.it

local DAY = 86400
local pings = wire.frame("ping", "12345678"):rep(30)

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

--- Peers of every kind, of which the first is good.
local function inhabit(world)
  world:link(nil, nil, { latency = 0.3 })
  world:dns("seed.one", { "30.9.0.1" })
  for i = 1, 8 do
    local address = ("30.%d.0.1:8333"):format(i)
    if i == 2 then
      field.empty(world, "30.2.0.1")
    elseif i == 3 then
      field.silent(world, address)
    else
      field.node(world, address, nil, i == 4 and function(connection)
        connection:receive("nothing", 1)
        connection:close()
      end or nil)
    end
  end
end

local function configuration()
  return {
    network = {
      name = "seeded", magic = "\xda\xb5\xbf\xfa", port = 8333,
      seeds = { "seed.one" },
    },
    target_connections = 4, max_connections = 24, per_group = 100,
    ping_interval = 20, inaccessible_time = 300 * DAY, restart_window = 300,
    discovery_interval = 211,
    feeler_interval = 0, -- whom a feeler tries depends on dates
    policies = { { select = function()
      local list = {}
      for i = 1, 8 do
        list[i] = ("30.%d.0.1:8333"):format(i)
      end
      return list
    end } },
  }
end

local function note(log, world, row)
  row.at = world:now()
  log[#log + 1] = row
end

--- Dials the engine and asks for addresses, then stays, or floods it first.
local function guest(world, log, i, floods)
  world:remote(("50.%d.0.1"):format(i), function(remote)
    local connection = assert(remote:dial "10.0.0.1:8333")
    if not connection:handshake() then
      return
    end
    connection:send "getaddr"
    local answer = connection:receive("addr", "5s")
    log.addresses = log.addresses or answer and answer:raw()
    note(log, world, { type = "addr",
      reason = answer and answer:raw() == log.addresses })
    while floods and connection:send_raw(pings) do
      remote:sleep(0.1)
    end
    connection:receive "nothing"
  end)
end

--- All that takes its time: retries, restarts, handshakes, pings, evictions,
--- messages a second, look-ups, an outage. The wall clock is set forward and
--- back by so much again and again.
---@return table[]  what the engine told, and its round trips
local function story(by)
  local world <close> = sim.world { seed = 1, network = "regtest" }
  inhabit(world)
  local engine, log = field.engine(world, "10.0.0.1:8333", configuration())
  for i = 1, 60 do
    engine.store:create { ip = ("40.%d.0.1"):format(i), port = 8333,
      status = "valid" }
  end
  local function go_on(slices, length)
    for _ = 1, slices do
      world:run_for(length)
      world:jump(by)
      by = -by
      for connection in engine:connections() do
        note(log, world, { type = "rtt", address = connection.address,
          count = connection.rtt })
      end
    end
  end
  go_on(100, 0.37)
  for i = 1, 24 do
    guest(world, log, i, i == 3)
    go_on(7, 1.1)
  end
  for _ = 1, 6 do -- more than may restart, and again when they may
    world:sever("10.0.0.1", "30.1.0.1")
    go_on(12, 7.3)
  end
  local number = world:partition "10.0.0.1"
  go_on(21, 7.3)
  world:heal(number)
  guest(world, log, 30)
  go_on(41, 7.3)
  return log
end

local told = {
  "type", "code", "reason", "address", "verdict", "count", "state", "inbound",
}

local function text(row)
  local parts = { row and ("%.6f"):format(row.at) }
  for _, key in ipairs(row and told or {}) do
    parts[#parts + 1] = key .. "=" .. tostring(row[key])
  end
  return table.concat(parts, " ")
end

busted.describe("a clock that is set again and again", function()
  busted.it("changes nothing of what happens, and when", function()
    local plain = story(0)
    for _, kind in ipairs {
      "connection_failed", "connection_lost", "connection_restarting",
      "peer_misbehaved", "evicted", "discovery_finished", "addr",
    } do
      assert.is_truthy(plain:find(kind), kind)
    end
    for _, by in ipairs { 5 * DAY, -5 * DAY } do
      local set = story(by)
      for i = 1, math.max(#plain, #set) do
        assert.equal(text(plain[i]), text(set[i]))
      end
    end
  end)
end)
