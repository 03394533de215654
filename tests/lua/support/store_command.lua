--- store_command - a command that works on a store's file, as a child.
local assert = require "luassert"
local process = require "support.process"

local store_command = {}

--- Three ways to run it: one gives what was printed, complained and the exit
--- code; one wants it to do something and say just this; one wants it to fail
--- with a code, having said why and nothing else.
---@param name string  "peers" or "bans"
---@param file fun(): string  the store's file
---@return function run(words?, input?)
---@return function says(pattern, words?, input?)
---@return function fails(code, pattern, words?, input?)
function store_command.of(name, file)
  local function run(words, input)
    return process.run(("%s %s %s %s %s"):format(
      process.quote(process.executable), name, process.quote(file()),
      words or "", input and "<<'END'\n" .. input .. "\nEND" or ""))
  end
  local function says(pattern, words, input)
    local out, err, code = run(words, input)
    assert.equal("", err)
    assert.equal(0, code)
    assert.matches(pattern, out)
    return out
  end
  local function fails(expected, pattern, words, input)
    local out, err, code = run(words, input)
    assert.equal(expected, code)
    assert.equal("", out)
    assert.matches(pattern, err)
  end
  return run, says, fails
end

return store_command
