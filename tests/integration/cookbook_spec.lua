--- What scripts/README.md prints works as it is printed: scripts print what
--- stands below them, policies load, commands exist.
local process = require "support.process"
local sim = require "moonpeer.sim"

local function blocks()
  local file <close> = assert(io.open "scripts/README.md")
  local list = {}
  for info, code in file:read "a":gmatch "\n```([^\n]*)\n(.-)```" do
    list[#list + 1] = { info = info, code = code }
  end
  return list
end

describe("scripts/README.md", function()
  local list = blocks()
  for i, block in ipairs(list) do
    if block.info == "lua script" then
      it("prints what it says: block " .. i, function()
        local out, err, code = process.lua(block.code)
        assert.equal("", err)
        assert.equal(0, code)
        assert.equal("text", list[i + 1].info)
        assert.equal(list[i + 1].code, out)
      end)
    elseif block.info == "lua policy" then
      it("has a policy that loads: block " .. i, function()
        local world <close> = sim.world { seed = 1, network = "regtest" }
        local engine = world:engine("10.0.0.1:18444", {
          policies = { assert(load(block.code, "=block", "t", _ENV))() },
        })
        assert.equal(2, #engine:rules())
      end)
    end
  end

  it("names files that are there", function()
    local file <close> = assert(io.open "scripts/README.md")
    for name in file:read "a":gmatch "%]%(([%w_%-]+%.lua)%)" do
      assert(io.open("scripts/" .. name)):close()
    end
  end)
end)

describe("README.md", function()
  it("shows what the quick start prints", function()
    local file <close> = assert(io.open "README.md")
    local picture = file:read "a":match "```text\n(Ten peers.-)```"
    local out = process.run("exec timeout 60 "
      .. process.quote(process.executable) .. " scripts/quickstart.lua")
    local place = 1
    for line in picture:gmatch "[^\n]+" do
      if line ~= "..." then
        -- how many of which status is a matter of time
        local kept = line:gsub("^(the store .-:).*", "%1")
        local pattern = kept:gsub("%s+", " "):gsub("[%(%)%.%-%+%*%?%[%]]",
          "%%%0"):gsub("%d+", "%%d+")
        local _, last = out:gsub(" +", " "):find(pattern, place)
        assert.is_number(last, line .. "\nin\n" .. out)
        place = last
      end
    end
  end)

  it("shows a test of a policy that stands alone, of ten lines", function()
    local file <close> = assert(io.open "README.md")
    local text = file:read "a":match "```lua\n(it%(.-\nend%)\n)```"
    local _, lines = text:gsub("\n", "")
    assert.is_true(lines <= 10)
    local name = os.tmpname() .. "_spec.lua"
    local spec = assert(io.open(name, "w"))
    spec:write(text)
    spec:close()
    local out = process.run(("program=$(realpath %s); cd / && exec timeout 60 "
      .. "busted --lua=$program %s"):format(process.quote(process.executable),
      name))
    os.remove(name)
    os.remove((name:gsub("_spec.lua$", "")))
    assert.matches("1 success / 0 failures / 0 errors", out)
  end)
end)
