--- Whatever a policy does in whichever decision: the engine goes on serving its
--- connections, and says what happened a few times, not a hundred.
local files = require "support.files"
local field = require "support.field"
local process = require "support.process"
local sim = require "moonpeer.sim"
local watch = require "support.watch"
local wire = require "support.wire"

local decisions = {
  "accept", "validate", "judge", "select", "retry", "evict", "keep",
}

local bad_ping = wire.frame("ping", "12345678", { checksum = "oops" })

local net = { name = "own", magic = "\xda\xb5\xbf\xfa", port = 8333 }

--- Peers that bring an engine to decide everything, again and again.
local function visit(world)
  for i = 1, 5 do
    world:remote(("50.%d.0.1"):format(i), function(remote)
      for round = 1, 10 do
        local connection = remote:dial "10.0.0.1:8333"
        if connection and connection:handshake() then
          connection:send("addr", { entries = { {
            time = 0, services = 0, ip = remote.ip, port = 1 + round,
          } } })
          connection:send_raw(bad_ping)
        end
        remote:sleep "2s"
      end
    end)
  end
end

--- An engine with a policy, in the middle of this; what it told of failures.
--- In the end all of the other policies are asked again, and a peer comes in.
local function play(one)
  local world <close> = sim.world { seed = 2, network = "regtest" }
  field.node(world, "30.1.0.2:8333")
  field.empty(world, "30.1.0.3")
  local engine = world:engine("10.0.0.1:8333", {
    network = net, target_connections = 2, max_connections = 4,
    listen = "10.0.0.1:8333", per_group = 100, max_restarts = 0,
    policies = { one, { select = function()
      return { "30.1.0.2:8333", "30.1.0.3:8333" }
    end } },
  })
  local told = {}
  engine:on("policy_failed", "spec", watch.collected(function(event)
    told[#told + 1] = event.reason
  end))
  visit(world)
  world:run_for "1m"
  engine:disconnect "50.1.0.1"
  world:run_for "1s"
  local good
  world:remote("70.1.0.1", function(remote)
    local connection = remote:dial "10.0.0.1:8333"
    good = connection and connection:handshake()
    remote:sleep "1m"
  end)
  world:run_for "10s"
  assert.is_truthy(good, "a peer that comes in")
  assert.is_true((world:run_until(function()
    local connection = engine:connections()()
    return connection and connection.state == "connected"
  end, "1h")), "the engine goes on")
  return engine, told
end

local function counts_of(engine, name)
  for _, counts in ipairs(engine:policies()) do
    if counts.policy == "bad" and counts.name == name then
      return counts
    end
  end
end

--- From a file.
local function confined(name, body)
  return files.make(("local kept = {}\nreturn { name = 'bad', %s = "
    .. "function(...)\nlocal engine, first, second = ...\n%s\nend }"):format(
      name, body))
end

--- A table, in the author's own environment, with full collections.
local function free(name, body)
  local fn = assert(load("local kept = {} return function(...)\n"
    .. "local engine, first, second = ...\n" .. body .. "\nend"))()
  return watch.policy { [name] = fn }
end

local function name_of(policy)
  if type(policy) == "table" then
    policy.name = "bad"
  end
  return policy
end

local raises = {
  ["an error"] = "error 'no'",
  ["an error that is nil"] = "error(nil)",
  ["an error that is a table"] = "error {}",
  ["a yield"] = "coroutine.yield()",
  ["a global"] = "return nobody.knows",
  ["a number"] = "return 0/0",
  ["a text"] = "return 'zzz', 'why'",
  ["a function"] = "return function() end",
  ["the engine"] = "return engine",
  ["a reason that is none"] = "return (({ accept = true, keep = true })"
    .. "[DECISION] or ({ select = {}, validate = 'ok', judge = 'observe', "
    .. "retry = 1, evict = false })[DECISION]), {}",
}

describe("a decision that answers with", function()
  after_each(files.remove_all)

  for what, body in pairs(raises) do
    for _, name in ipairs(decisions) do
      for how, make in pairs { file = confined, table = free } do
        it(("%s: %s of a %s"):format(what, name, how), function()
          local own = body:gsub("DECISION", ("%q"):format(name))
          local engine, told = play(name_of(make(name, own)))
          local counts = counts_of(engine, name)
          assert.is_true(counts.calls > 0, "it was never asked")
          assert.equal(counts.calls, counts.errors)
          assert.is_true(#told >= 1 and #told <= 5, #told)
          assert.matches("bad", told[1])
        end)
      end
    end
  end
end)

local survives = {
  ["closes what it is given"] = [[
    for _, value in ipairs { first, second } do
      if type(value) == "userdata" then value:close() end
      for _, one in ipairs(type(value) == "table" and value or {}) do
        one.connection:close()
      end
    end]],
  ["closes all connections"] =
    "for connection in engine:connections() do connection:close() end",
  ["resets all connections"] =
    "for connection in engine:connections() do connection:reset() end",
  ["bans who is there"] = "for connection in engine:connections() do "
    .. "engine:ban(connection.address, { time = '1s' }) end",
  ["reads it all again"] = "engine:reload()",
  ["tries another"] = "engine:try { judge = function() error 'x' end } "
    .. "engine:try(nil)",
  ["starts tasks that save"] =
    "engine:spawn(function() engine:save() error(nil) end)",
  ["uses what it was given before"] = [[
    for _, old in ipairs(kept) do
      pcall(function() return old.address, old.version, old.rtt, old.peer end)
      pcall(function() old:send("ping", "12345678") old:close() end)
      pcall(function() return old.user_agent, old[1].connection.state end)
      assert(tostring(old))
    end
    if #kept < 20 then
      kept[#kept + 1] = first
      kept[#kept + 1] = second
    end]],
  ["listens to everything"] = [[
    for _, event in ipairs { "peer_misbehaved", "decision", "message" } do
      engine:on(event, "own", function(e)
        kept[1] = kept[1] or e
        pcall(function() return kept[1].code, kept[1].message.command end)
        error "no"
      end)
    end]],
  ["configures"] = "engine:configure { max_connections = 4 }",
  ["dials"] = "engine:dial '30.1.0.2:8333' engine:dial '30.1.0.3:8333'",
  ["tells everybody"] = "engine:broadcast('ping', { nonce = 1 })",
}

--- A body that does it at first, and then lets be.
local few = "kept.times = (kept.times or 0) + 1\n"
  .. "if kept.times < 8 then\n%s\nend"

describe("a decision without an answer that", function()
  after_each(files.remove_all)

  for what, body in pairs(survives) do
    for _, name in ipairs(decisions) do
      for how, make in pairs { file = confined, table = free } do
        it(("%s: %s of a %s"):format(what, name, how), function()
          local engine = play(name_of(make(name, few:format(body))))
          local counts = counts_of(engine, name)
          assert.is_true(counts.calls > 0 or counts.generation > 2,
            "it was never asked")
          assert.equal(0, counts.errors, counts.last_error)
        end)
      end
    end
  end
end)

describe("what only the program's own tables can try:", function()
  for what, body in pairs {
    ["run"] = "require('moonpeer').run()",
    ["sleep"] = "require('moonpeer').sleep(1)",
    ["connect"] = "require('moonpeer').connect '10.0.0.9:1'",
    ["save"] = "engine:save()",
  } do
    for _, name in ipairs(decisions) do
      it(("%s inside %s is an error"):format(what, name), function()
        local engine = play(name_of(free(name, body)))
        local counts = counts_of(engine, name)
        assert.is_true(counts.errors > 0)
        assert.equal(counts.calls, counts.errors)
      end)
    end
  end

  it("os.exit, with all that is open closed, in each decision", function()
    for _, name in ipairs(decisions) do
      for _, close in ipairs { "true", "false" } do
        local code = ([[
          local sim = require "moonpeer.sim"
          local world = sim.world { seed = 2, network = "regtest" }
          local engine = world:engine("10.0.0.1:8333", {
            target_connections = 2, max_connections = 4, max_restarts = 0,
            listen = "10.0.0.1:8333", per_group = 100,
            policies = { { %s = function() os.exit(7, %s) end },
              { select = function() return { "30.1.0.3:8333" } end } },
          })
          for i = 1, 5 do
            world:remote("50." .. i .. ".0.1", function(remote)
              local connection = remote:dial "10.0.0.1:8333"
              if connection and connection:handshake() then
                connection:send("addr", { entries = { { time = 0,
                  services = 0, ip = remote.ip, port = 1 } } })
                connection:send_raw(%q)
                remote:sleep "10m"
              end
            end)
          end
          world:run_for "1m"
          print "it was never asked"]]):format(name, close, bad_ping)
        local out, err, exit = process.lua(code)
        assert.same({ "", "", 7 }, { out, err, exit }, name)
      end
    end
  end)
end)
