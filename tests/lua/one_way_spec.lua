--- One way down, one way up: what a hook calls calls nobody before it returns,
--- whatever it causes.
local core = require "moonpeer.core"
local field = require "support.field"
local it = field.it

--- Every verb of an engine, a connection, the store and the bans that makes
--- something happen; each in an engine of its own, with a connection.
local verbs = {
  { "ban", function(engine) return engine:ban "10.1.0.2" end,
    "peer_banned" },
  { "unban", function(engine) return engine:unban "9.9.9.9" end,
    "peer_unbanned" },
  { "bans:add", function(engine) return engine.store.bans:add "10.1.0.2" end,
    "peer_banned" },
  { "bans:remove", function(engine)
    return engine.store.bans:remove "9.9.9.9"
  end, "peer_unbanned" },
  { "close", function(_, connection) return connection:close() or true end,
    "connection_lost" },
  { "reset", function(_, connection) return connection:reset() or true end,
    "connection_lost" },
  { "disconnect", function(engine) return engine:disconnect "10.1.0.2" end,
    "connection_lost" },
  { "dial", function(engine) return engine:dial "10.1.0.3:8333" end,
    "connection_failed" },
  { "discover", function(engine) return engine:discover() or true end,
    "discovery_finished" },
  { "configure", function(engine)
    return engine:configure { listen = "10.0.0.1:8334" }
  end, "listener_started" },
  { "save_soon", function(engine) return engine:save_soon() or true end,
    "store_saved" },
  { "send", function(engine, connection)
    return engine:send(connection, "ping", ("x"):rep(8))
  end, "message" },
  { "store:update", function(engine)
    local peer = engine.store:find_by_ip_port("10.1.0.2", 8333)
    return engine.store:update(peer.id, { status = "banned" })
  end, false },
  { "engine:close", function(engine) return engine:close() or true end,
    "connection_lost" },
}

--- A policy and listeners that note who is asked or told while `inside`.
local function witness(state)
  local policy = { name = "witness" }
  local function see(what)
    if state.inside then
      state.seen[#state.seen + 1] = what .. " in " .. state.inside
    end
    state.heard[what] = true
  end
  for _, decision in ipairs {
    "accept", "validate", "judge", "select", "retry", "evict", "keep",
  } do
    policy[decision] = function() see(decision) end
  end
  return policy, see
end

local function listen(engine, see)
  for _, event in ipairs(core.events) do
    if event ~= "chunk" then
      engine:on(event, "witness", function() see(event) end)
    end
  end
  for _, change in ipairs { "peer_created", "peer_updated", "ban_added" } do
    engine.store:on(change, "witness", function() see(change) end)
  end
end

describe("in a hook", function()
  for _, row in ipairs(verbs) do
    local name, call, outcome = table.unpack(row)
    it(name .. " calls nobody before it returns", function(world)
      local state = { seen = {}, heard = {} }
      local policy, see = witness(state)
      field.node(world, "10.1.0.2:8333", nil, function(connection)
        while connection:receive(nil, 5) do end
      end)
      local engine = world:engine("10.0.0.1:8333", {
        policies = { policy }, peers = { "10.1.0.2:8333" }, mode = "normal",
      })
      engine.store.bans:add "9.9.9.9"
      listen(engine, see)
      engine:on("handshake_complete", "call", function(event)
        state.inside, state.heard = name, {}
        local good, message = call(engine, event.connection)
        state.inside, state.good = nil, good and true or message
      end)
      world:run_for "10s"
      assert.is_true(state.good)
      assert.same({}, state.seen)
      assert(not outcome or state.heard[outcome], "nobody heard " .. name)
    end, { network = "mainnet" })
  end
end)
