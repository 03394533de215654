--- Messages as objects: fields, lists, bulk verbs, and messages of one's own.
local moonpeer = require "moonpeer"
local json = require "support.json"
local vectors = require "support.vectors"

local message = moonpeer.message
local regtest = { network = "regtest" }

local function make(command, fields)
  return (assert(message.decode(assert(message.encode(command, fields)))))
end

local function vector(name)
  for _, one in ipairs(vectors.messages()) do
    if one.name == name then
      return assert(message.decode(vectors.bytes(one.frame_hex)))
    end
  end
end

local function hash(n)
  return ("<I8"):pack(n) .. ("\7"):rep(24)
end

local function inv(first, last)
  local items = {}
  for n = first, last do
    items[#items + 1] = { type = 1, hash = hash(n) }
  end
  return make("inv", { items = items })
end

--- Headers that follow each other.
local function chain(n, previous)
  local headers = {}
  for i = 1, n do
    headers[i] = {
      version = 1, prev = previous, merkle_root = hash(i), time = i,
      bits = 0x1d00ffff, nonce = i,
    }
    previous = make("headers", { headers = { headers[i] } }).headers[1].hash
  end
  return headers, previous
end

describe("a message", function()
  it("gives a field when it is asked for", function()
    local version = vector "version_bsv_uuid_association"
    assert.equal("/Bitcoin SV:1.2.2/", version.user_agent)
    assert.equal("203.0.113.7", version.addr_recv.ip)
    assert.equal("version", version.command)
    assert.is_nil(version.nonsense)
    assert.matches("^moonpeer.message: version of %d+ bytes$",
      tostring(version))
  end)

  it("gives what an absent field means, but not in its table", function()
    local version = vector "version_without_tail"
    assert.same({ true, -1, "" },
      { version.relay, version.start_height, version.user_agent })
    assert.is_nil(version:table().relay)
    assert.equal(60000, version:table().version)
  end)

  it("walks its list", function()
    local one = inv(1, 3)
    local seen = {}
    for kind, id in one:each() do
      seen[#seen + 1] = { kind, id }
    end
    assert.same({ { 1, hash(1) }, { 1, hash(2) }, { 1, hash(3) } }, seen)
    assert.equal(3, #one)
    assert.equal(0, #make("ping", { nonce = 1 }))
    assert.is_nil(make("ping", { nonce = 1 }):each()())
    assert.error_matches(function()
      one:each "nonsense"
    end, 'no list called "nonsense"')
  end)

  it("walks transactions, their inputs and outputs, as they lie", function()
    local block = vector "block_genesis"
    local seen = 0
    for tx in block:each "txs" do
      seen = seen + 1
      assert.equal(204, tx.size)
      assert.equal(204, #tx:raw())
      assert.equal(tx.txid, block.txids[1])
      assert.equal(1, tx:table().version)
      for previous, index in tx:each "inputs" do
        assert.same({ ("\0"):rep(32), 0xffffffff }, { previous, index })
      end
      for value, script in tx:each "outputs" do
        assert.same({ 5000000000, 67 }, { value, #script })
        seen = seen + 1
      end
      assert.equal(1, #tx)
    end
    assert.equal(2, seen)
    for id in block:each "txids" do
      assert.equal(block.txids[1], id)
    end
  end)

  it("keeps its bytes while a part of it is kept", function()
    local txs = {}
    for tx in vector "block_genesis":each "txs" do
      txs[1] = tx
    end
    collectgarbage()
    collectgarbage()
    assert.equal(204, txs[1].size)
  end)

  it("is written as JSON and as lines", function()
    local one = make("reject", { message = "tx", code = 16, reason = "no",
      hash = hash(1) })
    local fields = json.read(one:json()).fields
    assert.same({ "tx", "0x10", "no", moonpeer.hex(hash(1)) },
      { fields.message, fields.code, fields.reason, fields.hash })
    assert.equal("reject, 39 bytes\n  message: \"tx\"\n  code: 0x10\n"
      .. "  reason: \"no\"\n  hash: " .. moonpeer.hex(hash(1)), one:text())
    assert.matches("%[20%] \n.*%.%.%. and 30 more$", inv(1, 50):text())
  end)
end)

describe("bulk verbs", function()
  it("count the hashes that are known, and learn them", function()
    local set = message.hashes(1000)
    assert.equal(10, inv(1, 10):import(set))
    assert.equal(5, inv(6, 15):import(set))
    assert.equal(15, #set)
    assert.same({ 4, 8 }, { inv(12, 19):count_known(set) })
    assert.same({ 1, 3 }, { inv(1, 3):count_known { [hash(2)] = true } })
    assert.is_true(set:has(hash(3)))
    assert.is_true(set:has(moonpeer.hex(hash(3))))
    assert.is_false(set:add(hash(3)))
    assert.is_true(set:add(hash(99)))
  end)

  it("work on lists of hashes and of headers", function()
    local set = message.hashes()
    local headers = chain(5, hash(0))
    local one = make("headers", { headers = headers })
    assert.equal(5, one:import(set))
    assert.is_true(set:has(one.headers[5].hash))
    local blocks = make("getheaders", { locator = { headers[2].prev,
      headers[3].prev } })
    assert.same({ 2, 2 }, { blocks:count_known(set) })
  end)

  it("take addresses into a store", function()
    local store <close> = assert(moonpeer.store "memory:")
    local entries = {}
    for n = 1, 50 do
      entries[n] = { time = 1, services = 33, ip = "8.8.8." .. n, port = 8333 }
    end
    entries[51] = { time = 1, services = 1, ip = "8.8.8.8", port = 0 }
    local addr = make("addr", { entries = entries })
    assert.same({ 50, 51 }, { addr:import(store) })
    assert.same({ 0, 51 }, { addr:import(store) })
    local peer = assert(store:find_by_ip_port("8.8.8.7", 8333))
    assert.same({ 33, "manual" }, { peer.services, peer.source })
    local told = make("addrv2", { entries = {
      { time = 1, services = 1, network_id = 2, addr = "2001:4860::1",
        port = 1 },
      { time = 1, services = 1, network_id = 4, addr = ("x"):rep(32),
        port = 1 },
    } })
    assert.same({ 1, 2 }, { told:import(store, "9.9.9.9:1") })
    assert.equal("peer", store:find_by_ip_port("2001:4860::1", 1).source)
    assert.error_matches(function()
      inv(1, 1):import(store)
    end, "expected a message with addresses")
  end)

  it("refuse what has no hashes", function()
    assert.error_matches(function()
      make("ping", { nonce = 1 }):count_known {}
    end, "ping: expected a message with a list")
    assert.error_matches(function()
      vector "addr_one_ipv4":count_known {}
    end, "whose entries have hashes")
    assert.has_error(function()
      inv(1, 1):import {}
    end)
  end)

  it("check that headers follow each other", function()
    local headers, last = chain(6, hash(0))
    assert.equal(last, make("headers", { headers = headers }):check_chain())
    assert.equal(last,
      make("headers", { headers = headers }):check_chain(hash(0)))
    local none, words, code, place =
      make("headers", { headers = headers }):check_chain(hash(1))
    assert.same({ nil, "protocol_error", 1 }, { none, code, place })
    assert.matches("^headers%[1%]: expected", words)
    table.remove(headers, 4)
    assert.equal(4, (select(4,
      make("headers", { headers = headers }):check_chain())))
    local none_at_all = make("headers", { headers = {} })
    assert.equal(hash(5), none_at_all:check_chain(hash(5)))
    assert.error_matches(function()
      inv(1, 2):check_chain()
    end, "headers")
  end)
end)

describe("a set of hashes", function()
  it("forgets the oldest", function()
    local set = message.hashes(100)
    for n = 1, 1000 do
      assert.is_true(set:add(hash(n)))
      assert.equal(math.min(n, 100), #set)
      assert.is_true(set:has(hash(n)))
      assert.equal(n <= 100, set:has(hash(1)))
    end
    for n = 1, 1000 do
      assert.equal(n > 900, set:has(hash(n)))
    end
    assert.equal("moonpeer.hashes: 100 of at most 100", tostring(set))
  end)

  it("refuses what is no hash and no capacity", function()
    assert.has_error(function()
      message.hashes(4):add "x"
    end)
    assert.has_error(function()
      message.hashes(0)
    end)
  end)

  it("tells hashes apart that begin alike", function()
    local set = message.hashes(4)
    local one, other = ("a"):rep(32), ("a"):rep(31) .. "b"
    set:add(one)
    assert.is_false(set:has(other))
    set:add(other)
    assert.is_true(set:has(other))
    for n = 1, 10 do
      set:add(hash(n))
    end
    assert.same({ false, false, 4 },
      { set:has(one), set:has(other), #set })
  end)
end)

--- Runs a play between an engine and a conversation: play(engine, connection).
local function with_engine(play)
  moonpeer.run(function()
    local engine <close> = assert(moonpeer.engine {
      network = "regtest", listen = "127.0.0.1:0", target_connections = 0,
    })
    assert(engine:start())
    moonpeer.sleep(0)
    local connection <close> =
      assert(moonpeer.connect(engine:address(), regtest))
    assert(connection:handshake())
    play(engine, connection)
  end)
end

local function wait_for(done)
  for _ = 1, 5000 do
    if done() then
      return
    end
    moonpeer.sleep "1ms"
  end
  error "waited in vain"
end

describe("a message in a hook", function()
  it("is a view that dies with it, and so do its parts", function()
    local kept = {}
    with_engine(function(engine, connection)
      engine:on("message", "test", function(event)
        collectgarbage()
        local view = event.message
        kept.view, kept.next, kept.raw = view, view:each(), view:raw()
        kept.copy = view:copy()
        for header in view:each() do
          kept.header = header
        end
        collectgarbage()
      end, { command = "headers" })
      assert(connection:send("headers", { headers = (chain(2, hash(0))) }))
      wait_for(function()
        return kept.copy
      end)
    end)
    for _, late in ipairs {
      function() return kept.view.count end,
      function() return #kept.view end,
      function() return kept.view:raw() end,
      function() return kept.view:json() end,
      function() return kept.next() end,
      function() return kept.header.hash end,
      function() return kept.view:check_chain() end,
    } do
      assert.error_matches(late, "after its hook returned")
    end
    assert.equal("moonpeer.message (stale)", tostring(kept.view))
    assert.equal(2, #kept.copy)
    assert.equal(kept.raw, kept.copy:raw())
    assert.equal(kept.copy.headers[1].hash, kept.copy.headers[2].prev)
  end)

  it("of a declared kind has fields, and is checked", function()
    local seen, offence
    message.define { command = "told", fields = {
      { name = "n", type = "uint32" } } }
    with_engine(function(engine, connection)
      engine:on("message", "test", function(event)
        seen = event.message.n
      end, { command = "told" })
      engine:on("peer_misbehaved", "test", function(event)
        offence = event.reason
      end)
      assert(connection:send("told", "\1"))
      assert(connection:send("told", { n = 77 }))
      wait_for(function()
        return seen
      end)
      assert.equal(77, seen)
      assert.matches("^told: n at offset 0: expected 4 bytes", offence)
    end)
  end)
end)

describe("message.types", function()
  it("lists what is built in", function()
    local by_command = {}
    for _, one in ipairs(message.types()) do
      by_command[one.command] = one
    end
    assert.equal("entries", by_command.addr.fields[2].name)
    assert.equal("ip", by_command.addr.fields[2].fields[3].type)
    assert.is_true(by_command.addrv2.foreign)
    assert.is_nil(by_command.pkgtxns.fields)
  end)
end)
