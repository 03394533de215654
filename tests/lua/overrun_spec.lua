--- A script in a world that computes for more than ten seconds of real time:
--- the one thing there that the real clock has a say in.
local worlds = require "support.worlds"

describe("a script that runs for ten seconds of real time", function()
  it("ends the run with an error, and decides nothing", function()
    local config = { instructions = 0, network = "regtest" }
    worlds.within(config, function(world)
      local asked, told = 0, 0
      local line = worlds.here() + 4
      local engine = world:engine("10.0.0.1:18444", { policies = {
        { name = "endless",
          validate = function()
            while true do end
          end },
        { name = "next", validate = function() asked = asked + 1 end },
      } })
      engine:on("decision", "spec", function(event)
        told = told + (event.reason:find "validate" and 1 or 0)
      end)
      world:remote("10.0.0.2", function(remote)
        remote:dial("10.0.0.1"):handshake()
      end)
      local before = os.clock()
      local good, message = pcall(world.run_for, world, "1m")
      assert.is_true(os.clock() - before > 9)
      assert.is_false(good)
      assert.matches(("overrun_spec.lua:%d: stopped: it has run for more "
        .. "than 10000 ms"):format(line), message, 1, true)
      assert.equal(0, asked)
      assert.equal(0, told)
      for _, row in ipairs(engine:decisions()) do
        assert.not_equal("validate", row.decision)
      end
    end)
  end)
end)
