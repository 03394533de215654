--- Declared rules, which run in C, in a world.
local moonpeer = require "moonpeer"
local sim = require "moonpeer.sim"
local wire = require "support.wire"

--- An engine with these rules; and peers which say hello and then what say
--- tells them. What happened, as rows.
local function play(rules, peers, more)
  local world = sim.world { seed = 3, network = "regtest" }
  local config = { policies = { { name = "spec", rules = rules } } }
  for key, value in pairs(more or {}) do
    config[key] = value
  end
  local engine, log = world:engine("10.0.0.1:18444", config), {}
  engine:on("peer_misbehaved", "spec", function(event)
    log[#log + 1] = {
      at = world:now(), verdict = event.verdict, rule = event.rule,
      code = event.code, address = event.address, reason = event.reason,
    }
  end)
  for _, peer in ipairs(peers) do
    world:remote(peer.ip, function(remote)
      local connection = remote:dial("10.0.0.1:18444")
      connection:handshake()
      peer.say(connection, remote)
      connection:receive("nothing", "1m")
    end)
  end
  world:run_for "50s"
  return log, engine, world
end

local function say(command, n, pause)
  return function(connection, remote)
    for _ = 1, n do
      if not connection:send_raw(wire.frame(command, "\0")) then
        return
      end
      if pause then
        remote:sleep(pause)
      end
    end
  end
end

local function peer(n, fn, group)
  return { ip = ("10.%d.0.%d"):format(group or 0, n), say = fn }
end

describe("a rule about messages", function()
  it("bears as many as it says, and acts on the next", function()
    local rules = { { name = "invs", on = "inv", rate = "5/10s",
      verdict = "disconnect" } }
    local log, engine, world = play(rules, { peer(2, say("inv", 5)) })
    assert.same({}, log)
    assert.same({ { name = "invs", counted = 5, exempted = 0, reached = 0 } },
      engine:rules())
    world:close()
    log, engine, world = play(rules, { peer(2, say("inv", 9)) })
    assert.equal(1, #log)
    assert.same({ "disconnect", "invs", "flood" },
      { log[1].verdict, log[1].rule, log[1].code })
    assert.matches("at most 5 inv within 10 s", log[1].reason)
    assert.equal(1, engine:rules()[1].reached)
    world:close()
  end)

  it("forgets with its window", function()
    local log, _, world = play({ { on = "inv", rate = "5/10s",
      verdict = "ban" } }, { peer(2, say("inv", 20, "2.5s")) })
    assert.same({}, log)
    world:close()
  end)

  it("climbs a ladder", function()
    local log, _, world = play({ { on = "inv", within = "1m", ladder = {
      { count = 2, verdict = "observe" },
      { count = 4, verdict = "throttle" },
      { count = 6, verdict = "ban", time = "1h" },
    } } }, { peer(2, say("inv", 20)) })
    local verdicts = {}
    for i, row in ipairs(log) do
      verdicts[i] = row.verdict
    end
    assert.same({ "observe", "throttle", "ban" }, verdicts)
    world:close()
  end)

  it("counts each peer, address or group by itself", function()
    local function reached(key, peers)
      local log, engine, world = play({ { on = "inv", rate = "5/1m",
        key = key, verdict = "observe" } }, peers)
      local n = engine:rules()[1].reached
      world:close()
      assert.equal(n, #log)
      return n
    end
    local four = say("inv", 4)
    local same = { peer(2, function(connection, remote)
      four(connection, remote)
      local second = remote:dial("10.0.0.1:18444")
      second:handshake()
      four(second, remote)
    end) }
    assert.equal(0, reached("peer", same))
    assert.equal(1, reached("address", same))
    assert.equal(0, reached("address", { peer(2, four), peer(3, four) }))
  end)

  it("does not count who is exempt", function()
    local log, engine, world = play({ { on = "inv", rate = "2/1m",
      verdict = "ban", exempt = { "10.0.0.2/32", "trusted" } } },
      { peer(2, say("inv", 9)), peer(3, say("inv", 9)),
        peer(4, say("inv", 9)) },
      { trusted = { "10.0.0.3/32" } })
    assert.equal(1, #log)
    assert.matches("^10.0.0.4:", log[1].address)
    assert.equal(18, engine:rules()[1].exempted)
    world:close()
  end)
end)

describe("a rule about offences", function()
  local bad = wire.frame("ping", "12345678", { checksum = "oops" })

  local function offend(n)
    return function(connection)
      connection:send_raw(bad:rep(n))
    end
  end

  it("has its verdict from its count on, before policies", function()
    local log, _, world = play({ { name = "sums", offence = "checksum_error",
      count = 3, within = "10m", verdict = "ban", time = "1h" } },
      { peer(2, offend(5)) })
    assert.same({ "observe", "observe", "ban" },
      { log[1].verdict, log[2].verdict, log[3].verdict })
    assert.same({ nil, nil, "sums" }, { log[1].rule, log[2].rule, log[3].rule })
    assert.is_nil(log[4])
    world:close()
  end)

  it("counts over connections by address", function()
    local log, _, world = play({ { offence = "any", count = 4, key = "address",
      within = "10m", verdict = "ban" } }, {
      peer(2, function(connection, remote)
        connection:send_raw(bad:rep(2))
        remote:sleep "1s"
        local second = remote:dial("10.0.0.1:18444")
        second:handshake()
        second:send_raw(bad:rep(2))
      end) })
    assert.equal("ban", log[4].verdict)
    world:close()
  end)
end)

describe("a rule that makes no sense", function()
  for words, rule in pairs {
    ["unknown field \"rat\"; the nearest known is \"rate\""] =
      { on = "inv", rat = "2/1s", verdict = "ban" },
    ["either on, a command, or offence"] = { rate = "2/1s", verdict = "ban" },
    ["a rate such as"] = { on = "inv", rate = "often", verdict = "ban" },
    ["within, a duration"] = { on = "inv", count = 2, verdict = "ban" },
    ["unknown verdict"] = { on = "inv", rate = "2/1s", verdict = "shout" },
    ["unknown offence"] = { offence = "rudeness", count = 1, within = 1,
      verdict = "ban" },
    ["as key"] = { on = "inv", rate = "2/1s", verdict = "ban", key = "moon" },
    ["as exempt"] = { on = "inv", rate = "2/1s", verdict = "ban",
      exempt = { "nobody" } },
    ["up to 16 prefixes as exempt"] = { on = "inv", rate = "2/1s",
      verdict = "ban", exempt = { "10.0.0.1", "10.0.0.2", "10.0.0.3",
        "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.0.8",
        "10.0.0.9", "10.0.0.10", "10.0.0.11", "10.0.0.12", "10.0.0.13",
        "10.0.0.14", "10.0.0.15", "10.0.0.16", "10.0.0.17" } },
    ["1 to 5 steps"] = { on = "inv", within = 1, ladder = {
      { count = 1, verdict = "observe" }, { count = 2, verdict = "observe" },
      { count = 3, verdict = "observe" }, { count = 4, verdict = "observe" },
      { count = 5, verdict = "observe" }, { count = 6, verdict = "ban" } } },
    ["1 to 5 steps as ladder"] = { on = "inv", within = 1, ladder = {} },
    ["as count"] = { on = "inv", within = 1, ladder = { { verdict = "ban" } } },
    ["as time"] = { on = "inv", rate = "2/1s", verdict = "ban", time = "x" },
  } do
    it("is refused: " .. words, function()
      assert.error_matches(function()
        moonpeer.engine { policies = { { rules = { rule } } } }
      end, words)
    end)
  end

  it("is refused when a ladder does not rise", function()
    local engine, message, code = moonpeer.engine { policies = { { rules = {
      { on = "inv", within = 1, ladder = { { count = 2, verdict = "ban" },
        { count = 2, verdict = "ban" } } },
    } } } }
    assert.is_nil(engine)
    assert.matches("rising counts", message)
    assert.equal("invalid_configuration", code)
  end)
end)
