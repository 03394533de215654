--- Peers that close at every possible point: each connection ends once, and for
--- the right reason.
local stage = require "support.stage"
local wire = require "support.wire"

local codes = {
  close = { handshake_failed = true, closed = true, connection_reset = true },
  reset = { connection_reset = true },
}

--- So many connections have ended, each once, for one of these reasons.
local function check(log, n, expected)
  assert.equal(n, log:count "connection_failed" + log:count "connection_lost")
  for _, row in ipairs(log) do
    if row.type == "connection_failed" or row.type == "connection_lost" then
      assert.is_true(expected[row.code], row.code)
    end
  end
  assert.is_nil(log:find "peer_misbehaved")
end

stage.describe("a peer that is dialled", function(one)
  --- All that the node said in a recorded handshake.
  local recorded = {}
  for _, row in ipairs(wire.capture("inbound-full", "node")) do
    recorded[#recorded + 1] = row.frame
    if row.command == "ping" then
      break
    end
  end
  recorded = table.concat(recorded)

  --- Plays the first n bytes to an engine that dials, for every n, on many
  --- hosts at once: an engine has one connection to an address.
  local function cut(how)
    local n, addresses = 0, {}
    local function play(peer)
      local own = n
      n = n + 1
      assert(peer:receive("version", 5))
      peer:send_raw(recorded:sub(1, own))
      one.sleep(0)
      peer[how](peer)
    end
    for i = 1, 32 do
      local listener = assert(one.listen(one.host(1 + i) .. ":0", play,
        { network = "regtest" }))
      addresses[i] = listener.address
    end
    local engine, log = one.watched {
      network = "regtest", max_connections = 32, target_connections = 0,
    }
    while n <= #recorded do
      for _, address in ipairs(addresses) do
        assert(engine:dial(address))
      end
      one.await("all to be gone", function()
        return not engine:connections()()
      end)
      one.sleep(0) -- what was closed in this turn has its slot until its end
    end
    return log, n
  end

  for how, expected in pairs(codes) do -- any order: each with its own engine
    one.it(how .. "s at every byte", function()
      local log, n = cut(how)
      assert.is_true(n > 300)
      check(log, n, expected)
    end)
  end
end)

stage.describe("a peer that dials", function(one)
  local AT_ONCE = 4 -- as many as may shake hands from one group
  local said = table.concat { wire.hello() } .. wire.frame("ping", "12345678")

  local function visit(address, n, how)
    local peer = assert(one.connect(address, { network = "regtest" }))
    if n > 0 then
      peer:send_raw(said:sub(1, n))
    end
    one.sleep(0)
    peer[how](peer)
  end

  for how, expected in pairs(codes) do -- any order: each with its own engine
    one.it(how .. "s at every byte", function()
      local engine, log, address = one.watched {
        network = "regtest", listen = one.host(1) .. ":0",
        target_connections = 0, per_group = 1000, -- and come as often a second
      }
      for n = 0, #said do
        visit(address, n, how)
        if n % AT_ONCE == 0 then
          one.await("all to be gone", function()
            return log:count "inbound_accepted" == n + 1
              and not engine:connections()()
          end)
        end
      end
      one.await("the last to be gone", function()
        return log:count "inbound_accepted" == #said + 1
          and not engine:connections()()
      end)
      assert.is_nil(log:find "inbound_rejected")
      check(log, #said + 1, expected)
    end)
  end
end)
