--- Worlds: what is refused, and at which line.
local moonpeer = require "moonpeer"
local sim = require "moonpeer.sim"
local test = require "moonpeer.test"
local worlds = require "support.worlds"

local in_world = worlds.within
local here, refused, waits = worlds.here, worlds.refused, worlds.waits

describe("misuse", function()
  test.guard()

  --- Each: words of the refusal, and what is refused, on one line.
  local function each(rows)
    in_world({}, function(world)
      world:engine "10.0.0.1:8333"
      world:remote("10.0.0.2", waits)
      for _, row in ipairs(rows) do
        local fn = row[2]
        refused(row[1], debug.getinfo(fn, "S").linedefined, function()
          fn(world)
        end)
      end
    end)
  end

  -- one line each: the line is what is looked at
  -- luacheck: push no max line length
  it("of options is refused at the caller's line", function()
    each {
      { 'unknown option "sed"; the nearest known is "seed"', function() sim.world { sed = 1 } end },
      { "expected an integer for seed, got 1.5", function() sim.world { seed = 1.5 } end },
      { "expected an integer, 0 or more, for start, got -1", function() sim.world { start = -1 } end },
      { "expected an integer, 0 or more, for instructions, got -1", function() sim.world { instructions = -1 } end },
      { "start: expected a time", function() sim.world { start = 1 << 40 } end },
      { "start: expected a time", function() sim.world { start = 1 << 34 } end },
      { "expected at most 2147483647 for instructions", function() sim.world { instructions = 1 << 40 } end },
      { "work_time", function() sim.world { work_time = "1000h" } end },
      { 'expected trace to be "text"', function() sim.world { trace = "json" } end },
      { 'unknown network "regtst"', function() sim.world { network = "regtst" } end },
      { "expected a table of options", function() sim.world(7) end },
      { 'unknown option "lisen"', function(w) w:engine("10.0.0.3", { lisen = true }) end },
      { "expected a table of options, got number", function(w) w:engine("10.0.0.3", 5) end },
      { 'unknown option "netwrk"', function(w) w:remote("10.0.0.3", waits, { netwrk = 1 }) end },
      { "expected a function, its script, got nil", function(w) w:remote "10.0.0.3" end },
      { 'unknown option "latenzy"; the nearest known is "latency"', function(w) w:link(nil, nil, { latenzy = 1 }) end },
      { "loss: expected a chance", function(w) w:link(nil, nil, { loss = 2 }) end },
      { "bandwidth: expected none below 0, got -3", function(w) w:link(nil, nil, { bandwidth = -3 }) end },
      { "latency", function(w) w:link(nil, nil, { latency = "2h" }) end },
      { "descriptors: expected 1 to", function(w) w:limit(nil, { descriptors = 0 }) end },
      { "limit(host, options): expected a table", function(w) w:limit "10.0.0.1" end },
      { 'unknown option "windw"', function(w) w:limit(nil, { windw = 0 }) end },
      { 'loss: expected a number, got "x"', function(w) w:link(nil, nil, { loss = "x" }) end },
      { "bandwidth: expected an integer, got 1.5", function(w) w:link(nil, nil, { bandwidth = 1.5 }) end },
      { 'window: expected an integer, got "x"', function(w) w:limit(nil, { window = "x" }) end },
      { "segment: expected none below 0, got -1", function(w) w:link(nil, nil, { segment = -1 }) end },
      { "descriptors: expected none below 0, got -1", function(w) w:limit(nil, { descriptors = -1 }) end },
      { "window: expected at most 4294967295, got 1099511627776", function(w) w:limit(nil, { window = 1 << 40 }) end },
      { 'link: latency: expected seconds or a text such as "250ms", got "soon"', function(w) w:link(nil, nil, { latency = "soon" }) end },
      { "lifetime: expected seconds or a text", function(w) w:link(nil, nil, { lifetime = -1 }) end },
      { "dns: delay: expected seconds or a text", function(w) w:dns("x", {}, { delay = {} }) end },
      { "heal: expected the number of a partition, got 99", function(w) w:heal(99) end },
      { "heal: expected the number of a partition, got x", function(w) w:heal "x" end },
      { "note: expected a text, got nil", function(w) w:note("10.0.0.1") end },
      { "partition: expected at least one host", function(w) w:partition({}) end },
      { "expected a name and a list", function(w) w:dns("x", "10.0.0.1") end },
      { "dns", function(w) w:dns("x", { "no address" }) end },
      { "dns", function(w) w:dns("", { "10.0.0.1" }) end },
    }
  end)

  it("of assertions is refused at the caller's line", function()
    local store = assert(moonpeer.store "memory:")
    each {
      { "watch: expected an engine, got 1", function() test.watch(1) end },
      { "watch: expected an engine, got nil", function() test.watch() end },
      { "find: expected a log of test.watch, got 1", function() test.find(1) end },
      { "event: expected a log of test.watch, got nil", function() test.event(nil, "evicted") end },
      { 'event: expected a table for fields, got "x"', function() test.event({}, "evicted", "x") end },
      { "decision: expected a log of test.watch, got nil", function() test.decision() end },
      { "in_state: expected a connection, got nil", function() test.in_state(nil, "connected") end },
      { "stored: expected a store, got 1", function() test.stored(1, "1.2.3.4", 1) end },
      { 'expected an ip and a port, got "1.2.3.4" and nil', function() test.stored(store, "1.2.3.4") end },
      { "stored: expected a table for fields, got 7", function() test.stored(store, "1.2.3.4", 1, 7) end },
    }
    store:close()
  end)

  it("of addresses is refused at the caller's line", function()
    each {
      { "10.0.0.1 has a host already", function(w) w:engine "10.0.0.1" end },
      { "10.0.0.2 has a host already", function(w) w:remote("10.0.0.2", waits) end },
      { "got 127.0.0.1", function(w) w:engine "127.0.0.1" end },
      { "got 0.0.0.0", function(w) w:engine "0.0.0.0" end },
      { "engine: ", function(w) w:engine "a name" end },
      { "expected an address such as", function(w) w:remote(5, waits) end },
      { "of this world, got 10.0.0.9", function(w) w:link("10.0.0.9", "10.0.0.1", {}) end },
      { "of this world, got nil", function(w) w:sever("10.0.0.1") end },
      { "of this world", function(w) w:partition({ "10.0.0.1", {} }) end },
      { "of this world", function(w) w:note("10.0.0.9", "x") end },
      { "expected a world", function(w) w.run_for("1m") end },
    }
  end)

  it("of time is refused at the caller's line", function()
    each {
      { "expected seconds or a text", function(w) w:run_for(-1) end },
      { "expected seconds or a text", function(w) w:run_for(0 / 0) end },
      { "expected seconds or a text", function(w) w:run_for(1 / 0) end },
      { "expected seconds or a text", function(w) w:run_for "soon" end },
      { "expected seconds or a text", function(w) w:run_for() end },
      { "expected at most 10 years", function(w) w:run_for "1000000h" end },
      { "jump: expected seconds", function(w) w:jump(1e30) end },
      { "jump: ", function(w) w:jump(1e10) end },
      { "expected seconds or a text", function(w) w:run_until(waits, -1) end },
      { "expected at most 10 years", function(w) w:run_until(waits, 1e9) end },
      { "expected a function, the condition, got boolean", function(w) w:run_until(true) end },
    }
  end)
  -- luacheck: pop

  it("of a remote is refused at the caller's line", function()
    in_world({ network = "regtest" }, function(world)
      world:engine "10.0.0.1:18444"
      local outside = world:remote("10.0.0.2", waits)
      local function check(remote, rows)
        for name, row in pairs(rows) do
          local line = here() + 2
          refused(row[1], line, function()
            outside[name](remote, table.unpack(row, 2))
          end)
        end
      end
      check(outside, {
        dial = { "dial waits; call it in the script", "10.0.0.1" },
        accept = { "accept waits" }, sleep = { "sleep waits", 1 },
        spawn = { "spawn waits", print }, serve = { "serve waits", print },
      })
      world:remote("10.0.0.3", function(remote)
        check(remote, {
          dial = { 'expected an address such as "1.2.3.4:8333", got nil' },
          listen = { "listen: expected a table of options, got number", 5 },
          sleep = { "expected seconds or a text", -1 },
          spawn = { "spawn: expected a function, got nil" },
          serve = { "serve: expected a function, got nil" },
        })
        check(remote, {
          dial = { 'unknown option "netwrk"', "10.0.0.1", { netwrk = 1 } },
          listen = { 'unknown option "netwrk"', { netwrk = 1 } },
          accept = { "accept: expected seconds or a text", -1 },
        })
        check(remote, {
          dial = { 'dial: expected an address or a name, got "x y"', "x y" },
        })
        check(remote, { dial = { "dial: ", "10.0.0.1:99999" } })
        check(nil, { sleep = { "expected a remote: call remote:sleep", 1 } })
      end)
      world:run_for(1)
    end)
  end)

  it("of a closed world is refused at the caller's line", function()
    local world = sim.world()
    world:close()
    for _, name in ipairs {
      "run_for", "run_until", "now", "trace", "hash", "count", "engine", "link",
      "partition", "heal", "sever", "dns", "limit", "note",
    } do
      local line = here() + 2
      refused("the world is closed", line, function()
        world[name](world, "10.0.0.1", waits)
      end)
    end
  end)
end)

describe("a run", function()
  test.guard()

  --- What fn(world) says when it is called from inside a run.
  local function inside(place)
    return in_world({ network = "regtest" }, function(world)
      local said = {}
      local function try()
        for i, fn in ipairs {
          function() world:run_for(1) end,
          function() world:run_until(function() return true end) end,
          function() world:close() end,
          function() moonpeer.run() end,
          function()
            local other <close> = sim.world()
            other:run_for(1)
          end,
        } do
          local _, message = pcall(fn)
          said[i] = tostring(message)
        end
      end
      place(world, try)
      pcall(world.run_for, world, "1m")
      return said
    end)
  end

  local function check(said)
    local place = "^%S*sim_misuse_spec.lua:%d+: "
    assert.matches(place .. "a world is running; runs do not nest", said[1])
    assert.matches(place .. "a world is running", said[2])
    assert.matches(place .. "close: the world is running", said[3])
    assert.matches("run is under way", said[4])
    assert.matches("a world is running", said[5])
  end

  it("is refused in a remote's script", function()
    check(inside(function(world, try)
      world:remote("10.0.0.1", try)
    end))
  end)

  it("is refused in a listener of an engine", function()
    check(inside(function(world, try)
      world:engine("10.0.0.1:18444"):on("listener_started", "try", try)
    end))
  end)

  it("is refused in a policy", function()
    check(inside(function(world, try)
      world:engine("10.0.0.1:18444", { policies = { { validate = try } } })
      world:remote("10.0.0.2", function(remote)
        remote:dial("10.0.0.1"):handshake()
      end)
    end))
  end)

  it("is refused in a condition", function()
    check(inside(function(world, try)
      pcall(world.run_until, world, function()
        try()
        return true
      end)
    end))
  end)

  it("is refused in a task of the real loop", function()
    in_world({}, function(world)
      local message = moonpeer.run(function()
        return select(2, pcall(world.run_for, world, 1))
      end)
      assert.matches("moonpeer.run is under way", message)
    end)
  end)
end)

describe("misuse of engines and connections", function()
  test.guard()

  -- one line each: the line is what is looked at
  -- luacheck: push no max line length
  it("is refused at the caller's line", function()
    in_world({ network = "regtest" }, function(world)
      local engine = world:engine "10.0.0.1:18444"
      local tried = 0
      world:remote("10.0.0.2", function(remote)
        local connection = remote:dial "10.0.0.1"
        for _, row in ipairs {
          { 'connect: unknown option "foo"', function() moonpeer.connect("10.0.0.1", { foo = 1 }) end },
          { 'connect: expected an address or a name, got "x y"', function() moonpeer.connect "x y" end },
          { "connect: expected a table of options", function() moonpeer.connect("10.0.0.1", 3) end },
          { 'engine: unknown option "foo"', function() moonpeer.engine { foo = 1 } end },
          { "spawn: expected a function, got number", function() engine:spawn(3) end },
          { "send: expected a connection", function() engine:send "x y" end },
          { "send: ", function() engine:send({ connection }, 3) end },
          { "string expected, got number", function() connection:send(3) end },
          { "string expected, got number", function() connection:receive(3) end },
          { "expected a command, got nil", function() connection:expect() end },
        } do
          refused(row[1], debug.getinfo(row[2], "S").linedefined, row[2])
          tried = tried + 1
        end
      end)
      world:run_for "1s"
      assert.equal(10, tried)
      engine:close(0)
      world:run_for "1m"
      for _, row in ipairs {
        { "stats: the engine is closed", function() engine:stats() end },
        { "spawn: the engine is closed", function() engine:spawn(print) end },
        { "reload: the engine is closed", function() engine:reload() end },
        { "watch: the engine is closed", function() engine:watch() end },
      } do
        refused(row[1], debug.getinfo(row[2], "S").linedefined, row[2])
      end
    end)
  end)
  -- luacheck: pop

  it("says that nothing happened where nobody is", function()
    in_world({}, function(world)
      local _, message = world:run_until(function() end, "1s")
      assert.matches("what happened last is:%s+nothing$", message)
    end)
  end)
end)

describe("a remote", function()
  test.guard()

  it("dials names as moonpeer.connect does", function()
    in_world({ network = "regtest" }, function(world)
      world:engine "10.0.0.1:18444"
      world:engine "10.0.0.3:7000"
      world:dns("seed.x", { "10.0.0.9", "10.0.0.1" })
      world:dns("other.x", { "10.0.0.3" })
      local remote = world:remote("10.0.0.2", function(remote)
        remote:dial("seed.x"):handshake()
        remote:dial("other.x:7000"):handshake()
        local _, _, code = remote:dial "none.x"
        return code
      end)
      assert(world:run_until(function()
        return remote.done
      end))
      assert.equal("dns_failed", remote.result)
    end)
  end)
end)
