--- Payloads larger than what a connection holds.
local moonpeer = require "moonpeer"
local stage = require "support.stage"

local KIB = 1024

--- Bytes that can be made for any place.
local function bytes_at(offset, n)
  local text = ("moonpeer"):rep(n // 8 + 2)
  local start = offset % 8 + 1
  return text:sub(start, start + n - 1)
end

local function pair(one, options)
  local far
  local listener = assert(one.listen(one.host(2) .. ":0", function(accepted)
    assert(accepted:handshake())
    far = accepted
  end, { network = "regtest" }))
  options.network = "regtest"
  local near = assert(one.connect(listener.address, options))
  assert(near:handshake())
  one.await("the other end", function()
    return far
  end)
  return near, far
end

--- Everything of one payload; its chunks must follow each other.
local function collect(connection, command)
  local parts, at = {}, 0
  repeat
    local chunk = assert(connection:receive_chunk(command, 20))
    assert.equal(at, chunk.offset)
    at = at + #chunk.bytes
    parts[#parts + 1] = chunk.bytes
    assert.equal(chunk.last, at == chunk.total)
    if chunk.last then
      return table.concat(parts), chunk, #parts
    end
  until false
end

stage.describe("a payload over receive_memory", function(one)
  one.it("comes in chunks to who asks for them", function()
    local near, far = pair(one, { receive_memory = 50 * KIB })
    near:expect_chunks "block"
    local payload = bytes_at(0, 700 * KIB)
    assert(far:send("xyzzy", "before"))
    one.spawn(function()
      assert(far:send_from("block", function(offset, n)
        return payload:sub(offset + 1, offset + math.min(n, 5000))
      end, #payload))
      assert(far:send("xyzzy", "after"))
    end)
    assert.equal("before", near:receive("xyzzy", 5):raw())
    local got, last, parts = collect(near, "block")
    assert.is_true(payload == got)
    assert.is_nil(last.code)
    assert.same({ "block", #payload }, { last.command, last.total })
    assert.is_true(parts > 3)
    assert.equal("after", near:receive("xyzzy", 5):raw())
  end)

  one.it("ends the connection of who does not", function()
    local near, far = pair(one, { receive_memory = 50 * KIB })
    near:expect_chunks "tx"
    assert(far:send("block", ("x"):rep(60 * KIB)))
    local none, words, code = near:receive("block", 5)
    assert.same({ nil, "limit" }, { none, code })
    assert.matches("block: expected at most 51200 bytes", words)
  end)

  one.it("waits while nobody receives", function()
    local near, far = pair(one, { receive_memory = 50 * KIB })
    local asked, size = 0, 40 << 20
    near:expect_chunks()
    one.spawn(function()
      far:send_from("block", function(offset, n)
        asked = math.max(asked, offset + n)
        return bytes_at(offset, n)
      end, size)
    end)
    one.await("the second pass", function()
      return asked >= size
    end)
    asked = 0
    one.sleep(0.2)
    assert.is_true(asked < size)
    local got = 0
    repeat
      local chunk = assert(near:receive_chunk(nil, 20))
      got = got + #chunk.bytes
    until chunk.last
    assert.equal(size, got)
  end)

  one.it("reaches listeners of an engine", function()
    local got, others = {}, 0
    local engine = one.engine {
      network = "regtest", listen = one.host(2) .. ":0",
      target_connections = 0, receive_memory = 50 * KIB,
    }
    engine:on("chunk", "test", function(event)
      collectgarbage()
      got[#got + 1] = { event.command, event.offset, event.total,
        #event.bytes, event.last, event.code }
    end, { command = "block" })
    engine:on("message", "test", function()
      others = others + 1
    end, { command = "xyzzy" })
    one.await("the listener", function()
      return engine:address()
    end)
    local near = assert(one.connect(engine:address(),
      { network = "regtest" }))
    assert(near:handshake())
    assert(near:send("block", ("x"):rep(200 * KIB)))
    assert(near:send "xyzzy")
    one.await("the message behind", function()
      return others == 1
    end)
    local at = 0
    for _, row in ipairs(got) do
      assert.same({ "block", at, 200 * KIB }, { row[1], row[2], row[3] })
      at = at + row[4]
      assert.equal(at == 200 * KIB, row[5])
      assert.is_nil(row[6])
    end
    assert.equal(200 * KIB, at)
    local counted = engine:stats().commands.block
    assert.same({ 1, 200 * KIB + 24 },
      { counted.messages_in, counted.bytes_in })
  end)
end)

stage.describe("send_from", function(one)
  local function file_of(text)
    local file = assert(io.tmpfile())
    assert(file:write(text))
    assert(file:seek "set")
    return file
  end

  one.it("sends what is left of a file", function()
    local near, far = pair(one, { send_memory = 2000 })
    local file <close> = file_of("skipped" .. bytes_at(0, 300 * KIB))
    file:read(7)
    assert.is_true(near:send_from("xyzzy", file))
    local message = assert(far:receive("xyzzy", 5))
    assert.is_true(bytes_at(0, 300 * KIB) == message:raw())
    file:seek("set", 7)
    assert.is_true(near:send_from("xyzzy", file, 10))
    assert.equal(bytes_at(0, 10), far:receive("xyzzy", 5):raw())
  end)

  one.it("says when the source fails, and harms nobody by that", function()
    local near, far = pair(one, {})
    local none, words, code = near:send_from("xyzzy", function(offset)
      return offset < 100 and "ab" or nil
    end, 1000)
    assert.same({ nil, "io_error" }, { none, code })
    assert.matches("expected 1 to 900 bytes at 100, got nil", words)
    local file = file_of "gone"
    one.spawn(function()
      file:close()
    end)
    assert.is_nil((near:send_from("xyzzy", file)))
    assert(near:send "xyzzy")
    assert.equal(0, far:receive("xyzzy", 5).size)
  end)

  one.it("refuses what the remote would not take", function()
    local near = pair(one, {})
    local none, words, code = near:send_from("xyzzy", print, 3 << 20)
    assert.same({ nil, "oversize_message" }, { none, code })
    assert.matches("at most %d+ bytes", words)
    assert.has_error(function()
      near:send_from("xyzzy", "text", 4)
    end)
    assert.has_error(function()
      near:send_from("xyzzy", print)
    end)
    assert.has_error(function()
      near:send_from("xyzzy", file_of "abc", 4)
    end)
  end)

  one.it("ends with its connection", function()
    local near, far = pair(one, {})
    one.spawn(function()
      one.sleep(0.1)
      far:reset()
    end)
    far:stall()
    local none, _, code = near:send_from("block", bytes_at, 200 << 20)
    assert.is_nil(none)
    assert.is_string(code)
  end)
end)

describe("send_from", function()
  it("waits, so it needs a task", function()
    moonpeer.run(function()
      local listener <close> = assert(moonpeer.listen("127.0.0.1:0",
        function(peer) peer:handshake() end, { network = "regtest" }))
      local near <close> = assert(moonpeer.connect(listener.address,
        { network = "regtest" }))
      assert.error_matches(function()
        coroutine.wrap(function()
          near:send_from("xyzzy", print, 1)
        end)()
      end, "inside moonpeer.spawn")
    end)
  end)
end)
