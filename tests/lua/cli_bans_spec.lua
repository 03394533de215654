--- `moonpeer bans`: a store's bans on the command line.
local core = require "moonpeer.core"
local folder = require "support.folder"
local moonpeer = require "moonpeer"
local store_command = require "support.store_command"

local path, file

setup(function()
  path = folder.make()
end)

teardown(function()
  folder.remove(path)
end)

before_each(function()
  file = os.tmpname():gsub("^.*/", path .. "/") .. ".json"
end)

local _, says, fails = store_command.of("bans", function()
  return file
end)

describe("moonpeer bans", function()
  it("adds, lists, shows and removes", function()
    says("^2 added\n$", "add 1.2.0.0/16 2001:db8::1 --time 2d --note 'a b'")
    says("1.2.0.0/16 +manual +[%d-]+ [%d:]+ +manual: a b\n", "")
    says("^1.2.0.0/16", "show 1.2.3.4")
    says("^1.2.0.0/16", "show 1.2.0.0/16")
    fails(1, "1.3.3.4 is not banned", "show 1.3.3.4")
    says("^1 removed\n$", "remove 1.2.0.0/16")
    fails(1, "1.2.0.0/16 is not banned", "remove 1.2.0.0/16")
    says("^2001:db8::1 [^\n]*\n$", "list")
  end)

  it("lasts a day, or as long as is said", function()
    says("added", "add 1.1.1.1")
    says("added", "add 1.1.1.2 --time forever --reason misbehaviour")
    local store <close> = assert(moonpeer.store("json:" .. file,
      { read_only = true }))
    local ban = store.bans:get "1.1.1.1"
    assert.equal(86400, ban.expires - ban.created)
    assert.equal(math.huge, store.bans:get("1.1.1.2").expires)
    says("for ever", "show 1.1.1.2")
    says("^1.1.1.2 [^\n]*\n$", "list --reason misbehaviour")
    says("^$", "list --origin nobody")
    local row = core.json_decode(says("", "show 1.1.1.2 --json"))
    assert.equal("1.1.1.2", row.prefix)
    assert.is_nil(row.expires)
  end)

  it("adds all or nothing", function()
    fails(1, "expected", "add 1.1.1.1 1.1.1.1/33")
    fails(2, "expected seconds, a duration", "add 1.1.1.1 --time soon")
    fails(2, "must be one of", "add 1.1.1.1 --reason nope")
    fails(1, "no such file", "list")
  end)

  it("reaches the peers of the store", function()
    do
      local store <close> = assert(moonpeer.store("json:" .. file))
      store:create { ip = "1.2.3.4", port = 1 }
    end
    says("added", "add 1.2.0.0/16")
    local store <close> = assert(moonpeer.store("json:" .. file,
      { read_only = true }))
    assert.is_true(store:find_by_ip_port("1.2.3.4:1"):is_banned())
  end)

  it("exports what another store imports, both forms", function()
    says("added", "add 1.2.0.0/16 2001:db8::/32 --time 3d")
    local json, plain = path .. "/banlist.json", path .. "/bans.txt"
    says("^$", "export " .. json)
    says("^$", "export --format plain " .. plain)
    assert.matches('"banned_nets"', folder.read(json))
    assert.matches("1.2.0.0/16\n", folder.read(plain))
    for i, list in ipairs { json, plain } do
      file = ("%s/copy%d.db"):format(path, i)
      says("^2 added\n$", "import " .. list)
      says("2001:db8::/32", "")
    end
  end)

  it("imports lists of others, and names the line that is wrong", function()
    says("1 added, 1 had expired", "import -", [[{"banned_nets":[
      {"version":1,"ban_created":1,"banned_until":2,
       "address":"1.1.1.1/32"},
      {"version":1,"ban_created":1,"banned_until":9000000000,
       "address":"1.1.1.2/32"}]}]])
    assert.same({ added = 1, expired = 0 },
      core.json_decode(says("", "import --json -", "# mine\n5.5.5.5")))
    fails(1, "%-.*2.*nonsense", "import -", "7.7.7.7\nnonsense")
    fails(1, "/no/such/file", "import /no/such/file")
    local out = says("1.1.1.2", "")
    assert.is_nil(out:find("7.7.7.7", 1, true))
  end)

  it("reads beside a writer, who is named to another", function()
    says("added", "add 1.1.1.1")
    local store <close> = assert(moonpeer.store("json:" .. file))
    says("1.1.1.1", "")
    fails(1, "process %d+ writes it already", "add 1.1.1.2")
    assert.equal(1, #store.bans)
  end)

  it("helps, and tells misuse", function()
    says("Usage: moonpeer bans.*import", "--help")
    says("Usage: moonpeer bans <store> add.*%-%-time", "add --help")
    fails(2, "unknown option", "--nonsense")
    fails(2, "argument", "add")
  end)
end)
