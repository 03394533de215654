--- What one peer may ask of us: how many messages of each kind at once.
local field = require "support.field"
local visitors = require "support.visitors"
local wire = require "support.wire"
local it = field.it

local locator = "\1\0\0\0\0" .. ("\0"):rep(32)

--- How many may come at once, and a second, of a command with this payload.
local dear = {
  ping = { 1000, 200, "12345678" }, getaddr = { 1000, 200, "" },
  getdata = { 1000, 200, "\0" }, getheaders = { 1000, 200, locator },
  getblocks = { 1000, 200, locator }, gethdrsen = { 1000, 200, locator },
  mempool = { 1000, 200, "" },
  getblocktxn = { 1000, 200, ("\0"):rep(33) },
  addr = { 50, 10, "\0" }, addrv2 = { 50, 10, "\0" },
  xyzzy = { 200000, 50000, "" },
}

--- An engine that a guest has sent so many of a command, in one instant.
local function flooded(world, command, n)
  local engine, log = field.engine(world, visitors.at)
  field.guest(world, "20.1.0.1", visitors.at, function(connection, remote)
    local frame = wire.frame(command, dear[command][3])
    while n > 0 do
      if connection:send_raw(frame:rep(math.min(n, 5000))) then
        n = n - 5000
      else
        remote:sleep(0.001) -- until it has room
      end
    end
    remote:sleep "1h"
  end)
  world:run_for(0.5)
  return engine, log
end

describe("messages of a kind, as many at once as may be,", function()
  for command, row in pairs(dear) do -- any order: each in worlds of its own
    it("are borne: " .. command, function(world)
      local engine, log = flooded(world, command, row[1])
      local counts = engine:stats().commands
      assert.equal(row[1], (counts[command] or counts.other).messages_in)
      assert.is_nil(log:find "peer_misbehaved")
    end)

    it("and more are a flood: " .. command, function(world)
      local more = row[1] // 10 + row[2] // 2 -- what is earned meanwhile
      local _, log = flooded(world, command, row[1] + more)
      local flood = log:find("peer_misbehaved", "flood")
      assert.is_truthy(flood)
      assert.matches(("^%s: expected at most %d "):format(command, row[2]),
        flood.reason)
      assert.equal("throttle", flood.verdict)
    end)
  end
end)
