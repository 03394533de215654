--- The status of a peer: at which points it changes, and at no other.
local field = require "support.field"
local it = field.it

local there = "30.1.0.1:8333"

--- Every status that the peer has had, with the times; looked at between any
--- two events.
local function history(world, engine, limit)
  local seen = {}
  world:run_until(function()
    local peer = engine.store:find_by_ip_port("30.1.0.1", 8333)
    local last = seen[#seen]
    if peer and (not last or last.status ~= peer.status) then
      seen[#seen + 1] = { status = peer.status, at = world:now(),
        time = peer.status_time, reason = peer.ban_reason }
    end
  end, limit)
  return seen
end

local function words(seen)
  local list = {}
  for i, row in ipairs(seen) do
    list[i] = ("%s %.0f"):format(row.status, row.at)
  end
  return list
end

local function engine_of(world, config)
  config = config or {}
  config.jitter = 0
  config.peers = { there }
  return field.engine(world, "10.0.0.1", config)
end

describe("the status of a peer", function()
  it("is valid when its handshake is complete, and stays so", function(world)
    field.node(world, there)
    local engine = engine_of(world)
    local seen = history(world, engine, "1m")
    assert.same({ "unknown 0", "valid 0" }, words(seen))
    world:sever("10.0.0.1", "30.1.0.1")
    assert.same({ "valid 60" }, words(history(world, engine, "1m")))
  end)

  it("does not change with a dial that fails, before the last", function(world)
    field.empty(world, "30.1.0.1")
    local engine = engine_of(world, {
      max_retries = 2, inaccessible_time = "10m",
    })
    -- refused at 0, 5 and 15 s; tried anew when it may be there again
    assert.same({ "unknown 0", "inaccessible 15", "unknown 615",
      "inaccessible 630" }, words(history(world, engine, "11m")))
  end)

  it("is inaccessible after a handshake that takes too long", function(world)
    field.silent(world, there)
    local engine = engine_of(world)
    assert.same({ "unknown 0", "inaccessible 15" },
      words(history(world, engine, "20m")))
  end)

  it("is inaccessible when its version is too old", function(world)
    field.node(world, there, { version = 31000 })
    local engine = engine_of(world)
    assert.same({ "unknown 0", "inaccessible 0" },
      words(history(world, engine, "20m")))
  end)

  it("is banned by a verdict, with its reason, until the ban ends",
    function(world)
      field.node(world, there, { user_agent = "/bad/" })
      local engine = engine_of(world, { ban_time = "1h", policies = { {
        validate = function(_, _, version)
          if version.user_agent == "/bad/" then
            return "offence", "banned_user_agent"
          end
        end,
      } } })
      local seen = history(world, engine, "59m")
      assert.same({ "unknown 0", "banned 0" }, words(seen))
      assert.equal("banned_user_agent", seen[2].reason)
      assert(engine:configure { mode = "fixed", peers = {} })
      seen = history(world, engine, "2m")
      assert.equal("unknown", seen[2].status)
      assert.is_nil(seen[2].reason)
      assert.is_true(seen[2].at >= 3600 and seen[2].at <= 3601)
    end)

  it("is unknown when it is unbanned by hand", function(world)
    field.node(world, there)
    local engine = engine_of(world)
    world:run_for "1s"
    engine:ban "30.1.0.1"
    local seen = history(world, engine, "1s")
    assert.same({ "banned 1" }, words(seen))
    assert.equal("manual", seen[1].reason)
    assert(engine:configure { peers = {} })
    engine:unban "30.1.0.1"
    seen = history(world, engine, "1m")
    assert.same({ "unknown 2" }, words(seen))
    assert.is_nil(seen[1].reason)
  end)

  it("does not change when the offence is no ban", function(world)
    field.node(world, there, nil, function(connection)
      connection:send_raw(("\0"):rep(200)) -- another network's magic
      connection:receive "nothing"
    end)
    local engine = engine_of(world, { policies = { {
      judge = function() return "disconnect" end,
    } } })
    assert.same({ "unknown 0", "valid 0" },
      words(history(world, engine, "1m")))
  end)

  it("does not change with an inbound connection", function(world)
    local engine = field.engine(world, "10.0.0.1:8333", {
      target_connections = 0,
    })
    engine.store:create { ip = "30.1.0.1", port = 8333 }
    world:remote("30.1.0.1", function(remote)
      local connection = assert(remote:dial "10.0.0.1:8333")
      connection:handshake { addr_from = there }
      connection:receive "nothing"
    end)
    assert.same({ "unknown 0" }, words(history(world, engine, "1m")))
    assert.equal(1, engine:counts().connected)
  end)

  it("is timed when it changes, and only then", function(world)
    field.node(world, there)
    local engine = engine_of(world)
    local seen = history(world, engine, "1s")
    world:run_for "1h"
    local peer = engine.store:find_by_ip_port("30.1.0.1", 8333)
    assert.equal(seen[2].time, peer.status_time)
    assert.is_true(peer.last_seen > peer.status_time) -- pongs came
  end)
end)
