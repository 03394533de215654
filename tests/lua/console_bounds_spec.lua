--- What is typed at a console holds up no engine. The engine is a child with an
--- end of its own: where a bound is missing, the spec fails and does not hang.
local child = require "support.child"
local moonpeer = require "moonpeer"
local process = require "support.process"
local remote = require "moonpeer.repl.remote"

local folder

--- An engine with a console, whose evaluations have 50 ms.
local engine_code = [[
local console = require "moonpeer.console"
local log = require "moonpeer.log"
local moonpeer = require "moonpeer"
log.configure { write = function() end }
moonpeer.run(function()
  local engine = assert(moonpeer.engine {
    network = "regtest", listen = "127.0.0.1:0",
  })
  engine:start()
  while not engine:address() do
    moonpeer.sleep "1ms"
  end
  assert(console.serve(%q, { budget = 0.05, read_only = %s }))
  moonpeer.sleep "1h"
end)]]

local function attach(path, engine)
  local client
  for _ = 1, 500 do
    moonpeer.sleep "20ms"
    client = remote.attach(path)
    if client then
      break
    end
  end
  assert(client, engine:text())
  moonpeer.spawn(function()
    client:listen(function() end)
  end)
  return client
end

--- Runs fn(ask) beside such an engine; what it asks is answered, or raises.
local function beside(read_only, fn)
  local path = folder .. "/console"
  os.remove(path)
  local engine <close> = child.start(("%s -e %s"):format(
    process.quote(process.executable),
    process.quote(engine_code:format(path, read_only))), 20)
  assert(moonpeer.run(function()
    local client = attach(path, engine)
    fn(function(code, as_text)
      local answer = client:ask { eval = code, text = as_text ~= false }
      assert(answer, code .. ": no answer")
      return answer
    end)
    client:close()
    return true
  end))
  moonpeer.run()
  assert.is_number(engine.pid)
end

local loop = "function() while true do end end"

local function with_loop(code)
  return (code:gsub("LOOP", loop))
end

describe("at a console", function()
  setup(function()
    folder = process.run("mktemp -d"):match "[^\n]+"
    os.execute(("mkfifo %s/pipe"):format(folder))
  end)

  teardown(function()
    os.execute("rm -r " .. folder)
  end)

  it("what computes for too long is stopped, whatever it catches", function()
    beside(false, function(ask)
      for _, code in ipairs {
        "while true do end", "while true do pcall(LOOP) end",
        "coroutine.wrap(LOOP)()", "xpcall(error, LOOP)",
        "moonpeer.spawn(LOOP):wait()", "goto on ::on:: goto on",
        "local x <close> = setmetatable({}, { __close = LOOP })",
        "setmetatable({}, { __tostring = LOOP })",
        "error(setmetatable({}, { __tostring = LOOP }))",
        "print(setmetatable({}, { __tostring = LOOP }))",
        "engine:connections(setmetatable({}, { __index = LOOP }))",
        "load(function() return ' ' end)",
        "local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end",
      } do
        local answer = ask(with_loop(code))
        assert.matches("held the engine", (answer.error or answer.text)
          :gsub("stopped: it has run", "held the engine")
          :gsub("not enough memory", "held the engine"), 1, true)
      end
      assert.equal("2", ask("1 + 1").text)
    end)
  end)

  it("what it has left behind is stopped, too", function()
    beside(false, function(ask)
      for _, code in ipairs {
        [[heard = moonpeer.listen("127.0.0.1:0", LOOP)
          return moonpeer.connect(heard.address) ~= nil]],
        [[engine.store:on("peer_created", "x", LOOP)
          return engine.store:create { ip = "192.0.2.1", port = 1 } ~= nil]],
        [[engine:on("peer_banned", "x", LOOP) return engine:ban "192.0.2.1"]],
        [[store = moonpeer.store { load = function() return {} end,
            apply = LOOP }
          store:create { ip = "192.0.2.1", port = 1 }
          return not store:save()]],
        [[store = moonpeer.store { load = LOOP, apply = LOOP }
          return not store]],
        [[guest = moonpeer.connect(engine:address(), { network = "regtest" })
          guest:handshake() return not guest:send_from("tx", LOOP, 100)]],
      } do
        local answer = ask(with_loop(code))
        assert.equal("true", answer.text or answer.error, code)
        assert.equal("2", ask("1 + 1").text, code)
      end
    end)
  end)

  it("nothing waits for somebody else", function()
    beside(false, function(ask)
      for _, code in ipairs {
        "os.execute 'sleep 1000'", "io.read()", "io.lines()", "os.exit()",
        "io.popen 'cat'", "io.stdin:read()", "dofile()", "loadfile()",
        "io.input()", "debug.debug()", "io.open 'PIPE'", "loadfile 'PIPE'",
        "io.lines 'PIPE'", "assert(moonpeer.store 'json:PIPE')",
        "assert(engine:try 'PIPE')",
        "assert(moonpeer.connect(engine:address()):record 'PIPE')",
        "moonpeer.connect(engine:address()):play('PIPE', 'us')",
        "require 'moonpeer.sim'.world {}:run_for '1e9'",
      } do
        code = code:gsub("PIPE", folder .. "/pipe")
        assert.is_false(ask(code).ok, code)
      end
      assert.is_true(ask("io.open('README.md'):read()").ok)
      assert.is_true(ask("io.write('a', 1)").ok)
    end)
  end)

  for _, read_only in ipairs { false, true } do
    local which = read_only and "one that only looks" or "another"
    it("no function is there that nobody could stop: " .. which, function()
      beside(read_only, function(ask)
        for _, code in ipairs {
          "('a'):rep(3000):find(('.-'):rep(8) .. 'b')",
          "string.rep('x', 1 << 40)", "table.concat({}, '', 1, 1 << 60)",
          "string.find(('a'):rep(3000), ('.-'):rep(8) .. 'b')",
          "table.move({}, 1, 1 << 60, 2)", "os.execute 'sleep 1000'",
          "package.loaded.string.rep('x', 1 << 40)",
          "package.loaded.os.execute 'sleep 1000'",
          "package.loadlib('libc.so.6', 'pause')", "debug.sethook()",
          "debug.getregistry()", "debug.getupvalue(table.insert, 1)",
          "debug.setmetatable('', nil)", "require 'debug'.sethook()",
          "require 'moonpeer.core'", "package.loaded['moonpeer.core'].spawn",
          "setmetatable({}, { __gc = print })", "collectgarbage 'stop'",
          "debug.getinfo(print).func()",
        } do
          assert.is_false(ask(code).ok, code)
        end
        assert.equal('"xx"', ask("('x'):rep(2)").text)
      end)
    end)
  end

  it("what an answer has no room for is missed, not just missing", function()
    beside(false, function(ask)
      for code, is_cut in pairs {
        ["return {}, table.unpack({}, 1, 63)"] = false,
        ["return {}, table.unpack({}, 1, 64)"] = true,
        ["{{{{{{{{{{{{{{{{{}}}}}}}}}}}}}}}}}"] = true,
        ["local t = {} t.t = t return t"] = true,
      } do
        local answer = ask(code)
        assert.is_true(answer.ok, code)
        assert.equal(is_cut or nil, answer.cut, code)
      end
      local printing = "print(('x'):rep(1 << 19)) print(('x'):rep(1 << 18))"
      assert.is_nil(ask(printing, false).cut)
      assert.is_true(ask(printing .. printing, false).cut)
    end)
  end)

  it("what helps to find a mistake is there", function()
    beside(false, function(ask)
      assert.equal('"stdin"', ask("debug.getinfo(1, 'S').short_src").text)
      assert.matches("traceback", ask("debug.traceback()").text)
      assert.equal("true", ask("collectgarbage 'count' > 0").text)
      assert.equal("true", ask("package.loaded.moonpeer == moonpeer").text)
    end)
  end)
end)
