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
  parser:flag("--json", "As a list of objects.")
  parser:epilog [[
Exit codes: 0 done, 1 nobody answers or nothing is known, 2 called the wrong
way.]]
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
    eval = ("engine:explain(%q)"):format(options.address),
  }
  if not answer or not answer.ok then
    return nil, answer and answer.error or "the other side has ended"
  end
  return answer.results[1]
end

--- What was decided when, a line each; the same as the prompt's :explain.
local function show(rows, options)
  if options.json then
    print(core.json_encode(core.json_list(rows)))
    return
  end
  for _, row in ipairs(rows) do
    print(os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(row.time)) .. "  "
      .. row.text)
  end
end

function explain.run(options)
  local path, message = places.choose(options.console)
  local rows
  if path then
    rows, message = core.run(ask, path, options)
  end
  if rows and (#rows > 0 or options.json) then
    show(rows, options)
  end
  if rows and #rows == 0 then
    message = "nothing was decided lately about " .. options.address
  end
  if not rows or #rows == 0 then
    io.stderr:write("moonpeer explain: ", tostring(message), "\n")
    return 1
  end
  return 0
end

return explain
