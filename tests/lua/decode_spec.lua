--- The commands decode and encode.
local json = require "support.json"
local vectors = require "support.vectors"

local executable = os.getenv "MOONPEER" or "build/dev/moonpeer"

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- What a shell command printed, what it complained about, its exit code; $M
--- is the executable.
local function run(command, input)
  local names = { os.tmpname(), os.tmpname(), os.tmpname() }
  local file = assert(io.open(names[1], "wb"))
  assert(file:write(input or ""))
  file:close()
  local _, _, code = os.execute(("M=%s; { %s\n} <%s >%s 2>%s"):format(
    quote(executable), command, table.unpack(names)))
  local results = {}
  for i = 2, 3 do
    local out <close> = assert(io.open(names[i], "rb"))
    results[#results + 1] = out:read "a"
  end
  for _, name in ipairs(names) do
    os.remove(name)
  end
  return results[1], results[2], code
end

local function lines(text)
  local list = {}
  for line in text:gmatch "([^\n]*)\n" do
    list[#list + 1] = line
  end
  return list
end

local function rows(text)
  local list = lines(text)
  for i, line in ipairs(list) do
    list[i] = json.read(line)
  end
  return list
end

--- The vectors of each network, in order.
local function by_network(is_good)
  local networks = {}
  for _, vector in ipairs(vectors.messages()) do
    if vectors.is_good(vector) == is_good then
      local name = vectors.network(vector)
      networks[name] = networks[name] or {}
      table.insert(networks[name], vector)
    end
  end
  return networks
end

local function frames(list)
  local hex = {}
  for i, vector in ipairs(list) do
    hex[i] = vector.frame_hex .. "\n"
  end
  return table.concat(hex)
end

local function check(list, out)
  local got = rows(out)
  assert.equal(#list, #got)
  for i, vector in ipairs(list) do
    assert.equal(vector.command, got[i].command)
    assert.equal(#vector.payload_hex // 2, got[i].payload_length)
    local same, place = vectors.compare(vector.fields, got[i].fields, "")
    assert.is_true(same, vector.name .. place)
  end
end

describe("moonpeer decode --json", function()
  it("gives the fields of every vector, a frame a line", function()
    for network, list in pairs(by_network(true)) do
      local out, err, code =
        run("$M decode --json --network " .. network, frames(list))
      assert.same({ "", 0 }, { err, code })
      check(list, out)
    end
  end)

  it("gives the same for the bytes themselves", function()
    for network, list in pairs(by_network(true)) do
      local out, _, code = run("$M decode - --json --network " .. network,
        vectors.bytes((frames(list):gsub("\n", ""))))
      assert.equal(0, code)
      check(list, out)
    end
  end)

  it("says what is wrong with a bad one, and goes on", function()
    for network, list in pairs(by_network(false)) do
      local ping = vectors.messages()[11]
      assert.equal("ping", ping.command)
      local out, _, code = run("$M decode --json --network " .. network,
        frames(list) .. frames(by_network(true)[network]))
      local got = rows(out)
      assert.equal(1, code)
      for i in ipairs(list) do
        assert.equal("protocol_error", got[i].error)
        assert.equal("string", type(got[i].message))
        assert.equal("integer", math.type(got[i].offset))
      end
      assert.equal(#list + #by_network(true)[network], #got)
    end
  end)

  it("names each way to be broken", function()
    local codes = {}
    for _, vector in ipairs(vectors.broken()) do
      local out, _, code = run("$M decode --json", vector.frame_hex)
      local row = rows(out)[1]
      codes[vector.name] = row.error or "good"
      assert.equal(row.error and 1 or 0, code)
    end
    assert.same({
      neg_bad_checksum = "checksum_error",
      neg_bad_magic_btc_to_bsv = "network_mismatch",
      neg_command_empty = "good",
      neg_command_not_nul_padded = "protocol_error",
      neg_oversize_header_ping_2MiB_plus_1 = "oversize_message",
      neg_unknown_command = "good",
    }, codes)
  end)

  it("says where, also when a frame is cut off or is no hex", function()
    local frame = by_network(true).mainnet[1].frame_hex
    local out, _, code = run("$M decode --json", table.concat({
      frame:sub(1, 20), "xyz", frame .. frame, "", frame:upper(),
      "c" .. frame,
    }, "\r\n"))
    local got = rows(out)
    assert.equal(1, code)
    assert.same({ "protocol_error", 10 }, { got[1].error, got[1].offset })
    assert.same({ "protocol_error", 0 }, { got[2].error, got[2].offset })
    assert.same({ "verack", "verack", "verack" },
      { got[3].command, got[4].command, got[5].command })
    assert.equal("protocol_error", got[6].error)
    assert.equal(6, #got)
  end)

  it("finds the next frame in a stream after garbage", function()
    local good = vectors.bytes(by_network(true).mainnet[1].frame_hex)
    local broken = vectors.bytes(vectors.broken()[1].frame_hex)
    local out, _, code = run("$M decode --json", good .. ("\0\255"):rep(50000)
      .. good .. broken .. good .. good:sub(1, 9))
    local got = rows(out)
    assert.equal(1, code)
    assert.same({ "verack", "verack", "verack" },
      { got[1].command, got[3].command, got[5].command })
    assert.same({ "network_mismatch", 24 }, { got[2].error, got[2].offset })
    assert.same({ "checksum_error", 24 + 100000 + 24 + 20 },
      { got[4].error, got[4].offset })
    assert.equal("protocol_error", got[6].error)
    assert.equal(6, #got)
  end)

  it("does not wait for, or hold, what a header claims", function()
    local header = "e3e1f3e8" .. ("6578746d7367"):upper() .. ("00"):rep(6)
      .. "ffffffff00000000" .. "626c6f636b" .. ("00"):rep(7)
      .. "00000000" .. "02000000"
    local out, _, code = run("$M decode --json",
      vectors.bytes(header) .. ("x"):rep(1000))
    local got = rows(out)
    assert.same({ 1, 1, "protocol_error" }, { code, #got, got[1].error })
    assert.matches("expected 8589934636 bytes, got 1044", got[1].message)
  end)

  it("reads every capture", function()
    for _, name in ipairs(vectors.captures) do
      local hex, count = {}, 0
      for _, row in ipairs(vectors.capture(name)) do
        if row.sender == "node" then
          hex[#hex + 1] = row.frame .. "\n"
        end
      end
      local out, _, code = run("$M decode --json --network regtest",
        table.concat(hex))
      assert.equal(0, code)
      for _, row in ipairs(rows(out)) do
        assert.is_truthy(row.command)
        count = count + 1
      end
      assert.is_true(count >= #hex)
    end
  end)

  it("escapes what a remote may not say to a parser", function()
    local out = run("$M encode reject message=x code=1 --binary"
      .. " reason=\"$(printf 'a\"\\\\\\033\\377\\303\\244')\""
      .. " | $M decode --json")
    assert.equal('a"\\\27\u{ff}ä', rows(out)[1].fields.reason)
  end)
end)

describe("moonpeer decode", function()
  it("is for people without --json", function()
    local out, _, code = run("$M encode version timestamp=5 user_agent=/x/"
      .. " | $M decode")
    assert.equal(0, code)
    assert.matches("^version, %d+ bytes\n", out)
    assert.matches('\n  user_agent: "/x/"\n', out)
    assert.matches("\n    port: 0\n", out)
    out, _, code = run("$M decode", "00")
    assert.equal(1, code)
    assert.matches("protocol_error at byte 1: ", out)
  end)

  it("reads a file, and says when it cannot", function()
    local name = os.tmpname()
    assert.equal(0, (select(3, run("$M encode verack >" .. name
      .. " && $M decode " .. name))))
    os.remove(name)
    local _, err, code = run("$M decode " .. name)
    assert.equal(2, code)
    assert.matches("^moonpeer decode: .*" .. name, err)
    _, err, code = run "$M decode /"
    assert.same({ "moonpeer decode: /: Is a directory\n", 2 }, { err, code })
  end)

  it("refuses misuse with 2", function()
    for _, words in ipairs { "--network nonsense", "--nonsense", "a b" } do
      local out, err, code = run("$M decode " .. words)
      assert.same({ "", 2 }, { out, code })
      assert.matches("moonpeer decode", err)
    end
  end)

  it("prints a frame when it has come, not when the next has", function()
    local name = os.tmpname()
    os.remove(name)
    assert(os.execute("mkfifo " .. name))
    local frame = by_network(true).mainnet[1].frame_hex
    for _, is_binary in ipairs { false, true } do
      local out = assert(io.popen(("%s decode --json %s"):format(
        quote(executable), name)))
      local input = assert(io.open(name, "wb"))
      for _ = 1, 3 do
        assert(input:write(is_binary and vectors.bytes(frame)
          or frame .. "\n"))
        input:flush()
        assert.equal("verack", json.read(out:read "l").command)
      end
      input:close()
      assert.is_true(out:close())
    end
    os.remove(name)
  end)

  it("says nothing about nothing", function()
    assert.same({ "", "", 0 }, { run "$M decode --json" })
  end)
end)

describe("moonpeer encode", function()
  it("makes what decode reads", function()
    for _, words in ipairs {
      "ping nonce=0x0123456789abcdef",
      "reject message=tx code=0x10 reason=no hash=" .. ("ab"):rep(32),
      "filteradd data=010203",
      "version timestamp=1 services=33 relay=false user_agent=/a:1/",
      "feefilter feerate_sat_per_kb=-5",
      "getaddr",
    } do
      local hex, err, code = run("$M encode " .. words)
      assert.same({ "", 0 }, { err, code })
      assert.matches("^%x+\n$", hex)
      local out, _, decoded = run("$M decode --json", hex)
      assert.equal(0, decoded)
      assert.equal(words:match "^%l+", rows(out)[1].command)
    end
  end)

  it("makes what is not built in, and doubts that it was meant", function()
    for words, doubt in pairs {
      ["huh --payload 0011"] = '"huh" is no built-in message',
      ["pnig"] = '"pnig" is no built-in message; the nearest is "ping"',
    } do
      local hex, err, code = run("$M encode " .. words)
      assert.same({ "moonpeer encode: " .. doubt .. "\n", 0 }, { err, code })
      local out = run("$M decode --json", hex)
      assert.equal(words:match "^%l+", rows(out)[1].command)
    end
  end)

  it("makes a vector from its fields", function()
    assert.equal("e3e1f3e870696e6700000000000000000800000033bc15e5"
      .. "efcdab8967452301\n",
      (run "$M encode ping nonce=0x0123456789abcdef"))
    assert.equal("dab5bffa76657261636b000000000000000000005df6e0e2\n",
      (run "$M encode verack --network regtest"))
  end)

  it("takes what decode prints, null for what is absent", function()
    local keys, seen = { hdrsen = "headers", inv = "items" }, 0
    for _, vector in ipairs(by_network(true).mainnet) do
      local key = keys[vector.command]
      if key then
        local out = run("$M decode --json", vector.frame_hex)
        local list = out:match('"' .. key .. '": (%[.*%])}}\n$')
        local hex, err = run(("$M encode %s %s=%s"):format(vector.command,
          key, quote(list)))
        assert.same({ vector.frame_hex .. "\n", "" }, { hex, err })
        seen = seen + 1
      end
    end
    assert.is_true(seen >= 4)
  end)

  it("prints an object, or the bytes", function()
    local row = rows((run "$M encode ping nonce=1 --json"))[1]
    assert.same({ "ping", 8, 64 },
      { row.command, row.payload_length, #row.frame })
    local bytes = run "$M encode ping nonce=1 --binary"
    assert.equal(vectors.bytes(row.frame), bytes)
  end)

  it("refuses misuse with 2 and words", function()
    for words, complaint in pairs {
      ["pong"] = "nonce: expected an integer",
      ["ping nonce"] = "expected key=value",
      ["ping nonce=x"] = "expected a number such as",
      ["ping nonsense=1"] = "no such field",
      ["ping nonc=1"] = "no such field; the nearest is nonce",
      ["ping nonce=1 nonce=1"] = "nonce: given twice",
      ["huh a=1"] = "payload",
      ["toolongacommand --payload 00"] = '12 printable.*"toolongacommand"\n$',
      ["ping --payload 0"] = "hex digits",
      ["ping nonce=1 --payload 00"] = "got both",
      ["ping --network nonsense"] = "unknown network",
      [""] = "argument",
    } do
      local out, err, code = run("$M encode " .. words)
      assert.same({ "", 2 }, { out, code }, words)
      assert.matches(complaint, err)
    end
  end)
end)
