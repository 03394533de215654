--- unwanted - an engine on loopback that nobody listens to is sent messages;
--- counters() says how many blocks were had and how often Lua was entered.
local moonpeer = require "moonpeer"
local wire = require "support.wire"

local counters = _G.counters

local frame = wire.frame("inv", "\1\1\0\0\0" .. ("x"):rep(32))
local finish = wire.frame("ping", "12345678")

--- n messages and then a ping, whose pong says that all were read: what they
--- cost besides the few things that one sending costs.
local function cost(connection, n)
  local bytes = frame:rep(n) .. finish
  collectgarbage()
  collectgarbage "stop"
  local blocks, entries = counters()
  assert(connection:send_raw(bytes))
  assert(connection:receive("pong", "20s"))
  local blocks_after, entries_after = counters()
  collectgarbage "restart"
  return blocks_after - blocks, entries_after - entries
end

local function measure(is_wanted)
  local engine <close> = assert(moonpeer.engine { network = "regtest",
    target_connections = 0, listen = "127.0.0.1:0" })
  local heard = 0
  if is_wanted then
    engine:on("message", "spec", function() heard = heard + 1 end)
  end
  assert(engine:start())
  while not engine:address() do
    moonpeer.sleep(0.01)
  end
  local connection <close> = assert(moonpeer.connect(engine:address(),
    { network = "regtest" }))
  assert(connection:handshake())
  cost(connection, 1000) -- warms up
  local blocks, entries = cost(connection, 10000)
  local got = 0
  for command, row in pairs(engine:stats().commands) do
    got = command == "inv" and row.messages_in or got
  end
  return { blocks = blocks, entries = entries, heard = heard, got = got }
end

local results = {}
moonpeer.run(function()
  results.unwanted = measure(false)
  results.wanted = measure(true)
end)
return results
