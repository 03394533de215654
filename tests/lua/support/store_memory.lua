--- store_memory - what a test in C runs with an allocator that fails:
--- arm(n, most) lets the n-th allocation from now on fail, and those that
--- follow, `most` of them; disarm() ends that. Returns how many calls failed.
local core = require "moonpeer.core"
local moonpeer = require "moonpeer"

local arm, disarm = _G.arm, _G.disarm

local path = os.tmpname()
local failures = 0

local function clean()
  for _, end_of in ipairs { "", ".good", ".new", ".lock" } do
    os.remove(path .. end_of)
  end
end

local function make(url)
  local store = assert(moonpeer.store(url or "memory:"))
  for i = 1, 5 do
    assert(store:create { ip = "1.2.3.4", port = i, data = { i = i } })
  end
  assert(store.bans:add "9.0.0.0/8")
  assert(store:set_value("v", "x"))
  return store
end

--- What must hold whatever happened.
local function check(store)
  local n = 0
  for peer in store:each() do
    n = n + 1
    assert(rawequal(peer, store:read(peer.id)))
    assert(peer:table().ip == peer.ip)
  end
  assert(n == #store)
  assert(#store:list_all() == n)
  store:create { ip = "250.1.1.1", port = 1 }
end

--- Calls fn(store) with ever more memory, until it has enough.
local function try(name, fn, url, most)
  for n = 0, 100000 do
    clean()
    local store = make(url)
    local peer = store:find_by_ip_port "1.2.3.4:3"
    arm(n, most)
    local good, message = pcall(fn, store, peer)
    disarm()
    peer = nil -- luacheck: ignore
    collectgarbage()
    if store.is_open then
      check(store)
      store:close { save = false }
    end
    if good then
      return
    end
    message = tostring(message)
    if not message:find "memory" then
      error(name .. ": " .. message)
    end
    failures = failures + 1
  end
  error(name .. " never has enough memory")
end

local long = ("x"):rep(100)

local steps = {
  open = function() assert(moonpeer.store "memory:"):close() end,
  open_with = function()
    assert(moonpeer.store("memory:", {
      capacity = 10, ttl = { valid = "1d" }, ban_time = "2h",
    })):close()
  end,
  create = function(store)
    assert(store:create {
      ip = "2001:db8::1", port = 7, user_agent = long, source = "dns",
      data = { a = { 1, 2.5, long, { b = false } } }, status = "valid",
    })
  end,
  duplicate = function(store)
    local peer, message, code = store:create { ip = "1.2.3.4", port = 1 }
    assert(not peer and message and code == "duplicate_peer")
  end,
  misuse = function(store)
    local good, message = pcall(store.create, store, { ipp = 1 })
    assert(not good and (message:find "ipp" or message:find "memory"))
    assert(message:find "ipp", "memory")
  end,
  read = function(store, peer)
    assert(store:read(peer.id) == peer)
    assert(store:find_by_ip_port("1.2.3.4", 4))
    store:find_by_ip_port("8.8.8.8", 4)
  end,
  update = function(store, peer)
    assert(store:update(peer, { data = { long = long }, user_agent = long }))
    assert(store:update(peer, { status = "banned" }))
  end,
  delete = function(store, peer)
    assert(store:delete(peer))
    assert(not peer:is_stored())
  end,
  fields = function(_, peer)
    local all = peer:table()
    assert(all.data.i == 3 and tostring(peer))
    local good, message = pcall(function() peer.port = 1 end)
    assert(not good and message:find "update", "memory")
  end,
  lists = function(store)
    assert(#store:list_all() == 5)
    assert(#store:find_by_status "unknown" == 5)
    assert(store:count_by_status().unknown == 5)
  end,
  each = function(store)
    local n = 0
    for peer in store:each { status = { "unknown", "valid" },
      group = "1.2.0.0", source = nil, newer_than = "1d" } do
      n = n + 1
      store:create { ip = "7.7.7.7", port = n }
      if n == 2 then
        store:delete(peer)
      elseif n == 4 then
        break
      end
    end
    assert(n == 4)
  end,
  pick = function(store, peer)
    local picked = store:pick(9, {
      except = { peer, "1.2.3.4:1" }, except_groups = { "8.8.8.8" },
    })
    assert(#picked == 3)
  end,
  hear = function(store)
    assert(store:expect(10, { source_address = "9.9.9.9:1" }))
    assert(store:hear("8.8.8.8:1", { source_address = "9.9.9.9:1" }))
    assert(store:group "8.8.8.8")
  end,
  bans = function(store)
    assert(store.bans:add("7.0.0.0/8", { note = long, time = "1h" }))
    assert(store.bans:find("7.7.7.7").note == long)
    local n = 0
    for ban in store.bans:each() do
      n = n + 1
      assert(store.bans:get(ban.prefix))
    end
    assert(n == 2 and store.bans:remove "7.0.0.0/8")
  end,
  ban_text = function(store)
    local text = assert(store.bans:export "json")
    assert(store.bans:import(text, { name = "x" }) == 1)
    assert(store.bans:import(assert(store.bans:export "plain")) == 1)
  end,
  values = function(store)
    assert(store:set_value("w", long))
    local n = 0
    for name, bytes in store:values() do
      n = n + 1
      assert(name and bytes)
    end
    assert(n == 2)
  end,
  tiers = function(store)
    assert(store:discourage "1.1.1.1")
    assert(store:is_discouraged "1.1.1.1")
    assert(store:configure { capacity = 100 })
    store:expire()
  end,
  listen = function(store)
    store:on("peer_created", "x", function() end)
    assert(store:create { ip = "7.7.7.7", port = 1 })
    store:off("peer_created", "x")
  end,
  json = function()
    local text = core.json_encode { a = { 1, 2, { long } }, b = core.null }
    assert(core.json_encode(core.json_decode(text)) == text)
    local value, message = core.json_decode '{"a":[1,2,{"b":"c"}],'
    assert(not value and message)
  end,
  engine = function(store)
    local engine <close> = assert(moonpeer.engine {
      network = "regtest", store = store,
    })
    assert(engine.store == store)
  end,
  save = function(store)
    store:create { ip = "7.7.7.7", port = 1 }
    assert(store:save())
  end,
  close = function(store) assert(store:close()) end,
  scope = function(store)
    local own <close> = store
    assert(own:create { ip = "7.7.7.7", port = 1 })
  end,
}

for name, step in pairs(steps) do
  try(name, step)
end
for _, name in ipairs { "save", "close", "scope", "each", "update" } do
  try(name, steps[name], "json:" .. path)
end

-- In a task others run meanwhile: they get their memory after a while.
moonpeer.run(function()
  try("save in a task", steps.save, "json:" .. path, 5)
  try("close in a task", steps.close, "json:" .. path, 5)
end)

--- A backend in Lua, which meets the lack in its own functions too.
local function backed(rows)
  return moonpeer.store {
    load = function() return rows end,
    apply = function(batch)
      rows.peers = batch.peers
      return true
    end,
    wants_all = true,
  }
end

moonpeer.run(function()
  local id = "01234567-89ab-4def-8123-456789abcdef"
  for n = 0, 10000 do
    local rows = {
      peers = { { id = id, ip = "1.2.3.4", port = 1, data = { x = long } } },
      bans = { { prefix = "9.0.0.0/8", reason = "manual", created = 1,
        expires = math.huge } },
      values = { v = "x" },
    }
    local handle = { load = true, apply = true, rows = rows }
    arm(n)
    local good, message = pcall(core.store, "own:", nil, handle)
    disarm()
    collectgarbage()
    if good and message then
      message:close { save = false }
      break
    end
    failures = failures + 1
  end
  local store = assert(backed { peers = {} })
  store:create { ip = "1.2.3.4", port = 1 }
  for n = 0, 10000 do
    store:create { ip = "1.2.3.4", port = n % 65535 + 1 }
    arm(n, 5)
    local good, saved = pcall(store.save, store)
    disarm()
    collectgarbage()
    if good and saved then
      break
    end
    failures = failures + 1
  end
  assert(not store.is_changed)
  store:close()
end)
moonpeer.run()
clean()
return failures
