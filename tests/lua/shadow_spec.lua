--- Policies that are only tried, and what is kept of decisions.
local files = require "support.files"
local live = require "support.live"
local moonpeer = require "moonpeer"
local sim = require "moonpeer.sim"

local play = live.play

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

  it("looks at the store, and chooses whom to dial and to evict", function()
    local world <close> = sim.world { seed = 5, network = "regtest" }
    local engine = world:engine("10.0.0.1:18444", {
      target_connections = 1, max_connections = 3, per_group = 9,
      shadow = {
        name = "other",
        select = function(the_engine)
          local all = the_engine.store:list_all()
          the_engine.store:delete(all[1])
          the_engine.store.bans:add "10.0.0.9"
          return { all[#all], { ip = "10.0.0.8", port = 1 } }
        end,
        evict = function(_, list)
          for _, one in ipairs(list) do
            one.connection:close()
          end
          return list[#list].connection
        end,
      },
      policies = { { evict = function() return false end } },
    })
    for i = 1, 3 do
      engine.store:create { ip = "10.0.0." .. 100 + i, port = 18444 }
    end
    for i = 2, 4 do
      world:remote("10.0.0." .. i, function(remote)
        local connection = remote:dial "10.0.0.1:18444"
        if connection:handshake() then
          connection:receive("nothing", "1h")
        end
      end)
      world:run_for "1s"
    end
    assert.equal(2, engine:counts().inbound)
    assert.equal(0, #engine.store.bans)
    assert.equal(3, #engine.store:find_by_status "unknown"
      + #engine.store:find_by_status "inaccessible")
    local seen = {}
    for _, one in ipairs(engine:trial().differences) do
      seen[one.decision] = one.shadow
    end
    assert.matches("^10.0.0.%d+:18444 10.0.0.8:1$", seen.select)
    assert.matches("^10.0.0.%d:%d+$", seen.evict)
  end)

  it("hands nothing it writes to the one who decides", function()
    local seen = {}
    play("return offence.message == 'mine' and 'throttle' or 'observe', "
      .. "offence.code", function(engine, _, log)
      engine.store:create { ip = "10.7.7.7", port = 1, data = { mark = 1 } }
      assert.is_true(engine:try {
        judge = function(the_engine, connection, offence)
          local peer = the_engine.store:find_by_ip_port("10.7.7.7", 1)
          peer.data.mark = 2
          the_engine.store:update(peer, { data = { mark = 3 } })
          seen.assigned = pcall(function() peer.data = {} end)
          offence.message, offence.code = "mine", "mine"
          connection.version.user_agent = "mine"
          seen.calls = (seen.calls or 0) + 1
          return "observe"
        end,
      })
      moonpeer.sleep(3)
      assert.equal("observe", log[#log])
      local rows = engine:explain "10.0.0.2"
      assert.equal("checksum_error", rows[#rows].reason)
      local peer = engine.store:find_by_ip_port("10.7.7.7", 1)
      assert.same({ mark = 1 }, peer.data)
      for connection in engine:connections() do
        local version = connection.version
        assert.not_equal("mine", version and version.user_agent)
      end
    end)
    assert.is_true(seen.calls >= 2)
    assert.is_false(seen.assigned)
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

  it("says in plain words what a remote calls itself", function()
    local reason = "'\\27[2Jr\\xe9d\\r\\n'"
    play("return 'observe', " .. reason, function(engine)
      local rows = engine:explain "10.0.0.2"
      local row = rows[#rows]
      assert.equal("\27[2Jr\xe9d\r\n", row.reason)
      assert.matches("observe by policy live %(%?%[2Jr%?d%?%?%)$", row.text)
    end)
  end)

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
