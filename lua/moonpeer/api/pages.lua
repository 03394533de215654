--- pages - the files that are made from the API's description: the reference,
--- the types for editors, the manual page. scripts/docs writes them.
local api = require "moonpeer.api"

local pages = {}

-- --- the reference ---------------------------------------------------------

local function cell(text)
  return (tostring(text):gsub("|", "\\|"))
end

local function table_of(lines, head, rows)
  lines[#lines + 1] = "| " .. table.concat(head, " | ") .. " |"
  lines[#lines + 1] = "|" .. ("---|"):rep(#head)
  for _, row in ipairs(rows) do
    local cells = {}
    for i = 1, #head do
      cells[i] = cell(row[i] or "")
    end
    lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |"
  end
  lines[#lines + 1] = ""
end

local function code(text)
  return "`" .. text .. "`"
end

local function rows_of(list)
  local rows = {}
  for i, row in ipairs(list) do
    rows[i] = { code(row[1]), row[3] and code(row[2]) or row[2],
      row[3] ~= "options" and row[3] }
  end
  return rows
end

local function add_results(lines, member)
  for _, result in ipairs(member.returns or {}) do
    lines[#lines + 1] = "- gives " .. code(result[1])
      .. (result[2] ~= "" and ": " .. result[2] or "")
  end
  if member.errors then
    lines[#lines + 1] = "- or `nil, message, code`: "
      .. table.concat(member.errors, ", ")
  end
  if member.default then
    lines[#lines + 1] = "- when nobody answers: " .. member.default
  end
  if member.waits then
    lines[#lines + 1] = "- waits: inside a task"
  end
  lines[#lines + 1] = "- since " .. member.since
  lines[#lines + 1] = ""
end

local function add_call(lines, one, member)
  lines[#lines + 1] = "### " .. api.signature(one, member)
  lines[#lines + 1] = ""
  lines[#lines + 1] = member.summary
  lines[#lines + 1] = ""
  if member.args then
    table_of(lines, { "argument", "type", "" }, rows_of(member.args))
  end
  if type(member.options) == "table" then
    table_of(lines, { "option", "type", "" }, rows_of(member.options))
  elseif member.options then
    lines[#lines + 1] = "Options: see [configuration](#configuration)."
    lines[#lines + 1] = ""
  end
  add_results(lines, member)
  lines[#lines + 1] = "```lua\n" .. member.example .. "\n```"
  lines[#lines + 1] = ""
end

local function add_fields(lines, one)
  local rows, has_range = {}, false
  for _, member in ipairs(one.members) do
    if api.kind(one, member) == "field" then
      has_range = has_range or member.range
      rows[#rows + 1] = { code(member.name), code(member.type),
        member.summary, member.range or member.since,
        member.default, member.since }
    end
  end
  if #rows > 0 then
    table_of(lines, has_range
      and { "key", "type", "", "range", "default", "since" }
      or { "field", "type", "", "since" }, rows)
  end
end

local function add_type(lines, one)
  lines[#lines + 1] = "## " .. one.variable
  lines[#lines + 1] = ""
  lines[#lines + 1] = one.summary
  lines[#lines + 1] = ""
  add_fields(lines, one)
  if one.values then
    table_of(lines, { code "type", "when" }, rows_of(one.values[2]))
  end
  for _, member in ipairs(one.members) do
    if api.kind(one, member) ~= "field" then
      add_call(lines, one, member)
    end
  end
end

local function trimmed(lines)
  return (table.concat(lines, "\n"):gsub("[ \t]+\n", "\n"):gsub("\n+$", ""))
    .. "\n"
end

-- A heading's anchor has no dots.
local function contents(one)
  local anchor = one.variable:gsub("%.", "")
  local sentence = (one.summary .. " "):match "^(.-)[.:;]%s"
  return ("- [%s](#%s): %s"):format(one.variable, anchor, sentence)
end

--- The reference of the module.
---@return string
function pages.reference()
  local lines = { [[
# The module, function by function

Made by `scripts/docs` from `lua/moonpeer/api/`; the same words are `help(x)`
at the prompt. Failures of the world are `nil, message, code`; misuse raises.
Durations are seconds, or texts such as `"250ms"` and `"10m"`.
]] }
  for _, one in ipairs(api.types()) do
    lines[#lines + 1] = contents(one)
  end
  lines[#lines + 1] = ""
  for _, one in ipairs(api.types()) do
    add_type(lines, one)
  end
  return trimmed(lines)
end

-- --- types for editors -----------------------------------------------------

local function oneline(text)
  return (text:gsub("\n", " "))
end

--- The class of the options that a call takes.
local function options_class(one, member)
  return member.options == "configuration" and "moonpeer.Configuration"
    or ("%s.%s.Options"):format(one.class, member.name)
end

--- The type of an argument, its table of options by its class.
local function type_of(one, member, arg)
  if arg[4] then
    return (arg[2]:gsub("table", arg[4] .. ".Options"))
  elseif arg[3] == "options" then
    return (arg[2]:gsub("table", options_class(one, member)))
  end
  return arg[2]
end

local function add_options(lines, one, member)
  if type(member.options) ~= "table" then
    return
  end
  lines[#lines + 1] = "---@class " .. options_class(one, member)
  for _, option in ipairs(member.options) do
    lines[#lines + 1] = ("---@field %s? %s %s"):format(option[1], option[2],
      oneline(option[3]))
  end
  lines[#lines + 1] = ""
end

--- What comes instead of the results when it fails.
local failed = { "nil", "string", "string" }

local function add_returns(lines, member)
  local returns = member.returns or {}
  for i = 1, math.max(#returns, member.errors and #failed or 0) do
    local kind = returns[i] and returns[i][1]
    if kind and member.errors then
      kind = kind .. "|" .. failed[i]
    end
    lines[#lines + 1] = "---@return " .. (kind or failed[i] .. "?")
  end
end

local function add_params(lines, one, member)
  local names = {}
  for i, arg in ipairs(member.args or {}) do
    names[i] = arg[1]:gsub("%?$", "")
    lines[#lines + 1] = ("---@param %s %s %s"):format(arg[1],
      type_of(one, member, arg), oneline(arg[3]))
  end
  add_returns(lines, member)
  return table.concat(names, ", ")
end

--- The type of a function that people write.
local function function_type(member)
  local args, results = {}, {}
  for i, arg in ipairs(member.args or {}) do
    args[i] = arg[1] .. ": " .. arg[2]
  end
  for i, result in ipairs(member.returns or {}) do
    results[i] = result[1] .. (result[1]:find "nil$" and "" or "|nil")
  end
  return ("fun(%s)%s"):format(table.concat(args, ", "), #results > 0
    and (": (%s)"):format(table.concat(results, ", ")) or "")
end

local function add_alias(lines, values)
  local list = {}
  for i, row in ipairs(values and values[2] or {}) do
    list[i] = ("%q"):format(row[1])
  end
  lines[#lines + 1] = values and ("---@alias %s %s\n"):format(values[1],
    table.concat(list, "|"))
end

local function add_head(lines, one)
  add_alias(lines, one.values)
  lines[#lines + 1] = "--- " .. oneline(one.summary)
  lines[#lines + 1] = "---@class " .. one.class
    .. (one.parent and ": " .. one.parent or "")
end

local function add_class(lines, one)
  add_head(lines, one)
  for _, member in ipairs(one.members) do
    local is_field = api.kind(one, member) == "field"
    if is_field or one.is_table then
      lines[#lines + 1] = ("---@field %s%s %s %s"):format(member.name,
        member.default and "?" or "",
        is_field and member.type or function_type(member),
        oneline(member.summary))
    end
  end
  if one.is_open then
    lines[#lines + 1] = "---@field [string] any"
  end
end

local function add_meta(lines, one)
  add_class(lines, one)
  if one.is_table and one.name ~= "configuration" then
    lines[#lines + 1] = ""
    return
  end
  local is_global = one.variable:find "^moonpeer"
  lines[#lines + 1] = (is_global and "%s = {}" or "local %s = {}")
    :format(one.variable)
  lines[#lines + 1] = ""
  for _, member in ipairs(one.members) do
    local kind = api.kind(one, member)
    if kind ~= "field" then
      add_options(lines, one, member)
      lines[#lines + 1] = "--- " .. oneline(member.summary)
      local names = add_params(lines, one, member)
      lines[#lines + 1] = ("function %s%s%s(%s) end"):format(one.variable,
        kind == "method" and ":" or ".", member.name, names)
      lines[#lines + 1] = ""
    end
  end
end

--- Types for lua-language-server.
---@return string
function pages.types()
  local lines = { [[
---@meta moonpeer
-- Made by scripts/docs from lua/moonpeer/api/: for editors, never run.
-- luacheck: ignore
-- `moonpeer` is global for the prompt and for the files of policies.

---@class moonpeer.Network
---@field name string
---@field magic string
---@field port integer
---@field genesis string
---@field seeds string[]
---@field checks_user_agent boolean
]] }
  for _, one in ipairs(api.types()) do
    add_meta(lines, one)
  end
  lines[#lines + 1] = "return moonpeer"
  return trimmed(lines)
end

-- --- the manual page -------------------------------------------------------

local function roff(text)
  return (text:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("\n%.", "\n\\&.")
    :gsub("^%.", "\\&."))
end

local function add_help(lines, name, parser)
  lines[#lines + 1] = ".SS moonpeer " .. name .. "\n.in 0\n.nf"
  lines[#lines + 1] = roff(parser:get_help()) .. "\n.fi\n.in"
end

--- Every command, and behind it its own, as --help shows them: 79 columns.
local function add_commands(lines)
  local cli = require "moonpeer.cli"
  for _, name in ipairs(cli.commands) do
    local parser, actions = cli.parser(name, 79)
    add_help(lines, name, parser)
    for action, own in require "moonpeer.sorted"(actions) do
      add_help(lines, name .. " " .. action, own)
    end
  end
end

--- The manual page.
---@return string
function pages.manual()
  local lines = { [==[
.\" Made by scripts/docs.
.TH MOONPEER 1
.SH NAME
moonpeer \- a Lua interpreter with a peer\-to\-peer engine for Bitcoin SV inside
.SH SYNOPSIS
.B moonpeer
.RI [ options ]
.RI [ script | command
.RI [ arguments ]]
.SH DESCRIPTION
Without arguments, on a terminal, a prompt opens: Lua is evaluated line by line
while engines run beside it, and what waits is waited for. Elsewhere it does
what
.BR lua5.4 (1)
does.
.SH OPTIONS
As those of lua5.4:
.BR \-e ", " \-i ", " \-l ", " \-v ", " \-E ", " \-W ", " \-\- ", " \- .
.SH COMMANDS]==] }
  add_commands(lines)
  lines[#lines + 1] = [[
.SH EXIT STATUS
0 done, 1 failed, 2 called the wrong way.
.SH ENVIRONMENT
.TP
.B MOONPEER_HISTORY
The file of the lines that were typed; empty for none. Otherwise
.IR ~/.moonpeer_history .
.TP
.B MOONPEER_LUA
A folder whose Lua files are taken instead of the embedded ones.
.TP
.B XDG_RUNTIME_DIR
Where moonpeer run puts its socket when \-\-console does not say; otherwise
/tmp.
.SH FILES
.TP
.IR moonpeer\-<process>.sock
The socket for consoles, mode 0600.
.SH SEE ALSO
.BR lua5.4 (1)]]
  return trimmed(lines)
end

--- Every file, by its path in the project.
---@return table<string, string>
function pages.all()
  return {
    ["lua/moonpeer/README.md"] = pages.reference(),
    ["lua/moonpeer/types.lua"] = pages.types(),
    ["src/app/moonpeer.1"] = pages.manual(),
  }
end

--- Writes them below a folder.
---@param top string
function pages.write(top)
  for path, text in pairs(pages.all()) do
    local file <close> = assert(io.open(top .. "/" .. path, "w"))
    assert(file:write(text))
  end
end

return pages
