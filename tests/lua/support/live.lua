--- live - an engine in a world whose policy is a file, and a peer that offends
--- once a second.
local files = require "support.files"
local sim = require "moonpeer.sim"
local wire = require "support.wire"

local live = {}

local bad = wire.frame("ping", "12345678", { checksum = "oops" })

--- A policy from a file, whose judge has this body.
local function text_of(body, more)
  return ("local seen = 0\nreturn { name = 'live', judge = function(engine, "
    .. "connection, offence)\n%s\nend, %s }"):format(body, more or "")
end

--- A world with an engine that has the policy, and a peer that offends once a
--- second; fn(engine, path, log) is a task.
function live.play(body, fn, more, config)
  local path = files.make(text_of(body, more))
  local world <close> = sim.world { seed = 5, network = "regtest" }
  config = config or {}
  config.policies = { path }
  local engine = world:engine("10.0.0.1:18444", config)
  local log = {}
  engine:on("peer_misbehaved", "spec", function(event)
    log[#log + 1] = event.verdict
  end)
  engine:on("policy_failed", "spec", function(event)
    log.failed = event.reason
  end)
  world:remote("10.0.0.2", function(remote)
    local connection = remote:dial "10.0.0.1:18444"
    connection:handshake()
    while connection:send_raw(bad) do
      remote:sleep "1s"
    end
  end)
  world:run_for "3s"
  local done
  engine:spawn(function()
    fn(engine, path, log, world)
    done = true
  end)
  assert(world:run_until(function() return done end, "10m"))
  return log
end

--- Writes the file anew.
function live.write(path, ...)
  files.write(path, text_of(...))
end

return live
