--- engine_process - an engine in a process of its own, for specs: arg[1] is its
--- configuration in JSON. It tells its process and where it listens, and what
--- it holds whenever that changes, an object of JSON a line. Who sends it a
--- "flood" is flooded.
local core = require "moonpeer.core"
local moonpeer = require "moonpeer"

local FLOOD, MESSAGES = ("f"):rep(1 << 20), 8

io.stdout:setvbuf "line"

local function pid()
  local file <close> = assert(io.open "/proc/self/stat")
  return file:read "n"
end

local function say(event, fields)
  fields.event = event
  print(core.json_encode(fields))
end

--- As many messages as may be queued at once, then more when there is room.
local function flood(connection)
  for _ = 1, MESSAGES do
    while not connection:send("xyzzy", FLOOD) do
      if connection.state ~= "connected" then
        return
      end
      moonpeer.sleep "5ms"
    end
  end
end

local engine = assert(moonpeer.engine(assert(core.json_decode(arg[1]))))
local heard = { bytes = 0, blocks = 0 }

engine:on("message", "flood", function(event)
  moonpeer.spawn(flood, event.connection)
end, { command = "flood" })
engine:on("message", "bytes", function(event)
  heard.bytes = heard.bytes + #event.message:raw()
end, { command = "xyzzy" })
engine:on("message", "blocks", function()
  heard.blocks = heard.blocks + 1
end, { command = "inv" })
engine:on("message", "headers", function()
  heard.blocks = heard.blocks + 1
end, { command = "headers" })
engine:on("listener_started", "say", function(event)
  say("listening", { address = event.address, pid = pid() })
end)
engine:on("listener_failed", "say", function(event)
  say("listener_failed", { code = event.code })
end)
for _, name in ipairs { "connection_lost", "connection_failed",
  "peer_misbehaved" } do
  engine:on(name, "say", function(event)
    say(name, { code = event.code, address = event.address })
  end)
end
engine:start()

moonpeer.run(function()
  local last
  while true do
    local counts = engine:counts()
    local line = core.json_encode {
      event = "state", connected = counts.connected,
      inbound = counts.inbound, outbound = counts.outbound,
      connections = counts.connections, bytes = heard.bytes,
      blocks = heard.blocks,
    }
    if line ~= last then
      print(line)
      last = line
    end
    moonpeer.sleep "10ms"
  end
end)
