--- The session and the tour of README.md, typed as they are printed: into
--- shells on pseudo-terminals, in a folder where only the build is. Numbers may
--- differ, "..." stands for anything.
local terminal = require "support.terminal"

--- The blocks of the tour: { kind, words, text }, files with their name.
local function blocks()
  local file <close> = assert(io.open "README.md")
  local section = file:read "a":match "\n## A session\n(.-)\n## Where"
  local list = {}
  for text, info, code in section:gmatch "(.-)\n```([^\n]*)\n(.-)```" do
    list[#list + 1] = {
      info = info, code = code, file = text:match "`([%w_]+%.lua)`:%s*$",
    }
  end
  return list
end

--- A line of README.md as a pattern for the terminal. A round trip may not have
--- been measured yet.
local function pattern_of(line)
  return (line:gsub("[%^%$%(%)%%%.%[%]%*%+%-%?]", "%%%0")
    :gsub("%d+", "%%d+"):gsub("%%%.%%%.%%%.", ".-")
    :gsub(" +%%d%+%%%.%%d%+ ms ", "[%%d%%. ms-]+ "))
end

local function read_command(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read "l"
end

describe("the tour of README.md", function()
  local folder, shells

  setup(function()
    folder = read_command "mktemp -d"
    local built = read_command("realpath " .. terminal.executable)
    assert(os.execute(("mkdir -p %s/build/release && ln -s %s %s/build/release"
      .. "/moonpeer"):format(folder, built, folder)))
    shells = {}
    for _, name in ipairs { "session", "first", "second", "third" } do
      shells[name] = terminal.start({ "--norc", "--noprofile", "-i" },
        { program = "/bin/bash", env = "PS1=$ ", home = folder,
          columns = 200 })
      shells[name]:expect "$ "
      shells[name]:type("cd " .. folder .. "\n")
      shells[name]:expect "$ "
    end
  end)

  teardown(function()
    for _, shell in pairs(shells) do
      shell.pty:hang_up()
      if not shell.pty:wait(5) then
        shell.pty:kill(9)
      end
    end
    os.execute("rm -r " .. folder)
  end)

  local function write(name, text)
    local file <close> = assert(io.open(folder .. "/" .. name, "w"))
    assert(file:write(text))
  end

  local function interrupt(shell)
    for _ = 1, shell.pty:is_raw() and 500 or 0 do
      shell:take(0.01) -- the line before is still being taken
      if not shell.pty:is_raw() then
        break
      end
    end
    shell:type "\3"
  end

  --- Types what stands behind a prompt, and looks for the rest: whole lines,
  --- and where `is_all` nothing else in between.
  local function play(shell, line, is_all)
    local mark, typed = line:match "^([$>]?) ?(.*)$"
    if typed == "^D" then
      shell:type "\4"
    elseif typed == "^C" then
      interrupt(shell)
      if is_all then -- else it may be lost among what nobody has read
        shell:expect "^C"
      end
    elseif mark ~= "" then
      shell:type(typed .. "\n")
      shell:expect(typed)
    elseif line:find "%S" and not line:find "^%.%.%.$" then
      local between = shell:expect("\n" .. pattern_of(line), 30, true)
      assert.equal("", is_all and between or "", "before " .. line)
    end
  end

  --- The next prompt, or what a program that runs on shows.
  local function settle(shell, line, next_line)
    if next_line and next_line:find "^[$>] " then
      -- a status line that is taken away leaves no line end
      local is_key = line:find "%^%u$"
      shell:expect((is_key and "" or "\n") .. next_line:sub(1, 2), 30)
    elseif not next_line and (line:find "%^D$" or line:find "^[$] ") then
      shell:expect("$ ", 30) -- it is done
    elseif not next_line then
      shell:take(0.2)
    end
  end

  it("gives what is printed", function()
    for _, block in ipairs(blocks()) do
      local kind, name = block.info:match "^(%l+) ?(%l*)$"
      if kind == "lua" then
        write(block.file, block.code)
      else
        local shell, lines = assert(shells[name], block.info), {}
        local is_all = false
        for line in block.code:gmatch "([^\n]*)\n" do
          lines[#lines + 1] = line
        end
        for i, line in ipairs(lines) do
          if line == "..." then
            is_all = false
          elseif line:find "^[$>] " then
            is_all = name ~= "first" -- a service logs what it likes
          end
          play(shell, line, is_all)
          settle(shell, line, lines[i + 1])
        end
      end
    end
  end)
end)
