--- What we answer to getaddr: once, a part of what we know, the same for
--- everybody for a day.
local field = require "support.field"
local visitors = require "support.visitors"
local it = field.it

--- An engine that knows n peers, at the time it starts.
local function engine_of(world, n)
  local engine = world:engine(visitors.at, { target_connections = 0 })
  for i = 1, n do
    engine.store:create {
      ip = ("%d.%d.%d.1"):format(20 + i // 62500, i // 250 % 250, i % 250),
      port = 8333, status = i % 2 == 0 and "valid" or nil,
    }
  end
  return engine
end

--- Asks as often as it is told: the entries of each answer that came.
local function ask(world, address, times)
  local seen = visitors.visitor(world, address, function(connection)
    assert(connection:handshake())
    local answers = {}
    for _ = 1, times or 1 do
      connection:send "getaddr"
      local answer = connection:receive("addr", "30s")
      answers[#answers + 1] = answer and answer:table().entries
    end
    return answers
  end)
  world:run_for "3m"
  return seen.result[1]
end

local function names(entries)
  local list, set = {}, {}
  for i, entry in ipairs(entries) do
    list[i] = ("%s:%d"):format(entry.ip, entry.port)
    set[list[i]] = true
  end
  table.sort(list)
  return list, set
end

describe("getaddr of an inbound peer", function()
  it("is answered once, by 23 % of those whom we know", function(world)
    engine_of(world, 1000)
    local answers = ask(world, "50.1.0.1", 3)
    assert.equal(1, #answers)
    assert.equal(230, #answers[1])
    local _, set = names(answers[1])
    local different = 0
    for _ in pairs(set) do different = different + 1 end
    assert.equal(230, different)
  end)

  it("is answered by 1,000 at most", function(world)
    engine_of(world, 6000)
    assert.equal(1000, #ask(world, "50.1.0.1")[1])
  end)

  it("is answered alike to everybody for a day, then anew", function(world)
    local engine = engine_of(world, 1000)
    local first = names(ask(world, "50.1.0.1")[1])
    for i = 1, 100 do
      engine.store:create { ip = ("90.1.%d.1"):format(i), port = 8333 }
    end
    assert.same(first, names(ask(world, "50.2.0.1")[1]))
    world:run_for "23h"
    assert.same(first, names(ask(world, "50.1.0.1")[1]))
    world:run_for "1h"
    local other = names(ask(world, "50.3.0.1")[1])
    assert.equal(253, #other)
    assert.not_same(first, other)
  end)

  it("names nobody who is banned or inaccessible", function(world)
    local engine = engine_of(world, 10)
    for peer in engine.store:each() do
      if peer.status == "valid" then
        engine.store:update(peer.id, { status = "inaccessible" })
      end
    end
    for i = 1, 90 do
      local ip = ("90.1.%d.1"):format(i)
      engine.store:create { ip = ip, port = 8333 }
      engine:ban(ip)
    end
    local entries = ask(world, "50.1.0.1")[1]
    assert.equal(5, #entries) -- of 23 wanted
    for _, entry in ipairs(entries) do
      assert.equal("unknown",
        engine.store:find_by_ip_port(entry.ip, entry.port).status)
    end
  end)
end)

describe("getaddr of a peer that we have dialled", function()
  it("is not answered", function(world)
    local answer, _, code
    local peer = "30.1.0.1:8333"
    field.node(world, peer, nil, function(connection)
      connection:send "getaddr"
      answer, _, code = connection:receive("addr", "1m")
    end)
    local engine = field.engine(world, "10.0.0.1", { peers = { peer } })
    for i = 1, 100 do
      engine.store:create { ip = ("90.1.%d.1"):format(i), port = 8333 }
    end
    world:run_for "2m"
    assert.is_nil(answer)
    assert.equal("timeout", code)
  end)
end)
