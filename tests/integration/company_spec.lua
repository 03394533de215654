--- Engines in processes of their own, on loopback, keep the connections they
--- should whatever happens to the others. Everything is awaited, as processes
--- take what time they take.
local company = require "support.company"
local moonpeer = require "moonpeer"

local it, wait_for = company.it, company.wait_for

--- An engine of this process and one of another that dials it.
local function pair(config, other)
  local engine = assert(moonpeer.engine(company.config(config)))
  engine:start()
  wait_for("a listener", function()
    return engine:address()
  end)
  other = company.config(other)
  other.peers = other.peers or { engine:address() }
  return engine, company.engine(other)
end

local function is_connected(engine)
  return function()
    return engine:counts().connected == 1
  end
end

--- Both agree that there is one connection, and go on agreeing.
local function wait_for_one(engine, program)
  wait_for("one connection that both see", function()
    local state = program:state()
    return engine:counts().connections == 1 and state.connections == 1
      and engine:counts().connected == 1 and state.connected == 1
  end)
end

describe("two processes", function()
  it("that dial each other at once keep one connection", function()
    local engine <close>, program = pair()
    wait_for_one(engine, program)
    assert(engine:configure {
      peers = { program.address }, mode = "fixed", target_connections = 1,
    })
    for _ = 1, 10 do
      local connection = engine:connections()()
      connection:reset() -- both try again at once
      wait_for("its end", function()
        return connection.state ~= "connected"
      end)
      wait_for_one(engine, program)
    end
  end)

  it("find each other again when one is killed", function()
    local engine <close>, program = pair({ target_connections = 1 })
    wait_for_one(engine, program)
    assert(engine:configure { peers = { program.address }, mode = "fixed" })
    program:signal "KILL"
    wait_for("the loss", function()
      return engine:counts().connected == 0
    end)
    local again = company.engine(company.config {
      listen = program.address, target_connections = 0,
    })
    wait_for_one(engine, again)
  end)

  it("find each other again when one stands still", function()
    local engine <close>, program = pair { ping_timeout = "2s" }
    wait_for_one(engine, program)
    local before = engine:counts().handshakes
    program:signal "STOP"
    wait_for("the loss", function()
      return engine:counts().connected == 0
    end)
    assert.is_true(engine:stats().failures.ping_timeout > 0)
    program:signal "CONT"
    wait_for_one(engine, program)
    assert.is_true(engine:counts().handshakes > before)
  end)

  it("flood each other and lose nothing", function()
    local engine <close>, program = pair()
    wait_for_one(engine, program)
    local got, all = 0, 8 << 20
    engine:on("message", "count", function(event)
      got = got + #event.message:raw()
    end, { command = "xyzzy" })
    local connection = engine:connections()()
    assert(connection:send("flood", ""))
    for _ = 1, 8 do
      local late = moonpeer.now() + 30
      while not connection:send("xyzzy", ("g"):rep(1 << 20)) do
        assert(moonpeer.now() < late, "expected room to send")
        moonpeer.sleep "5ms"
      end
    end
    wait_for("all bytes of both", function()
      return got == all and program:state().bytes == all
    end)
    assert.equal("connected", connection.state)
  end)

  it("keep the target that is asked for, up and down", function()
    local engine <close>, one = pair({ target_connections = 0 },
      { target_connections = 0, peers = {}, mode = "fixed" })
    local two = company.engine(company.config {
      target_connections = 0,
    })
    for _, program in ipairs { one, two } do
      assert(engine.store:create { address = program.address })
    end
    local function outbound(n)
      wait_for(n .. " outbound", function()
        local counts = engine:counts()
        return counts.outbound == n and counts.connected == n
      end)
    end
    assert(engine:configure { target_connections = 2 })
    outbound(2)
    assert(engine:configure { target_connections = 1 })
    assert.equal(2, engine:counts().outbound) -- nobody is sent away for it
    engine:connections()():close()
    outbound(1)
    assert(engine:configure { target_connections = 2 })
    outbound(2)
  end)

  it("part when one bans the other, and meet when it is over", function()
    local engine <close>, program = pair({}, { max_retries = 1000 })
    wait_for_one(engine, program)
    assert(engine:ban("127.0.0.1"))
    wait_for("its end", function()
      return engine:counts().connections == 0 and
        program:state().connected == 0
    end)
    assert(engine:unban("127.0.0.1"))
    wait_for_one(engine, program)
  end)

  it("wait for a port that is taken until it is free", function()
    local taken = assert(moonpeer.listen("127.0.0.1:0", function() end))
    local program = company.engine(company.config {
      listen = taken.address, listen_retry = "0.1s",
    }, "listener_failed")
    taken:close()
    program:await '"event":"listening"'
  end)

  it("go on when one of them has no descriptor left", function()
    local engine <close>, program = pair(nil, {
      max_connections = 1000, half_open = 1000, descriptors = 40,
    })
    wait_for_one(engine, program)
    local guests = {}
    for i = 1, 60 do
      guests[i] = moonpeer.connect(program.address, { network = "regtest" })
    end
    program:await '"code":"accept_failed"'
    wait_for("what is too much to be closed", function()
      local closed = 0
      for _, guest in pairs(guests) do
        guest:receive("nothing", "1ms")
        closed = closed + (guest.state == "disconnected" and 1 or 0)
      end
      return closed >= 60 - 40
    end)
    assert.equal(1, program:state().connected)
    for _, guest in pairs(guests) do
      guest:close()
    end
    local late = moonpeer.now() + 30
    local version
    repeat
      local guest <close> = moonpeer.connect(program.address,
        { network = "regtest" })
      version = guest and guest:handshake()
    until version or moonpeer.now() > late
    assert.is_truthy(version)
    assert.is_true(is_connected(engine)())
  end)
end)
