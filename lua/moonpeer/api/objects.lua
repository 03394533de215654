--- Tasks and listeners.
return {
  {
    name = "moonpeer.task", class = "moonpeer.Task", variable = "task",
    kind = "method", summary = "A coroutine that waits on a loop.",
    members = {
      { name = "state", kind = "field", type = "string", since = "0.1.0",
        summary = "ready, waiting, done or failed." },
      { name = "wait", since = "0.1.0", waits = true,
        summary = "Waits for its end.",
        args = { { "timeout?", "number|string", "forever" } },
        returns = { { "any", "what it returned" } },
        errors = { "timeout", "cancelled", "io_error" },
        example = [[
local task = moonpeer.spawn(function() return "done" end)
assert(task:wait "1s" == "done" and task.state == "done")]] },
      { name = "cancel", since = "0.1.0",
        summary = "Asks it to end: where it waits, an error is raised.",
        example = [[
local task = moonpeer.spawn(function() moonpeer.sleep "1h" end)
task:cancel()
local _, _, code = task:wait "1s"
assert(code == "cancelled")]] },
    },
  },
  {
    name = "moonpeer.listener", class = "moonpeer.Listener",
    variable = "listener", kind = "method",
    summary = "Waits for peers that dial.",
    members = {
      { name = "address", kind = "field", type = "string", since = "0.1.0",
        summary = "The real port, also for port 0." },
      { name = "accept", since = "0.1.0", waits = true,
        summary = "The next connection, of a listener without a function.",
        args = { { "timeout?", "number|string", "forever" } },
        returns = { { "moonpeer.Connection", "" } },
        errors = { "timeout", "closed" },
        example = [[
local listener <close> = assert(moonpeer.listen("127.0.0.1:0", nil,
  { network = "regtest" }))
local dialling = moonpeer.spawn(moonpeer.connect, listener.address,
  { network = "regtest" })
local connection <close> = assert(listener:accept "5s")
assert(connection.inbound)
dialling:wait():close()]] },
      { name = "close", since = "0.1.0", summary = "Twice is fine.",
        example = [[
local listener = assert(moonpeer.listen "127.0.0.1:0")
listener:close()]] },
    },
  },
}
