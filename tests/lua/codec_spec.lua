--- Frames and messages without an engine.
local moonpeer = require "moonpeer"
local json = require "support.json"
local vectors = require "support.vectors"

local encode, decode = moonpeer.message.encode, moonpeer.message.decode

local function options(vector)
  return { network = vectors.network(vector) }
end

--- Truncations of large payloads are left to the tests in C.
local function step(size)
  return math.max(1, size // 200)
end

describe("message.decode", function()
  for _, vector in ipairs(vectors.messages()) do
    if vectors.is_good(vector) then
      it("reads the vector " .. vector.name, function()
        local frame = vectors.bytes(vector.frame_hex)
        local message, next = assert(decode(frame, options(vector)))
        assert.equal(vector.command, message.command)
        assert.equal(#frame + 1, next)
        assert.equal(vectors.bytes(vector.payload_hex), message:raw())
        local shown = json.read(message:json())
        assert.equal(vector.command, shown.command)
        assert.equal(message.size, shown.payload_length)
        local same, place = vectors.compare(vector.fields, shown.fields, "")
        assert.is_true(same, place)
      end)

      it("waits for the rest of " .. vector.name, function()
        local frame = vectors.bytes(vector.frame_hex)
        for n = 0, #frame - 1, step(#frame) do
          local message, words, code, missing =
            decode(frame:sub(1, n), options(vector))
          assert.is_nil(message)
          assert.equal("would_block", code)
          assert.matches("expected %d+ bytes, got " .. n, words)
          assert.is_true(missing >= 1 and n + missing <= #frame)
        end
      end)
    else
      it("says what is wrong with the vector " .. vector.name, function()
        local frame = vectors.bytes(vector.frame_hex)
        local message, words, code, next, place =
          decode(frame, options(vector))
        assert.is_nil(message)
        assert.equal("protocol_error", code)
        assert.matches("^" .. vector.command .. ": ", words)
        assert.equal(#frame + 1, next)
        assert.is_true(place >= 25 and place <= #frame + 1)
      end)
    end
  end

  it("says of broken frames what is wrong, and where they end", function()
    local wanted = {
      neg_bad_checksum = { "checksum_error", 33, 21 },
      neg_bad_magic_btc_to_bsv = { "network_mismatch", nil, 1 },
      neg_command_not_nul_padded = { "protocol_error", 33, 5 },
      neg_oversize_header_ping_2MiB_plus_1 = { "oversize_message", nil, 17 },
    }
    local seen = 0
    for _, vector in ipairs(vectors.broken()) do
      local want = wanted[vector.name]
      local message, words, code, next, place =
        decode(vectors.bytes(vector.frame_hex), options(vector))
      if want then
        assert.is_nil(message)
        assert.same(want, { code, next, place })
        assert.matches("%a", words)
        seen = seen + 1
      else
        assert.is_truthy(message, vector.name)
      end
    end
    assert.equal(4, seen)
  end)

  it("reads every captured frame", function()
    local frames = 0
    for _, name in ipairs(vectors.captures) do
      for _, row in ipairs(vectors.capture(name)) do
        local bytes, position = vectors.bytes(row.frame), 1
        while row.sender == "node" and position <= #bytes do
          local message, next =
            assert(decode(bytes, { network = "regtest", position = position }))
          assert.equal(bytes:sub(position, next - 1),
            assert(encode(message.command, message:raw(),
              { network = "regtest" })))
          json.read(message:json())
          position = next
          frames = frames + 1
        end
      end
    end
    assert.equal(68, frames)
  end)

  it("goes from frame to frame", function()
    local bytes = encode("ping", { nonce = 1 }) .. encode("pong", { nonce = 2 })
    local ping, next = decode(bytes)
    local pong, last = decode(bytes, { position = next })
    assert.same({ 1, 2, #bytes + 1 }, { ping.nonce, pong.nonce, last })
    assert.equal("would_block", select(3, decode(bytes, { position = last })))
    assert.equal("would_block", select(3, decode(bytes, { position = 1000 })))
  end)

  it("reads the long header", function()
    local payload = ("\1"):rep(8)
    local frame = "\xe3\xe1\xf3\xe8" .. "extmsg" .. ("\0"):rep(6)
      .. "\xff\xff\xff\xff" .. "\0\0\0\0" .. "ping" .. ("\0"):rep(8)
      .. ("<I8"):pack(8) .. payload
    local ping, next = assert(decode(frame))
    assert.same({ "ping", 53 }, { ping.command, next })
    assert.equal(0x0101010101010101, ping.nonce)
    assert.equal("would_block", select(3, decode(frame:sub(1, 30))))
  end)

  it("knows custom networks and their limits", function()
    local network = {
      name = "mine", magic = "ABCD", port = 1, max_payload = 100,
      limits = { inv = 37 },
    }
    local own = { network = network }
    local frame = assert(encode("ping", { nonce = 5 }, own))
    assert.equal("ABCD", frame:sub(1, 4))
    assert.equal(5, decode(frame, own).nonce)
    local items = { { type = 1, hash = ("a"):rep(32) } }
    assert.is_truthy(encode("inv", { items = items }, own))
    items[2] = items[1]
    local none, words, code = encode("inv", { items = items }, own)
    assert.same({ nil, "oversize_message" }, { none, code })
    assert.matches("at most 37 bytes", words)
    assert.is_nil((encode("huh", ("x"):rep(101), own)))
    local large = encode("inv", { items = items }):gsub("^....", "ABCD")
    assert.equal("oversize_message", select(3, decode(large, own)))
    assert.has_error(function()
      encode("ping", nil, { network = { magic = "ABCD", limits = { 1 } } })
    end)
  end)

  it("takes a network from moonpeer.network", function()
    local own = { network = moonpeer.network.testnet }
    assert.equal(7, decode(encode("ping", { nonce = 7 }, own), own).nonce)
    assert.equal(1048576, moonpeer.network.testnet.limits.protoconf)
  end)

  it("refuses options that it does not have", function()
    assert.error_matches(function()
      decode("", { netwok = "regtest" })
    end, 'nearest known is "network"')
    assert.error_matches(function()
      decode("", { position = 0 })
    end, "position")
  end)
end)

describe("message.encode", function()
  for _, vector in ipairs(vectors.messages()) do
    if vectors.is_good(vector) and not vector.fields.trailing then
      it("makes the vector " .. vector.name .. " again", function()
        local frame = vectors.bytes(vector.frame_hex)
        local message = assert(decode(frame, options(vector)))
        assert.equal(frame,
          encode(vector.command, message:table(), options(vector)))
        assert.equal(frame,
          encode(vector.command, message:raw(), options(vector)))
      end)
    end
  end

  it("takes a hash as bytes and as it is displayed", function()
    local shown = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b6"
      .. "0a8ce26f"
    local genesis = moonpeer.network.mainnet.genesis
    assert.equal(encode("getheaders", { locator = { genesis } }),
      encode("getheaders", { locator = { shown:upper() } }))
    assert.error_matches(function()
      encode("getheaders", { locator = { ("x"):rep(64) } })
    end, "locator%[0%].*32 bytes")
  end)

  it("takes an address in words, in both families", function()
    local frame = encode("addr", { entries = {
      { time = 1, services = 1, ip = "1.2.3.4", port = 5 },
      { time = 1, services = 1, ip = "2001:db8:1::2:34", port = 5 },
    } }, { network = "regtest" })
    local entries = decode(frame, { network = "regtest" }).entries
    assert.same({ "1.2.3.4", "2001:db8:1::2:34" },
      { entries[1].ip, entries[2].ip })
  end)

  it("keeps the length of an address that may have any", function()
    local frame = encode("addrv2", { entries = {
      { time = 1, services = 1, network_id = 2, port = 1,
        addr = ("\0"):rep(10) .. "\xff\xff\1\2\3\4" },
      { time = 1, services = 1, network_id = 1, port = 1, addr = "1.2.3.4" },
    } })
    local entries = decode(frame):table().entries
    assert.same({ "::ffff:1.2.3.4", "1.2.3.4" },
      { entries[1].addr, entries[2].addr })
    assert.equal(frame, encode("addrv2", { entries = entries }))
  end)

  it("keeps bytes of other networks, whatever they look like", function()
    for _, addr in ipairs { "::", "1.2.3.4", ("."):rep(46), "0123:5678::1.2.3",
      "abcd" } do
      local frame = encode("addrv2", { entries = {
        { time = 1, services = 1, network_id = 9, port = 1, addr = addr },
      } })
      local entries = decode(frame):table().entries
      assert.equal(addr, entries[1].addr)
      assert.equal(frame, encode("addrv2", { entries = entries }))
    end
  end)

  it("says which field wants what", function()
    local function entry(one)
      return { entries = { one } }
    end
    for words, fields in pairs {
      ["addr: entries%[0%]%.port: expected an integer of 2 bytes"] =
        entry { time = 1, services = 1, ip = "::1", port = 70000 },
      ["addr: nonsense: there is no such field"] = { nonsense = 1 },
      ["ip: "] = entry { time = 1, services = 1, ip = "x", port = 1 },
      ["time: expected a whole number, got 1.5"] = entry { time = 1.5 },
      ["expected a number, a text, a flag or a table, got function"] =
        { entries = print },
      ["expected names of fields"] = { 1 },
    } do
      assert.error_matches(function()
        encode("addr", fields)
      end, words)
    end
  end)

  it("goes on after an error", function()
    pcall(encode, "ping", { nonce = "x" })
    assert.equal(1, decode(encode("ping", { nonce = 1 })).nonce)
  end)

  it("takes what is written by people when it is told to", function()
    local text = { text = true }
    assert.equal(encode("ping", { nonce = 33 }),
      encode("ping", { nonce = "0x21" }, text))
    assert.equal(encode("ping", { nonce = -1 }),
      encode("ping", { nonce = "0xffffffffffffffff" }, text))
    assert.equal(encode("filteradd", { data = "\1\2" }),
      encode("filteradd", { data = "0102" }, text))
    for _, bad in ipairs { "", "x", "0x", "1.5", "-", ("9"):rep(20) } do
      assert.has_error(function()
        encode("ping", { nonce = bad }, text)
      end)
    end
  end)

  it("does not make what no header can say", function()
    assert.error_matches(function()
      encode("a command too long", "")
    end, "12 printable")
    assert.error_matches(function()
      encode("unheard", { a = 1 })
    end, "payload as a string")
  end)
end)
