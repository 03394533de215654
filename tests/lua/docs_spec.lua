--- Everything public is described, as it is; its examples run; the pages that
--- are made from it are those in the tree.
local api = require "moonpeer.api"
local core = require "moonpeer.core"
local moonpeer = require "moonpeer"

local function names_of(t)
  local names = {}
  for name in pairs(t) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function described(one, wanted)
  local names = {}
  for _, member in ipairs(one.members) do
    local is_field = api.kind(one, member) == "field"
    if wanted == nil or is_field == (wanted == "field") then
      names[#names + 1] = member.name
    end
  end
  table.sort(names)
  return names
end

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

describe("the description", function()
  it("has every function and value of the module", function()
    assert.same(names_of(moonpeer), described(api.type "moonpeer"))
  end)

  for _, one in ipairs(api.types()) do
    if one.name ~= "moonpeer" and one.name ~= "configuration"
      and not (one.is_table or one.in_lua) then
      it("has every method of " .. one.name, function()
        local methods = {}
        for name, value in pairs(core.methods(one.name)) do
          methods[name] = value
        end
        for _, name in ipairs(api.fields(one.name)) do
          methods[name] = nil -- a getter
        end
        assert.same(names_of(methods), described(one, "method"))
      end)
    end
  end

  -- what is made in Lua: a table of functions, or an object of one
  local world = require("moonpeer.sim").world {}
  local made = {
    ["moonpeer.sim"] = require "moonpeer.sim",
    ["moonpeer.test"] = require "moonpeer.test",
    ["moonpeer.world"] = getmetatable(world).__index,
    ["moonpeer.remote"] =
      getmetatable(world:remote("10.0.0.1", type)).__index,
  }
  world:close()
  for name, place in pairs(made) do
    it("has every function of " .. name, function()
      local functions, one = {}, api.type(name)
      for key, value in pairs(place) do
        if not (one.internal or {})[key] then
          functions[key] = value
        end
      end
      local wanted = one.kind == "method" and "method" or nil
      assert.same(names_of(functions), described(one, wanted))
    end)
  end

  it("has everything that a policy, a rule and a job may have", function()
    local fields = require "moonpeer.policy.fields"
    assert.same(fields.names, described(api.type "moonpeer.policy"))
    for name, path in pairs {
      rule = "lua/moonpeer/policy/rules.lua",
      job = "lua/moonpeer/schedule/job.lua",
    } do
      local known, list = read(path):match "local known = (%b{})", {}
      for key in known:gsub('"', ""):gsub(" = true", ""):gmatch "[%w_]+" do
        list[#list + 1] = key
      end
      table.sort(list)
      assert.same(list, described(api.type("moonpeer." .. name)))
    end
  end)

  -- the fields that C answers: rows such as {"rtt", get_rtt}
  local sources = {
    ["moonpeer.connection"] = "connection", ["moonpeer.event"] = "event",
    ["moonpeer.peer"] = "peer",
  }
  for name, source in pairs(sources) do
    it("has every field of " .. name, function()
      local fields = {}
      for field in read("src/script/" .. source .. ".c")
        :gmatch '{"([%w_]+)",%s*[%w_]+}' do
        if field:sub(1, 2) ~= "__" and (name == "moonpeer.peer"
          and not field:find "^is_" and field ~= "table"
          or not core.methods(name)[field]) then
          fields[#fields + 1] = field
        end
      end
      table.sort(fields)
      assert.same(fields, described(api.type(name), "field"))
    end)
  end

  it("has every key of the configuration, with its default", function()
    local engine <close> = assert(moonpeer.engine {})
    local config = engine:config()
    local known = {}
    for _, key in ipairs(api.type "configuration".members) do
      known[key.name] = key
    end
    for name, value in pairs(config) do
      assert.is_table(known[name], name)
      local default = known[name].default
      local number, unit = default:match "^([%d.]+) ?(%a*)$"
      if number and unit == "MiB" then
        assert.equal(value, tonumber(number) << 20, name)
      elseif number and unit ~= "" then
        assert.equal(value, core.duration(number .. unit), name)
      elseif number then
        assert.equal(value, tonumber(number), name)
      end
    end
  end)

  it("tells of each call what it takes and gives, and since when", function()
    for _, one in ipairs(api.types()) do
      assert.is_string(one.summary)
      for _, member in ipairs(one.members) do
        local what = api.signature(one, member)
        assert.is_string(member.since, what)
        if api.kind(one, member) ~= "field" then
          assert.is_string(member.example, what)
        else
          assert.is_string(member.type, what)
        end
      end
    end
  end)
end)

describe("the description of moonpeer.message", function()
  it("has every function", function()
    assert.same(names_of(moonpeer.message),
      described(api.type "moonpeer.message.functions"))
  end)
end)

describe("the example of", function()
  local engine, env

  --- What every example may name, fresh for each.
  local function prepare()
    engine = assert(moonpeer.engine {
      network = "regtest", listen = "127.0.0.1:0",
    })
    assert(engine:start())
    while not engine:address() do
      moonpeer.sleep "1ms"
    end
    local store = assert(moonpeer.store "memory:")
    local connection = assert(moonpeer.connect(engine:address(),
      { network = "regtest" }))
    assert(connection:handshake())
    connection:send("ping", { nonce = 5 })
    env = {
      moonpeer = moonpeer, engine = engine, node = engine:address(),
      store = store, bans = store.bans, connection = connection,
      peer = assert(store:create { ip = "203.0.113.1", port = 8333 }),
      message = assert(connection:receive("pong", "5s")),
    }
  end

  local function finish()
    env.connection:close()
    env.store:close()
    engine:close(0)
  end

  local function run(code)
    env.print = function() end
    local chunk = assert(load(code, "=example", "t",
      setmetatable(env, { __index = _G })))
    return xpcall(chunk, debug.traceback)
  end

  local function run_inside(code)
    local done
    assert(moonpeer.run(function()
      prepare()
      local good, message = run(code)
      finish()
      assert(good, message)
      done = true
      return true
    end))
    assert.is_true(done)
    moonpeer.run()
  end

  --- With a world instead.
  local function run_outside(code)
    local sim = require "moonpeer.sim"
    local world <close> = sim.world { seed = 1, network = "regtest" }
    env = {
      moonpeer = moonpeer, sim = sim, world = world,
      test = require "moonpeer.test", engine = world:engine "10.0.0.1",
    }
    assert(run(code))
  end

  for _, one in ipairs(api.types()) do
    for _, member in ipairs(one.members) do
      if member.example then
        it(api.signature(one, member), function()
          local play = one.outside and run_outside or run_inside
          play(member.example)
        end)
      end
    end
  end
end)

--- The ends of a range such as "1 ms to 1 h", and the smallest step over them.
local function ends_of(key)
  local sizes = { ms = 0.001, s = 1, h = 3600, day = 86400, days = 86400,
    years = 36500 * 864, KiB = 1 << 10, MiB = 1 << 20, GiB = 1 << 30,
    TiB = 1 << 40 }
  local function size(text)
    local number, unit = text:match "^([%d.]+) ?(%a*)$"
    return number and (math.tointeger(number) or tonumber(number))
      * (unit == "" and 1 or assert(sizes[unit], unit))
  end
  local least, most = key.range:match "^([%w. ]-) to ([%w. ]+)"
  if least then
    return size(least), size(most), key.type == "integer" and 1 or 0.0005
  end
end

describe("the configuration", function()
  local function try(name, value)
    local config = { network = "regtest", [name] = value }
    if name == "max_connections" then
      config.target_connections = 0
    elseif name == "target_connections" then
      config.max_connections = 100000
    end
    local good, engine = pcall(moonpeer.engine, config)
    if good then
      engine:close()
    end
    return good, engine
  end

  it("takes what it says, and nothing just beyond", function()
    local seen = 0
    for _, key in ipairs(api.type "configuration".members) do
      local least, most, step = ends_of(key)
      seen = least and seen + 1 or seen
      for _, value in ipairs { least, most } do
        assert(try(key.name, value))
      end
      for _, value in ipairs { least and least - step, most and most + step } do
        local good, message = try(key.name, value)
        assert(not good, key.name .. ": takes " .. value)
        assert.matches("engine: " .. key.name .. ": expected .*, got ", message)
        local most_said, got = message:match " to (%S+).*, got (%S+)$"
        assert.is_true(got ~= most_said or got == nil, message)
      end
      assert.is_true(key.type ~= "integer" or least ~= nil, key.name)
    end
    assert.is_true(seen > 25)
  end)

  it("tells how much memory policies may have", function()
    local _, budget = table.unpack(api.find("configuration.budget")[1])
    assert.matches((", %d MiB$"):format(core.memory_limit() >> 20),
      budget.default)
  end)
end)

describe("the errors of", function()
  local store = assert(moonpeer.store("memory:", { max_bans = 2 }))
  local gone = assert(store:create { ip = "203.0.113.1", port = 8333 })
  store:delete(gone)
  teardown(function() store:close() end)
  local wrong = {
    "x", "1.2.3.4/33", "9.9.9.9:1", "", ("y"):rep(70000), 5, -1, gone,
    { ip = "x", port = 1 }, { ip = "1.2.3.4", port = 1 }, { rtt = -1 },
    { ip = "1.2.3.4", port = 0 }, { time = 0 }, { expires = 1 },
    { time = "forever" }, { format = "json" },
    "00000000-0000-0000-0000-000000000000",
  }

  local function codes_of(fn, object)
    local codes = {}
    for i = 0, #wrong do
      for _, second in ipairs(wrong) do
        local _, result, _, code = pcall(fn, object, wrong[i] or second, second)
        codes[result == nil and type(code) == "string" and code or 0] = true
      end
    end
    codes[0] = nil
    return codes
  end

  for name, object in pairs { store = store, bans = store.bans } do
    for _, member in ipairs(api.type("moonpeer." .. name).members) do
      local fn = member.example and object[member.name]
      if fn and member.name ~= "close" and member.name ~= "save" then
        it(name .. ":" .. member.name .. " are those that come", function()
          local said = table.concat(member.errors or {}, " ")
          for code in pairs(codes_of(fn, object)) do
            assert.matches(code, said)
          end
        end)
      end
    end
  end
end)

describe("the manual page", function()
  local page = require("moonpeer.api.pages").manual()

  it("fits a terminal, and has every command's own", function()
    for line in page:gmatch "[^\n]+" do
      assert.is_true(#line:gsub("\\", "") <= 80, line)
    end
    assert.matches(".SS moonpeer bans import\n", page, 1, true)
    assert.matches("Usage: moonpeer peers <store> list ", page, 1, true)
  end)
end)

describe("what is made from it", function()
  it("is Lua where it should be", function()
    assert(loadfile("lua/moonpeer/types.lua", "t", {}))
  end)

  for path, text in pairs(require("moonpeer.api.pages").all()) do
    it("is not stale: " .. path, function()
      assert(text == read(path), path .. " is stale: run scripts/docs")
    end)
  end
end)

describe("help", function()
  local help = require "moonpeer.help"

  it("knows values, functions and names", function()
    assert.matches("^moonpeer.connect%(address, options%?%)",
      help.text(moonpeer.connect))
    assert.matches("^engine:ban%(what, options%?%)", help.text "engine.ban")
    assert.matches("moonpeer.Engine", help.text "engine")
    assert.matches("moonpeer.connect", help.text(moonpeer))
    assert.matches('"peer_banned" +%S', help.text "event")
    for _, one in ipairs(api.types()) do
      assert.matches(one.class, help.text(one.variable), 1, true)
    end
    local engine <close> = assert(moonpeer.engine { network = "regtest" })
    assert.matches("^moonpeer.Engine", help.text(engine))
    assert.matches("^engine:ban", help.text(engine.ban))
  end)

  it("knows every function of the modules, and the modules", function()
    for variable, module in pairs {
      ["moonpeer"] = moonpeer, ["moonpeer.message"] = moonpeer.message,
      sim = require "moonpeer.sim", test = require "moonpeer.test",
    } do
      assert.matches(help.text(module), help.text(variable), 1, true)
      for name, value in pairs(module) do
        if type(value) == "function" then
          local start = variable .. "." .. name .. "("
          assert.equal(start, help.text(value):sub(1, #start))
        end
      end
    end
    assert.matches("^moonpeer.network: ", help.text(moonpeer.network))
  end)

  it("lists what there is by whole words", function()
    local list = help.text()
    assert.matches("\n  configuration +What moonpeer%.engine and ", list)
    assert.matches("\n  sim +`require \"moonpeer%.sim\"`\n", list)
  end)

  it("names what is near", function()
    assert.matches('nearest known is "connect"', help.text "conect")
    assert.matches("nobody", help.text {})
  end)
end)
