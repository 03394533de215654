--- The tests with a live node, met by an engine of ours as if it were one.
local moonpeer = require "moonpeer"
local child = require "support.child"
local process = require "support.process"

local function live(settings)
  return child.start(("env %s busted --lua=%s --output=plainTerminal "
    .. "tests/integration/live_spec.lua"):format(settings,
    process.quote(process.executable)))
end

local function output(program, pattern)
  local late = moonpeer.now() + 25
  while not program:text():find(pattern) do
    assert(moonpeer.now() < late, program:text())
    moonpeer.sleep(0.02)
  end
  return program:text()
end

describe("the tests with a live node", function()
  it("pass with an engine of ours", function()
    moonpeer.run(function()
      local engine <close> = assert(moonpeer.engine {
        network = "regtest", listen = "127.0.0.1:0",
        user_agent = "/moonpeer:live/",
      })
      engine:start()
      repeat
        moonpeer.sleep(0.001)
      until engine:address()
      local program <close> = live(("BSV_TEST_NODE=%s BSV_TEST_NETWORK=regtest "
        .. "BSV_TEST_TIMEOUT=10s"):format(engine:address()))
      local text = output(program, "%d+ success")
      assert.matches("3 successes / 0 failures / 0 errors / 0 pending", text)
      assert.matches("/moonpeer:live/, protocol 70016, height 0", text, 1, true)
    end)
  end)

  it("fail where nobody answers", function()
    moonpeer.run(function()
      local listener = assert(moonpeer.listen("127.0.0.1:0", print))
      listener:close()
      local program <close> = live(("BSV_TEST_NODE=%s BSV_TEST_NETWORK=regtest "
        .. "BSV_TEST_TIMEOUT=2"):format(listener.address))
      local text = output(program, "%d+ success")
      assert.matches("0 successes", text)
      assert.matches("connection_refused", text)
    end)
  end)

  it("say that they are skipped without one", function()
    moonpeer.run(function()
      for _, unset in ipairs { "-u BSV_TEST_NODE", "BSV_TEST_NODE=" } do
        local program <close> = live(unset)
        local text = output(program, "1 pending")
        assert.matches("skipped: BSV_TEST_NODE is not set", text, 1, true)
      end
    end)
  end)
end)
