--- Worlds of random size, weather and behaviour: what must hold in all of
--- them (support/invariants.lua). MOONPEER_WORLDS=1000 plays so many, from
--- MOONPEER_WORLDS_FROM on; MOONPEER_WORLD_SEED=17 plays that one alone.
local generated = require "support.generated"
local test = require "moonpeer.test"

local function setting(name, otherwise)
  return math.tointeger(tonumber(os.getenv(name))) or otherwise
end

local only = setting("MOONPEER_WORLD_SEED")
local from = only or setting("MOONPEER_WORLDS_FROM", 1)
local count = only and 1 or setting("MOONPEER_WORLDS", 24)

describe("generated worlds", function()
  test.guard { memory = 8192 }

  it("hold what must always hold", function()
    for seed = from, from + count - 1 do
      local good, message = pcall(generated.play, seed)
      if not good then
        error(("the world of seed %d: %s\nMOONPEER_WORLD_SEED=%d plays it "
          .. "again"):format(seed, tostring(message), seed), 0)
      end
    end
  end)

  it("are played again exactly", function()
    for seed = from, from + math.min(count, 3) - 1 do
      local hash, events = generated.play(seed)
      local again, as_many = generated.play(seed)
      assert.equal(hash, again)
      assert.equal(events, as_many)
    end
  end)
end)
