--- A live node, chosen by the environment: BSV_TEST_NODE (host:port, without
--- it nothing is done), BSV_TEST_NETWORK (mainnet), BSV_TEST_TIMEOUT (for each
--- step: 30s; a number is seconds).
local moonpeer = require "moonpeer"

--- What is empty is not set.
local function setting(name)
  local text = os.getenv(name)
  return text ~= "" and text or nil
end

local node = setting "BSV_TEST_NODE"
local network = setting "BSV_TEST_NETWORK" or "mainnet"
local given = setting "BSV_TEST_TIMEOUT" or "30s"
local timeout = tonumber(given) or given

--- What a function of the module gave, or an error with its code.
local function good(result, message, code)
  return result or error(("%s (%s)"):format(message, code), 2)
end

--- Plays with a connection to the node, which is always closed afterwards.
local function meet(fn)
  moonpeer.run(function()
    local connection <close> = good(moonpeer.connect(node, {
      network = network, connect_timeout = timeout,
      handshake_timeout = timeout,
    }))
    fn(connection)
  end)
end

describe("the live node " .. (node or "(none)"), function()
  if not node then
    local reason = "BSV_TEST_NODE is not set: no live node is met"
    io.stderr:write("skipped: ", reason, "\n")
    pending(reason)
    return
  end

  it("takes a TCP connection", function()
    meet(function(connection)
      assert.equal("awaiting_handshake", connection.state)
    end)
  end)

  it("answers our version with a good first frame", function()
    meet(function(connection)
      good(connection:send("version", {
        version = 70016, services = 0, timestamp = os.time(), nonce = 1,
        addr_recv = { services = 0, ip = "0.0.0.0", port = 0 },
        addr_from = { services = 0, ip = "0.0.0.0", port = 0 },
        user_agent = "/moonpeer:" .. moonpeer.version .. "/",
        start_height = 0, relay = false,
      }))
      local first = good(connection:receive(nil, timeout))
      assert.equal("version", first.command)
      assert.is_true(first.version >= 31800)
      assert.is_string(first.user_agent)
    end)
  end)

  it("shakes hands", function()
    meet(function(connection)
      local version = good(connection:handshake())
      assert.equal("connected", connection.state)
      assert.is_true(version.version >= 31800)
      print(("%s: %s, protocol %d, height %d"):format(node,
        version.user_agent, version.version, version.start_height))
      good(connection:send("ping", { nonce = 0x6d6f6f6e }))
      assert.equal(0x6d6f6f6e,
        good(connection:receive("pong", timeout)).nonce)
    end)
  end)
end)
