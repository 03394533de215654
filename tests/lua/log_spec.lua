--- The log of moonpeer run.
local core = require "moonpeer.core"
local log = require "moonpeer.log"
local moonpeer = require "moonpeer"
local sim = require "moonpeer.sim"

local lines

describe("the log", function()
  before_each(function()
    lines = {}
    log.configure { format = "text", write = function(text)
      lines[#lines + 1] = text
    end }
    log.set_level "info"
  end)

  it("has levels for each component", function()
    log.write("debug", "net", "no")
    log.set_level("debug", "net")
    log.write("debug", "net", "yes")
    log.write("debug", "other", "no")
    log.set_level("error", "net")
    log.write("warning", "net", "no")
    assert.equal(1, #lines)
    assert.matches("^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d+Z debug net: yes$",
      lines[1])
    assert.has_error(function() log.set_level "debig" end,
      'unknown level "debig"; the nearest known is "debug"')
  end)

  it("has a level for all that tells of connections", function()
    log.set_level("debug", "net")
    log.write("debug", "connection", "yes")
    log.set_level("error", "connection")
    log.write("debug", "connection", "no")
    log.write("debug", "listener", "yes")
    log.write("debug", "store", "no")
    assert.equal(2, #lines)
    log.set_level("info", "net")
    log.set_level("info", "connection")
  end)

  it("keeps a trace together, escaped", function()
    log.fail("script", "a task failed", "boom\27\nstack:\n\ta\27b")
    assert.matches('failed error="boom\\x1b"$', lines[1])
    assert.same({ "  stack:", "  a\\x1bb" }, { lines[2], lines[3] })
    log.configure { format = "json" }
    log.fail("script", "a hook failed", "boom\nstack:\n\ta")
    local row = core.json_decode(lines[4])
    assert.equal("boom", row.error)
    assert.equal("a", row.trace[2])
  end)

  it("escapes what remotes say", function()
    log.write("info", "peer", "said", { agent = 'a"\n\27[2J\255b' })
    assert.matches('agent="a\\x22\\x0a\\x1b%[2J\\xffb"$', lines[1])
    log.configure { format = "json" }
    log.write("info", "peer", "spoke", { agent = "\n\255", n = 7 })
    local row = core.json_decode(lines[2])
    assert.equal("\\x0a\\xff", row.agent)
    assert.equal(7, row.n)
    assert.equal("spoke", row.message)
    log.write("info", "peer", "asked", { good = false, code = 'x = "1"' })
    row = core.json_decode(lines[3])
    assert.is_false(row.good)
    assert.equal('x = "1"', row.code)
  end)

  it("warns of a round of seeds that none has answered", function()
    local world <close> = sim.world {}
    local engine = world:engine("10.0.0.1", { network = {
      name = "seeded", magic = "\1\2\3\4", port = 1, seeds = { "seed.one" },
    }, target_connections = 0 })
    log.follow(engine)
    world:run_for "1m"
    world:dns("seed.one", { "30.0.0.1" })
    world:run_for "1h"
    assert.matches(" warning discovery: .* code=dns_failed", lines[1])
    assert.matches(" info discovery: .*1 of 1 addresses", lines[2])
    assert.equal(2, #lines)
  end)

  it("says how many lines it left out", function()
    for i = 1, 500 do
      log.write("info", "flood", "line", { i = i })
    end
    local function count()
      local n = 0
      for _, line in ipairs(lines) do
        n = n + (line:find("flood: line", 1, true) and 1 or 0)
      end
      return n
    end
    assert.equal(20, count())
    moonpeer.run(moonpeer.sleep, 1.05)
    log.write("info", "flood", "line")
    assert.equal(21, count())
    assert.matches("left_out=480", lines[#lines])
  end)
end)
