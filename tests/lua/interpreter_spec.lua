--- The executable does what lua5.4 does, and runs commands.
local executable = os.getenv("MOONPEER") or "build/dev/moonpeer"
if executable:sub(1, 1) ~= "/" then
  executable = "./" .. executable
end

local folder

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

local function write(name, text)
  local file <close> = assert(io.open(folder .. "/" .. name, "w"))
  assert(file:write(text))
  return folder .. "/" .. name
end

--- Runs a shell command with `input` on its stdin: stdout, stderr, exit code.
local function run(command, input)
  write("input", input or "")
  local _, _, code = os.execute(("%s <%s/input >%s/out 2>%s/err"):format(
    command, folder, folder, folder
  ))
  return read(folder .. "/out"), read(folder .. "/err"), code
end

--- The two interpreters' names stand in messages, in arg, and in -v.
local function neutral(text)
  local own = executable:gsub("%p", "%%%0")
  text = text:gsub(own, "lua5.4"):gsub("moonpeer: ", "lua5.4: ")
  text = text:gsub("moonpeer [%d.]+  Lua", "Lua")
  return (text:gsub("\tno embedded module [^\n]*\n", ""))
end

--- Both interpreters do the same, and it is what was meant: the pattern is in
--- what they print.
local function assert_same(arguments, pattern, input, settings)
  settings = (settings or "") .. " "
  local out, err, code = run(settings .. quote(executable) .. " " .. arguments,
    input)
  local lua_out, lua_err, lua_code = run(settings .. "lua5.4 " .. arguments,
    input)
  assert.equal(lua_out, neutral(out))
  assert.equal(lua_err, neutral(err))
  assert.equal(lua_code, code)
  assert.matches(pattern, lua_out .. lua_err)
end

setup(function()
  folder = os.tmpname()
  assert(os.remove(folder))
  assert(os.execute("mkdir " .. folder))
end)

teardown(function()
  assert(os.execute("rm -r " .. folder))
end)

describe("like lua5.4, the executable", function()
  local show

  before_each(function()
    show = write("show.lua", [[
      print(...)
      for i = -6, 6 do print(i, arg[i]) end
    ]])
  end)

  it("hands a script its arguments", function()
    assert_same(show .. " one -two --three", "3%s+%-%-three")
    assert_same("-e 'x = 1' -- " .. show .. " one", "%-1%s+%-%-")
  end)

  it("runs what -e says and then waits for nothing", function()
    assert_same("-e 'print(arg[0])' -e'print(arg[2])'", "lua5.4\nprint")
  end)

  it("loads what -l names into globals", function()
    assert_same("-l string -l s=string -e 'print(s == string)'", "true")
    assert_same("-l nothing.of.that.name", "module 'nothing.of")
  end)

  it("prints its version for -v", function()
    assert_same("-v -e 'print(1)'", "Lua 5.4.*1")
  end)

  it("warns for -W", function()
    assert_same("-W -e 'warn \"mind the gap\"'", "mind the gap")
    assert_same("-e 'warn \"mind the gap\" print(1)'", "^1\n$")
  end)

  it("reads a script from stdin", function()
    assert_same("", "^7\n", "print(7)")
    assert_same("- one two", "one%s+two", "print(...)")
    assert_same("--", "^7\n", "print(7)")
  end)

  it("runs LUA_INIT first, unless -E", function()
    local init = "LUA_INIT='print \"init\"'"
    assert_same("-e 'print(1)'", "^init\n1\n$", "", init)
    assert_same("-E -e 'print(1)'", "^1\n$", "", init)
    assert_same("-e 'print(1)'", "^5.4\n1\n$", "",
      init .. " LUA_INIT_5_4='print \"5.4\"'")
    assert_same("-e 'print(1)'", "%-6%s+nil", "", "LUA_INIT=@" .. show)
    assert_same("-e 'print(1)'", "LUA_INIT:1: boom", "",
      "LUA_INIT='error \"boom\"'")
  end)

  it("fails with a traceback", function()
    local boom = write("boom.lua", "local function f() error 'boom' end\nf()")
    assert_same(boom, "boom.lua:1: boom\nstack traceback")
    assert_same("-e 'error {}'", "error object is a table value")
    assert_same([[-e 'error(setmetatable({}, {
      __tostring = function() return "myself" end }))']], "lua5.4: myself\n$")
  end)

  it("fails on a script that does not compile or exist", function()
    assert_same(write("syntax.lua", "x ="), "unexpected symbol")
    assert_same("./no-such.lua", "cannot open")
    assert_same("''", "cannot open")
  end)

  it("exits with the code of os.exit, after closing if asked to", function()
    assert_same("-e 'os.exit(3)'", "^$")
    assert_same([[-e 'local x <close> = setmetatable({}, {
      __close = function() print "closed" end }) os.exit(4, true)']],
      "closed")
  end)

  it("collects garbage in generations", function()
    assert_same("-e 'print(collectgarbage \"incremental\")'", "generational")
  end)

  it("stops at Ctrl-C", function()
    -- The thread sanitizer holds a signal back until the next system call.
    local is_held = os.getenv("MOONPEER_SANITIZE") == "thread"
    local forever = [[io.popen "kill -INT $PPID" while true do %s end]]
    local _, err, code = run(("timeout -s KILL 60 %s -e %s"):format(
      quote(executable),
      quote(forever:format(is_held and "io.stdout:flush()" or ""))
    ))
    assert.matches("^moonpeer: .*interrupted!\nstack traceback", err)
    assert.equal(1, code)
  end)

  it("refuses what is no option", function()
    for _, word in ipairs { "-x", "-ix", "-e", "-l", "--no", "-v1" } do
      local _, err, code = run(quote(executable) .. " " .. word)
      local _, lua_err, lua_code = run("lua5.4 " .. word)
      assert.equal(lua_code, code)
      assert.equal(lua_err:match("^lua5.4(.-)\n"), err:match("^moonpeer(.-)\n"))
    end
  end)
end)

describe("the interactive mode", function()
  local function answers(input, prefix)
    local out, err = run((prefix or "") .. quote(executable) .. " -i", input)
    return out:gsub("^[^\n]*\n", ""), err
  end

  it("prints the values of expressions", function()
    assert.equal("> 2\n> 1\tnil\n> \n", (answers("1 + 1\n=1, nil\n")))
  end)

  it("waits for the end of a statement", function()
    assert.equal("> >> >> 1\n2\n> \n",
      (answers("for i = 1, 2 do\nprint(i)\nend\n")))
  end)

  it("goes on after an error", function()
    local out, err = answers("error 'boom'\nx y\n1\n")
    assert.equal("> > > 1\n> \n", out)
    assert.matches("^stdin:1: boom\nstack traceback", err)
    assert.matches("\nstdin:1: syntax error near 'y'\n", err)
  end)

  it("says what is missing when the input ends too early", function()
    local out, err = answers("for\n")
    assert.equal("> >> > \n", out)
    assert.equal("stdin:1: <name> expected near <eof>\n", err)
  end)

  it("shows the prompts of _PROMPT and _PROMPT2", function()
    assert.equal("> a b 1\na \n",
      (answers("_PROMPT, _PROMPT2 = 'a ', 'b '\nprint(\n1)\n")))
  end)

  it("says when print does not work", function()
    local _, err = answers("print = nil\n1\n")
    assert.matches("error calling 'print'", err)
  end)

  it("starts by itself on a terminal", function()
    local out = run(("script -qec %s /dev/null"):format(quote(executable)),
      "1 + 41\n")
    assert.matches("moonpeer [%d.]+  Lua 5.4", out)
    assert.matches("\r?\n42\r?\n", (out:gsub("> ", "")))
  end)

  it("follows the script for -i", function()
    local script = write("set.lua", "x = 42")
    local out = run(quote(executable) .. " -i " .. script, "x\n")
    assert.matches("> 42\n", out)
  end)
end)

describe("a command", function()
  local function command(words, input)
    return run(quote(executable) .. " " .. words, input)
  end

  it("version says the version", function()
    assert.equal(
      ("moonpeer %s (Lua 5.4)\n"):format(require("moonpeer").version),
      (command("version"))
    )
    assert.matches('^{"moonpeer":"[%d.]+","lua":"Lua 5.4"}\n$',
      (command("version --json")))
  end)

  it("run gives a script the arguments it has under lua", function()
    local script = write("script.lua", [[
      print(...)
      for i = -1, 4 do print(i, arg[i]) end
      os.exit(7)
    ]])
    local out, err, code = command("run " .. script .. " --help -x")
    assert.equal(table.concat({
      "--help\t-x", "-1\trun", "0\t" .. script, "1\t--help", "2\t-x", "3\tnil",
      "4\tnil", "",
    }, "\n"), out)
    assert.equal("", err)
    assert.equal(7, code)
  end)

  it("run reports a script that fails, with exit code 1", function()
    local _, err, code = command("run " .. write("bad.lua", "error 'boom'"))
    assert.matches("^moonpeer: .*bad.lua:1: boom\nstack traceback", err)
    assert.equal(1, code)
  end)

  it("run --json reports in JSON what failed", function()
    for text, pattern in pairs {
      ["error 'boom'"] = '"error":"[^"]*x.lua:1: boom".*"trace":%["stack',
      ["x = = 1"] = '"error":"[^"]*x.lua:1: unexpected symbol',
      ["return { network = 'regtst' }"] = '"error":"[%w: ]*unknown network',
    } do
      local _, err, code = command("run --no-console --json "
        .. write("x.lua", text))
      assert.matches("^{[^\n]*" .. pattern .. "[^\n]*}\n$", err)
      assert.equal(1, code)
    end
  end)

  it("run takes a network that there is none of for misuse", function()
    local out, err, code = command("run --network regtst")
    assert.equal("", out)
    assert.matches('unknown network "regtst"; the nearest known is "regtest"',
      err, 1, true)
    assert.equal(2, code)
  end)

  it("run reports a script that is not there, with exit code 1", function()
    local _, err, code = command("run ./no-such.lua")
    assert.matches("^moonpeer: cannot open ./no%-such.lua", err)
    assert.equal(1, code)
  end)

  it("prints help on stdout", function()
    local out, err, code = command("run --help")
    assert.matches("^Usage: moonpeer run", out)
    assert.equal("", err)
    assert.equal(0, code)
    assert.matches("^usage: moonpeer", (command("--help")))
  end)

  it("called the wrong way exits with 2 and names what is near", function()
    local mistakes = {
      { "versoin", "Did you mean 'version'%?" },
      { "version --jsno", "Did you mean '%-%-json'%?" },
      { "run", "missing argument 'script', or options" },
      { "run --connections x", "%-%-connections: expected a number, got 'x'" },
    }
    for _, mistake in ipairs(mistakes) do
      local out, err, code = command(mistake[1])
      assert.equal("", out)
      assert.matches(mistake[2], err)
      assert.equal(2, code)
    end
  end)

  it("that has a file of its name in the way still runs", function()
    write("version", "print 'the file'")
    local place = "cd " .. folder .. " && "
    local absolute = executable
    if absolute:sub(1, 1) ~= "/" then
      absolute = os.getenv("PWD") .. "/" .. absolute
    end
    assert.matches("^moonpeer", (run(place .. quote(absolute) .. " version")))
    assert.equal("the file\n",
      (run(place .. quote(absolute) .. " ./version")))
  end)

  it("loads with every name that the list holds, and help shows", function()
    local help = command("--help"):match "\ncommands: (.*)"
    for _, name in ipairs(require("moonpeer.cli").commands) do
      local out, _, code = command(name .. " --help")
      assert.matches("^Usage: moonpeer " .. name, out)
      assert.equal(0, code)
      assert.matches("%f[%l]" .. name .. "%f[^%l]", help)
    end
  end)
end)
