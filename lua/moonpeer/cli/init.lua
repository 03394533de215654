--- cli - the commands of the executable: `moonpeer <command> ...`.
--- Each is a file beside this one and returns a table: `summary`, a sentence;
--- `configure(parser)`, which declares the arguments and may return the parsers
--- of the command's own commands by name; `run(options, arg)`,
--- which does the work and returns the exit code; and `takes_script`, when all
--- from the first word that is no option belongs to a script.
local argparse = require "argparse"
local core = require "moonpeer.core"
local sorted = require "moonpeer.sorted"

local cli = {}

--- In the order in which people meet them.
cli.commands = {
  "run", "console", "peers", "bans", "explain", "decode", "encode",
  "completion", "version",
}

--- Exit codes.
cli.ok, cli.failed, cli.misuse = 0, 1, 2

local function complain(name, message, hint)
  io.stderr:write("moonpeer ", name, ": ", message, "\n")
  if hint then
    io.stderr:write(hint, "\n")
  end
  return cli.misuse
end

local function find(name)
  for _, known in ipairs(cli.commands) do
    if known == name then
      return require("moonpeer.cli." .. name)
    end
  end
end

local function complain_unknown(name)
  local guess = core.nearest(name, cli.commands)
  io.stderr:write(
    "moonpeer: no command and no file is called '", name, "'\n",
    guess and "Did you mean '" .. guess .. "'?\n" or "",
    "Commands: ", table.concat(cli.commands, ", "), "\n"
  )
  return cli.misuse
end

--- The parser of a command, and those of its own commands by name.
---@param name string
---@param width integer  of its help
function cli.parser(name, width)
  local command = find(name)
  local parser = argparse("moonpeer " .. name, command.summary)
  parser:help_max_width(width)
  local actions = command.configure(parser) or {}
  for _, action in sorted(actions) do -- what they are of comes before them
    action:usage((action:get_usage():gsub("^Usage: moonpeer %a+",
      "%0 <store>")))
  end
  return parser, actions
end

--- The words that the command's parser is to see, and whether one asks for
--- help.
local function own_words(command, arg)
  local words, wants_help, is_value = {}, false, false
  for _, word in ipairs(arg) do
    words[#words + 1] = word
    if command.takes_script and word:sub(1, 1) ~= "-" and not is_value then
      break
    end
    is_value = command.values ~= nil and command.values[word]
    wants_help = wants_help or word == "--help" or word == "-h"
  end
  return words, wants_help
end

--- The parser of the action that is named first, else of the command.
local function whose_help(parser, actions, words)
  for _, word in ipairs(words) do
    if actions[word] then
      return actions[word]
    end
  end
  return parser
end

--- Runs the command that arg[0] names with the arguments arg[1] and on.
---@param arg string[]
---@return integer  the exit code: 0 done, 1 failed, 2 called the wrong way
function cli.main(arg)
  local name = arg[0]
  local command = find(name)
  if not command then
    return complain_unknown(name)
  end
  local parser, actions = cli.parser(name, 79)
  local words, wants_help = own_words(command, arg)
  if wants_help then
    print(whose_help(parser, actions, words):get_help())
    return cli.ok
  end
  local understood, options = parser:pparse(words)
  if not understood then
    return complain(name, options, parser:get_usage())
  end
  return command.run(options, arg)
end

return cli
