--- `moonpeer run` on a terminal: a line at the bottom lives, what is logged
--- stands above it; and what becomes of the engine when the terminal goes.
local terminal = require "support.terminal"

describe("moonpeer run on a terminal", function()
  local folder, t

  local function exists(name)
    local file = io.open(folder .. "/" .. name)
    return file and file:close()
  end

  before_each(function()
    folder = os.tmpname()
    assert(os.remove(folder))
    assert(os.execute("mkdir " .. folder))
    t = terminal.start({ "run", "--network", "regtest", "--listen",
      "127.0.0.1:0", "--store", "json:" .. folder .. "/peers.json",
      "--console", folder .. "/run.sock" }, { columns = 200 })
    t:expect "listener_started"
    t:expect "regtest: 0 connected"
  end)

  after_each(function()
    t.pty:kill(9)
    t.pty:wait(5)
    assert(os.execute("rm -r " .. folder))
  end)

  local function evaluate(code)
    assert(os.execute(("%s console %s/run.sock -e %q >/dev/null"):format(
      terminal.executable, folder, code)))
  end

  it("takes the line away, not what is logged above it", function()
    evaluate "engine:ban '198.51.100.7'"
    t:expect "peer_banned address=198.51.100.7 prefix=198.51.100.7\n"
    t:expect "regtest: 0 connected"
    assert.matches("\r\27%[K[^\r\n]*peer_banned[^\r\n]*\r\n", t.bytes)
  end)

  it("a terminal that is closed ends it in order", function()
    evaluate "engine:ban '198.51.100.7'"
    t.pty:hang_up()
    assert.equal(0, t:code())
    assert.is_nil(exists "run.sock")
    assert.is_truthy(exists "peers.json")
  end)
end)
