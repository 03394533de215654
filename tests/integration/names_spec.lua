--- Names that hang keep nobody: not an engine that closes, not a process that
--- ends. A library that stands before the C library makes them hang.
local process = require "support.process"

local library = assert(package.searchpath("slow_names", package.cpath),
  "expected the library slow_names")

local function run(code, before)
  return process.run(("%s LD_PRELOAD=%s timeout 30 %s -e %s"):format(
    before or "", process.quote(library),
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
          local tasks = {}
          for i = 1, 100 do
            tasks[i] = moonpeer.spawn(moonpeer.resolve, "name" .. i, "50ms")
          end
          for i = 1, 100 do
            local _, _, code = tasks[i]:await()
            assert(code == "timeout" or code == "dns_failed", code)
          end
        end)
        os.exit(true, true)]]
      assert.equal("", err)
      assert.equal("", out)
      assert.equal(0, code)
    end)
end)
