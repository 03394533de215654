--- completion - what a shell needs to complete the commands and options.
local argparse = require "argparse"
local core = require "moonpeer.core"
local misuse = require "moonpeer.misuse"

local completion = {
  summary = "Prints a script that completes moonpeer's commands in a shell.",
}

function completion.configure(parser)
  parser:argument("shell", "bash, zsh or fish."):choices {
    "bash", "zsh", "fish",
  }
  parser:epilog [[
bash: source <(moonpeer completion bash)
zsh:  source <(moonpeer completion zsh), after compinit; or its output as a
      file _moonpeer in a folder of $fpath
fish: moonpeer completion fish | source
Exit codes: 0 done, 1 the script cannot be written, 2 called the wrong way.]]
end

--- Names worth offering where more may stand: this parser reads nothing.
local function offer(command)
  local offered = {
    ["--network"] = misuse.names(core.network),
    ["--log"] = { "error", "warning", "info", "debug" },
  }
  for _, option in ipairs(command._options) do
    option._choices = offered[option._name] or option._choices
  end
end

--- All commands in one parser.
function completion.parser()
  local cli = require "moonpeer.cli"
  local all = argparse("moonpeer", "A Lua interpreter with an engine inside.")
  for _, name in ipairs(cli.commands) do
    local command = require("moonpeer.cli." .. name)
    local parser = all:command(name, command.summary)
    command.configure(parser)
    offer(parser)
  end
  return all
end

--- What argparse leaves out. Its scripts for bash and fish do not know what an
--- argument may be. That for zsh can only be a file in $fpath, which is called;
--- read with source it has to announce itself.
local endings = {
  bash = "",
  zsh = [==[
if [[ $funcstack[1] == _moonpeer ]]; then
  _moonpeer "$@"
else
  compdef _moonpeer moonpeer
fi
]==],
  fish = [[
complete -c moonpeer -n '__fish_seen_subcommand_from completion' \
  -xa 'bash zsh fish'
]],
}

--- Stands before the end of bash's function.
local bash_arguments = [==[

    if [[ "$cmd" = completion && "$cur" != -* ]]; then
        COMPREPLY=($(compgen -W "bash zsh fish" -- "$cur"))
    fi]==]

function completion.run(options)
  local shell = options.shell
  local parser = completion.parser()
  local script = parser["get_" .. shell .. "_complete"](parser)
  if shell == "zsh" then
    script = script:gsub("\n_moonpeer%s*$", "\n")
      -- the word that is no command of its own stands where commands do
      :gsub('\n *": :_files" \\(\n *": :_moonpeer_%w+_cmds")', "%1")
  end
  if shell == "bash" then
    script = script:gsub('\n    if %[%[ "%$cur" = %-%*',
      bash_arguments .. "%0", 1)
  end
  io.write(script, endings[shell])
  return 0
end

return completion
