--- Policies that change while the engine runs; and those that are only tried.
local files = require "support.files"
local moonpeer = require "moonpeer"
local sim = require "moonpeer.sim"
local wire = require "support.wire"

local bad = wire.frame("ping", "12345678", { checksum = "oops" })

--- A policy from a file, whose judge has this body.
local function text_of(body, more)
  return ("local seen = 0\nreturn { name = 'live', judge = function(engine, "
    .. "connection, offence)\n%s\nend, %s }"):format(body, more or "")
end

--- A world with an engine that has the policy, and a peer that offends once a
--- second; fn(engine, path, log) is a task.
local function play(body, fn, more, config)
  local path = files.make(text_of(body, more))
  local world <close> = sim.world { seed = 5, network = "regtest" }
  config = config or {}
  config.policies = { path }
  local engine = world:engine("10.0.0.1:18444", config)
  local log = {}
  engine:on("peer_misbehaved", "spec", function(event)
    log[#log + 1] = event.verdict
  end)
  engine:on("policy_failed", "spec", function(event)
    log.failed = event.reason
  end)
  world:remote("10.0.0.2", function(remote)
    local connection = remote:dial "10.0.0.1:18444"
    connection:handshake()
    while connection:send_raw(bad) do
      remote:sleep "1s"
    end
  end)
  world:run_for "3s"
  local done
  engine:spawn(function()
    fn(engine, path, log, world)
    done = true
  end)
  assert(world:run_until(function() return done end, "10m"))
  return log
end

local function write(path, ...)
  files.write(path, text_of(...))
end

describe("reload", function()
  after_each(files.remove_all)

  it("swaps what decides, and drops no connection", function()
    play("return 'observe', 'old'", function(engine, path, log)
      assert.equal("observe", log[#log])
      write(path, "return 'throttle', 'new'")
      assert.is_true(engine:reload())
      moonpeer.sleep(4)
      assert.equal("throttle", log[#log])
      assert.equal(1, engine:counts().connected)
      local rows = engine:explain "10.0.0.2"
      assert.equal("new", rows[#rows].reason)
      assert.is_true(rows[#rows].generation > rows[#rows - 6].generation)
    end)
  end)

  for name, text in pairs {
    ["a file that does not compile"] = "return {",
    ["a file that raises"] = "error 'no'",
    ["a file that returns nothing"] = "",
    ["an unknown field"] = "return { juge = function() end }",
    ["another interface"] = "return { api = 7 }",
    ["a global"] = "x = 1 return {}",
    ["bytecode"] = string.dump(function() return {} end),
    ["a function that fails on what was decided last"] =
      "return { judge = function() return nil .. '' end }",
    ["a function that says nonsense about it"] =
      "return { judge = function() return 'maybe' end }",
  } do
    it("refuses " .. name .. ", and nothing changes", function()
      play("return 'observe', 'old'", function(engine, path, log)
        files.write(path, text)
        local good, message, code = engine:reload()
        assert.is_nil(good)
        assert.is_string(message)
        assert.equal("invalid_configuration", code)
        moonpeer.sleep(2)
        assert.equal("observe", log[#log])
        assert.matches("reload refused", log.failed)
      end)
    end)
  end

  it("refuses a file that loops, on real time", function()
    local path = files.make(text_of "return 'observe'")
    moonpeer.run(function()
      local engine <close> = assert(moonpeer.engine {
        network = "regtest", mode = "fixed", peers = {}, policies = { path },
        budget = { load = "100ms" },
      })
      engine:start()
      files.write(path, "while true do pcall(function() while true do end "
        .. "end) end")
      local good, message = engine:reload()
      assert.is_nil(good)
      assert.matches("more than 100 ms", message)
    end)
  end)

  it("takes back what fails soon after", function()
    play("return 'observe', 'old'", function(engine, path, log)
      write(path, "if moonpeer.now() > 86405 then error 'late' end "
        .. "return 'throttle', 'new'")
      assert.is_true(engine:reload())
      moonpeer.sleep(20)
      assert.matches("rolled back.*late", log.failed)
      assert.equal("observe", log[#log])
    end)
  end)

  it("tries without effect", function()
    play("return 'observe'", function(engine, path)
      write(path, "engine:ban(connection.address) connection:close() "
        .. "engine:close() return 'observe'")
      assert.is_true(engine:reload())
      assert.equal(0, engine:counts().bans)
      assert.equal(1, engine:counts().connected)
    end)
  end)

  it("hands over what was saved", function()
    local more = "save = function() return { n = seen } end, "
      .. "restore = function(state) seen = state.n end"
    local body = "seen = seen + 1 return 'observe', 'seen ' .. seen"
    play(body, function(engine, path)
      local rows = engine:explain()
      local before = tonumber(rows[#rows].reason:match "%d+")
      write(path, body, more)
      assert.is_true(engine:reload())
      moonpeer.sleep(2.5)
      rows = engine:explain()
      local after = tonumber(rows[#rows].reason:match "%d+")
      assert.is_true(after > before, after)
    end, more)
  end)

  it("takes listeners and jobs along", function()
    local more = "on = { peer_misbehaved = function() print 'hear' end }, "
      .. "schedule = { tick = { every = '1s', run = function() end } }"
    play("return 'observe'", function(engine, path)
      assert.equal("tick", engine:schedule()[1].name)
      write(path, "return 'observe'")
      assert.is_true(engine:reload())
      assert.same({}, engine:schedule())
    end, more)
  end)

  it("within a hook happens on the next turn", function()
    play("engine:reload() return 'observe'", function(engine, _, log)
      moonpeer.sleep(5)
      assert.equal("observe", log[#log])
      assert.equal(1, engine:counts().connected)
    end)
  end)
end)

describe("a policy that is tried", function()
  after_each(files.remove_all)

  it("decides without effect, and the differences are kept", function()
    play("return 'observe'", function(engine, _, log)
      assert.is_true(engine:try {
        name = "strict", judge = function(the_engine, connection)
          the_engine:ban(connection.address)
          connection:close()
          return "ban", "too bad", { time = "7d" }
        end,
      })
      moonpeer.sleep(3)
      local report = engine:trial()
      assert.is_true(report.differs >= 2 and report.differs == report.asked)
      local one = report.differences[1]
      assert.same({ "judge", "ban", "observe", "too bad" },
        { one.decision, one.shadow, one.active, one.reason })
      assert.matches("^10.0.0.2:", one.address)
      assert.equal("observe", log[#log])
      assert.equal(0, engine:counts().bans)
      assert.equal(1, engine:counts().connected)
      engine:try(nil)
      assert.is_nil(engine:trial())
    end)
  end)

  it("may agree, have no opinion, or fail", function()
    play("return 'observe'", function(engine)
      for _, fn in ipairs {
        function() return "observe" end, function() end,
        function() error "no" end, function() return 5 end,
      } do
        engine:try { judge = fn }
        moonpeer.sleep(2)
        assert.equal(0, engine:trial().differs)
      end
    end)
  end)
end)

describe("explain", function()
  after_each(files.remove_all)

  it("says who decided, on what, and why", function()
    play("return 'observe', 'be kind'", function(engine, path)
      local rows = engine:explain "10.0.0.2"
      local last = rows[#rows]
      assert.same({ "judge", "live", "observe", "be kind", "checksum_error" },
        { last.decision, last.policy, last.verdict, last.reason,
          last.inputs.code })
      assert.matches("judge 10.0.0.2:%d+ for checksum_error: observe by "
        .. "policy live %(be kind%)", last.text)
      assert.equal("accept", rows[1].decision)
      assert.equal("inbound", rows[1].policy)
      assert.same({}, engine:explain "10.9.9.9")
      assert.truthy(path)
    end)
  end)

  it("names the rule, and keeps a limited number", function()
    play("return 'observe'", function(engine)
      moonpeer.sleep(400)
      assert.equal(256, #engine:explain())
      local rows = engine:explain()
      assert.equal("sums", rows[#rows].rule)
      assert.equal("observe", rows[#rows].verdict)
    end, "rules = { { name = 'sums', offence = 'any', count = 2, "
      .. "within = '1h', verdict = 'observe' } }")
  end)
end)
