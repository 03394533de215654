--- `moonpeer run FILE` as a service: what a script returns or leaves open runs
--- until the last engine closes, or a signal comes.
local process = require "support.process"

local folder = os.tmpname()
os.remove(folder)

local function write(name, text)
  local file <close> = assert(io.open(folder .. "/" .. name, "w"))
  file:write(text)
end

local function read(name)
  local file <close> = assert(io.open(folder .. "/" .. name))
  return file:read "a"
end

--- Runs a script as a service; `meanwhile` are shell commands for when it
--- listens, $pid is the service, and await PATTERN waits for a line of it.
--- Returns what it printed and its exit code.
local function serve(script, meanwhile)
  write("service.lua", script)
  local out = process.run(([[
cd %s
: >log # the last service's is not taken for this one's
timeout --foreground 60 %s run --no-console service.lua >log 2>&1 &
pid=$!
await() {
  tries=0
  until grep -q "$1" log; do
    sleep 0.02
    tries=$((tries + 1))
    test $tries -lt 1500 || return 1
  done
}
await listener_started
%s
wait $pid
echo code $?
]]):format(folder, process.quote(process.executable), meanwhile or ""))
  return read "log", tonumber(out:match "code (%d+)")
end

local head = [[
local moonpeer = require "moonpeer"
local config = {
  network = "regtest", listen = "127.0.0.1:0", target_connections = 0,
  store = "json:peers.json",
}
]]

describe("moonpeer run", function()
  setup(function()
    process.executable = process.run("realpath "
      .. process.quote(process.executable)):match "[^\n]+"
    os.execute("mkdir " .. folder)
  end)

  teardown(function()
    os.execute("rm -r " .. folder)
  end)

  it("runs the configuration that a script returns, until a signal",
    function()
      for _, signal in ipairs { "INT", "TERM" } do
        local log, code = serve(head .. [[
          config.peers = { "127.0.0.1:1" }
          config.mode = "normal"
          return config]], "kill -" .. signal .. " $pid")
        assert.equal(0, code, log)
        assert.matches("127.0.0.1", read "peers.json", 1, true)
        os.remove(folder .. "/peers.json")
      end
    end)

  it("serves the engines that a script leaves open, until the last closes",
    function()
      local log, code = serve(head .. [[
        for i = 1, 2 do
          config.store = nil
          local engine = assert(moonpeer.engine(config))
          engine:on("listener_started", "spec", function()
            moonpeer.spawn(function()
              moonpeer.sleep(i / 10)
              print("closing", i)
              engine:close()
            end)
          end)
          engine:start()
        end
        print "the script is over"]])
      assert.equal(0, code, log)
      assert.matches("the script is over.*closing\t1.*closing\t2", log)
    end)

  it("ends at once when a second signal comes", function()
    -- who does not read keeps what is queued from leaving
    local guest = ([[
await listener_started
at=$(sed -n 's/.*listener_started address=//p' log)
timeout 30 %s -e "
  local moonpeer = require 'moonpeer'
  moonpeer.run(function()
    local guest = moonpeer.connect('$at', { network = 'regtest',
      receive_memory = 100000 })
    guest:handshake()
    moonpeer.sleep '1h'
  end)" &
guest=$!
await ready
]]):format(process.quote(process.executable))
    local script = head .. [[
      local engine = assert(moonpeer.engine {
        network = "regtest", listen = "127.0.0.1:0", target_connections = 0,
        send_memory = 1 << 24, shutdown_timeout = "30s",
      })
      engine:on("handshake_complete", "spec", function(event)
        local connection = event.connection
        moonpeer.spawn(function()
          for _ = 1, 220 do
            connection:send("xyzzy", ("x"):rep(1 << 16))
            moonpeer.sleep(0.001)
          end
          print "ready"
        end)
      end)
      engine:on("connection_lost", "spec", function()
        print "in order"
      end)
      engine:start()]]
    local log, code = serve(script, guest
      .. "kill -INT $pid; sleep 0.2; kill $guest")
    assert.equal(0, code, log)
    assert.matches("in order", log)
    log, code = serve(script, guest
      .. "kill -INT $pid; sleep 0.2; kill -TERM $pid; wait $pid; kill $guest")
    assert.equal(0, code, log)
    assert.not_matches("in order", log)
  end)

  it("says what is wrong with a file of JSON, and exits with 1", function()
    for text, complaint in pairs {
      [""] = "got its end after byte 0",
      ['{"network":'] = "got its end after byte 11",
      ['{"network": regtest}'] = 'got "regtest}" at byte 13',
      ["[]"] = "expected an object, {...}",
      ["7"] = "expected an object, {...}",
      ['{"netwrk": "regtest"}'] = "nearest",
    } do
      write("bad.json", text)
      local out, err, code = process.run(("%s run --no-console %s/bad.json")
        :format(process.executable, folder))
      assert.same({ "", 1 }, { out, code }, text)
      assert.matches(complaint, err, 1, true)
    end
  end)

  it("logs of each component as much as it is told to", function()
    write("log.lua", [[
      local moonpeer = require "moonpeer"
      local engine = moonpeer.engine {
        network = "regtest", listen = "127.0.0.1:0", target_connections = 0,
      }
      engine:start()
      engine:ban "192.0.2.1"
      moonpeer.spawn(function()
        moonpeer.sleep(0.01)
        engine:close()
      end)]])
    local function log(levels)
      return (select(2, process.run(("%s run --no-console %s %s/log.lua")
        :format(process.executable, levels, folder))))
    end
    assert.equal("", (log "--log error"))
    assert.matches("^%S+ warning peer: peer_banned [^\n]+\n$",
      (log "--log warning"))
    assert.matches("^%S+ info listener: listener_started [^\n]+\n$",
      (log "--log error --log net=info"))
    assert.matches("^%S+ warning peer: peer_banned [^\n]+\n$",
      (log "--log error --log peer=warning"))
  end)

  it("knows its levels and components, and names the nearest", function()
    for given, complaint in pairs {
      debgu = 'unknown level "debgu"; the nearest known is "debug"',
      ["peer=debgu"] = 'unknown level "debgu"',
      ["lstener=debug"] = 'unknown component "lstener"; the nearest known is '
        .. '"listener"',
      ["=debug"] = 'unknown component ""',
    } do
      local out, err, code = process.run(("%s run --log %s x.lua")
        :format(process.executable, given))
      assert.same({ "", 2 }, { out, code }, given)
      assert.matches(complaint, err, 1, true)
    end
  end)

  it("says what is wrong with a configuration, and exits with 1", function()
    write("bad.lua", "return { network = 'regtest', target_conections = 3 }")
    local out, err, code = process.run(("%s run --no-console %s/bad.lua")
      :format(process.executable, folder))
    assert.equal("", out)
    assert.matches("target_connections", err, 1, true)
    assert.equal(1, code)
  end)
end)
