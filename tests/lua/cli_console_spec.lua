--- moonpeer console and explain, from a shell, beside moonpeer run.
local process = require "support.process"

local quoted = process.quote(process.executable)

--- Runs a shell text while an engine runs; $socket is its console.
local function beside(options, text)
  return process.run(([[
    folder=$(mktemp -d)
    export socket=$folder/s
    console() { timeout 30 %s console "$@"; }
    timeout 60 %s run --network regtest --listen 127.0.0.1:0 \
      --console $socket %s 2>$folder/log &
    engine=$!
    for i in $(seq 1 600); do
      if [ -S $socket ]; then break; fi
      sleep 0.1
    done
    %s
    code=$?
    kill -INT $engine
    wait $engine
    rm -r $folder
    exit $code]]):format(quoted, quoted, options, text))
end

describe("moonpeer console --json", function()
  it("answers as it is ready; a cancel passes what waits", function()
    local out, err, code = beside("", [[
      (echo '{"id":{"n":1,"m":2},"eval":"moonpeer.sleep [=[1h]=]"}'
       echo '{"id":2,"cancel":{"m":2,"n":1}}'
       printf '{"id":3,"eval":"print(7) return 8"}') | console --json $socket]])
    assert.equal("", err)
    assert.matches('{"id":2,"ok":true}\n', out)
    assert.matches('{"error":"interrupted","id":{"m":2,"n":1},"ok":false}\n',
      out)
    assert.matches('{"id":3,"ok":true,"printed":"7.-","results":%[8%]}\n', out)
    assert.equal(0, code)
  end)

  it("takes any number of requests at once", function()
    local out, err, code = beside("", [[
      for i in $(seq 1 300); do
        echo "{\"id\":$i,\"eval\":\"$i\"}"
      done | console --json $socket | tail -n 1]])
    assert.equal("", err)
    assert.equal('{"id":300,"ok":true,"results":[300]}\n', out)
    assert.equal(0, code)
  end)

  it("takes long lines in their time, and none of over a mebibyte", function()
    local out, err, code = beside("", [[
      long() { head -c $1 /dev/zero | tr '\0' x; }
      (printf '{"id":1,"eval":"'; long 500000; printf '"}') |
        console --json $socket
      (long 3000000; echo) | console --json $socket]])
    assert.equal('{"id":1,"ok":true,"results":[null]}\n{"error":"expected a '
      .. 'line of at most 1 MiB, got more","ok":false}\n', out)
    assert.matches("the other side has ended", err)
    assert.equal(1, code)
  end)

  it("takes answers that are longer than a request may be", function()
    local out, err, code = beside("", [[
      echo '{"id":1,"eval":"local s = string.rep([=[\1]=], 900000) return s"}' |
        console --json $socket | wc -c
      for n in 7 8; do
        echo '{"id":1,"eval":"local s = string.rep([=[x]=], 1 << 20)' \
          "local t = {} for i = 1, $n do t[i] = s end" \
          'return table.unpack(t)"}' |
          console --json $socket | grep -c '"cut":true'
      done
      console $socket -e 'print(("\1"):rep(200000)) return 7' | tail -n 1]])
    assert.equal("5400034\n0\n1\n7\n", out)
    assert.equal("", err)
    assert.equal(0, code)
  end)

  it("ends when nobody reads the answers", function()
    local out, err = beside("", [[
      yes '{"id":1,"eval":"1"}' | console --json $socket | head -n 1
      true]])
    assert.equal('{"id":1,"ok":true,"results":[1]}\n', out)
    assert.matches("^moonpeer: cannot write the results", err)
  end)

  it("says so when the engine ends meanwhile", function()
    local _, err, code = beside("", [[
      mkfifo $folder/fifo
      exec 3<>$folder/fifo
      echo '{"id":1,"eval":"1"}' >&3
      (until [ -s $folder/out ]; do sleep 0.05; done # it is attached
       kill -KILL $(pgrep -P $engine)) >/dev/null 2>&1 &
      console --json $socket <&3 >$folder/out]])
    assert.matches("the other side has ended", err)
    assert.equal(1, code)
  end)
end)

describe("moonpeer console", function()
  it("evaluates once, and its exit code tells how that went", function()
    local out, err, code = beside("--read-only", [[
      console $socket -e '1 + 1'
      console $socket -e 'error "boom"'; echo $?
      console $socket -e 'engine:ban "192.0.2.1"' 2>/dev/null; echo $?
      echo 'return engine:network().name' | console $socket]])
    assert.equal('2\n1\n1\n"regtest"\n', out)
    assert.matches("boom", err)
    assert.equal(0, code)
  end)

  it("takes text only, and shows the beginning of much", function()
    local out, err, code = beside("", [[
      console $socket -e 'string.rep("x", 1 << 20)' | cut -c 1-9
      head -c 3000000 /dev/zero | console $socket; echo $?
      printf '"\377"' | console $socket]])
    assert.equal('"xxxxxxxx\n1\n', out)
    assert.equal("moonpeer console: expected less than 1 MiB of code, got "
      .. "3000000 bytes\nmoonpeer console: expected code in UTF-8, got the "
      .. "byte 255 at byte 2\n", err)
    assert.equal(1, code)
  end)

  it("is told once that there can be no socket", function()
    local _, err, code = process.run("exec timeout 60 " .. quoted
      .. " run --network regtest --console /dev/null/x.sock")
    assert.matches("^moonpeer: cannot listen at /dev/null/x.sock[^\n]*\n$", err)
    assert.equal(1, code)
  end)

  it("explains from a shell", function()
    local explain = quoted .. " explain --console $socket"
    local out, err, code = beside("", ([[
      console $socket -e 'peer = moonpeer.connect(engine:address(),
        { network = "regtest" }) peer:handshake()'
      E 127.0.0.1
      E --json 127.0.0.1 | cut -c 1-2
      E --json 192.0.2.1]]):gsub("E ", explain .. " "))
    assert.matches("Z  accept 127.0.0.1:%d+: true by policy inbound\n", out)
    assert.matches("Z  validate 127.0.0.1:%d+: ok by policy handshake\n", out)
    assert.matches("\n%[{\n%[%]\n$", out)
    assert.matches("nothing was decided lately about 192.0.2.1", err)
    assert.equal(1, code)
  end)
end)

describe("the log of moonpeer run --json", function()
  it("is lines of JSON, whatever fails", function()
    local out, _, code = beside("--json", [[
      console $socket -e 'engine:on("peer_banned", "x", error)
        engine:try { accept = function() return false end }
        peer = moonpeer.connect(engine:address(), { network = "regtest" })
        moonpeer.spawn(error, "one\ntwo")
        engine:ban "192.0.2.1" moonpeer.sleep(0.1)' >/dev/null
      grep -c '"error":"one","level":"error","message":"a task' $folder/log
      grep -c policy_failed $folder/log
      grep -c 'shadow.*differs in accept' $folder/log
      grep -v '^{.*}$' $folder/log
      true]])
    assert.equal("1\n1\n1\n", out)
    assert.equal(0, code)
  end)
end)
