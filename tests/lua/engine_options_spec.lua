--- What engines can be made of, and those never started.
local moonpeer = require "moonpeer"

describe("an engine's options", function()
  local function refused(options)
    local made, message = pcall(moonpeer.engine, options)
    if made and not message then
      return "a failure"
    end
    assert.is_false(made)
    return message
  end

  it("name the nearest when one is unknown", function()
    for word, nearest in pairs {
      target_connection = "target_connections", netwrk = "network",
      polices = "policies", handshake_timout = "handshake_timeout",
      usr_agent = "user_agent",
    } do
      assert.matches(('unknown option "%s"; the nearest known is "%s"')
        :format(word, nearest), refused { [word] = 1 }, 1, true)
    end
  end)

  it("are of the right type and in range", function()
    for _, options in ipairs {
      { network = "mainet" }, { network = 5 }, { network = {} },
      { listen = 5 }, { listen = "nowhere" }, { peers = "1.2.3.4" },
      { peers = { 5 } }, { peers = { "x" } }, { mode = "fast" },
      { max_connections = -1 }, { max_connections = 1.5 },
      { max_connections = "many" }, { ping_interval = "often" },
      { ping_interval = -1 }, { ping_interval = 0 / 0 },
      { handshake_timeout = 0 }, { user_agent = ("x"):rep(257) },
      { user_agent = 5 }, { protocol_version = 5 }, { receive_memory = 0 },
      { [1] = "x" }, { [{}] = 1 }, "regtest", 5,
    } do
      assert.is_string(refused(options))
    end
    assert.is_string(refused())
  end)

  it("must fit together", function()
    local made, message, code = moonpeer.engine {
      target_connections = 9, max_connections = 8,
    }
    assert.is_nil(made)
    assert.equal("invalid_connection_limits", code)
    assert.matches("target_connections %(9%)", message)
  end)
end)

describe("an engine that was never started", function()
  it("is closed, or collected, without a loop", function()
    for _ = 1, 50 do
      local engine <close> = assert(moonpeer.engine { network = "regtest" })
      assert(moonpeer.engine { network = "regtest" })
      assert.matches("regtest %(not started%)", tostring(engine))
    end
    collectgarbage()
    collectgarbage()
    assert.is_true(moonpeer.run())
  end)

  it("does not dial", function()
    local engine <close> = assert(moonpeer.engine { network = "regtest" })
    local dialled, _, code = engine:dial "127.0.0.1:1"
    assert.is_nil(dialled)
    assert.equal("closed", code)
  end)
end)
