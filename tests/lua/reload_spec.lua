--- Policies that change while the engine runs.
local files = require "support.files"
local live = require "support.live"
local moonpeer = require "moonpeer"
local process = require "support.process"
local sim = require "moonpeer.sim"

local play, write = live.play, live.write

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
    local path = files.make "return {}"
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

  it("takes back what fails to listen", function()
    play("return 'observe', 'old'", function(engine, path, log)
      write(path, "return 'throttle', 'new'",
        "on = { peer_misbehaved = function() error 'deaf' end }")
      assert.is_true(engine:reload())
      moonpeer.sleep(20)
      assert.matches("rolled back.*deaf", log.failed)
      assert.equal("observe", log[#log])
    end)
  end)

  it("is not asked for by what it calls itself", function()
    play("return 'observe', 'old'", function(engine, path, log)
      write(path, "return 'throttle'",
        "setup = function(engine) engine:reload() end")
      local good, message = engine:reload()
      assert.is_nil(good)
      assert.matches("reload is under way", message)
      moonpeer.sleep(3)
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

  it("begins the counts anew, and a roll-back brings the old ones back",
    function()
      play("if seen < 2 then seen = seen + 1 error 'old' end "
        .. "return 'observe'", function(engine, path, log)
        local function row()
          return engine:policies()[1]
        end
        moonpeer.sleep(3)
        local old = row()
        assert.same({ "live", "judge", 2 },
          { old.policy, old.name, old.errors })
        assert.is_true(old.calls >= 4 and old.time >= 0)
        write(path, "return 'observe'")
        assert.is_true(engine:reload())
        moonpeer.sleep(1.5)
        local new = row()
        assert.is_true(new.generation > old.generation)
        assert.same({ 0, 0, nil }, { new.errors, new.kills, new.last_error })
        assert.is_true(new.calls >= 1)
        moonpeer.sleep(40)
        new = row()
        write(path, "if moonpeer.now() > 86461 then error 'late' end "
          .. "return 'observe'") -- when its offences are counted anew
        assert.is_true(engine:reload())
        assert.is_true(row().generation > new.generation)
        assert.is_true(row().calls <= 256) -- of its probe
        moonpeer.sleep(20)
        assert.matches("rolled back.*late", log.failed)
        local back = row()
        assert.same({ new.generation, 0 }, { back.generation, back.errors })
        assert.is_true(back.calls >= new.calls)
      end)
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

  it("calls a setup that fails a policy's", function()
    local reasons = {}
    play("return 'observe'", function(engine, path)
      engine:on("policy_failed", "kinds", function(event)
        reasons[#reasons + 1] = event.reason
      end)
      engine:on("peer_misbehaved", "deaf", function() error "no ear" end)
      write(path, "return 'observe'",
        "setup = function() error 'no luck' end")
      assert.is_nil(engine:reload())
      moonpeer.sleep(3)
    end)
    local all = table.concat(reasons, "\n")
    assert.not_matches('listener "live"', all)
    assert.matches('listener "deaf" failed in peer_misbehaved', all)
    assert.matches("live failed in setup", all)
  end)

  for name, more in pairs {
    ["a setup that fails"] = "setup = function() error 'no luck' end",
    ["a restore that fails"] = "save = function() return 1 end, "
      .. "restore = function() error 'no luck' end",
    ["a job that makes no sense"] = "schedule = { own = { every = '1s' } }",
    ["a rule that makes no sense"] = "rules = { { on = 'inv', within = 1, "
      .. "ladder = { { count = 2, verdict = 'ban' }, "
      .. "{ count = 1, verdict = 'ban' } } } }",
    ["a listener for no event"] = "on = { peer_baned = function() end }",
  } do
    it("refuses " .. name .. ", and what was there before goes on", function()
      local before = "save = function() return seen end, "
        .. "rules = { { name = 'mine', on = 'ping', rate = '9/1s', "
        .. "verdict = 'ban' } }, schedule = { tick = { every = '1s', "
        .. "run = function() end } }, on = { peer_misbehaved = function() "
        .. "seen = seen + 1 end }"
      play("return 'observe', 'old ' .. seen", function(engine, path, log)
        write(path, "return 'throttle', 'new'", more)
        local good, message, code = engine:reload()
        assert.is_nil(good)
        assert.is_string(message)
        assert.equal("invalid_configuration", code)
        local runs = engine:schedule()[1].runs
        moonpeer.sleep(5)
        assert.equal("observe", log[#log])
        assert.equal("mine", engine:rules()[1].name)
        assert.equal("tick", engine:schedule()[1].name)
        assert.is_true(engine:schedule()[1].runs > runs)
        local rows = engine:explain "10.0.0.2"
        assert.is_true(tonumber(rows[#rows].reason:match "%d+") >= 6)
        assert.matches("reload refused", log.failed)
      end, before)
    end)
  end

  it("leaves jobs and rules alone that are as before", function()
    local starts = 0
    play("return 'observe'", function(engine, path)
      moonpeer.sleep(3)
      assert.equal(1, starts)
      write(path, "return 'throttle'")
      assert.is_true(engine:reload())
      moonpeer.sleep(3)
      assert.equal(1, starts)
    end, "", { schedule = { own = { every = "1h", at_start = true,
      run = function() starts = starts + 1 end } } })
  end)

  it("does not ask again whom to evict: they are gone", function()
    local path = files.make "return {}"
    local world <close> = sim.world { seed = 5, network = "regtest" }
    local engine = world:engine("10.0.0.1:18444", {
      target_connections = 0, max_connections = 1, policies = { path },
    })
    for i = 2, 3 do
      world:remote("10.0.0." .. i, function(remote)
        local connection = remote:dial "10.0.0.1:18444"
        if connection:handshake() then
          connection:receive("nothing", "1h")
        end
      end)
      world:run_for "1s"
    end
    assert.equal("evict", (engine:explain()[4] or engine:explain()[3]).decision)
    files.write(path, "return { evict = function(_, list) "
      .. "return list[1].connection end }")
    local done
    engine:spawn(function()
      done = engine:reload()
    end)
    world:run_for "1s"
    assert.is_true(done)
  end)

  it("within a hook happens on the next turn", function()
    play("engine:reload() return 'observe'", function(engine, _, log)
      moonpeer.sleep(5)
      assert.equal("observe", log[#log])
      assert.equal(1, engine:counts().connected)
      local rows = engine:explain "10.0.0.2"
      assert.is_true(rows[#rows].generation > rows[#rows - 4].generation)
    end)
  end)
end)

describe("watch", function()
  after_each(files.remove_all)

  it("reloads when a file is another, and when it is whole", function()
    play("return 'observe', 'old'", function(engine, path, log)
      engine:watch "1s"
      moonpeer.sleep(3)
      write(path, "return 'throttle', 'new'")
      moonpeer.sleep(5)
      assert.equal("throttle", log[#log])
      files.write(path, "return {")
      moonpeer.sleep(5)
      assert.matches("reload refused", log.failed)
      assert.equal("throttle", log[#log])
      os.remove(path)
      moonpeer.sleep(3)
      write(path, "return 'observe', 'newer'")
      moonpeer.sleep(5)
      assert.equal("observe", log[#log])
      engine:watch(false)
      write(path, "return 'throttle', 'newest'")
      moonpeer.sleep(5)
      assert.equal("observe", log[#log])
    end)
  end)

  it("is what moonpeer run --watch does", function()
    local path = files.make "return {}"
    local script = files.make(([[
      local moonpeer = require "moonpeer"
      local engine = assert(moonpeer.engine { network = "regtest",
        mode = "fixed", peers = {}, policies = { %q } })
      engine:on("policy_failed", "spec", function(event)
        print(event.reason)
        engine:close(0)
      end)
      engine:start()
      moonpeer.spawn(function()
        moonpeer.sleep(0.1)
        local file <close> = io.open(%q, "w")
        file:write "return 5"
      end)
      moonpeer.run()]]):format(path, path))
    local out, _, code = process.run(("exec timeout 30 %s run --watch "
      .. "--no-console %s"):format(process.quote(process.executable), script))
    assert.matches("reload refused.*expected a table", out)
    assert.equal(0, code)
  end)
end)
