--- A process of its own: its end with everything open, and signals.
local process = require "support.process"

--- Everything there is, open and under way.
local everything = [[
  local moonpeer = require "moonpeer"
  local engine = assert(moonpeer.engine {
    network = "regtest", listen = "127.0.0.1:0",
    policies = { { judge = function() return "observe" end } },
  })
  kept = { engine, assert(moonpeer.engine { network = "regtest" }) }
  moonpeer.run(function()
    engine:on("message", "spec", function(event) last = event.message end)
    engine:on("connection_lost", "spec", function() print "told" end)
    engine:start()
    while not engine:address() do moonpeer.sleep(0.001) end
    local options = { network = "regtest" }
    kept.listener = assert(moonpeer.listen("127.0.0.1:0", function(peer)
      kept.accepted = peer
      peer:receive "nothing"
    end, options))
    for i = 1, 3 do
      local peer = assert(moonpeer.connect(engine:address(), options))
      assert(peer:handshake())
      peer:send("xyzzy", ("x"):rep(100000))
      kept[#kept + 1] = peer
    end
    kept.silent = assert(moonpeer.connect(kept.listener.address, options))
    kept.silent:send("xyzzy", "unread")
    kept.task = moonpeer.spawn(moonpeer.sleep, 1000)
    kept.waiting = moonpeer.spawn(function() kept.silent:receive "nothing" end)
    kept.never = moonpeer.spawn(function() moonpeer.connect "127.0.0.1:1" end)
    kept.lookup = moonpeer.spawn(moonpeer.resolve, "localhost")
    kept.iterator = engine:connections()
    moonpeer.sleep(0.01)
    kept.dialling = moonpeer.spawn(moonpeer.connect, engine:address())
  end)
]]

describe("a state that is closed", function()
  it("with everything open ends clean", function()
    process.each(function(interpreter)
      local out, err, code = process.lua(everything, interpreter)
      assert.equal("", err)
      assert.equal("", out)
      assert.equal(0, code)
    end)
  end)

  it("from inside a task, with everything open, ends clean", function()
    for _, close in ipairs { "true, true", "true, false" } do
      process.each(function(interpreter)
        local out, err, code = process.lua(
          everything:gsub("moonpeer.sleep%(0.01%)",
            "os.exit(" .. close .. ")"), interpreter)
        assert.equal("", err)
        assert.equal("", out)
        assert.equal(0, code)
      end)
    end
  end)

  it("by an error in the middle says so, and ends clean", function()
    local out, err, code = process.lua(everything .. 'error "enough"')
    assert.equal("", out)
    assert.matches("enough", err)
    assert.equal(1, code)
  end)

  it("is survived by finalizers that still use it", function()
    local guarded = [[
      local guard = setmetatable({}, { __gc = function()
        local moonpeer = require "moonpeer"
        local results = {
          kept[1]:close(), kept[1]:address(), kept[3]:send("ping",
            "12345678"), kept[3]:send_raw "x", kept[3].state,
          kept[3].version, tostring(kept[3]), kept.listener:close(),
          kept.task:cancel(), kept.task.state, tostring(last),
        }
        print(pcall(moonpeer.now))
        print(pcall(moonpeer.spawn, print))
        print(pcall(moonpeer.run))
        print(pcall(moonpeer.engine, { network = "regtest" }))
        print(pcall(moonpeer.listen, "127.0.0.1:0", print))
        print(pcall(kept[3].send, kept[3], "inv", { items = {} }))
      end })
    ]] .. everything .. "_G.guard = guard"
    process.each(function(interpreter)
      local out, err, code = process.lua(guarded, interpreter)
      assert.equal("", err)
      assert.equal(0, code)
      for line in out:gmatch "[^\n]+" do
        assert.matches("^false\t.*the state is being closed", line)
      end
      assert.equal(6, select(2, out:gsub("\n", "")))
    end)
  end)

  it("before anything was done ends clean", function()
    for _, code in ipairs {
      'require "moonpeer"', 'require "moonpeer".now()',
      'require "moonpeer".spawn(print)',
      'require "moonpeer".listen("127.0.0.1:0", print)',
      'require "moonpeer".engine { network = "regtest" }',
      'require "moonpeer".engine { network = "regtest" }:start()',
      'require "moonpeer".engine { peers = { "127.0.0.1:1" } }:start()',
    } do
      process.each(function(interpreter)
        local out, err, exit = process.lua(code, interpreter)
        assert.same({ "", "", 0 }, { out, err, exit })
      end)
    end
  end)
end)

--- Sends a signal to the process itself: its handlers and no timing decide.
local kill = [[
  local function kill(name)
    assert(io.popen("kill -" .. name .. " $PPID")):close()
  end
]]

describe("a signal", function()
  for _, name in ipairs { "INT", "TERM" } do
    it("SIG" .. name .. " ends run in order", function()
      process.each(function(interpreter)
        local out, err, code = process.lua(kill .. ([[
          local moonpeer = require "moonpeer"
          local engine = moonpeer.engine {
            network = "regtest", listen = "127.0.0.1:0",
          }
          engine:on("connection_lost", "spec", function(event)
            print("lost", event.code)
          end)
          engine:start()
          moonpeer.spawn(function()
            local _ <close> = setmetatable({}, { __close = function()
              print "closed"
            end })
            while not engine:address() do moonpeer.sleep(0.001) end
            local peer = assert(moonpeer.connect(engine:address(),
              { network = "regtest" }))
            assert(peer:handshake())
            print "ready"
            moonpeer.spawn(kill, %q)
            moonpeer.sleep(1000)
          end)
          print(moonpeer.run())
          print "after"
        ]]):format(name), interpreter)
        assert.equal("", err)
        assert.equal("ready\nclosed\nlost\tclosed\n"
          .. "nil\tinterrupted by a signal\tcancelled\nafter\n", out)
        assert.equal(0, code)
      end)
    end)

    it("SIG" .. name .. " twice ends run at once", function()
      process.each(function(interpreter)
        local out, err, code = process.lua(kill .. ([[
          local moonpeer = require "moonpeer"
          moonpeer.spawn(function()
            while true do
              pcall(moonpeer.sleep, 0.001)
              print "still here"
              kill %q
            end
          end)
          print(moonpeer.run())
        ]]):format(name), interpreter)
        assert.equal("", err)
        assert.matches("^still here\nstill here\n", out)
        assert.matches("nil\tinterrupted by a signal\tcancelled\n$", out)
        assert.equal(0, code)
      end)
    end)

    it("SIG" .. name .. " ends a run that waits for its task", function()
      local out, err, code = process.lua(kill .. ([[
        local moonpeer = require "moonpeer"
        print(moonpeer.run(function()
          moonpeer.spawn(kill, %q)
          moonpeer.sleep(1000)
        end))
      ]]):format(name))
      assert.equal("", err)
      assert.matches("^nil\t.*\tcancelled\n$", out)
      assert.equal(0, code)
    end)
  end

  it("finds the handlers of before put back after run", function()
    process.each(function(interpreter)
      local run = kill .. [[
        local moonpeer = require "moonpeer"
        print(moonpeer.run(moonpeer.sleep, 0.001))
      ]]
      local out, err, code = process.lua(run .. [[
        kill "INT"
        for i = 1, 1e9 do end
        print "not interrupted"
      ]], interpreter)
      assert.equal("true\n", out)
      assert.matches("interrupted!", err)
      assert.equal(1, code)
      out, _, code = process.lua(run .. [[
        kill "TERM"
        for i = 1, 1e9 do end
        print "not terminated"
      ]], interpreter)
      assert.equal("true\n", out)
      assert.equal(15, code % 128) -- of the shell, or the signal itself
    end)
  end)

  it("SIGPIPE does not end the process", function()
    process.each(function(interpreter)
      local out, err, code = process.lua([[
        local moonpeer = require "moonpeer"
        moonpeer.run(function()
          local listener <close> = assert(moonpeer.listen("127.0.0.1:0",
            function(peer) peer:reset() end))
          local peer = assert(moonpeer.connect(listener.address))
          for _ = 1, 100 do
            local sent, _, why = peer:send_raw(("x"):rep(10000))
            if not sent and why ~= "limit" then break end
            moonpeer.sleep(0.001)
          end
          print(peer.state)
        end)
      ]], interpreter)
      assert.equal("", err)
      assert.equal("disconnected\n", out)
      assert.equal(0, code)
    end)
  end)
end)
