--- Every policy in scripts/ does what its header says.
local files = require "support.files"
local sim = require "moonpeer.sim"
local wire = require "support.wire"

local function meet(script, config, peers)
  local world = sim.world { seed = 9, network = "regtest",
    start = config.start }
  config.start = nil
  config.policies = { "scripts/" .. script .. ".lua" }
  local engine = world:engine("10.0.0.1:18444", config)
  local failed = {}
  engine:on("policy_failed", "spec", function(event)
    failed[#failed + 1] = event.reason
  end)
  local ips = {}
  for ip in pairs(peers or {}) do
    ips[#ips + 1] = ip
  end
  table.sort(ips) -- the order is part of what happens
  for _, ip in ipairs(ips) do
    world:remote(ip, peers[ip])
  end
  return world, engine, failed
end

--- A peer that shakes hands and says something.
local function visitor(options, say)
  return function(remote)
    local connection = remote:dial "10.0.0.1:18444"
    connection:send("version", wire.version(options))
    connection:send "verack"
    if say then
      remote:sleep "1s"
      say(connection, remote)
    end
    connection:receive("nothing", "1h")
  end
end

local function hosts(engine)
  local list = {}
  for connection in engine:connections { state = "connected" } do
    list[#list + 1] = connection.address:match "^[^:]*"
  end
  table.sort(list)
  return list
end

describe("scripts/", function()
  after_each(files.remove_all)

  it("ban-user-agents", function()
    local world, engine, failed = meet("ban-user-agents", {}, {
      ["10.0.0.2"] = visitor { user_agent = "/Bitcoin SV:1/" },
      ["10.0.0.3"] = visitor { user_agent = "/My-Scanner:3/" },
    })
    world:run_for "10s"
    assert.same({ "10.0.0.2" }, hosts(engine))
    assert.equal(1, engine:counts().bans)
    assert.matches("matches %*scanner%*",
      engine:explain("10.0.0.3")[2].reason .. engine:explain("10.0.0.3")[3]
        .reason)
    assert.same({}, failed)
    world:close()
  end)

  it("ban-takers", function()
    local function items(n)
      return string.char(n) .. (("<I4"):pack(1) .. ("\7"):rep(32)):rep(n)
    end
    local function take(connection, remote)
      for _ = 1, 30 do
        connection:send_raw(wire.frame("getdata", items(50)))
        remote:sleep "0.1s"
      end
    end
    local world, engine, failed = meet("ban-takers", {}, {
      ["10.0.0.2"] = visitor({}, take),
      ["10.0.0.3"] = visitor({}, function(connection, remote)
        connection:send_raw(wire.frame("inv", items(1)))
        take(connection, remote)
      end),
    })
    world:run_for "20s"
    assert.same({ "10.0.0.3" }, hosts(engine))
    assert.equal(1, engine:counts().bans)
    assert.same({}, failed)
    world:close()
  end)

  it("one-per-network", function()
    local world, engine, failed = meet("one-per-network", {}, {
      ["10.0.0.2"] = visitor(), ["44.1.0.1"] = visitor(),
    })
    world:run_for "5s"
    world:remote("44.1.9.9", visitor())
    world:remote("44.2.0.1", visitor())
    world:run_for "5s"
    assert.same({ "10.0.0.2", "44.1.0.1", "44.2.0.1" }, hosts(engine))
    assert.same({}, failed)
    world:close()
  end)

  it("only-trusted-peers", function()
    local world, engine, failed = meet("only-trusted-peers", {}, {
      ["10.0.0.2"] = visitor(), ["44.1.0.1"] = visitor(),
    })
    world:run_for "5s"
    assert.same({ "10.0.0.2" }, hosts(engine))
    assert.same({}, failed)
    world:close()
  end)

  it("polite-crawler", function()
    local world, engine, failed = meet("polite-crawler", {
      target_connections = 30, max_connections = 40,
    })
    for i = 1, 40 do
      local ip = ("44.%d.0.1"):format(i)
      engine.store:create { ip = ip, port = 18444 }
      if i <= 20 then
        world:remote(ip .. ":18444", function(remote)
          local connection = remote:accept()
          connection:handshake()
          connection:receive("nothing", "1h")
        end)
      end
    end
    world:run_for "5m"
    assert.equal(20, engine:counts().connected)
    for _, row in ipairs(engine:explain()) do
      if row.decision == "select" then
        assert.is_true(tonumber(row.verdict:match "%d+") <= 10)
      elseif row.decision == "retry" then
        assert.equal("later", row.reason)
      end
    end
    assert.same({}, failed)
    world:close()
  end)

  it("save-on-change", function()
    local path = files.make ""
    os.remove(path)
    local world, engine, failed = meet("save-on-change",
      { store = "json:" .. path })
    local saved = 0
    engine:on("store_saved", "spec", function() saved = saved + 1 end)
    for i = 1, 120 do
      engine.store:create { ip = ("44.%d.0.1"):format(i), port = 1 }
    end
    world:run_for "5s"
    assert.equal(1, saved)
    engine:ban "1.2.3.4"
    world:run_for "5s"
    assert.equal(2, saved)
    assert.same({}, failed)
    world:close()
  end)

  for name, case in pairs {
    day = { "2023-11-14 12:00", 1699963200, 4 },
    night = { "2023-11-14 02:00", 1699927200, 7 },
  } do
    it("night-limits by " .. name, function()
      local peers = {}
      for i = 1, 7 do
        peers[("44.%d.0.1"):format(i)] = visitor()
      end
      local world, engine, failed = meet("night-limits",
        { start = case[2] }, peers)
      world:run_for "5s"
      assert.equal(case[3], engine:counts().inbound)
      assert.same({}, failed)
      world:close()
    end)
  end

  it("hourly-report", function()
    local lines, real = {}, print
    local world, _, failed = meet("hourly-report", {}, {
      ["10.0.0.2"] = visitor(),
    })
    rawset(_G, "print", function(line) lines[#lines + 1] = line end)
    world:run_for "2.5h"
    rawset(_G, "print", real)
    assert.same({}, failed)
    world:close()
    assert.equal(2, #lines)
  end)
end)
