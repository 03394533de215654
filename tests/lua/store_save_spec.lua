--- Peer stores that last: saving, loading, and what can be wrong with files.
local folder = require "support.folder"
local moonpeer = require "moonpeer"
local outcome = require "support.outcome"
local process = require "support.process"

local fails, raises = outcome.fails, outcome.raises

local path

setup(function()
  path = folder.make()
end)

teardown(function()
  folder.remove(path)
end)

--- All that is in a store, to be compared.
local function content(store)
  local all = { peers = {}, bans = {}, values = {} }
  for peer in store:each() do
    all.peers[peer.id] = peer:table()
  end
  for ban in store.bans:each() do
    all.bans[ban.prefix] = ban
  end
  for name, bytes in store:values() do
    all.values[name] = bytes
  end
  return all
end

local function fill(store, n)
  for i = 1, n do
    assert(store:create {
      ip = ("9.%d.%d.1"):format(i // 256, i % 256), port = i,
      status = i % 3 == 0 and "valid" or "unknown", services = i << 40,
      user_agent = "/x\xff%\n/", data = { n = i, list = { i, i + 0.5 } },
      source = "dns", rtt = i / 1000,
    })
  end
  assert(store.bans:add("10.0.0.0/8", { note = "no \"net\"", time = "9d" }))
  assert(store.bans:add("2001:db8::/32", { time = "forever" }))
  assert(store:set_value("secret", "\0\1\2\xff"))
end

for _, kind in ipairs { "json", "sqlite" } do
  describe("a store in a " .. kind .. " file", function()
    local file, url

    before_each(function()
      file = os.tmpname():gsub("^.*/", path .. "/")
      url = kind .. ":" .. file
    end)

    local function open(options)
      return moonpeer.store(url, options)
    end

    it("begins empty without a file, and has one when it was saved", function()
      local store <close> = assert(open())
      assert.equal(0, #store)
      assert.is_nil(store.warning)
      assert.is_true(store:create { ip = "1.2.3.4", port = 1 } ~= nil)
      assert.is_true(store.is_changed)
      assert.is_true(store:save())
      assert.is_false(store.is_changed)
      assert.is_truthy(io.open(file, "rb")):close()
    end)

    it("has all when it is opened again", function()
      local before
      do
        local store <close> = assert(open())
        fill(store, 200)
        before = content(store)
      end
      local store <close> = assert(open())
      assert.same(before, content(store))
      assert.is_false(store.is_changed)
    end)

    it("saves without being told when it is closed", function()
      local store = assert(open())
      fill(store, 3)
      assert.is_true(store:close())
      local again <close> = assert(open())
      assert.equal(3, #again)
    end)

    it("forgets what was changed when it is closed so", function()
      local store = assert(open())
      fill(store, 3)
      assert.is_true(store:close { save = false })
      local again <close> = assert(open())
      assert.equal(0, #again)
      raises("unknown option of close", again.close, again, { sav = true })
    end)

    it("says when changes were dropped with it", function()
      local _, err = process.lua(([[
        local store = require "moonpeer".store %q
        store:create { ip = "1.2.3.4", port = 1 }
        store = nil
        collectgarbage()
      ]]):format(url))
      assert.matches("dropped with changes that were not saved", err)
    end)

    it("saves in a task, and changes go on meanwhile", function()
      local store <close> = assert(open())
      fill(store, 5000)
      moonpeer.run(function()
        local done
        local task = moonpeer.spawn(function()
          assert(store:save())
          done = true
        end)
        local n = 0
        while not done do
          n = n + 1
          store:create { ip = "99.9.9.9", port = n }
          collectgarbage "step"
          moonpeer.sleep(0)
        end
        task:wait()
        assert.is_true(n > 2)
        assert.is_true(store.is_changed)
        assert.is_true(store:save())
        assert.is_false(store.is_changed)
      end)
      local reader <close> = assert(open { read_only = true })
      assert.same(content(store), content(reader))
    end)

    it("gives every task that waits its answer", function()
      local store <close> = assert(open())
      fill(store, 100)
      moonpeer.run(function()
        local tasks = {}
        for i = 1, 10 do
          tasks[i] = moonpeer.spawn(function()
            store:create { ip = "99.9.9.9", port = i }
            local saved = { store:save() }
            assert.is_true(saved[1])
            return store.is_changed
          end)
        end
        for _, task in ipairs(tasks) do
          assert.is_false(task:wait())
        end
      end)
    end)

    it("may be closed while it is saved", function()
      local store = assert(open())
      fill(store, 1000)
      moonpeer.run(function()
        local task = moonpeer.spawn(function()
          return store:save()
        end)
        moonpeer.sleep(0)
        assert.is_true(store:close())
        assert.is_true(task:wait())
      end)
      local again <close> = assert(open())
      assert.equal(1000, #again)
    end)

    it("comes to its end when those who wait are cancelled", function()
      local store = assert(open())
      fill(store, 1000)
      moonpeer.run(function()
        do
          local task <close> = moonpeer.spawn(function()
            return store:save()
          end)
          assert.equal("ready", task.state)
          moonpeer.sleep(0)
        end -- cancels it
        moonpeer.sleep(0)
        collectgarbage()
        assert.is_true(store:save())
      end)
      assert.is_true(store:close())
    end)

    it("is not saved by a listener that cannot wait", function()
      local store <close> = assert(open())
      local good, message
      store:on("peer_created", "save", function()
        good, message = pcall(store.save, store)
      end)
      fill(store, 1)
      moonpeer.run()
      assert.is_false(good)
      assert.matches("save waits; call it inside", message)
    end)

    it("can be closed by a listener, which saves it behind its back", function()
      local store = assert(open())
      store:on("peer_created", "close", function()
        assert(store:close())
      end)
      fill(store, 1)
      moonpeer.run()
      local again <close> = assert(open())
      assert.equal(1, #again)
    end)

    it("has one writer in a process and between them", function()
      local store <close> = assert(open())
      fill(store, 1)
      assert(store:save())
      fails("store_error", "process %d+ writes it already", open())
      local out = process.lua(([[
        local moonpeer = require "moonpeer"
        print(moonpeer.store %q)
        local store <close> = assert(moonpeer.store(%q, { read_only = true }))
        print(#store)
      ]]):format(url, url))
      assert.matches("^nil.*process %d+ writes it already.*store_error\n1\n$",
        out)
    end)

    it("cannot be saved when it was opened for reading", function()
      do
        local store <close> = assert(open())
        fill(store, 1)
      end
      local store = assert(open { read_only = true })
      assert.is_truthy(store:create { ip = "1.1.1.1", port = 1 })
      fails("store_error", "for reading only", store:save())
      fails("store_error", "for reading only", moonpeer.run(store.save, store))
      assert.is_true(store:close())
    end)

    it("damaged is set aside, and the last good one used", function()
      do
        local store <close> = assert(open())
        fill(store, 50)
        assert(store:save())
        store:create { ip = "1.1.1.1", port = 1 }
      end
      local text = folder.read(file)
      local middle = #text // 2
      folder.write(file, text:sub(1, middle - 2000)
        .. ("\0"):rep(4000) .. text:sub(middle + 2000))
      local store <close> = assert(open())
      assert.is_true(#store >= 50)
      assert.matches(file:gsub("%p", "%%%0"), store.warning)
    end)

    it("that is a folder says so", function()
      assert(os.execute("mkdir " .. file))
      fails("store_error", "is a folder", open())
      fails("store_error", "is a folder", open { read_only = true })
    end)

    it("that is a pipe says so, and stays where it is", function()
      assert(os.execute("mkfifo " .. file))
      fails("store_error", "is no plain file", open())
      fails("store_error", "is no plain file", open { read_only = true })
      assert.is_true(os.execute("test -p " .. file))
    end)

    it("that could not be replaced leaves nothing beside it", function()
      local store <close> = assert(open())
      fill(store, 3)
      assert(store:save())
      assert(os.execute(("rm -f %s.good; mkdir -p %s.good/x"):format(file,
        file)))
      store:create { ip = "1.1.1.1", port = 1 }
      if kind == "json" then
        fails("store_error", "cannot rename to it", store:save())
      else -- the save stands; the copy is made later
        assert.is_true(store:save())
      end
      assert.is_nil(io.open(file .. ".new"))
      assert.is_nil(io.open(file .. ".good.new"))
      assert(os.execute(("rm -r %s.good"):format(file)))
      assert.is_true(store:save())
    end)

    it("in a folder that is none says where", function()
      fails("store_error", "/no/such/folder",
        moonpeer.store(kind .. ":/no/such/folder/x"))
    end)

    it("of an engine has what the engine learnt when that has closed",
      function()
        moonpeer.run(function()
          local engine = assert(moonpeer.engine {
            network = "regtest", store = url,
          })
          assert(engine:start())
          engine:ban("1.2.3.4", { time = "1h" })
          engine:close()
        end)
        moonpeer.run()
        local store <close> = assert(open())
        assert.equal(1, #store.bans)
      end)
  end)
end

describe("saving", function()
  it("takes a world's time in a world", function()
    local sim = require "moonpeer.sim"
    local world <close> = sim.world { seed = 1 }
    local file = path .. "/world.json"
    local saved
    world:remote("10.0.0.1:1", function()
      local store <close> = assert(moonpeer.store("json:" .. file))
      fill(store, 10)
      saved = store:save()
    end)
    world:run_for(5)
    assert.is_true(saved)
    local store <close> = assert(moonpeer.store("json:" .. file))
    assert.equal(10, #store)
  end)

  it("may be under way when its world is closed", function()
    local sim = require "moonpeer.sim"
    local file = path .. "/lost.json"
    local store
    do
      local world <close> = sim.world { seed = 1 }
      world:remote("10.0.0.1:1", function()
        store = assert(moonpeer.store("json:" .. file))
        store:on("peer_created", "x", function() end)
        fill(store, 10)
        store:save()
      end)
      world:run_until(function() return store ~= nil end, 1)
    end
    collectgarbage()
    store:close()
  end)

  it("may be under way when the state is closed", function()
    local out, err, code = process.lua(([[
      local moonpeer = require "moonpeer"
      local store = assert(moonpeer.store %q)
      for i = 1, 20000 do store:create { ip = "1.2.3.4", port = i } end
      store:on("peer_created", "x", function() end)
      store:create { ip = "1.2.3.5", port = 1 }
      moonpeer.run(function()
        moonpeer.spawn(store.save, store)
        moonpeer.sleep(0)
        moonpeer.sleep(0)
      end)
      os.exit(0, true)
    ]]):format("json:" .. path .. "/state.json"))
    assert.equal("", out)
    assert.equal("", err)
    assert.equal(0, code)
  end)

  it("of nothing is done at once", function()
    local store <close> = assert(moonpeer.store "memory:")
    store:create { ip = "1.2.3.4", port = 1 }
    assert.is_true(store:save())
    assert.is_true(moonpeer.run(store.save, store))
  end)
end)
