--- The quickstart script: the same network on loopback and in virtual time.
local executable = os.getenv("MOONPEER") or "build/dev/moonpeer"

local function run(options)
  local pipe <close> = assert(io.popen(("%s scripts/quickstart.lua %s 2>&1")
    :format(executable, options)))
  local text = pipe:read "a"
  assert.is_true(pipe:close(), text)
  return text
end

--- Each character with what came of it, in the order of the table.
local function outcomes(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do
    local character, verdict, why =
      line:match "^%d[%d.]+:%d+%s+(%w+ ?%w+)%s%s+(%w+)%s+(%l*_?%l*)"
    if character then
      list[#list + 1] = ("%s: %s %s"):format(character, verdict, why)
    end
  end
  return list
end

describe("scripts/quickstart.lua", function()
  it("plays the same on loopback and simulated", function()
    local real, simulated = outcomes(run ""), outcomes(run "--simulate")
    assert.equal(10, #real)
    assert.same(real, simulated)
    assert.matches("good node: connected", real[1])
    assert.matches("BTC node: ban blockchain_mismatch", real[6])
  end)

  it("is the same every time when it is simulated", function()
    assert.equal(run "--simulate", run "--simulate")
  end)
end)
