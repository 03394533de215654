--- How the module is found, and what it leaves alone.
local moonpeer = require "moonpeer"

local executable = os.getenv("MOONPEER") or "build/dev/moonpeer"
local module = os.getenv("MOONPEER_MODULE") or "build/dev/moonpeer.so"
-- A sanitized module runs in a sanitized process only.
local is_sanitized = os.getenv("MOONPEER_SANITIZE") ~= nil

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- What the code prints, on both outputs, in the interpreter; before it stand
--- settings of the environment.
local function run(settings, interpreter, code)
  local command = ("cd / && env -u MOONPEER_LUA %s %s -e %s 2>&1"):format(
    settings, quote(interpreter), quote(code)
  )
  local pipe <close> = assert(io.popen(command))
  return pipe:read("a")
end

local function absolute(path)
  if path:sub(1, 1) == "/" then
    return path
  end
  local pipe <close> = assert(io.popen("pwd"))
  return pipe:read("l") .. "/" .. path
end

executable, module = absolute(executable), absolute(module)

--- Runs code in each interpreter that can have the module, from a folder in
--- which nothing of ours stands.
local function each_host(code, check)
  check(run("", executable, code))
  if not is_sanitized then
    local found = ("package.path = '' package.cpath = %q "):format(module)
    check(run("", "lua5.4", found .. code))
  end
end

describe("the module", function()
  local folder

  before_each(function()
    folder = os.tmpname()
    assert(os.remove(folder))
    assert(os.execute("mkdir -p " .. folder .. "/moonpeer"))
  end)

  after_each(function()
    assert(os.execute("rm -r " .. folder))
  end)

  local function write(name, text)
    local file <close> = assert(io.open(folder .. "/" .. name, "w"))
    assert(file:write(text))
  end

  it("says its version", function()
    assert.matches("^%d+%.%d+%.%d+$", moonpeer.version)
  end)

  it("is one table however often it is required", function()
    assert.equal(moonpeer, require "moonpeer")
  end)

  it("needs no file beside it", function()
    each_host("print(require('moonpeer').version)", function(out)
      assert.equal(moonpeer.version .. "\n", out)
    end)
  end)

  it("brings its own lua-argparse", function()
    local code = [[
      require "moonpeer"
      package.path, package.cpath = "", ""
      print(type(require "argparse" ()), require "moonpeer.cli" .ok)
    ]]
    each_host(code, function(out)
      assert.equal("table\t0\n", out)
    end)
  end)

  it("makes no globals", function()
    local code = [[
      local known = {}
      for name in pairs(_G) do known[name] = true end
      require "moonpeer"
      for name in pairs(_G) do assert(known[name], name) end
      print "none"
    ]]
    each_host(code, function(out)
      assert.equal("none\n", out)
    end)
  end)

  it("adds one searcher, once", function()
    local code = [[
      local before = #package.searchers
      require "moonpeer"
      local after = #package.searchers
      package.loaded.moonpeer = nil
      require "moonpeer"
      assert(#package.searchers == after and after - before <= 1)
      local found, from = package.searchers[1]("moonpeer")
      print(type(found), from)
    ]]
    each_host(code, function(out)
      assert.equal("function\t:embedded:/moonpeer/init.lua\n", out)
    end)
  end)

  it("names its files in a traceback", function()
    local code = [[
      require "moonpeer"
      require "moonpeer.cli".main(nil)
    ]]
    each_host(code, function(out)
      assert.matches("moonpeer/cli/init.lua:%d+: attempt to index", out)
    end)
  end)

  it("reads its files from the folder in MOONPEER_LUA", function()
    write("moonpeer/init.lua", "return { version = ... }")
    local out = run("MOONPEER_LUA=" .. folder, executable, [[
      local moonpeer, from = require "moonpeer"
      print(moonpeer.version, from)
      print(type(require "argparse"))
    ]])
    assert.equal(
      "moonpeer\t" .. folder .. "/moonpeer/init.lua\ntable\n", out
    )
  end)

  it("says where a broken file stands", function()
    write("moonpeer/init.lua", "return {")
    local out = run("MOONPEER_LUA=" .. folder, executable, [[
      print(select(2, pcall(require, "moonpeer")))
    ]])
    assert.matches("error loading module 'moonpeer' from '" .. folder, out)
    assert.matches("moonpeer/init.lua:1: unexpected symbol", out)
  end)

  it("ignores the folder when the environment is not to be read", function()
    write("moonpeer/init.lua", "error 'not this one'")
    local out = run("MOONPEER_LUA=" .. folder, executable, [[
      local interpreter = arg[0]
      local pipe = io.popen(
        interpreter .. " -E -e 'print(require(\"moonpeer\").version)' 2>&1")
      io.write(pipe:read("a"))
    ]])
    assert.equal(moonpeer.version .. "\n", out)
  end)

  it("works when its Lua files are found on the path first", function()
    if is_sanitized then
      return
    end
    local lua = absolute(os.getenv("MOONPEER_LUA") or "lua")
    local out = run("", "lua5.4", ([[
      package.path = %q .. "/?.lua;" .. %q .. "/?/init.lua"
      package.cpath = %q
      local moonpeer, from = require "moonpeer"
      print(moonpeer.version, from)
    ]]):format(lua, lua, (module:gsub("moonpeer%.so$", "?.so"))))
    assert.equal(
      moonpeer.version .. "\t" .. lua .. "/moonpeer/init.lua\n", out
    )
  end)

  it("is no global of the executable", function()
    local out = run("", executable, "print(moonpeer)")
    assert.equal("nil\n", out)
  end)
end)
