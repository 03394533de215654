--- explain - asks a running engine why it treats a peer as it does.
local core = require "moonpeer.core"
local places = require "moonpeer.cli.places"
local remote = require "moonpeer.repl.remote"

local explain = {
  summary = "Tells which policy of a running engine decided what about a peer.",
}

function explain.configure(parser)
  parser:argument("address", "Such as 1.2.3.4:8333.")
  parser:option("--console", "The socket; without it the one that is there.")
    :argname "<path>"
  parser:flag("--json", "As an object.")
  parser:epilog "Exit codes: 0 done, 1 nobody answers or nothing is known."
end

local function ask(path, options)
  local client, message, code = remote.attach(path)
  if not client then
    return nil, ("%s: %s (%s)"):format(path, message, code)
  end
  core.spawn(function()
    core.background()
    client:listen(io.write)
  end)
  local answer = client:ask {
    eval = ("engine:explain(%q)"):format(options.address), text = true,
  }
  if not answer or not answer.ok then
    return nil, answer and answer.error or "the other side has ended"
  end
  return options.json and core.json_encode(answer.results) or answer.text
end

function explain.run(options)
  local path, message = places.choose(options.console)
  local text
  if path then
    text, message = core.run(ask, path, options)
  end
  if not text then
    io.stderr:write("moonpeer explain: ", tostring(message), "\n")
    return 1
  end
  print(text)
  return 0
end

return explain
