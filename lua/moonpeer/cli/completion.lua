--- completion - what a shell needs to complete the commands and options.
local argparse = require "argparse"

local completion = {
  summary = "Prints a script that completes moonpeer's commands in a shell.",
}

local shells = { bash = true, zsh = true, fish = true }

function completion.configure(parser)
  parser:argument("shell", "bash, zsh or fish."):choices {
    "bash", "zsh", "fish",
  }
  parser:epilog [[
For bash: source <(moonpeer completion bash)
Exit codes: 0 done, 1 the script cannot be written, 2 called the wrong way.]]
end

--- All commands in one parser.
function completion.parser()
  local cli = require "moonpeer.cli"
  local all = argparse("moonpeer", "A Lua interpreter with an engine inside.")
  for _, name in ipairs(cli.commands) do
    local command = require("moonpeer.cli." .. name)
    command.configure(all:command(name, command.summary))
  end
  return all
end

function completion.run(options)
  if not shells[options.shell] then
    return 2
  end
  local parser = completion.parser()
  io.write(parser["get_" .. options.shell .. "_complete"](parser))
  return 0
end

return completion
