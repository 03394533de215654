--- A function that keeps failing is left alone: parked, tried once, disabled.
local core = require "moonpeer.core"
local sim = require "moonpeer.sim"

--- Calls a policy's judge n times, some virtual time apart, in a world; the
--- states of its guard after each.
local function states(n, gap, fn)
  local world <close> = sim.world { seed = 1 }
  local list, guard = {}, nil
  world:remote("10.0.0.1", function(remote)
    guard = core.guard { policy = "spec", name = "judge", decision = "judge",
      fn = fn }
    for i = 1, n do
      guard:call(nil)
      list[i] = guard:counts().state
      remote:sleep(gap)
    end
  end)
  world:run_for(n * gap + 1)
  return list, guard:counts()
end

describe("the breaker", function()
  it("parks after three errors one after the other", function()
    local list, counts = states(5, 1, function() error "no" end)
    assert.same({ "works", "works", "parked", "parked", "parked" }, list)
    assert.equal(3, counts.calls)
    assert.equal(3, counts.errors)
  end)

  it("tries once after 30 s, and the third time it is over", function()
    local list, counts = states(100, 1, function() error "no" end)
    assert.same({ "parked", "parked", "disabled", "disabled" },
      { list[4], list[34], list[63 + 1], list[100] })
    assert.equal(5, counts.calls) -- three, and two probes
  end)

  it("goes on when the probe is good", function()
    local calls = 0
    local list, counts = states(60, 1, function()
      calls = calls + 1
      if calls <= 3 then
        error "no"
      end
    end)
    assert.equal("parked", list[10])
    assert.equal("works", list[40])
    assert.equal(3, counts.errors)
  end)

  it("bears one error in twenty, but not more of 200", function()
    local function every(k)
      local calls = 0
      return select(1, states(400, 0.01, function()
        calls = calls + 1
        if calls % k == 0 then
          error "now and then"
        end
      end))
    end
    local rare, often = every(25), every(15)
    assert.equal("works", rare[400])
    local parked = 0
    for _, state in ipairs(often) do
      parked = parked + (state == "parked" and 1 or 0)
    end
    assert.is_true(parked > 0)
  end)

  it("counts calls, errors and time", function()
    local guard = core.guard { policy = "p", name = "judge",
      decision = "judge", fn = function() return "observe" end }
    for _ = 1, 160 do
      guard:call(nil)
    end
    local counts = guard:counts()
    assert.equal(160, counts.calls)
    assert.equal(10, counts.samples)
    assert.is_true(counts.time > 0 and counts.worst >= counts.time / 10)
  end)
end)
