--- store_bench - peer stores through Lua: one figure a line, as JSON.
local core = require "moonpeer.core"
local moonpeer = require "moonpeer"

local clock = os.clock

local function report(name, value, unit, limit)
  print(('{"name": %q, "value": %.6g, "unit": %q, "limit": %s}'):format(
    name, value, unit, limit and ("%.6g"):format(limit) or "null"))
  io.stdout:flush()
end

--- Calls a second: the best of several rounds of fn(n), which makes n calls.
local function best(n, rounds, fn)
  local most = 0
  for _ = 1, rounds do
    local start = clock()
    fn(n)
    most = math.max(most, n / (clock() - start))
  end
  return most
end

local function address(i)
  return ("%d.%d.%d.%d"):format(1 + i % 200, i // 200 % 256,
    i // 51200 % 256, 1)
end

local function shuffled(n)
  local list = {}
  for i = 1, n do
    list[i] = i
  end
  math.randomseed(1)
  for i = n, 2, -1 do
    local j = math.random(i)
    list[i], list[j] = list[j], list[i]
  end
  return list
end

--- A store of n peers; also their addresses, and creations a second.
local function fill(n, url)
  local store = assert(moonpeer.store(url or "memory:", { capacity = n }))
  local addresses = {}
  for i = 1, n do
    addresses[i] = address(i)
  end
  local start = clock()
  for i = 1, n do
    assert(store:create { ip = addresses[i], port = 8333 })
  end
  return store, addresses, n / (clock() - start)
end

--- What one call from Lua into C and back costs at least.
local function bare_calls()
  local t = setmetatable({}, { __index = core })
  return best(1000000, 3, function(n)
    for i = 1, n do
      t.glob("a", "a", i)
    end
  end)
end

local function small()
  local n = 65536
  local store, addresses, created = fill(n)
  local order, ids = shuffled(n), {}
  local limit = bare_calls()
  report("store in Lua: a bare call of one C function", limit, "calls/s")
  report("store in Lua: create, 65,536 peers", created, "peers/s", limit)
  local held = store:list_all() -- as scripts that have met their peers
  report("store in Lua: find_by_ip_port, 65,536 peers in random order",
    best(n, 5, function()
      for i = 1, n do
        store:find_by_ip_port(addresses[order[i]], 8333)
      end
    end), "peers/s", limit)
  for i, peer in ipairs(held) do
    ids[i] = peer.id
  end
  report("store in Lua: read", best(n, 5, function()
    for i = 1, n do
      store:read(ids[order[i]])
    end
  end), "peers/s", limit)
  report("store in Lua: a field of a peer", best(n, 5, function()
    for i = 1, n do
      local _ = held[order[i]].status
    end
  end), "fields/s", limit)
  report("store in Lua: update of one field", best(n, 5, function()
    for i = 1, n do
      store:update(held[order[i]], { failures = i % 200 })
    end
  end), "peers/s", limit)
  report("store in Lua: each", best(n, 5, function()
    for _ in store:each() do end -- luacheck: ignore
  end), "peers/s", limit)
  report("store in Lua: count_by_status", best(n, 5, function()
    for _ = 1, n do
      store:count_by_status "valid"
    end
  end), "calls/s", limit)
  report("store in Lua: pick 8", best(2000, 5, function(times)
    for _ = 1, times do
      store:pick(8)
    end
  end), "calls/s")
  store:close()
end

local function large()
  local n = 1000000
  local store, addresses, created = fill(n)
  local order = shuffled(n)
  report("store in Lua: create, 1,000,000 peers", created, "peers/s")
  report("store in Lua: find_by_ip_port, 1,000,000 in random order, new "
    .. "objects", best(n, 1, function()
      for i = 1, n do
        store:find_by_ip_port(addresses[order[i]], 8333)
      end
    end), "peers/s")
  store:close()
end

local function bans()
  local store = assert(moonpeer.store "memory:")
  for i = 1, 100000 do
    store.bans:add(address(i))
  end
  local list = store.bans
  local free = {}
  for i = 1, 1000 do
    free[i] = "220.1.1." .. i % 256
  end
  report("store in Lua: bans:find among 100,000, not banned",
    best(200000, 3, function(times)
      for i = 1, times do
        list:find(free[i % 1000 + 1])
      end
    end), "calls/s")
  store:close()
end

--- Saves all of 100,000 changed peers in a task, with a timer beside it: how
--- long it took, and the longest that the timer was late.
local function save(kind)
  local n = 100000
  local path = os.tmpname()
  os.remove(path)
  local store = fill(n, kind .. ":" .. path)
  assert(store:save())
  for peer in store:each() do
    store:update(peer, { failures = 1 })
  end
  collectgarbage()
  collectgarbage "stop" -- it is the store that is measured
  local took, late, idle = moonpeer.run(function()
    local worst, done = 0, false
    moonpeer.spawn(function()
      while not done do
        local start = moonpeer.now()
        moonpeer.sleep(0.001)
        worst = math.max(worst, moonpeer.now() - start - 0.001)
      end
    end)
    moonpeer.sleep(0.3)
    local noise
    noise, worst = worst, 0
    local start = moonpeer.now()
    assert(store:save())
    local passed = moonpeer.now() - start
    done = true
    return passed, worst, noise
  end)
  collectgarbage "restart"
  moonpeer.run()
  store:close()
  for _, suffix in ipairs { "", ".good", "-wal", "-shm" } do
    os.remove(path .. suffix)
  end
  local most = kind == "json" and 1 or 0.5
  report(("store in Lua: save of 100,000 changed peers, %s"):format(kind),
    took, "s", most)
  report(("store in Lua: loop held longest meanwhile, %s"):format(kind),
    late * 1000, "ms", 5)
  report("store in Lua: the same when nothing is done", idle * 1000, "ms")
end

-- first: who has just freed a million peers pays for that with a pause
save "json"
save "sqlite"
small()
large()
bans()
