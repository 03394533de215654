--- policy_bench - what policies cost: prints JSON lines as the benches in C do.
---   build/release/moonpeer tests/bench/policy_bench.lua
local core = require "moonpeer.core"
local moonpeer = require "moonpeer"
local policy = require "moonpeer.policy"

local function report(name, value, unit, limit)
  print(('{"name": "policy.%s", "value": %.4g, "unit": "%s", "limit": %s}')
    :format(name, value, unit, limit and ("%.4g"):format(limit) or "null"))
end

--- Nanoseconds of processor time a call, of several runs in turns: the least
--- of each, so that what else the machine does falls on all alike.
local function least(n, ...)
  local fns, best = { ... }, {}
  for _ = 1, 15 do
    for i, fn in ipairs(fns) do
      local before = os.clock()
      fn(n)
      best[i] = math.min(best[i] or math.huge,
        (os.clock() - before) / n * 1e9)
    end
  end
  return table.unpack(best)
end

local function judge_of(policies, budget)
  local handlers = {}
  assert(policy.stack(policies, policy.budget(budget))):install(handlers)
  return handlers.judge
end

--- Calls a judge n times.
local function calls_of(judge)
  local offence = { code = "flood" }
  return function(n)
    for _ = 1, n do
      judge(nil, nil, offence)
    end
  end
end

local function silent() end

--- A decision that three policies are asked about, the last answers.
local function three(budget)
  return calls_of(judge_of({
    { judge = silent }, { judge = silent },
    { judge = function() return "observe", "why" end },
  }, budget))
end

local path = os.tmpname()

local function write(text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

--- From a file, with bounded strings; about as much work as a policy does.
local function of_file(budget)
  write [[
    local globs = { "*scanner*", "*spy*", "/Satoshi:*" }
    return { name = "bench", judge = function(engine, connection, offence)
      local n = 0
      for _, glob in ipairs(globs) do
        if moonpeer.glob(offence.code, glob) then
          n = n + 1
        end
      end
      return n == 0 and "observe" or "ban"
    end }]]
  return calls_of(judge_of({ path }, budget))
end

--- A guarded call of an empty function, beside a bare pcall of it.
local function guarded()
  local guard = core.guard { fn = silent, policy = "bench", name = "judge" }
  local call = guard.call
  return function(n)
    for _ = 1, n do
      call(guard, nil)
    end
  end, function(n)
    for _ = 1, n do
      pcall(silent)
    end
  end
end

local function dial_all(engine, n)
  local peers, left = {}, n
  for i = 1, n do
    moonpeer.spawn(function()
      local peer = assert(moonpeer.connect(engine:address(),
        { network = "regtest" }))
      assert(peer:handshake())
      peers[i], left = peer, left - 1
    end)
    if i % 50 == 0 then
      moonpeer.sleep(0.01)
    end
  end
  while left > 0 do
    moonpeer.sleep(0.01)
  end
  return peers
end

--- How long reading the policies again holds the loop, with connections: the
--- longest, the usual, in milliseconds.
local function reload(connections)
  local times = {}
  moonpeer.run(function()
    local engine <close> = assert(moonpeer.engine { network = "regtest",
      listen = "127.0.0.1:0", target_connections = 0, policies = { path },
      max_connections = connections, half_open = connections,
      per_address = connections, per_group = connections })
    engine:start()
    while not engine:address() do
      moonpeer.sleep(0.001)
    end
    local peers = dial_all(engine, connections)
    for i = 1, 20 do
      moonpeer.sleep(0.001)
      local before = os.clock()
      assert(engine:reload())
      times[i] = (os.clock() - before) * 1e3
    end
    assert(engine:counts().connected == connections)
    for _, peer in ipairs(peers) do
      peer:close()
    end
  end)
  table.sort(times)
  return times[#times], times[#times // 2]
end

report("decision_of_three", least(500000, three()), "ns", 1000)
local watched, free = least(200000, of_file(), of_file { decision = 0 })
report("decision_of_a_file", watched, "ns", 1000)
report("watchdog", (watched / free - 1) * 100, "% of a file's decision", 1)
local with, bare = least(1000000, guarded())
report("guarded_call", with, "ns")
report("bare_pcall", bare, "ns")
local longest, usual = reload(1000)
report("reload_of_1000_connections_longest", longest, "ms", 10)
report("reload_of_1000_connections_median", usual, "ms", 10)
os.remove(path)
