--- Names that hang keep nobody: not an engine that closes, not a process that
--- ends. A library that stands before the C library makes them hang.
local process = require "support.process"

local library = os.getenv "MOONPEER_SLOW_NAMES"
  or "build/dev/tests/integration/slow_names.so"

local function run(code)
  return process.run(("LD_PRELOAD=%s timeout 30 %s -e %s"):format(
    process.quote(library),
    process.quote(process.executable), process.quote(code)))
end

describe("names that hang", function()
  if process.is_sanitized then
    pending "skipped: a sanitizer wants to stand first"
    return
  end

  it("keep no engine from closing and saving, and no process from ending",
    function()
      local path = os.tmpname()
      local out, err, code = run(([[
        local moonpeer = require "moonpeer"
        moonpeer.run(function()
          local engine = assert(moonpeer.engine {
            network = "mainnet", target_connections = 1,
            store = "json:%s.json",
          })
          engine:on("store_saved", "spec", function() print "saved" end)
          engine:start()
          moonpeer.sleep "50ms"
          engine.store:create { ip = "203.0.113.1", port = 8333 }
          engine:close()
          while not tostring(engine):find "closed" do
            moonpeer.sleep "5ms"
          end
          print "closed"
        end)
        print "over"]]):format(path))
      os.remove(path)
      os.remove(path .. ".json")
      assert.equal("", err)
      assert.equal("saved\nclosed\nover\n", out)
      assert.equal(0, code)
    end)

  it("keep no task longer than it wants to wait, however many there are",
    function()
      local out, err, code = run [[
        local moonpeer = require "moonpeer"
        moonpeer.run(function()
          local late = 0
          for i = 1, 100 do
            moonpeer.spawn(function()
              local _, _, code = moonpeer.resolve("name" .. i, "50ms")
              assert(code == "timeout", code)
              late = late + 1
            end)
          end
          repeat moonpeer.sleep "5ms" until late == 100
        end)
        os.exit(true, true)]]
      assert.equal("", err)
      assert.equal("", out)
      assert.equal(0, code)
    end)
end)
