--- Tasks: coroutines that wait on a loop.
local moonpeer = require "moonpeer"
local process = require "support.process"

--- Runs fn as the main task with a limit.
local function play(fn)
  return moonpeer.run(function()
    local guard <close> = moonpeer.spawn(function()
      moonpeer.sleep(20)
      io.stderr:write("a task hangs\n")
      os.exit(false)
    end)
    return fn(guard)
  end)
end

describe("run", function()
  it("gives what its task returned, nils too", function()
    assert.same({ n = 4, 1, nil, "x", nil },
      table.pack(moonpeer.run(function(...) return ... end, 1, nil, "x", nil)))
  end)

  it("gives very many results", function()
    local many = table.pack(moonpeer.run(function()
      return table.unpack({}, 1, 100000)
    end))
    assert.equal(100000, many.n)
  end)

  it("raises what its task raised, with where", function()
    local good, message = pcall(moonpeer.run, function() error "broken" end)
    assert.is_false(good)
    assert.matches("task_spec.lua:%d+: broken\nstack traceback:", message)
  end)

  it("raises objects as they are", function()
    local object = setmetatable({}, { __tostring = function() error "no" end })
    local good, raised = pcall(moonpeer.run, function() error(object) end)
    assert.is_false(good)
    assert.is_true(rawequal(object, raised))
  end)

  it("does not wait for other tasks, and lets them go on later", function()
    local steps = {}
    moonpeer.run(function()
      moonpeer.spawn(function()
        moonpeer.sleep(0.02)
        steps[#steps + 1] = "late"
      end)
      steps[#steps + 1] = "early"
    end)
    assert.same({ "early" }, steps)
    assert.is_true(moonpeer.run())
    assert.same({ "early", "late" }, steps)
  end)

  it("without a function ends at once when there is nothing", function()
    assert.is_true(moonpeer.run())
  end)

  it("refuses to nest", function()
    local good, message = moonpeer.run(pcall, moonpeer.run)
    assert.is_false(good)
    assert.matches("run is under way", message)
    good, message = moonpeer.run(function()
      return pcall(coroutine.wrap(moonpeer.run), function() end)
    end)
    assert.is_false(good)
    assert.matches("run is under way", message)
  end)

  it("takes functions only", function()
    assert.has_error(function() moonpeer.run(1) end)
    assert.has_error(function() moonpeer.spawn() end)
  end)
end)

describe("a task", function()
  it("runs from the next turn on, in order", function()
    local steps = {}
    play(function()
      for i = 1, 3 do
        moonpeer.spawn(function(...) steps[#steps + 1] = ... end, i)
      end
      assert.same({}, steps)
      moonpeer.sleep(0)
      assert.same({ 1, 2, 3 }, steps)
    end)
  end)

  it("sleeps at least as long as it says", function()
    play(function()
      local before = moonpeer.now()
      assert.is_true(moonpeer.sleep "20ms")
      assert.is_true(moonpeer.now() - before >= 0.02)
    end)
  end)

  it("lets the others run when it yields by itself", function()
    local steps = {}
    play(function()
      local other = moonpeer.spawn(function() steps[#steps + 1] = "other" end)
      coroutine.yield "nothing"
      coroutine.yield()
      assert.same({ "other" }, steps)
      assert.equal("done", other.state)
    end)
  end)

  it("can be waited for, again and again and by many", function()
    play(function()
      local task = moonpeer.spawn(function()
        moonpeer.sleep(0.01)
        return 1, nil, 3
      end)
      local others = {}
      for i = 1, 3 do
        others[i] = moonpeer.spawn(function() return task:wait() end)
      end
      assert.same({ n = 3, 1, nil, 3 }, table.pack(task:wait()))
      for i = 1, 3 do
        assert.same({ n = 3, 1, nil, 3 }, table.pack(others[i]:wait()))
      end
      assert.equal(1, (task:wait()))
    end)
  end)

  it("can be waited for with a limit", function()
    play(function()
      local task <close> = moonpeer.spawn(moonpeer.sleep, 15)
      local result, message, code = task:wait(0.01)
      assert.is_nil(result)
      assert.equal("expected the task to end within 0.01 s, got none", message)
      assert.equal("timeout", code)
    end)
  end)

  it("cannot wait for itself", function()
    play(function()
      local task
      task = moonpeer.spawn(function() return pcall(task.wait, task) end)
      local good, message = task:wait()
      assert.is_false(good)
      assert.matches("cannot wait for itself", message)
    end)
  end)

  it("hands its error to who waits for it", function()
    play(function()
      local task = moonpeer.spawn(error, "broken")
      local result, message, code = task:wait()
      assert.is_nil(result)
      assert.matches("^broken\nstack traceback", message)
      assert.equal("io_error", code)
      assert.equal("failed", task.state)
    end)
  end)

  it("whose error nobody takes says so", function()
    local out, err, code = process.lua [[
      local moonpeer = require "moonpeer"
      moonpeer.spawn(error, "broken")
      moonpeer.spawn(error)
      moonpeer.spawn(error, setmetatable({}, { __tostring = function()
        error "no" end }))
      print(moonpeer.run())
    ]]
    assert.equal("true\n", out)
    assert.matches("moonpeer: a task failed: broken\nstack traceback", err)
    assert.equal(0, code)
  end)

  it("closes what is to be closed when it fails", function()
    local closed = {}
    play(function()
      moonpeer.spawn(function()
        local _ <close> = setmetatable({}, { __close = function(_, message)
          closed[#closed + 1] = message
        end })
        moonpeer.sleep(0)
        error("broken", 0)
      end):wait()
    end)
    assert.same({ "broken" }, closed)
  end)

  it("that is cancelled raises where it waits, and closes", function()
    local closed, message
    play(function()
      local task = moonpeer.spawn(function()
        local _ <close> = setmetatable({}, { __close = function()
          closed = true
        end })
        local _, raised = pcall(moonpeer.sleep, 15)
        message = raised
        error(raised, 0)
      end)
      moonpeer.sleep(0)
      task:cancel()
      task:cancel()
      local result, _, code = task:wait()
      assert.is_nil(result)
      assert.equal("cancelled", code)
    end)
    assert.matches("the task was cancelled", message)
    assert.is_true(closed)
  end)

  it("is told once that it is cancelled, and may clean up", function()
    play(function()
      local task = moonpeer.spawn(function()
        pcall(moonpeer.sleep, 15)
        return moonpeer.sleep(0.001) and "clean"
      end)
      moonpeer.sleep(0)
      task:cancel()
      assert.equal("clean", task:wait())
    end)
  end)

  it("is cancelled by <close>", function()
    play(function()
      local task
      do
        local scoped <close> = moonpeer.spawn(moonpeer.sleep, 15)
        task = scoped
        moonpeer.sleep(0)
        assert.equal("waiting", task.state)
      end
      task:wait()
      assert.equal("failed", task.state)
    end)
  end)

  it("says what it is", function()
    play(function()
      local task = moonpeer.spawn(moonpeer.sleep, 0)
      assert.matches("^moonpeer.task %(ready%)$", tostring(task))
      task:wait()
      assert.matches("^moonpeer.task %(done%)$", tostring(task))
    end)
  end)

  it("cannot be waited for where no function can wait", function()
    play(function()
      local task <close> = moonpeer.spawn(moonpeer.sleep, 15)
      for _ = 1, 3 do -- each would have left it in the list of those who wait
        local good, message = pcall(string.gsub, "x", "x", function()
          task:wait()
        end)
        assert.is_false(good)
        assert.matches("expected to be called where a task can wait", message)
      end
      local _, _, code = task:wait(0.001)
      assert.equal("timeout", code)
    end)
  end)

  it("that is resumed by hand waits on", function()
    play(function()
      local thread
      local task = moonpeer.spawn(function()
        thread = coroutine.running()
        local other <close> = moonpeer.spawn(moonpeer.sleep, 0.02)
        return other:wait()
      end)
      moonpeer.sleep(0)
      for _ = 1, 3 do
        assert.is_true(coroutine.resume(thread))
      end
      assert.is_true(task:wait())
    end)
  end)

  it("that is closed by hand is over", function()
    play(function()
      local thread
      local task = moonpeer.spawn(function()
        thread = coroutine.running()
        moonpeer.sleep(0.001)
      end)
      moonpeer.sleep(0)
      assert.is_true(coroutine.close(thread))
      local result, message = task:wait()
      assert.is_nil(result)
      assert.matches("cannot resume dead coroutine", message)
    end)
  end)

  it("survives collections while it waits", function()
    play(function()
      local task = moonpeer.spawn(function()
        for _ = 1, 5 do
          moonpeer.sleep(0)
          collectgarbage()
        end
        return "alive"
      end)
      collectgarbage()
      assert.equal("alive", task:wait())
    end)
  end)
end)

describe("outside a task", function()
  local connection_methods = { "handshake", "receive" }

  for _, name in ipairs { "sleep", "connect", "resolve" } do
    it(name .. " says where it belongs", function()
      local argument = name == "sleep" and 1 or "127.0.0.1:1"
      local good, message = pcall(function()
        local _ = moonpeer[name](argument)
      end)
      assert.is_false(good)
      assert.matches("task_spec.lua:%d+: " .. name .. " waits; call it inside "
        .. "moonpeer.spawn or moonpeer.run$", message)
    end)
  end

  it("connect by name says where it belongs", function()
    local good, message = pcall(function()
      local _ = moonpeer.connect "localhost:1"
    end)
    assert.is_false(good)
    assert.matches("task_spec.lua:%d+: connect waits; call it inside "
      .. "moonpeer.spawn or moonpeer.run$", message)
  end)

  it("a connection's functions that wait say where they belong", function()
    local connection, listener
    play(function()
      listener = assert(moonpeer.listen("127.0.0.1:0", function(accepted)
        accepted:close()
      end))
      connection = assert(moonpeer.connect(listener.address))
    end)
    for _, name in ipairs(connection_methods) do
      local good, message = pcall(connection[name], connection)
      assert.is_false(good)
      assert.equal(name .. " waits; call it inside moonpeer.spawn or "
        .. "moonpeer.run", message)
    end
    listener:close()
    connection:close()
    moonpeer.run()
  end)

  it("task:wait says where it belongs", function()
    local task = moonpeer.spawn(function() end)
    local good, message = pcall(task.wait, task)
    assert.is_false(good)
    assert.equal("task:wait waits; call it inside moonpeer.spawn or "
      .. "moonpeer.run", message)
    moonpeer.run()
  end)

  it("a coroutine of one's own is not a task", function()
    play(function()
      local good, message = coroutine.resume(
        coroutine.create(moonpeer.sleep), 0)
      assert.is_false(good)
      assert.matches("^sleep waits", message)
    end)
  end)

  it("now and time tell, and spawn prepares", function()
    assert.is_true(moonpeer.now() > 0)
    assert.is_true(math.abs(moonpeer.time() - os.time()) < 5)
    local ran
    moonpeer.spawn(function() ran = true end)
    assert.is_nil(ran)
    moonpeer.run()
    assert.is_true(ran)
  end)
end)
