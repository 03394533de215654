--- The stock answers to what is borne so many times a minute, in a world.
local files = require "support.files"
local sim = require "moonpeer.sim"
local wire = require "support.wire"

local bad = wire.frame("ping", "12345678", { checksum = "oops" })
local flood = { { name = "flooder", validate = function()
  return "offence", "flood"
end } }

--- A peer that breaks n checksums, one each pause: the verdicts, and whether
--- it is still connected.
local function offend(n, pause, config)
  local world <close> = sim.world { seed = 3, network = "regtest" }
  local engine, log = world:engine("10.0.0.1:18444", config), {}
  engine:on("peer_misbehaved", "spec", function(event)
    log[#log + 1] = event.verdict
  end)
  world:remote("10.0.0.2", function(remote)
    local connection = remote:dial "10.0.0.1:18444"
    connection:handshake()
    for _ = 1, n do
      if not connection:send_raw(bad) then
        return
      end
      remote:sleep(pause)
    end
    connection:receive("nothing", "10m")
  end)
  world:run_for "3m"
  return log, engine:counts().connected
end

--- What the whole stack answers to an offence.
local function judge_of(config, code, count)
  local world <close> = sim.world { network = "regtest" }
  local stack = require("moonpeer.policy").stack(config.policies,
    require("moonpeer.policy").budget())
  local handlers = {}
  stack:install(handlers)
  local engine = world:engine("10.0.0.1", { trusted = config.trusted })
  return (handlers.judge(engine, { address = "10.0.0.2:5" },
    { code = code, count = count, message = "x" }))
end

local function ladder(config, code)
  local answers = {}
  for _, count in ipairs { 1, 4, 5, 9, 10, 99 } do
    answers[#answers + 1] = judge_of(config, code, count)
  end
  return table.concat(answers, " ")
end

describe("the stock limits", function()
  after_each(files.remove_all)

  it("bear nine wrong checksums a minute, and part at the tenth", function()
    local log, connected = offend(9, "1s")
    assert.same({ 9, "observe", 1 }, { #log, log[9], connected })
    log, connected = offend(20, "1s")
    assert.same({ 10, "observe", "disconnect", 0 },
      { #log, log[9], log[10], connected })
  end)

  it("forget after a minute", function()
    local log, connected = offend(20, "7s")
    assert.same({ 20, "observe", 1 }, { #log, log[20], connected })
    log = offend(20, "6s")
    assert.equal("disconnect", log[10])
  end)

  it("throttle a flood, then part", function()
    assert.equal("throttle throttle disconnect disconnect disconnect "
      .. "disconnect", ladder({}, "flood"))
    assert.equal("observe observe observe observe disconnect disconnect",
      ladder({}, "checksum_error"))
  end)

  it("never slow down who is trusted", function()
    local trusted = { trusted = { "10.0.0.2/32" } }
    assert.equal(("observe "):rep(6), ladder(trusted, "flood") .. " ")
    assert.equal("disconnect", judge_of(trusted, "checksum_error", 10))
  end)

  it("leave other offences to the policy after them", function()
    assert.equal("ban", judge_of({}, "network_mismatch", 1))
    assert.equal("discourage", judge_of({}, "protocol_error", 1))
  end)

  it("are changed by a policy that takes over a step", function()
    local path = files.make [[
      local limits = require "moonpeer.policies.limits"
      limits.name = "strict"
      limits.ladders.checksum_error[2].count = 3
      return limits]]
    local log = offend(20, "1s", { policies = { path } })
    assert.same({ "observe", "observe", "disconnect" }, log)
    assert.equal(10, require("moonpeer.policies.limits")
      .ladders.checksum_error[2].count)
  end)

  it("are changed by a policy that takes over a function", function()
    local path = files.make [[
      local limits = require "moonpeer.policies.limits"
      function limits.answers.flood(offence)
        return offence.count > 1 and "ban" or "observe"
      end
      return limits]]
    local config = { policies = { path } }
    assert.equal("observe ban ban ban ban ban", ladder(config, "flood"))
    assert.equal("disconnect", judge_of(config, "checksum_error", 10))
    assert.equal("ban", judge_of(config, "network_mismatch", 1))
  end)

  it("are named by what explains a decision", function()
    local world <close> = sim.world { seed = 3, network = "regtest" }
    local engine = world:engine("10.0.0.1:18444", { policies = flood })
    world:remote("10.0.0.2", function(remote)
      remote:dial("10.0.0.1:18444"):handshake()
    end)
    world:run_for "5s"
    local rows = engine:explain "10.0.0.2"
    local row = rows[#rows]
    assert.same({ "judge", "limits", "throttle" },
      { row.decision, row.policy, row.verdict })
  end)
end)
