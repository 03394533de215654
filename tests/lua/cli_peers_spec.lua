--- `moonpeer peers`: a store's peers on the command line.
local core = require "moonpeer.core"
local folder = require "support.folder"
local moonpeer = require "moonpeer"
local process = require "support.process"
local store_command = require "support.store_command"

local path, file

setup(function()
  path = folder.make()
end)

teardown(function()
  folder.remove(path)
end)

local peers, says, fails = store_command.of("peers", function()
  return file
end)

local function rows(out)
  local list = {}
  for line in out:gmatch "[^\n]+" do
    list[#list + 1] = assert(core.json_decode(line))
  end
  return list
end

for suffix, kind in pairs { json = "json", db = "sqlite" } do
  describe("moonpeer peers on a " .. kind .. " file", function()
    before_each(function()
      file = os.tmpname():gsub("^.*/", path .. "/") .. "." .. suffix
    end)

    it("reads the good copy when the file is gone", function()
      says("^1 added\n$", "add 1.2.3.4:8333")
      assert(os.rename(file, file .. ".good"))
      local out, err, code = peers "list"
      assert.equal(0, code)
      assert.matches("1.2.3.4:8333", out)
      assert.matches("is missing; used the last good copy", err)
      assert.is_nil(io.open(file))
    end)

    it("says what it did when that is saved, and leaves no rest", function()
      local mine = ("%s peers %s add 1.2.3.4:1"):format(
        process.quote(process.executable), process.quote(file))
      local out, err, code = process.run(
        "{ trap '' XFSZ; ulimit -f 0; " .. mine .. "; } 2>&1 | cat")
      assert.matches("^moonpeer peers: ", out)
      assert.not_matches("added", out)
      assert.equal("", err)
      assert.equal(0, code) -- of cat
      assert.is_nil(io.open(file))
      assert.is_nil(io.open(file .. ".new"))
      assert.is_nil(io.open(file .. ".new-journal"))
    end)

    it("adds, lists, shows and removes", function()
      says("^2 added\n$", "add 1.2.3.4:8333 '[2001:db8::1]:18333'")
      local out = says("1.2.3.4:8333 +unknown", "")
      assert.matches("%[2001:db8::1%]:18333 +unknown", out)
      local id = says("address +1.2.3.4:8333\n", "show 1.2.3.4:8333")
        :match "id +(%S+)"
      says("id +" .. id:gsub("%-", "%%-"), "show " .. id)
      says("^1 removed\n$", "remove " .. id)
      says("^1 removed\n$", "remove '[2001:db8::1]:18333'")
      says("^$", "list")
    end)

    it("takes a port for addresses without one", function()
      says("3 added", "add --port 8333 1.2.3.4 2001:db8::1 5.6.7.8:1")
      local out = says("1.2.3.4:8333", "")
      assert.matches("%[2001:db8::1%]:8333", out)
      assert.matches("5.6.7.8:1 ", out)
      fails(1, "1.1.1.1: .*port", "add 1.1.1.1")
      fails(2, "expected a port", "add --port 99999 1.1.1.1")
    end)

    it("adds all or nothing", function()
      fails(1, "1.2.3.4:1: there is a peer at", "add 1.2.3.4:1 1.2.3.4:1")
      fails(1, "nonsense", "add 1.2.3.5:1 nonsense")
      fails(1, "no such file", "list")
    end)

    it("shows what the store has, as its program sees it", function()
      do
        local url = kind .. ":" .. file
        local store <close> = assert(moonpeer.store(url))
        store:create {
          ip = "1.2.3.4", port = 1, status = "valid", services = 0x25,
          user_agent = "/x\27[31m%/", data = { score = 5 },
          last_seen = 1700000000, rtt = 0.025, source = "dns",
        }
        store:create { ip = "9.9.9.9", port = 1 }
      end
      local out = says("1.2.3.4:1", "show 1.2.3.4:1")
      assert.matches("services +0x25", out)
      assert.matches("user_agent +/x\\x1b%[31m%%/", out)
      assert.matches("last_seen +2023%-11%-14 22:13:20", out)
      assert.matches('data +{"score":5}', out)
      assert.matches("rtt +0.025 s", out)
      assert.matches("2023%-11%-14 22:13:20.*\\x1b", (says("valid", "")))
    end)

    it("filters", function()
      do
        local store <close> = assert(moonpeer.store(kind .. ":" .. file))
        store:create { ip = "1.2.3.4", port = 1, status = "valid" }
        store:create { ip = "1.2.9.9", port = 1, status = "inaccessible" }
        store:create { ip = "9.9.9.9", port = 1, source = "dns",
          first_seen = os.time() - 100000 }
      end
      local function count(words)
        return #rows(says("", "list --json " .. words))
      end
      assert.equal(3, count "")
      assert.equal(1, count "--status valid")
      assert.equal(2, count "--status valid --status inaccessible")
      assert.equal(2, count "--group 1.2.0.0")
      assert.equal(1, count "--source dns")
      assert.equal(1, count "--older 1d")
      assert.equal(2, count "--newer 3600")
      assert.same({ unknown = 1, valid = 1, inaccessible = 1, banned = 0 },
        rows(says("", "list --count --json"))[1])
      says("valid +1\n", "list --count")
      fails(1, "expected an address", "list --group nonsense")
      fails(2, "must be one of", "list --status vald")
      fails(2, "expected seconds, a duration", "list --older soon")
    end)

    it("exports what another store imports", function()
      says("2 added", "add 1.2.3.4:1 5.6.7.8:2")
      do
        local store <close> = assert(moonpeer.store(kind .. ":" .. file))
        store:update(store:find_by_ip_port "1.2.3.4:1", {
          user_agent = "/%41 \xff\n/", services = math.mininteger,
          data = { deep = { { 1 } } }, status = "valid", rtt = 0.25,
        })
      end
      local before = says("", "export -")
      local list = path .. "/list.jsonl"
      says("^$", "export " .. list)
      assert.equal(before, folder.read(list))
      says("1.2.3.4:1\n", "export --plain")
      file = file .. "2." .. suffix
      says("^2 added\n$", "import " .. list)
      says("^0 added, 2 were there already\n$", "import " .. list)
      local store <close> = assert(moonpeer.store(kind .. ":" .. file))
      local peer = assert(store:find_by_ip_port "1.2.3.4:1")
      assert.equal("/%41 \xff\n/", peer.user_agent)
      assert.equal(math.mininteger, peer.services)
      assert.same({ deep = { { 1 } } }, peer.data)
      assert.equal(rows(before)[1].id, peer.id)
    end)

    it("imports addresses, and names the line that is wrong", function()
      says("2 added", "import - --port 8333",
        "# a list\n1.2.3.4 # with words\n\n2001:db8::1\n")
      fails(1, "%-, line 2: .*nonsense", "import -", "1.1.1.1:1\nnonsense")
      fails(1, "%-, line 1: unknown field of a peer \"colour\"", "import -",
        '{"address":"1.1.1.1:1","colour":1}')
      fails(1, "%-, line 1: expected JSON", "import -", "{nonsense")
      fails(1, "%-, line 1: status: expected a name", "import -",
        '{"address":"1.1.1.1:1","status":5}')
      fails(1, "/no/such/file", "import /no/such/file")
      assert.equal(2, #rows(says("", "--json")))
    end)

    it("reads beside a writer, who is named to another", function()
      says("1 added", "add 1.2.3.4:1")
      local store <close> = assert(moonpeer.store(kind .. ":" .. file))
      says("1.2.3.4:1", "")
      fails(1, "process %d+ writes it already", "add 1.2.3.5:1")
      assert.equal(1, #store)
    end)

    it("says in JSON what it did", function()
      assert.same({ added = 1 }, rows(says("", "add 1.2.3.4:1 --json"))[1])
      assert.same({ removed = 1 },
        rows(says("", "--json remove 1.2.3.4:1"))[1])
      assert.same({ added = 1, left = 0 },
        rows(says("", "import - --json", "1.1.1.1:1"))[1])
    end)
  end)
end

describe("moonpeer peers", function()
  before_each(function()
    file = path .. "/none.json"
  end)

  it("does not make a store by looking", function()
    fails(1, "none.json: no such file", "")
    fails(1, "none.json: no such file", "show 1.2.3.4:1")
    assert.is_nil(io.open(file))
  end)

  it("says what is no store", function()
    folder.write(file, "nonsense")
    local _, err = peers ""
    assert.matches("none.json", err)
    os.remove(file)
    file = "what:ever"
    fails(1, "expected memory:, json:FILE or sqlite:FILE", "")
  end)

  it("does not remove who is not there", function()
    says("added", "add 1.2.3.4:1")
    fails(1, "no peer is at 1.2.3.5:1", "remove 1.2.3.4:1 1.2.3.5:1")
    fails(1, "a UUID", "remove 0-0-")
    says("1.2.3.4:1", "")
    os.remove(file)
  end)

  it("helps, and tells misuse", function()
    says("Usage: moonpeer peers.*export", "--help")
    says("Usage: moonpeer peers <store> list.*%-%-older", "list --help")
    fails(2, "Did you mean 'list'", "lst")
    fails(2, "unknown option", "list --nonsense")
    fails(2, "argument", "add")
  end)
end)
