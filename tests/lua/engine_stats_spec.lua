--- What engine:stats() counts, number by number.
local field = require "support.field"
local wire = require "support.wire"
local it = field.it

local at = "10.0.0.1:8333"

--- Those of the keys of `want` that stats has.
local function assert_stats(want, engine)
  local stats, got = engine:stats(), {}
  for key in pairs(want) do -- any order: copies
    got[key] = stats[key]
  end
  assert.same(want, got)
end

--- A remote that dials, says these bytes and stays.
local function caller(world, address, bytes)
  world:remote(address, function(remote)
    local connection = remote:dial(at)
    if connection then
      connection:send_raw(bytes or "")
      connection:receive "nothing"
    end
  end)
end

local hello = table.concat { wire.hello() }

describe("stats", function()
  it("count connections by status and direction", function(world)
    field.node(world, "30.1.0.1:8333")
    field.silent(world, "30.2.0.1:8333")
    local engine = field.engine(world, at, {
      peers = { "30.1.0.1:8333", "30.2.0.1:8333", "30.3.0.1:8333" },
      max_connections = 7, target_connections = 3,
    })
    for i = 1, 3 do
      caller(world, ("40.%d.0.1"):format(i), hello)
    end
    world:run_for "1s"
    assert_stats({
      connections = 6, outbound = 3, inbound = 3, feelers = 0, polite = 0,
      half_open = 0, connected = 4, accepted = 3, rejected = 0, dials = 3,
      handshakes = 4, evictions = 0, bans = 0, failures = {},
    }, engine)
    caller(world, "50.1.0.1")
    caller(world, "50.2.0.1")
    world:run_for "1s"
    assert_stats({
      connections = 7, outbound = 3, inbound = 4, polite = 1, half_open = 1,
      connected = 4, accepted = 4, rejected = 1, handshakes = 4,
      evictions = 0,
    }, engine)
  end)

  it("count a feeler beside those that are kept", function(world)
    local engine = field.engine(world, "10.0.0.1", {
      target_connections = 0, feeler_interval = "1m", jitter = 0,
    })
    engine.store:create { ip = "30.1.0.1", port = 8333 }
    world:run_for "61s"
    assert_stats({
      connections = 1, outbound = 0, inbound = 0, feelers = 1, connected = 0,
      dials = 1,
    }, engine)
  end)

  it("count peers by status", function(world)
    field.node(world, "30.1.0.1:8333")
    field.silent(world, "30.2.0.1:8333")
    local engine = field.engine(world, "10.0.0.1", {
      peers = { "30.1.0.1:8333", "30.2.0.1:8333", "30.3.0.1:8333" },
    })
    engine:ban "30.4.0.1"
    engine.store:create { ip = "30.4.0.1", port = 8333 }
    world:run_for "20s"
    assert.same({ valid = 1, inaccessible = 1, unknown = 1, banned = 1 },
      engine:stats().peers)
  end)

  it("count messages and bytes by command and direction", function(world)
    local said = {}
    local engine = field.engine(world, at, { target_connections = 0 })
    world:remote("40.1.0.1", function(remote)
      local connection = assert(remote:dial(at))
      connection:send_raw(hello)
      connection:send_raw(wire.frame("ping", "12345678"):rep(3))
      connection:send_raw(wire.frame("xyzzy", "abc"))
      while true do
        local message = connection:receive()
        local row = said[message.command] or { 0, 0 }
        said[message.command] = row
        row[1], row[2] = row[1] + 1, row[2] + 24 + #message:raw()
      end
    end)
    world:run_for "1s"
    local stats, sum = engine:stats(), { 0, 0, 0, 0 }
    local heard = {
      version = { 1, #wire.hello() }, verack = { 1, 24 }, ping = { 3, 96 },
      other = { 1, 27 },
    }
    for command, row in pairs(stats.commands) do -- any order: adds
      local hears, says = heard[command] or { 0, 0 }, said[command] or { 0, 0 }
      assert.same({ hears[1], hears[2], says[1], says[2] }, { row.messages_in,
        row.bytes_in, row.messages_out, row.bytes_out }, command)
      for i, key in ipairs {
        "messages_in", "bytes_in", "messages_out", "bytes_out",
      } do
        sum[i] = sum[i] + row[key]
      end
    end
    assert.same({ 3, 96 }, said.pong)
    assert.equal(1, said.version[1])
    assert.equal(6, stats.messages_in)
    assert.equal(#hello + 96 + 27, stats.bytes_in)
    assert.same(sum, { stats.messages_in, stats.bytes_in, stats.messages_out,
      stats.bytes_out })
  end)

  it("count dials, and failures by their codes", function(world)
    field.empty(world, "30.1.0.1")
    field.silent(world, "30.2.0.1:8333")
    field.node(world, "30.4.0.1:8333")
    local engine = field.engine(world, at, {
      peers = { "30.1.0.1:8333", "30.2.0.1:8333", "30.3.0.1:8333",
        "30.4.0.1:8333" },
      jitter = 0, max_retries = 0, max_restarts = 0,
    })
    caller(world, "40.1.0.1")
    world:run_for "20s"
    assert_stats({
      dials = 4, handshakes = 1, failures = {
        connection_refused = 1, connection_timeout = 1, handshake_timeout = 2,
      },
    }, engine)
    world:sever("10.0.0.1", "30.4.0.1")
    world:run_for "1s"
    assert.equal(1, engine:stats().failures.connection_reset)
  end)

  it("count bans and evictions", function(world)
    local engine = field.engine(world, at, {
      target_connections = 0, max_connections = 1,
      policies = { { evict = function(_, candidates)
        return candidates[1].connection
      end } },
    })
    caller(world, "40.1.0.1", hello)
    world:run_for "1s"
    caller(world, "40.2.0.1", hello)
    world:run_for "1s"
    assert_stats({ evictions = 1, bans = 0, connected = 1 }, engine)
    engine:ban "40.2.0.1"
    engine:ban "40.3.0.0/16"
    world:run_for "1s"
    assert_stats({ evictions = 1, bans = 2, connected = 0 }, engine)
    engine:unban "40.3.0.0/16"
    assert_stats({ bans = 2 }, engine)
  end)
end)
