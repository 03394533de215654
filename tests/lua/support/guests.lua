--- guests - remotes that speak to an engine in raw bytes.
local wire = require "support.wire"

local guests = {}

--- Where the engine listens.
guests.at = "10.0.0.1:8333"

--- A version and a verack, as bytes.
guests.hello = table.concat { wire.hello() }

--- A remote that has shaken hands with the engine by raw bytes, and then does
--- fn(connection, remote).
function guests.guest(world, address, fn, version)
  local seen = {}
  seen.remote = world:remote(address, function(remote)
    local connection, _, code = remote:dial(guests.at)
    seen.connection, seen.code = connection, code
    if not connection then
      return
    end
    connection:send_raw(version or guests.hello)
    if connection:receive("verack", 5) then
      seen.is_in = true
      fn(connection, remote)
    end
  end)
  return seen
end

--- Bytes of this process that are in memory.
function guests.resident()
  local file <close> = assert(io.open "/proc/self/statm")
  return tonumber(file:read("a"):match "^%d+ (%d+)") * 4096
end

--- An inventory of n entries of a type.
function guests.inventory(n, kind)
  local count = n < 253 and string.char(n) or ("<BI2"):pack(0xfd, n)
  return count .. (("<I4"):pack(kind) .. ("h"):rep(32)):rep(n)
end

return guests
