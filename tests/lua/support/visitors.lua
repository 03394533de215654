--- visitors - remotes that dial an engine in a simulated world.
local visitors = {}

--- Where the engine that is visited listens.
visitors.at = "10.0.0.1:8333"

--- A remote that dials the engine and does fn(connection, remote); the log of
--- its connection is what it returns.
function visitors.visitor(world, address, fn)
  local seen = {}
  seen.remote = world:remote(address, function(remote)
    local connection, _, code = remote:dial(visitors.at)
    seen.connection, seen.code = connection, code
    if connection then
      seen.result = table.pack(fn(connection, remote))
    end
  end)
  return seen
end

--- Shakes hands, if it may, and stays.
function visitors.shake(connection)
  if connection:handshake() then
    return connection:receive "nothing"
  end
end

--- Says nothing.
function visitors.hang(connection)
  return connection:receive "nothing"
end

--- n visitors, each of a group of its own.
function visitors.groups(world, n, fn, first)
  local list = {}
  for i = 1, n do
    list[i] = visitors.visitor(world, ("%d.%d.0.1"):format(20 + i // 100,
      (first or 0) + i % 100), fn)
  end
  return list
end

return visitors
