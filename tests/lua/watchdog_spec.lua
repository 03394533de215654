--- What a script may do without hurting the engine: nothing that follows stops
--- it from answering, and from serving the next.
local core = require "moonpeer.core"
local files = require "support.files"
local moonpeer = require "moonpeer"
local policy = require "moonpeer.policy"

local function call_of(stack)
  local handlers = {}
  stack:install(handlers)
  return handlers.judge
end

--- A stack with a policy whose judge has this body, from a file; then one that
--- always answers.
local function judge_of(body, budget)
  local path = files.make("return { name = 'bad', judge = function(...)\n"
    .. body .. "\nend }")
  local stack = assert(policy.stack({
    path, { judge = function() return "observe", "the next" end },
  }, policy.budget(budget)))
  return call_of(stack), stack
end

local function row(stack, name)
  for _, counts in ipairs(stack:counts()) do
    if counts.policy == name and counts.name == "judge" then
      return counts
    end
  end
end

local endless = {
  ["a plain loop"] = "while true do end",
  ["a loop in pcall"] = "while true do pcall(function()\n"
    .. "while true do end end) end",
  ["a loop in xpcall and its handler"] = [[
    local function loop() while true do end end
    while true do xpcall(loop, loop) end]],
  ["a loop in a coroutine"] = [[
    local co = coroutine.wrap(function() while true do end end)
    while true do pcall(co) end]],
  ["a loop in a coroutine of a coroutine"] = [[
    coroutine.wrap(function()
      local co = coroutine.create(function() while true do end end)
      while true do coroutine.resume(co) end
    end)()]],
  ["a loop in a close handler"] = [[
    while true do pcall(function()
      local x <close> = setmetatable({}, { __close = function()
        while true do end end })
      error "x"
    end) end]],
  ["a loop in a coroutine that is closed"] = [[
    local co = coroutine.create(function()
      local x <close> = setmetatable({}, { __close = function()
        while true do end end })
      coroutine.yield()
    end)
    coroutine.resume(co)
    coroutine.close(co)]],
  ["a loop in a metamethod"] = [[
    local t = setmetatable({}, { __index = function() while true do end end })
    return t.x]],
  ["a loop in the options it answers with"] = [[
    local t = { 3, 2, 1 }
    table.sort(t, function() while true do end end)]],
  ["an error whose words are a loop"] = [[
    error(setmetatable({}, { __tostring = function()
      while true do end end }))]],
}

describe("a runaway script is stopped, and the next policy answers:", function()
  after_each(files.remove_all)

  for name, body in pairs(endless) do
    it(name, function()
      local judge, stack = judge_of(body)
      local before = os.clock()
      assert.same({ "observe", "the next" }, { judge(nil) })
      assert.is_true(os.clock() - before < 2)
      assert.equal(1, row(stack, "bad").kills)
      assert.equal(1, row(stack, "bad").errors)
    end)
  end

  it("also after a long idle time, when the thread sleeps", function()
    local judge = judge_of "while true do end"
    judge(nil)
    moonpeer.run(function() moonpeer.sleep(0.5) end)
    local again = judge_of "while true do end"
    assert.equal("observe", (again(nil)))
  end)

  it("within the budget that is configured", function()
    local judge = judge_of("while true do end", { decision = "200ms" })
    local before = os.clock()
    judge(nil)
    local spent = os.clock() - before
    assert.is_true(spent > 0.05 and spent < 2, spent)
  end)

  it("what ends in time is left alone", function()
    local judge, stack = judge_of(
      "local n = 0 for i = 1, 1000 do n = n + i end return 'ban', 'yes'")
    for _ = 1, 1000 do
      assert.equal("ban", (judge(nil)))
    end
    assert.equal(0, row(stack, "bad").errors)
  end)
end)

describe("what no hook could stop is bounded:", function()
  after_each(files.remove_all)

  for name, body in pairs {
    ["a pattern that never ends"] =
      "return (('a'):rep(300)):find('.-.-.-.-.-b$') and 'ban'",
    ["the same by string.match"] =
      "return string.match(('a'):rep(300), '(.*)(.*)(.*)(.*)(.*)b')",
    ["the same in gsub"] =
      "return (('a'):rep(300)):gsub('.-.-.-.-.-b$', '')",
    ["the same in gmatch"] =
      "for x in (('a'):rep(300)):gmatch('.-.-.-.-.-b$') do return x end",
    ["nothing, a great many times"] =
      "if (''):rep(1 << 60) == '' then error 'it ended' end",
    ["a text that fills memory"] = "local s = ('x'):rep(1e9)",
    ["a text that doubles"] =
      "local s = 'x' for i = 1, 60 do s = s .. s end",
    ["a table that grows"] =
      "local t = {} for i = 1, 1e9 do t[i] = {} end",
    ["a recursion that never ends"] =
      "local function f() return 1 + f() end f()",
    ["a recursion in metamethods"] = [[
      local t = setmetatable({}, {})
      getmetatable(t).__index = function(_, k) return t[k .. "x"] end
      return t.x]],
    ["a yield"] = "coroutine.yield()",
    ["an error that is nil"] = "error(nil)",
    ["an error that is an object"] = "error({})",
    ["a finaliser"] = "setmetatable({}, { __gc = function() end })",
    ["a global of its own"] = "global = 1",
    ["a global there is not"] = "return os.exit(1, true)",
    ["reading files"] = "io.open('/etc/passwd')",
    ["code from a text"] = "return load('return 1')()",
    ["another module"] = "require 'io'",
    ["the real string library"] = "return string.dump(function() end)",
    ["debug"] = "debug.sethook()",
    ["a wrong type"] = "return 1, 2, 3",
  } do
    it(name, function()
      local limit = core.memory_limit(64 << 20)
      local judge, stack = judge_of(body, { decision = "300ms" })
      local before = os.clock()
      assert.same({ "observe", "the next" }, { judge(nil) })
      assert.is_true(os.clock() - before < 3)
      assert.equal(1, row(stack, "bad").errors)
      assert.equal("ban", ((judge_of "return 'ban'")(nil)))
      core.memory_limit(limit)
    end)
  end

  it("memory: as much as the reference says, until it is set", function()
    local limit = core.memory_limit(1 << 20)
    core.memory_limit(limit)
    local text
    for _, key in ipairs(require "moonpeer.api.configuration".members) do
      text = key.name == "budget" and key.default or text
    end
    assert.equal(limit >> 20, tonumber(text:match "(%d+) MiB"))
  end)

  it("memory: the program itself is refused nothing", function()
    local limit = core.memory_limit(8 << 20)
    local big = ("x"):rep(32 << 20)
    core.memory_limit(limit)
    assert.equal(32 << 20, #big)
  end)

  it("memory: a function that hit the cap is parked at once", function()
    local limit = core.memory_limit(64 << 20)
    local judge, stack = judge_of(
      "local t = {} for i = 1, 1e9 do t[i] = {} end", { decision = "5s" })
    judge(nil)
    core.memory_limit(limit)
    assert.equal("parked", row(stack, "bad").state)
    assert.matches("not enough memory", row(stack, "bad").last_error)
  end)

  it("strings are Lua's own again outside", function()
    local judge = judge_of "return ('a'):find('a') and 'ban'"
    local find = ("").find
    assert.equal("ban", (judge(nil)))
    assert.equal(find, ("").find)
    assert.equal(string.find, find)
  end)
end)

describe("bounded patterns", function()
  local bounded = core.confined().string

  local texts = {
    "", "a", "abc", "hello world", "  trim me  ", "/Bitcoin SV:1.2.2/",
    "f(a(b)c)d", "THE (quick) fox", "key = value", "a.b.c", "aaab", "x=1,y=2",
    "1.2.3.4:8333", "[::1]", "%d", "]", "a-b", "^x$",
  }
  local patterns = {
    "", "a", "a*", "a+", "a-", "a?", ".", ".-", ".*b", "^a", "c$", "^$", "()",
    "(a)(b)", "%a+", "%S+", "^%s*(.-)%s*$", "%((%a+)%)", "%b()",
    "%f[%w]%w+", "(%w+)%s*=%s*(%w+)", "[%w_]+", "[^%s]+", "[a-c]+", "[]]",
    "[^]]", "[%-a]", "(a*(.)%w(%s*))", "(.)%1", "/(.-):([%d.]+)/", "%%d",
    "^(%d+)%.(%d+)", "()a()", "x", "[a%-]", "%u%l*", "$", "^^x", "a$b",
    "(%d+)%.(%d+)%.(%d+)%.(%d+):?(%d*)",
  }

  local function all(fn, ...)
    return table.pack(pcall(fn, ...))
  end

  it("find, match, gsub and gmatch say what Lua's do", function()
    for _, text in ipairs(texts) do
      for _, pattern in ipairs(patterns) do
        for init = -2, 4 do
          assert.same(all(string.find, text, pattern, init),
            all(bounded.find, text, pattern, init))
          assert.same(all(string.match, text, pattern, init),
            all(bounded.match, text, pattern, init))
        end
        assert.same(all(string.gsub, text, pattern, "<%0>"),
          all(bounded.gsub, text, pattern, "<%0>"))
        assert.same(all(string.gsub, text, pattern, { a = "b" }, 2),
          all(bounded.gsub, text, pattern, { a = "b" }, 2))
        local expected, got = {}, {}
        for a, b in string.gmatch(text, pattern) do
          expected[#expected + 1] = { a, b }
        end
        for a, b in bounded.gmatch(text, pattern) do
          got[#got + 1] = { a, b }
        end
        assert.same(expected, got)
      end
    end
  end)

  it("refuse what Lua's refuse", function()
    for _, pattern in ipairs { "%", "[a", "(a", "a)", "%b", "%f", "%1",
      "(()", "[", "[%", "[^", ("("):rep(40) } do
      assert.equal((pcall(string.find, "abc(", pattern)),
        (pcall(bounded.find, "abc(", pattern)), pattern)
    end
  end)
end)
