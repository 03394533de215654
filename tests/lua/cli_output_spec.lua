--- Where the commands' words go when that place is full, closed, or not read;
--- and files that are none of ours.
local process = require "support.process"

local quoted = process.quote(process.executable)

local function run(command)
  return process.run("exec timeout 60 " .. command)
end

describe("what cannot be written", function()
  it("is a failure of the command", function()
    for _, arguments in ipairs {
      "version", "version --json", "--help", "run --help", "completion bash",
    } do
      local _, err, code = run(quoted .. " " .. arguments .. " >/dev/full")
      assert.matches("cannot write the results: No space left", err)
      assert.equal(1, code)
    end
  end)

  it("is a failure where the place was closed, and goes nowhere else",
    function()
      local folder = process.run "mktemp -d":match "[^\n]+"
      for _, arguments in ipairs {
        "version", "bans %s/s.json add 192.0.2.1", "bans %s/s.json export",
        "peers sqlite:%s/s.db add 192.0.2.1:8333",
      } do
        local _, err, code = run(("%s %s <&- >&-"):format(quoted,
          arguments:format(folder)))
        assert.matches("^moonpeer: cannot write the results", err)
        assert.equal(1, code)
      end
      local text = process.run(("cat %s/s.json; rm -r %s"):format(folder,
        folder))
      assert.matches('^{"format":"moonpeer%-store"', text)
      assert.not_matches("1 added", text)
    end)

  it("ends a command whose reader is gone, quietly", function()
    local out, err = process.run(quoted .. " completion bash | head -n 1")
    assert.matches("^[^\n]+\n$", out)
    assert.equal("", err)
  end)
end)

describe("a log that nobody reads", function()
  it("does not hold the engine, and tells what was lost", function()
    local fill = [[
      local log = require "moonpeer.log"
      for i = 1, 2000 do
        log.write("info", "console", "line", { n = i, pad = ("x"):rep(200) })
      end
      io.stdout:write "written"
      io.stdout:flush()
      io.read()
      log.write("info", "console", "last", { pad = ("y"):rep(9999) })]]
    local out, _, code = process.run(([[
      folder=$(mktemp -d)
      mkfifo $folder/log $folder/go
      exec 3<>$folder/log
      exec 4<>$folder/go
      timeout 60 %s -e %s <&4 2>&3 >$folder/out 3>&- 4>&- &
      for i in $(seq 1 600); do # a minute
        if grep -q written $folder/out; then break; fi
        sleep 0.1
      done
      timeout 1 cat <&3 >$folder/read
      echo go >&4
      wait $!
      code=$?
      timeout 1 cat <&3 >>$folder/read
      tail -n 1 $folder/read | cut -c 26-
      rm -r $folder
      exit $code]]):format(quoted, process.quote(fill)))
    assert.equal(0, code)
    assert.matches("^info console: last lost=%d+ pad=y+%.%.%.\n$", out)
  end)
end)

describe("a store that cannot be read", function()
  it("is not said to be missing", function()
    local _, err, code = process.run(([[
      cd $(mktemp -d)
      ln -s loop loop
      %s peers loop list
      code=$?
      rm loop; rmdir $PWD
      exit $code]]):format(quoted))
    assert.matches("^moonpeer peers: loop: .*[Ss]ymbolic links", err)
    assert.equal(1, code)
  end)
end)

describe("a file that is no store", function()
  local path

  before_each(function()
    path = os.tmpname()
    local file <close> = assert(io.open(path, "w"))
    file:write "root:x:0:0\n"
  end)

  after_each(function()
    os.remove(path)
  end)

  it("is neither read as an empty one nor put aside", function()
    for _, arguments in ipairs {
      "peers %s list", "bans %s list", "bans %s add 192.0.2.1",
      "peers json:%s add 192.0.2.1:8333",
    } do
      local out, err, code = run(quoted .. " " .. arguments:format(path))
      assert.equal("", out)
      assert.matches("no store of ours", err)
      assert.equal(1, code, arguments)
      local file <close> = assert(io.open(path))
      assert.equal("root:x:0:0\n", file:read "a")
    end
  end)
end)

describe("a command that is misspelt", function()
  it("gives the nearest one, letters swapped, too", function()
    for slip, meant in pairs {
      rnu = "run", consloe = "console", encod = "encode", pers = "peers",
    } do
      local _, err, code = run(quoted .. " " .. slip)
      assert.matches("Did you mean '" .. meant .. "'", err)
      assert.equal(2, code)
    end
  end)
end)

describe("the help of every command", function()
  for _, name in ipairs(require("moonpeer.cli").commands) do
    it("tells the exit codes: " .. name, function()
      local out, err, code = run(quoted .. " " .. name .. " --help")
      assert.matches("Exit codes?:? ", out)
      assert.matches("Usage: moonpeer " .. name, out)
      assert.equal("", err)
      assert.equal(0, code)
    end)
  end
end)
