--- What policies answer, and that it is obeyed.
local moonpeer = require "moonpeer"
local process = require "support.process"
local stage = require "support.stage"
local watch = require "support.watch"
local wire = require "support.wire"

local hello = table.concat { wire.hello() }
local bad_ping = wire.frame("ping", "12345678", { checksum = "oops" })
local bad_magic = wire.frame("ping", "", { magic = "\xff\xff\xff\xff" })

--- An engine with these policies, and a peer that has said hello.
local function meet(one, ...)
  local policies = {}
  for i, decisions in ipairs { ... } do
    policies[i] = watch.policy(decisions)
  end
  local engine, log, peer = one.visited { policies = policies }
  peer:send_raw(hello)
  return engine, log, peer
end

local function answers(...)
  local values = table.pack(...)
  return function()
    return table.unpack(values, 1, values.n)
  end
end

local function is_alive(peer)
  peer:send_raw(wire.frame("ping", "alive?!?"))
  local pong = peer:receive("pong", 5)
  return pong and pong:raw() == "alive?!?"
end

stage.describe("validate", function(one)
  one.it("sees engine, connection and version", function()
    local seen
    local engine, log = meet(one, {
      validate = function(the_engine, connection, version)
        seen = { the_engine, connection.state, connection.inbound,
          version.version, connection.version.user_agent }
      end,
    })
    one.event(log, "handshake_complete")
    assert.same({ engine, "awaiting_handshake", true, 70016,
      "/Bitcoin SV:1.2.2/" }, seen)
  end)

  one.it("lets in with ok, before the stock policies are asked", function()
    local _, log, peer = one.visited {
      network = "mainnet", policies = { { validate = answers "ok" } },
    }
    peer:send("version", wire.version { user_agent = "/Satoshi:1/" })
    peer:send "verack"
    one.event(log, "handshake_complete")
  end)

  one.it("refuses with an offence and its words", function()
    local _, log = meet(one, {
      validate = answers("offence", "banned_user_agent", "not you"),
    })
    local row = one.event(log, "connection_failed")
    assert.equal("banned_user_agent", row.code)
    assert.equal("not you", row.reason)
    assert.equal("rejected", row.state)
    assert.equal("ban", log:find("peer_misbehaved").verdict)
  end)

  one.it("may be any offence there is", function()
    for _, code in ipairs {
      "network_mismatch", "blockchain_mismatch", "banned_user_agent",
      "protocol_error", "checksum_error", "oversize_message",
      "obsolete_version", "self_connection", "flood",
    } do
      local _, log, peer = meet(one, { validate = answers("offence", code) })
      assert.equal(code, one.event(log, "peer_misbehaved").code)
      peer:close()
    end
  end)

  one.it("is asked of the first that has an answer", function()
    local asked = {}
    local function policy(name, ...)
      local answer = answers(...)
      return { validate = function()
        asked[#asked + 1] = name
        return answer()
      end }
    end
    local _, log = meet(one, policy "silent", policy("good", "ok"),
      policy("never", "offence", "flood"))
    one.event(log, "handshake_complete")
    assert.same({ "silent", "good" }, asked)
  end)
end)

stage.describe("judge", function(one)
  one.it("sees the offence, and its count within the minute", function()
    local seen = {}
    local _, log, peer = meet(one, {
      judge = function(_, connection, offence)
        seen[#seen + 1] = { connection.state, offence.code, offence.count,
          offence.dropped, offence.message:match "checksum at offset 20" }
        return "observe"
      end,
    })
    one.event(log, "handshake_complete")
    peer:send_raw(bad_ping:rep(3))
    assert.is_true(is_alive(peer))
    assert.same({
      { "connected", "checksum_error", 1, true, "checksum at offset 20" },
      { "connected", "checksum_error", 2, true, "checksum at offset 20" },
      { "connected", "checksum_error", 3, true, "checksum at offset 20" },
    }, seen)
  end)

  one.it("observe goes on", function()
    local _, log, peer = meet(one, {
      validate = answers("offence", "flood"),
      judge = answers("observe", "let it be"),
    })
    one.event(log, "handshake_complete")
    local row = log:find "peer_misbehaved"
    assert.same({ "flood", "observe", "let it be" },
      { row.code, row.verdict, row.verdict_reason })
    assert.is_true(is_alive(peer))
  end)

  one.it("throttle does not read for a second, then goes on", function()
    local _, log, peer = meet(one, { judge = answers "throttle" })
    one.event(log, "handshake_complete")
    local before = one.now()
    peer:send_raw(bad_ping)
    assert.is_true(is_alive(peer))
    local spent = one.now() - before
    assert.is_true(spent > 0.9 and spent < 5, spent)
  end)

  for _, answer in ipairs { "disconnect", "discourage", "ban" } do
    one.it(answer .. " closes", function()
      local _, log, peer = meet(one, { judge = answers(answer, "enough") })
      one.event(log, "handshake_complete")
      peer:send_raw(bad_ping .. wire.frame("ping", "too late"))
      local row = one.event(log, "peer_misbehaved")
      assert.same({ answer, "enough" }, { row.verdict, row.verdict_reason })
      assert.equal("checksum_error", one.event(log, "connection_lost").code)
      local pong, _, code = peer:receive("pong", 5)
      assert.is_nil(pong)
      assert.equal("closed", code)
      assert.equal(1, log:count "peer_misbehaved")
    end)
  end

  one.it("cannot keep a stream that makes no sense any more", function()
    local _, log, peer = meet(one, { judge = answers "observe" })
    one.event(log, "handshake_complete")
    peer:send_raw(bad_magic)
    assert.equal("network_mismatch", one.event(log, "connection_lost").code)
    assert.equal("observe", log:find("peer_misbehaved").verdict)
  end)

  one.it("may name a time and what to ban", function()
    for _, options in ipairs {
      { time = "7d" }, { time = 60 }, { scope = "address" },
      { scope = "group" }, { scope = "127.0.0.0/8", time = "1h" }, {},
    } do
      local _, log, peer = meet(one, {
        judge = answers("ban", "scanner", options),
      })
      one.event(log, "handshake_complete")
      peer:send_raw(bad_ping)
      assert.equal("ban", one.event(log, "peer_misbehaved").verdict)
      one.event(log, "connection_lost")
    end
  end)
end)

--- What policies said on stderr while the code ran.
local function complaints(policies, bytes)
  local out, err, code = process.lua(([[
    local moonpeer = require "moonpeer"
    local bytes = %q
    moonpeer.run(function()
      local engine <close> = assert(moonpeer.engine {
        network = "regtest", listen = "127.0.0.1:0", policies = { %s },
      })
      engine:on("peer_misbehaved", "spec", function(event)
        print(event.code, event.verdict)
      end)
      engine:on("handshake_complete", "spec", function()
        print "complete"
      end)
      engine:start()
      while not engine:address() do moonpeer.sleep(0.001) end
      local peer <close> = assert(moonpeer.connect(engine:address(),
        { network = "regtest" }))
      peer:send_raw(bytes)
      peer:receive("nothing", 0.05)
    end)
  ]]):format(bytes, policies))
  assert.equal(0, code)
  return out, err
end

describe("a policy that", function()
  it("raises is reported by name, and the next is asked", function()
    local out, err = complaints([[
      { name = "broken", validate = function() error "oh no" end,
        judge = function() local _ = nil .. "" end },
      { judge = function() return "disconnect" end },
    ]], hello .. bad_ping)
    assert.equal("complete\nchecksum_error\tdisconnect\n", out)
    assert.matches('policy "broken" failed in validate: .*oh no', err)
    assert.matches("stack traceback", err)
    assert.matches('policy "broken" failed in judge: .*concatenate a nil', err)
  end)

  it("raises an object that has no words is survived", function()
    local out, err = complaints([[
      { name = "odd", validate = function()
        error(setmetatable({}, { __tostring = function() error "no" end }))
      end },
      { validate = function() return "offence", "flood" end,
        judge = function() return "observe" end },
    ]], hello)
    assert.equal("flood\tobserve\ncomplete\n", out)
    assert.matches('policy "odd" failed in validate: %(a table without words',
      err)
  end)

  for name, answer in pairs {
    ["a number"] = "1",
    ["true"] = "true",
    ["an unknown word"] = '"fine"',
    ["an offence without a code"] = '"offence"',
    ["an offence nobody knows"] = '"offence", "rudeness"',
    ["a code that is no offence"] = '"offence", "timeout"',
    ["closed as an offence"] = '"offence", "closed"',
    ["a table"] = "{}",
  } do
    it("validates with " .. name .. " makes no sense", function()
      local out, err = complaints(
        ('{ name = "odd", validate = function() return %s end }')
        :format(answer), hello)
      assert.equal("complete\n", out)
      assert.matches('policy "odd" failed in validate: nonsense answer', err)
    end)
  end

  for name, answer in pairs {
    ["a number"] = "1",
    ["an unknown word"] = '"forgive"',
    ["a reason that is no text"] = '"observe", {}',
    ["options that are no table"] = '"ban", "why", "7d"',
    ["a time that is none"] = '"ban", "why", { time = "soon" }',
    ["a time below zero"] = '"ban", "why", { time = -1 }',
    ["a scope that is none"] = '"ban", "why", { scope = "galaxy" }',
    ["a scope that is no text"] = '"ban", "why", { scope = {} }',
    ["an unknown option"] = '"ban", "why", { tiem = "7d" }',
  } do
    it("judges with " .. name .. " makes no sense", function()
      local out, err = complaints(
        ('{ name = "odd", judge = function() return %s end }')
        :format(answer), hello .. bad_ping)
      assert.equal("complete\nchecksum_error\tobserve\n", out)
      assert.matches('policy "odd" failed in judge: nonsense answer', err)
    end)
  end

  it("is no table of functions is refused", function()
    for _, policies in ipairs {
      { 1 }, { { judge = 1 } }, { { validate = {} } }, "x",
    } do
      assert.has_error(function()
        moonpeer.engine { policies = policies }
      end)
    end
  end)
end)
