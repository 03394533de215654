--- What a policy from a file can get hold of, and what it cannot: nothing here
--- hangs, whatever loops in C or lies about its size.
local core = require "moonpeer.core"
local files = require "support.files"
local moonpeer = require "moonpeer"
local policy = require "moonpeer.policy"

local function judge_of(text)
  local stack, message = policy.stack({
    files.make(text), { judge = function() return "observe", "the next" end },
  }, policy.budget())
  if not stack then
    return nil, message
  end
  local handlers = {}
  stack:install(handlers)
  return handlers.judge, stack
end

--- What judge answers that has this body; what went wrong in it.
local function answer_of(body)
  local judge, stack = assert(judge_of(
    "return { name = 'bad', judge = function(...)\n" .. body .. "\nend }"))
  local answer, reason = judge(nil)
  return answer, reason, stack:counts()[1].last_error
end

local long = "setmetatable({}, { __len = function() return 1 << 60 end })"

describe("a policy from a file cannot hang in", function()
  after_each(files.remove_all)

  for name, body in pairs {
    ["table.insert, by __len"] = "table.insert(" .. long .. ", 1, 1)",
    ["table.remove, by __len"] = "table.remove(" .. long .. ", 1)",
    ["table.sort, by a function in C"] = "local t = setmetatable({}, "
      .. "{ __len = function() return 1 << 30 end, __index = rawlen, "
      .. "__newindex = rawequal }) table.sort(t, rawequal)",
    ["table.sort of long texts"] = "local s, t = ('x'):rep(1 << 20), {} "
      .. "for i = 1, 300 do t[i] = s .. i end table.sort(t)",
    ["table.move"] = "table.move({}, 1, 1 << 60, 2)",
    ["table.concat, by a function in C"] = "table.concat(setmetatable({}, "
      .. "{ __index = getmetatable, __metatable = '' }), '', 1, 1 << 62)",
    ["table.concat of numbers"] = "table.concat(setmetatable({}, "
      .. "{ __index = rawlen }), '', 1, 1 << 62)",
    ["a glob"] = "moonpeer.glob(('a'):rep(1 << 20), "
      .. "('*a'):rep(1 << 18) .. 'b')",
    ["gsub, by a long replacement"] =
      "return (('x'):rep(1 << 20):gsub('', ('y'):rep(1 << 20)))",
    ["string.pack, by its padding"] = "string.pack('c2000000000', 'x')",
    ["os.date"] = "os.date(('%c'):rep(300000))",
    ["the words of what it formats"] = "('%s'):format(setmetatable({}, "
      .. "{ __tostring = function() while true do end end }))",
    ["the options of its answer"] = "return 'ban', 'x', setmetatable({}, "
      .. "{ __index = function() while true do end end })",
    ["tables in tables"] = "local t = {} while true do t = { t } end",
  } do
    it(name, function()
      local before = os.clock()
      local answer, reason, fault = answer_of(body)
      assert.same({ "observe", "the next" }, { answer, reason })
      assert.is_string(fault)
      assert.is_true(os.clock() - before < 2, os.clock() - before)
    end)
  end

  for name, text in pairs {
    ["what it inherits"] =
      "setmetatable({}, { __index = function() while true do end end })",
    ["a loop of its own"] = "(function() while true do end end)()",
    ["names that are no texts"] = "{ [setmetatable({}, { __tostring = "
      .. "function() while true do end end })] = 1, judge = 1 }",
    ["rules without an end"] =
      "(function() local r = {} r[1] = r return { rules = r } end)()",
  } do
    it("loading, by " .. name, function()
      local before = os.clock()
      local judge, message = judge_of("return " .. text)
      assert.is_nil(judge)
      assert.is_string(message)
      assert.is_true(os.clock() - before < 5)
    end)
  end

  it("loading, by metatables in what it declares", function()
    assert(judge_of [[
      local loop = { __index = function() while true do end end,
        __pairs = function() while true do end end,
        __len = function() while true do end end }
      return { rules = setmetatable({}, loop), on = setmetatable({}, loop),
        schedule = setmetatable({ job = setmetatable({ every = 1,
          run = function() end }, loop) }, loop) }]])
  end)
end)

describe("a policy from a file has of its own", function()
  after_each(files.remove_all)

  it("string, and what it does to it changes no methods", function()
    assert.equal("ban", (answer_of [[
      string.find = nil
      return ("x"):find "x" and "ban"]]))
    assert.equal("ban", (answer_of "return string.find('x', 'x') and 'ban'"))
  end)

  it("no way to the metatable of strings", function()
    assert.equal("ban",
      (answer_of "return getmetatable('') == 'protected' and 'ban'"))
    assert.is_nil(getmetatable("").__name)
  end)

  it("the networks", function()
    local port = moonpeer.network.mainnet.port
    assert.equal("ban", (answer_of
      "moonpeer.network.mainnet.port = 1 return 'ban'"))
    assert.equal(port, moonpeer.network.mainnet.port)
  end)

  it("the stock policies, to change and to return", function()
    local text = [[
      local handshake = require "moonpeer.policies.handshake"
      handshake.name = "mine"
      handshake.banned_user_agents[1] = "*spy*"
      return handshake]]
    local stack = assert(policy.stack({ files.make(text) }, policy.budget()))
    local handlers, version = {}, { user_agent = "/Spy:1/" }
    stack:install(handlers)
    local world <close> = require("moonpeer.sim").world { network = "regtest" }
    local engine = world:engine "10.0.0.1"
    local answer, code = handlers.validate(engine, nil, version)
    assert.same({ "offence", "banned_user_agent" }, { answer, code })
    assert.same({}, require("moonpeer.policies.handshake").banned_user_agents)
  end)

  it("the stock answers, to change one", function()
    local judge = assert(judge_of [[
      local offences = require "moonpeer.policies.offences"
      function offences.answers.flood(offence)
        return "ban", offence.message, { time = "1h" }
      end
      return offences]])
    local world <close> = require("moonpeer.sim").world { network = "regtest" }
    local engine = world:engine "10.0.0.1"
    local function answer(code)
      return (judge(engine, { address = "1.2.3.4:5" },
        { code = code, message = "x", count = 1 }))
    end
    assert.equal("ban", answer "flood")
    assert.equal("observe", answer "checksum_error")
  end)

  it("one function of a stock policy, the others inherited", function()
    local judge = assert(judge_of [[
      local offences = require "moonpeer.policies.offences"
      return setmetatable({ name = "milder", judge = function(...)
        local answer, reason = offences.judge(...)
        return answer == "ban" and "disconnect" or answer, reason
      end }, { __index = offences })]])
    local world <close> = require("moonpeer.sim").world { network = "regtest" }
    local engine = world:engine "10.0.0.1"
    assert.equal("disconnect", (judge(engine, { address = "1.2.3.4:5" },
      { code = "network_mismatch", message = "x", count = 1 })))
  end)

  it("sort, insert, remove, move and concat that do what Lua's do", function()
    local fns = { "insert", "remove", "move", "concat", "sort", "unpack" }
    local own = require("moonpeer.policy.tables").new()
    local function behaves(name, ...)
      local a, b = { 3, 1, 2 }, { 3, 1, 2 }
      local c = setmetatable({ 3, 1, 2 }, {})
      local expected = table.pack(pcall(table[name], a, ...))
      local got = table.pack(pcall(own[name], b, ...))
      local slow = table.pack(pcall(own[name], c, ...))
      assert.equal(expected[1], got[1], name)
      assert.equal(expected[1], slow[1], name)
      if expected[1] and name ~= "move" then
        assert.same(expected, got)
        assert.same(expected, slow)
      end
      assert.same(a, b)
      assert.same(a, setmetatable(c, nil))
    end
    for _, name in ipairs(fns) do
      behaves(name)
      behaves(name, 1)
      behaves(name, 9)
      behaves(name, 0)
      behaves(name, 4)
      behaves(name, 2, 7)
      behaves(name, 1, 2, 3)
      behaves(name, 2, 3, 1)
      behaves(name, 1, 3, 1, {})
      behaves(name, "x")
      behaves(name, function(a, b) return a > b end)
    end
  end)
end)

describe("a policy from a file", function()
  after_each(files.remove_all)

  it("plays and records no files", function()
    local path = files.make(([[return { name = "thief",
      validate = function(_, connection)
        local _, play = pcall(connection.play, connection, %q, "us")
        local _, record = pcall(connection.record, connection, "/nowhere/x")
        return "offence", "flood", tostring(play) .. tostring(record)
      end, judge = function(_, _, offence)
        return "disconnect", offence.message
      end }]]):format(files.make "secret"))
    moonpeer.run(function()
      local engine <close> = assert(moonpeer.engine { network = "regtest",
        listen = "127.0.0.1:0", target_connections = 0, policies = { path } })
      assert(engine:start())
      while not engine:address() do
        moonpeer.sleep(0.001)
      end
      local peer <close> = assert(moonpeer.connect(engine:address(),
        { network = "regtest" }))
      assert.is_nil((peer:handshake()))
      local rows = engine:explain "127.0.0.1"
      local reason = rows[#rows].reason
      assert.matches("play: a policy from a file cannot", reason)
      assert.is_nil(reason:find "secret")
    end)
  end)

  it("may be given all the time there is", function()
    local stack = assert(policy.stack({ files.make [[return {
      judge = function()
        local n = 0
        for i = 1, 2e6 do n = n + i end
        return "ban"
      end }]] }, policy.budget { decision = 0 }))
    local handlers = {}
    stack:install(handlers)
    assert.equal("ban", (handlers.judge(nil)))
  end)
end)

describe("what a policy says when it fails", function()
  after_each(files.remove_all)

  it("is cut", function()
    local _, _, fault = answer_of "error(('x'):rep(1 << 13))"
    assert.is_true(#fault <= 4000)
    assert.is_truthy(fault:find("xxx\nstack traceback", 1, true))
  end)

  it("does nothing to a terminal", function()
    local _, _, fault = answer_of "error '\\27[2Jgone\\7'"
    assert.matches("?%[2Jgone?", fault)
    assert.is_nil(fault:find "\27")
  end)

  it("may be nothing", function()
    assert.equal("nil", (select(3, answer_of "error(nil)")))
    assert.equal("nil", (select(3, answer_of "error()")))
  end)
end)

describe("a task that a policy has started", function()
  after_each(files.remove_all)

  --- Runs one of an engine with the policy; then the loop has
  --- to go on, and the task's failure is told.
  local function spawned(body)
    local path = files.make(("return { name = 'bad', setup = function(engine)"
      .. "\nengine:spawn(function()\n%s\nend) end }"):format(body))
    local before = os.clock()
    moonpeer.run(function()
      local engine <close> = assert(moonpeer.engine { network = "regtest",
        mode = "fixed", peers = {}, policies = { path } })
      assert(engine:start())
      moonpeer.sleep(0.02)
    end)
    assert.is_true(os.clock() - before < 2, os.clock() - before)
  end

  for name, body in pairs {
    ["loops"] = "while true do end",
    ["loops in pcall"] = "while true do pcall(function() while true do end "
      .. "end) end",
    ["loops in what it leaves to be closed"] = "local x <close> = "
      .. "setmetatable({}, { __close = function() while true do end end })\n"
      .. "error 'x'",
    ["loops in all it leaves to be closed"] = "local loop = { __close = "
      .. "function() while true do pcall(error) end end }\n"
      .. "local x <close> = setmetatable({}, loop)\n"
      .. "local y <close> = setmetatable({}, loop)\nerror 'x'",
    ["loops in the words of its error"] = "error(setmetatable({}, "
      .. "{ __tostring = function() while true do end end }))",
    ["raises nil"] = "error(nil)",
  } do
    it(name .. " is stopped", function()
      spawned(body)
    end)
  end

  it("makes listeners that go with the policy", function()
    local path = files.make [[
      return { name = "a", setup = function(engine)
        engine:spawn(function()
          engine:on("peer_banned", "of a task", function(event)
            return ("x"):rep(1 << 30), event
          end)
        end)
      end }]]
    moonpeer.run(function()
      local engine <close> = assert(moonpeer.engine { network = "regtest",
        mode = "fixed", peers = {}, policies = { path } })
      assert(engine:start())
      moonpeer.sleep(0.01)
      local failed = {}
      engine:on("policy_failed", "spec", function(event)
        failed[#failed + 1] = event.reason
      end)
      engine:ban "1.2.3.4"
      moonpeer.sleep(0.02)
      assert.matches("at most", failed[1])
      files.write(path, "return { name = 'a' }")
      assert(engine:reload())
      engine:ban "1.2.3.5"
      moonpeer.sleep(0.02)
      assert.equal(1, #failed)
    end)
  end)
end)

it("core.active says nothing outside of policies", function()
  assert.same(0, select("#", core.active()))
end)

describe("an engine on sockets", function()
  after_each(files.remove_all)

  for name, bad in pairs {
    loops = "while true do pcall(function() while true do end end) end",
    ["fills memory"] = "local t = {} for i = 1, 1e9 do t[i] = { i } end",
    ["matches for ever"] =
      "return (('a'):rep(300)):find('.-.-.-.-.-b$') and 'ban'",
  } do
    it("serves while each hook of a policy " .. name, function()
      local text = { "local function bad()\n" .. bad .. "\nend return {" }
      for _, hook in ipairs { "accept", "validate", "judge", "select", "keep" }
      do
        text[#text + 1] = hook .. " = bad,"
      end
      text[#text + 1] = "on = { message = bad, handshake_complete = bad }, "
        .. "schedule = { bad = { every = '0.1s', run = bad } } }"
      local path = files.make(table.concat(text, "\n"))
      local limit = core.memory_limit(96 << 20)
      moonpeer.run(function()
        local engine <close> = assert(moonpeer.engine { network = "regtest",
          listen = "127.0.0.1:0", policies = { path } })
        local told = 0
        engine:on("policy_failed", "spec", function()
          told = told + 1
        end)
        assert(engine:start())
        while not engine:address() do
          moonpeer.sleep(0.001)
        end
        for _ = 1, 5 do
          local peer <close> = assert(moonpeer.connect(engine:address(),
            { network = "regtest" }))
          assert(peer:handshake())
          peer:send("ping", { nonce = 7 })
          assert.equal(7, assert(peer:receive("pong", "5s")).nonce)
        end
        assert.is_true(told >= 3 and told < 30, told)
      end)
      core.memory_limit(limit)
    end)
  end
end)
