--- characters - what peers of generated worlds are like: each a function of a
--- remote, what it does on a connection. Good ones and bad ones; chance is the
--- world's.
local wire = require "support.wire"

local characters = {}

local function stay(connection, t)
  connection:receive("nothing", t or math.random(1, 600))
end

--- A node that shakes hands, answers and stays.
function characters.good(connection)
  if connection:handshake { user_agent = "/Bitcoin SV:1.2.2/" } then
    stay(connection)
  end
end

--- One that talks all the time.
function characters.chatty(connection)
  if not connection:handshake() then
    return
  end
  for _ = 1, math.random(1, 100) do
    local command = ({ "ping", "getaddr", "mempool", "sendheaders" })[
      math.random(4)]
    if not connection:send(command, command == "ping" and { nonce = 5 }
      or nil) then
      return
    end
    connection:receive(nil, math.random())
  end
end

function characters.silent(connection)
  stay(connection)
end

function characters.resets(connection)
  connection:receive(nil, math.random() / 10)
  connection:reset()
end

function characters.leaves(connection)
  connection:handshake()
end

--- Says the beginning of what a good one says, and goes.
function characters.breaks_off(connection)
  local version, verack = wire.hello { nonce = math.random(0) }
  local all = version .. verack .. wire.frame("ping", ("x"):rep(8))
  connection:send_raw(all:sub(1, math.random(#all)))
  if math.random(2) == 1 then
    connection:reset()
  end
end

--- Says all of it, but slowly.
function characters.drips(connection)
  local version, verack = wire.hello { nonce = math.random(0) }
  connection:drip(version .. verack, math.random(1, 40), math.random())
  stay(connection)
end

--- Does not read, and asks.
function characters.stalls(connection)
  if not connection:handshake() then
    return
  end
  connection:stall()
  for _ = 1, 500 do
    if not connection:send("ping", { nonce = 1 }) then
      break
    end
  end
  connection:stall(math.random(1, 120))
end

function characters.floods(connection)
  if not connection:handshake() then
    return
  end
  for _ = 1, math.random(1, 3000) do
    if not connection:send("ping", { nonce = 1 }) then
      break
    end
  end
  stay(connection)
end

--- Shakes hands, and then says little and answers nothing.
function characters.drips_on(connection)
  connection:send_raw(table.concat { wire.hello { nonce = math.random(0) } })
  if not connection:receive("verack", 20) then
    return
  end
  for _ = 1, math.random(1, 300) do
    if not connection:send_raw(wire.frame "sendheaders") then
      break
    end
    connection:receive("nothing", 1)
  end
end

local question = wire.frame("getdata", -- what it asks for, it is told
  "\xfd\xe8\x03" .. ("\1\0\0\0" .. ("x"):rep(32)):rep(1000))

--- Asks for much and does not read it.
function characters.hogs(connection)
  if not connection:handshake() then
    return
  end
  connection:stall()
  for _ = 1, 20 do
    if not connection:send_raw(question) then
      break
    end
  end
  connection:stall(math.random(1, 120))
end

--- Begins a large message and does not end it.
function characters.hoards(connection)
  if not connection:handshake() then
    return
  end
  local size = 1 << math.random(16, 19)
  connection:send_raw(wire.frame("xyzzy", "", { length = size })
    .. ("x"):rep(size - 8192)) -- its pongs are taken for more of it
  stay(connection)
end

function characters.talks_garbage(connection)
  local bytes = {}
  for i = 1, math.random(1, 2000) do
    bytes[i] = string.char(math.random(0, 255))
  end
  connection:send_raw(table.concat(bytes))
  stay(connection, 10)
end

local lies = {
  { command = "version\0xxxx" }, { length = 0x7fffffff }, { length = 5 },
  { checksum = "nope" }, { magic = "\xe3\xe1\xf3\xe8" },
  { command = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" },
}

--- A good handshake, then a frame with something wrong.
function characters.lies(connection)
  if math.random(2) == 1 then
    connection:handshake()
  end
  connection:send_raw(wire.frame("ping", ("x"):rep(8),
    lies[math.random(#lies)]))
  stay(connection, 60)
end

--- Says its version twice.
function characters.repeats(connection)
  local version, verack = wire.hello { nonce = math.random(0) }
  connection:send_raw(version .. version .. verack)
  stay(connection, 60)
end

function characters.is_old(connection)
  connection:handshake { version = 31799 }
end

local names = {}
for name in pairs(characters) do
  names[#names + 1] = name
end
table.sort(names)

--- All of them, in an order that is always the same.
characters.names = names

return characters
