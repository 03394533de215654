--- A policy's setup that fails: what it says, and what is left of it.
local files = require "support.files"
local live = require "support.live"
local moonpeer = require "moonpeer"

local play, write = live.play, live.write

--- What an engine says that cannot be made.
local function refused(policy)
  local out
  moonpeer.run(function()
    out = table.pack(moonpeer.engine {
      network = "regtest", mode = "fixed", peers = {}, policies = { policy },
      budget = { event = "50ms" },
    })
  end)
  return table.unpack(out, 1, out.n)
end

local fails = {
  ["says no"] = { "error('expected luck, got none', 0)",
    "^mine failed in setup: expected luck, got none$" },
  ["has a slip"] = { "return nil .. ''",
    "^mine failed in setup: .*:%d: attempt to concatenate a nil value$" },
  ["raises nil"] = { "error(nil)", "^mine failed in setup: nil$" },
  ["raises a table"] = { "error {}", "^mine failed in setup: table: %S+$" },
  ["loops"] = { "while true do end",
    "^mine failed in setup: .*stopped: it has run for more than 50 ms$" },
  ["yields"] = { "coroutine.yield()",
    "^mine failed in setup: attempt to yield" },
}

describe("an engine is not made whose policy's setup", function()
  after_each(files.remove_all)

  for name, row in pairs(fails) do
    it(name .. ": of a file", function()
      local good, message, code = refused(files.make(
        ("return { name = 'mine', setup = function()\n%s\nend }")
          :format(row[1])))
      assert.is_nil(good)
      assert.matches(row[2], message)
      assert.equal("invalid_configuration", code)
    end)

    it(name .. ": of a table", function()
      local good, message, code = refused {
        name = "mine", setup = assert(load(row[1])),
      }
      assert.is_nil(good)
      assert.matches(row[2], message)
      assert.equal("invalid_configuration", code)
    end)
  end

  it("is no function: of a file; of a table it is misuse", function()
    local path = files.make "return { name = 'mine', setup = 5 }"
    local good, message, code = refused(path)
    assert.is_nil(good)
    assert.equal(path .. ".setup: expected a function, got number", message)
    assert.equal("invalid_configuration", code)
    assert.error_matches(function()
      refused { name = "mine", setup = 5 }
    end, "policies%[1%].setup: expected a function, got number")
  end)
end)

describe("a reload whose setup fails", function()
  after_each(files.remove_all)

  local told = "setup = function(engine) engine:on('peer_misbehaved', 'mine', "
    .. "function() seen = seen + 1 end) %s end"

  it("says so, and is taken back with all that it began", function()
    local heard = {}
    play("return 'observe', 'old ' .. seen", function(engine, path, log)
      engine:on("policy_failed", "words", function(event)
        heard[#heard + 1] = event.reason
      end)
      write(path, "return 'throttle', 'new'", ("schedule = { own = { "
        .. "every = '1s', run = function() end } }, " .. told):format(
          "error('expected a key, got none', 0)"))
      local good, message, code = engine:reload()
      assert.is_nil(good)
      assert.equal("live failed in setup: expected a key, got none", message)
      assert.equal("invalid_configuration", code)
      moonpeer.sleep "5s"
      assert.equal("observe", log[#log])
      assert.same({}, engine:schedule())
      local rows = engine:explain "10.0.0.2"
      assert.is_true(tonumber(rows[#rows].reason:match "%d+") >= 6)
      write(path, "return 'throttle', 'new'")
      assert.is_true(engine:reload())
      moonpeer.sleep "2s"
      assert.equal("throttle", log[#log])
    end, told:format "")
    local all = table.concat(heard, "\n")
    assert.matches("reload refused, the policies are as before: "
      .. "live failed in setup: expected a key, got none", all)
  end)
end)
