--- policy_bench - what policies cost: prints JSON lines as the benches in C do.
---   build/release/moonpeer tests/bench/policy_bench.lua
local core = require "moonpeer.core"
local moonpeer = require "moonpeer"
local policy = require "moonpeer.policy"

local function report(name, value, unit, limit)
  print(('{"name": "%s", "value": %.4g, "unit": "%s", "limit": %.4g}'):format(
    name, value, unit, limit))
end

--- The best of five runs of fn(n), in nanoseconds a call.
local function best(n, fn)
  local least = math.huge
  for _ = 1, 5 do
    local before = os.clock()
    fn(n)
    least = math.min(least, (os.clock() - before) / n * 1e9)
  end
  return least
end

--- A decision that three policies are asked about, the last answers.
local function decision()
  local function silent() end
  local stack = assert(policy.stack({
    { judge = silent }, { judge = silent },
    { judge = function() return "observe", "why" end },
  }, policy.budget()))
  local handlers = {}
  stack:install(handlers)
  local judge, offence = handlers.judge, { code = "flood" }
  return best(1000000, function(n)
    for _ = 1, n do
      judge(nil, nil, offence)
    end
  end)
end

local path = os.tmpname()

--- The same from a file: with bounded strings.
local function confined()
  local file <close> = assert(io.open(path, "w"))
  file:write "return { judge = function() return 'observe' end }"
  file:close()
  local stack = assert(policy.stack({ path }, policy.budget()))
  local handlers = {}
  stack:install(handlers)
  return best(1000000, function(n)
    for _ = 1, n do
      handlers.judge(nil, nil, nil)
    end
  end)
end

--- A guarded call of an empty function, beside a bare pcall of it.
local function guarded()
  local function empty() end
  local guard = core.guard { fn = empty, policy = "bench", name = "judge" }
  local call = guard.call
  local with = best(2000000, function(n)
    for _ = 1, n do
      call(guard, nil)
    end
  end)
  local bare = best(2000000, function(n)
    for _ = 1, n do
      pcall(empty)
    end
  end)
  return with, bare
end

--- How long reading the policies again holds the loop.
local function reload()
  local longest = 0
  moonpeer.run(function()
    local engine <close> = assert(moonpeer.engine { network = "regtest",
      mode = "fixed", peers = {}, policies = { path } })
    engine:start()
    for _ = 1, 20 do
      local before = os.clock()
      assert(engine:reload())
      longest = math.max(longest, os.clock() - before)
    end
  end)
  return longest * 1e3
end

report("decision_of_three_policies", decision(), "ns", 1000)
report("decision_of_a_file", confined(), "ns", 1000)
local with, bare = guarded()
report("guarded_call", with, "ns", bare)
report("reload", reload(), "ms", 10)
os.remove(path)
