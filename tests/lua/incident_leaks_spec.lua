--- Connections that come to nothing leave nothing, by the number of what
--- happened to others. Alone in a file: what other tests have freed would hide
--- what is lost.
local field = require "support.field"
local process = require "support.process"
local it = field.it

local at = "10.0.0.1:8333"

--- Bytes of this process that are in memory.
local function resident()
  local file <close> = assert(io.open "/proc/self/statm")
  return tonumber(file:read("a"):match "^%d+ (%d+)") * 4096
end

describe("row 26, leaks of failed dials:", function()
  --- Runs fn four times: what the first leaves may stay, as buffers and tables
  --- of a size that they need; the others leave nothing.
  local function leaves_nothing(fn)
    local function kept()
      collectgarbage()
      collectgarbage()
      return resident(), collectgarbage "count"
    end
    fn()
    local before, lua = kept()
    for _ = 1, 3 do
      fn()
    end
    local after, lua_after = kept()
    assert.is_true(lua_after - lua < 100)
    if not process.is_sanitized then
      assert.is_true(after - before < 1 << 20, after - before)
    end
  end

  local function it_in_quiet(name, fn)
    it(name, fn, { trace = "hash" }) -- the text of it would grow meanwhile
  end

  it_in_quiet("40,000 refused dials leave nothing", function(world)
    field.empty(world, "10.0.0.2")
    local engine = world:engine("10.0.0.1", { peers = {} })
    world:run_for(0.1)
    leaves_nothing(function()
      for _ = 1, 10000 do
        assert(engine:dial "10.0.0.2:8333")
        world:run_for(0.03)
      end
    end)
    assert.equal(40000, engine:counts().dials)
    assert.equal(0, engine:counts().connections)
    assert.equal(0, world:count().streams)
  end)

  it_in_quiet("nor do those to as many addresses", function(world)
    field.empty(world, "10.0.0.2")
    local engine = world:engine("10.0.0.1", {
      peers = {}, initial_backoff = "1h", max_backoff = "1h",
    })
    world:run_for(0.1)
    local port = 0
    leaves_nothing(function()
      for _ = 1, 10000 do
        port = port + 1
        assert(engine:dial("10.0.0.2:" .. port))
        world:run_for(0.03)
      end
    end)
    assert.equal(40000, engine:counts().dials)
    assert.equal(0, engine:counts().connections)
  end)

  it_in_quiet("peers that dial and drop leave nothing", function(world)
    local engine = world:engine(at, { per_group = 100000 })
    leaves_nothing(function()
      world:remote("20.1.0.1", function(remote)
        for _ = 1, 10000 do
          local connection = remote:dial(at)
          if connection then
            connection:reset()
          end
        end
      end)
      world:run_for "15m"
    end)
    assert.is_true(engine:counts().accepted >= 40000)
    assert.equal(0, engine:counts().connections)
    assert.equal(0, engine:counts().half_open)
    assert.equal(0, world:count().streams)
  end)
end)
