--- stream - a payload of 4 GiB and one byte over loopback, made by a Lua
--- function as it is sent, and taken by a listener of an engine, then by a task
--- that receives: how fast, and how much memory this process, which is both
--- ends, grows by.
---   stream.lua [bytes]
local moonpeer = require "moonpeer"

local SIZE = math.tointeger(arg and arg[1]) or (1 << 32) + 1
local PIECE = 65536
local LOOK = 64 << 20 -- bytes between two looks at the memory
local MEMORY = 1 << 20 -- bytes that an end holds: receive_memory

local function report(name, value, unit, limit)
  print(('{"name": %q, "value": %.6g, "unit": %q, "limit": %s}'):format(
    name, value, unit, limit and ("%.6g"):format(limit) or "null"))
end

local function resident()
  local file <close> = assert(io.open "/proc/self/statm")
  local _, pages = file:read("n", "n")
  return pages * 4096
end

--- What stands in the payload again and again; twice, so that any piece of it
--- can be cut out.
local block = {}
for i = 1, PIECE do
  block[i] = string.char((i * 31 + i // 251) & 255)
end
block = table.concat(block):rep(2)

local function bytes_at(offset, n)
  local start = offset % PIECE + 1
  return block:sub(start, start + math.min(n, PIECE) - 1)
end

--- What came: it must be what was sent, in order.
local function new_watch()
  local watch = { got = 0, base = resident(), most = 0, looked = 0 }
  function watch.take(offset, bytes, is_last, code)
    assert(offset == watch.got and not code, code)
    assert(bytes == bytes_at(offset, #bytes), "other bytes than were sent")
    watch.got = watch.got + #bytes
    if watch.got - watch.looked >= LOOK or is_last then
      watch.looked = watch.got
      watch.most = math.max(watch.most, resident() - watch.base)
    end
    watch.is_done = is_last
  end
  return watch
end

--- send() and receive(watch) run until all has come.
local function measure(name, send, receive)
  local watch = new_watch()
  local start = moonpeer.now()
  moonpeer.spawn(send)
  receive(watch)
  local passed = moonpeer.now() - start
  assert(watch.got == SIZE and watch.is_done)
  report(("stream.lua.%s.payload"):format(name), watch.got, "bytes", SIZE)
  report(("stream.lua.%s.speed"):format(name), watch.got / passed, "bytes/s")
  report(("stream.lua.%s.growth"):format(name), watch.most / (1 << 20), "MiB",
    4)
end

local function send_on(connection)
  return function()
    assert(connection:send_from("block", bytes_at, SIZE))
  end
end

local function by_listener()
  local engine <close> = assert(moonpeer.engine {
    network = "regtest", listen = "127.0.0.1:0", target_connections = 0,
    receive_memory = MEMORY,
  })
  local watch
  engine:on("chunk", "bench", function(event)
    watch.take(event.offset, event.bytes, event.last, event.code)
  end, { command = "block" })
  assert(engine:start())
  moonpeer.sleep(0)
  local near <close> = assert(moonpeer.connect(engine:address(),
    { network = "regtest" }))
  assert(near:handshake())
  measure("listener", send_on(near), function(new)
    watch = new
    repeat
      moonpeer.sleep(0.01)
    until watch.is_done
  end)
end

local function by_task()
  local far
  local listener <close> = assert(moonpeer.listen("127.0.0.1:0",
    function(accepted)
      assert(accepted:handshake())
      far = accepted
    end, { network = "regtest", receive_memory = MEMORY }))
  local near <close> = assert(moonpeer.connect(listener.address,
    { network = "regtest" }))
  assert(near:handshake())
  repeat
    moonpeer.sleep(0.01)
  until far
  far:expect_chunks "block"
  measure("task", send_on(near), function(watch)
    repeat
      local chunk = assert(far:receive_chunk("block", 60))
      watch.take(chunk.offset, chunk.bytes, chunk.last, chunk.code)
    until watch.is_done
  end)
end

moonpeer.run(by_listener)
moonpeer.run(by_task)
