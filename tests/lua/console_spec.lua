--- Consoles of a running process: lines of JSON over a Unix socket.
local console = require "moonpeer.console"
local core = require "moonpeer.core"
local log = require "moonpeer.log"
local moonpeer = require "moonpeer"
local remote = require "moonpeer.repl.remote"

local lines

--- Runs fn(path, attach) in a task while a console is served.
local function served(options, fn)
  local path = os.tmpname()
  os.remove(path)
  local clients = {}
  local function attach()
    local client = assert(remote.attach(path))
    clients[#clients + 1] = client
    client.shown = {}
    moonpeer.spawn(function()
      client:listen(function(text)
        table.insert(client.shown, text)
      end)
    end)
    return client
  end
  local done
  assert(moonpeer.run(function()
    local listener = assert(console.serve(path, options))
    local good, message = xpcall(fn, debug.traceback, path, attach)
    for _, client in ipairs(clients) do
      client:close()
    end
    listener:close()
    assert(good, message)
    done = true
    return true
  end))
  assert.is_true(done)
  moonpeer.run()
end

local function mode_of(path)
  local list <close> = io.popen("stat -c %a " .. path)
  return list:read "l"
end

describe("a console", function()
  setup(function()
    log.configure { write = function(text) lines[#lines + 1] = text end }
  end)

  before_each(function()
    lines = {}
  end)

  it("answers with results, what was printed, or the error", function()
    served({}, function(_, attach)
      local client = attach()
      local answer = client:ask { eval = "print(1, 'a') return 1, {2}, nil" }
      assert.is_true(answer.ok)
      assert.equal("1\ta\n", answer.printed)
      assert.equal(1, answer.results[1])
      assert.same({ 2 }, { table.unpack(answer.results[2]) })
      answer = client:ask { eval = "error 'boom'" }
      assert.is_false(answer.ok)
      assert.matches("^stdin:1: boom", answer.error)
      answer = client:ask { eval = "for i = 1," }
      assert.is_true(answer.unfinished)
      answer = client:ask { eval = "1 + 1", text = true }
      assert.equal("2", answer.text)
    end)
  end)

  it("gives what JSON has no words for as text", function()
    served({}, function(_, attach)
      local answer = attach():ask {
        eval = "'\\255\\0', print, 0/0, {1, x = {y = math.huge}}, 1 << 62",
      }
      assert.equal("ff00", answer.results[1])
      assert.matches("^function", answer.results[2])
      assert.matches("nan", answer.results[3])
      assert.same({ ["1"] = 1, x = { y = "inf" } }, answer.results[4])
      assert.equal(1 << 62, answer.results[5])
    end)
  end)

  it("gives a list with holes or names as an object", function()
    served({}, function(_, attach)
      local answer = attach():ask { eval = "{1, nil, 3}, {{n = 1, 2}}, {}" }
      assert.same({ ["1"] = 1, ["3"] = 3 }, answer.results[1])
      assert.same({ n = 1, ["1"] = 2 }, answer.results[2][1])
      assert.same({}, answer.results[3])
      local many = "local t = {} for i = 1, %d do t[i] = i end return t"
      assert.is_nil(attach():ask { eval = many:format(100000) }.cut)
      assert.is_true(attach():ask { eval = many:format(100001) }.cut)
    end)
  end)

  it("is reached by its owner alone", function()
    served({}, function(path)
      assert.equal("600", mode_of(path))
    end)
  end)

  it("waits for what waits; a cancel ends that", function()
    served({}, function(_, attach)
      local client = attach()
      local answer = client:ask { eval = "moonpeer.sleep(0.01)" }
      assert.same({ true }, { table.unpack(answer.results) })
      moonpeer.spawn(function()
        moonpeer.sleep "50ms"
        client:cancel()
      end)
      answer = client:ask { eval = "moonpeer.sleep '1h'" }
      assert.equal("interrupted", answer.error)
      assert.is_true(client:ask({ eval = "1" }).ok)
    end)
  end)

  it("has that nowhere where one would look by mistake", function()
    served({}, function(_, attach)
      local client = attach()
      for _, found in ipairs {
        "_G.string.rep", "require('string').rep", "require('_G').string.rep",
        "load('return string.rep')()", "_ENV.string.rep",
        "load('return _G.string.rep')()", "package.loaded.string.rep",
        "package.loaded._G.string.rep",
      } do
        assert.is_false(client:ask({
          eval = ("(%s)('x', 1 << 40)"):format(found) }).ok, found)
      end
      client:ask { eval = "_G.y = 8" }
      assert.equal(8, client:ask({ eval = "y" }).results[1])
      assert.is_nil(rawget(_G, "y"))
      assert.is_true(client:ask({
        eval = "require 'moonpeer' == moonpeer and load('return 1')() == 1",
      }).results[1])
      assert.is_true(client:ask({
        eval = "load('return z', '', 't', { z = true })()" }).results[1])
    end)
  end)

  it("completes", function()
    served({}, function(_, attach)
      local answer = attach():ask { complete = "moonpeer.resol" }
      assert.same({ "resolve" }, { table.unpack(answer.words) })
      assert.equal(5, answer.replaced)
    end)
  end)

  it("completes what a command is about, and messages in texts", function()
    served({}, function(_, attach)
      local client = attach()
      for text, words in pairs {
        [":watch getbl"] = "getblocks getblocktxn",
        [":watch peer_b"] = "peer_banned",
        [":watch mainn"] = "",
        [":log "] = "debug error info warning",
        [":log debug sch"] = "schedule",
        [":log debug schedule x"] = "",
        [":help conn"] = "connection",
        [":help engine.unb"] = "engine.unban",
        [":policy "] = "",
        [":nonsense "] = "",
        ["peer:send('getheade"] = "getheaders",
        ["engine:address():"] = "",
        ["list[1].pri"] = "",
      } do
        local answer = client:ask { complete = text }
        assert.equal(words, table.concat(answer.words, " "), text)
      end
      assert.equal(3, client:ask({ complete = ":log debug sch" }).replaced)
    end)
  end)

  it("is not taken for one where something else answers", function()
    local path = os.tmpname()
    os.remove(path)
    moonpeer.run(function()
      for _, words in ipairs { "5\n", "[]\n", "HTTP/1.1 400\r\n", "\0\n" } do
        local listener = assert(core.line_listen(path, function(line)
          line:write(words)
          line:read "5s"
        end))
        local client, message = remote.attach(path)
        assert.is_nil(client)
        assert.equal("no moonpeer answers there", message)
        listener:close()
      end
    end)
  end)

  it("has globals of its own; several see the same engine", function()
    served({}, function(_, attach)
      local engine <close> = assert(moonpeer.engine { network = "regtest" })
      engine:start()
      local one, other = attach(), attach()
      one:ask { eval = "x = 7" }
      assert.equal(7, one:ask({ eval = "x" }).results[1])
      assert.is_nil(rawget(_G, "x"))
      assert.is_true(other:ask({ eval = "x == nil" }).results[1])
      for i = 1, 20 do
        local client = i % 2 == 0 and one or other
        assert.is_true(client:ask({
          eval = ("engine:configure { max_connections = %d }"):format(20 + i),
        }).ok)
      end
      assert.equal(40, engine:config().max_connections)
    end)
  end)

  it("says how a command is used, and what is not there", function()
    served({}, function(_, attach)
      local client = attach()
      for text, message in pairs {
        [":peers all"] = "usage: :peers",
        [":watch inv tx"] = "usage: :watch [EVENT or COMMAND]",
        [":explain"] = "usage: :explain ADDRESS",
        [":log debug net x"] = "usage: :log [LEVEL [COMPONENT]]",
      } do
        assert.equal(message, client:ask({ eval = text }).error)
      end
      assert.equal("there is no such file",
        select(2, remote.attach "/nonexistent/x.sock"))
    end)
    served({ read_only = true }, function(_, attach)
      assert.matches("%(this console only looks: .*%)$",
        attach():ask({ eval = "moonpeer.engine {}" }).error)
    end)
  end)

  it("that only looks changes nothing", function()
    served({ read_only = true }, function(_, attach)
      local engine <close> = assert(moonpeer.engine { network = "regtest" })
      engine:start()
      local client = attach()
      assert.is_true(client.about.read_only)
      assert.equal(20,
        client:ask({ eval = "engine:config().max_connections" }).results[1])
      assert.equal("regtest",
        client:ask({ eval = "engine:network().name" }).results[1])
      for _, code in ipairs {
        "engine:ban '198.51.100.1'", "engine:close()", "os.exit(1)",
        "io.open('/tmp/x', 'w')", "require 'moonpeer'", "load 'return 1'()",
        "debug.getregistry()", "moonpeer.engine {}", ":log debug",
        "getmetatable('').__index", "setmetatable({}, {})", "rawset(_G, 1, 1)",
        "collectgarbage()", "engine.close(engine)",
      } do
        assert.is_false(client:ask({ eval = code }).ok, code)
      end
      client:ask { eval = "string.rep = nil; table.insert = nil" }
      client:ask { eval = "moonpeer.network.regtest.port = 1" }
      assert.is_function(string.rep)
      assert.equal(18444, moonpeer.network.regtest.port)
      assert.equal(0, #engine.store.bans)
    end)
  end)

  it("logs every evaluation, on one line whatever it holds", function()
    served({}, function(_, attach)
      attach():ask { eval = "1 -- \27[2J\nreturn 2" }
      local found
      for _, line in ipairs(lines) do
        found = found or line:find("evaluated", 1, true) and line
      end
      assert.matches('console: evaluated client=1 code="1 %-%- \\x1b%[2J\\x0a',
        found)
      assert.not_matches("\n", found)
    end)
  end)

  it("refuses what is no request", function()
    served({}, function(path)
      local line = assert(core.line_connect(path))
      assert(line:read "5s")
      for _, text in ipairs {
        "nonsense", "[1", "1", "\0\255\254", '{"id":1}', '{"eval":7}', '"x"',
        '{"id":"\255","eval":"1"}', '{"id":["\255"],"cancel":1}',
      } do
        line:write(text .. "\n")
        local answer = core.json_decode(assert(line:read "5s", text))
        assert.is_false(answer.ok, text)
        assert.is_string(answer.error, text)
      end
      line:close()
    end)
  end)

  it("ends a client that sends a gigabyte without a line end", function()
    served({}, function(path, attach)
      local line = assert(core.line_connect(path))
      assert(line:read "5s")
      local before = collectgarbage "count"
      local piece, code, sent = ("x"):rep(1 << 16), nil, 0
      for i = 1, 1 << 14 do
        sent = i
        local good, _, why = line:write(piece)
        moonpeer.sleep(0)
        if not good then
          code = why
          break
        end
      end
      assert.equal("closed", code)
      assert.is_true(sent < 128, sent .. " times 64 KiB were taken")
      line:close()
      assert.is_true(collectgarbage "count" - before < 64 * 1024)
      assert.is_true(attach():ask({ eval = "1" }).ok)
    end)
  end)

  it("survives a client that goes in the middle of an answer", function()
    served({}, function(path, attach)
      for _, code in ipairs {
        "('x'):rep(1 << 22)", "moonpeer.sleep '1h'",
        "for i = 1, 1000 do print(('y'):rep(1000)) end",
      } do
        local line = assert(core.line_connect(path))
        assert(line:read "5s")
        line:write(core.json_encode { id = 1, eval = code, text = true }
          .. "\n")
        moonpeer.sleep "10ms"
        line = nil -- luacheck: ignore
        collectgarbage()
      end
      moonpeer.sleep "20ms"
      assert.is_true(attach():ask({ eval = "1" }).ok)
    end)
  end)

  it("does not keep the process running", function()
    local path = os.tmpname()
    os.remove(path)
    local listener, line
    moonpeer.run(function()
      listener = assert(console.serve(path))
      line = assert(core.line_connect(path))
      assert(line:read "5s")
      line:close()
    end)
    moonpeer.run()
    listener:close()
    moonpeer.run()
  end)

  it("takes a stale socket's place, and nothing else's", function()
    local path = os.tmpname() -- an ordinary file
    moonpeer.run(function()
      local listener, message = console.serve(path)
      assert.is_nil(listener)
      assert.matches("a file is in the way", message)
      os.remove(path)
      local first = assert(console.serve(path))
      local second, why, code = console.serve(path)
      assert.is_nil(second)
      assert.matches("somebody listens there already", why)
      assert.equal("listen_failed", code)
      first:close()
      local third, how = console.serve "/no/such/folder/socket"
      assert.is_nil(third)
      assert.matches("is its folder there", how)
      local fourth, too_long = console.serve("/tmp/" .. ("x"):rep(200))
      assert.is_nil(fourth)
      assert.matches("too long", too_long)
    end)
    moonpeer.run()
  end)
end)

describe("consoles together", function()
  it("wait while the loop is busy, and take 5 % of it", function()
    served({}, function(_, attach)
      local client = attach()
      local stop = false
      --- Others have always something to do.
      local busy = moonpeer.spawn(function()
        while not stop do
          local deadline = os.clock() + 0.0005
          repeat until os.clock() > deadline
          coroutine.yield() -- at once again, when others had their turn
        end
      end)
      local start, n = os.clock(), 0
      local begin = moonpeer.now()
      while moonpeer.now() - begin < 1.5 do
        client:ask { eval = [[
          local stop = os.clock() + 0.001
          repeat until os.clock() > stop]] }
        n = n + 1
      end
      stop = true
      busy:wait()
      local used = os.clock() - start
      -- 20 ms at once are given to those who come first
      assert.is_true(n * 0.001 <= used * 0.10 + 0.025,
        ("%d evaluations in %.2f s"):format(n, used))
      assert.is_true(n > 5)
    end)
  end)
end)
