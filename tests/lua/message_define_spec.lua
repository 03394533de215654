--- Messages that scripts declare.
local moonpeer = require "moonpeer"
local json = require "support.json"
local stage = require "support.stage"

local message = moonpeer.message

local function make(command, fields)
  return (assert(message.decode(assert(message.encode(command, fields)))))
end

local function hash(n)
  return ("<I8"):pack(n) .. ("\7"):rep(24)
end

describe("message.define", function()
  it("gives a message fields", function()
    message.define {
      command = "weather", limit = 1000,
      fields = {
        { name = "time", type = "int64" },
        { name = "count", type = "count_of", of = "stations" },
        { name = "stations", type = "list", max = 3, fields = {
          { name = "id", type = "hash" },
          { name = "celsius", type = "int16", min = 0, max = 100 },
        } },
        { name = "place", type = "text", max = 8, default = true },
        { name = "flags", type = "uint16", big_endian = true, hex = true,
          optional = true },
        { name = "tags", type = "list", item = "compact", optional = true },
      },
    }
    local stations = { { id = hash(1), celsius = 20 } }
    local one = make("weather", { time = -5, stations = stations, place = "x",
      flags = 258 })
    assert.same({ -5, 1, "x", 258 },
      { one.time, one.count, one.place, one.flags })
    assert.is_nil(one.tags)
    for id, celsius in one:each() do
      assert.same({ hash(1), 20 }, { id, celsius })
    end
    local fields = json.read(one:json()).fields
    assert.same({ "0x0102", json.null }, { fields.flags, fields.tags })
    assert.equal("\1\2", one:raw():sub(-2))
    local tagged = make("weather",
      { time = 1, stations = {}, flags = 0, tags = { 1, 300 } })
    assert.same({ 1, 300 }, tagged.tags)
  end)

  it("checks like the built-in ones", function()
    for words, fields in pairs {
      ["stations at offset 8: expected at most 3 entries, got 4"] = {
        time = 1, stations = {
        { id = hash(1), celsius = 1 }, { id = hash(1), celsius = 1 },
        { id = hash(1), celsius = 1 }, { id = hash(1), celsius = 1 } } },
      ["celsius.*expected 0 to 100, got 101"] =
        { time = 1, stations = { { id = hash(1), celsius = 101 } } },
      ["place.*at most 8 bytes"] =
        { time = 1, stations = {}, place = "123456789" },
      ["time: expected a signed integer"] = { stations = {} },
    } do
      assert.error_matches(function()
        message.encode("weather", fields)
      end, words)
    end
    local frame = message.encode("huh", ("\1"):rep(40)):gsub("huh\0\0\0\0",
      "weather")
    local none, words, code = message.decode(frame)
    assert.same({ nil, "protocol_error" }, { none, code })
    assert.matches("^weather: .* at offset %d+", words)
  end)

  it("judges a limit at the header, instead of the network's", function()
    message.define { command = "small", limit = 1000 }
    message.define { command = "large", limit = 3 << 20 }
    local none, words, code = message.encode("small", ("\0"):rep(1001))
    assert.same({ nil, "oversize_message" }, { none, code })
    assert.matches("at most 1000 bytes", words)
    local header = assert(message.encode("small", ("\0"):rep(1000)))
      :sub(1, 16) .. "\xe9\3\0\0" .. "\0\0\0\0"
    none, words, code = message.decode(header)
    assert.same({ nil, "oversize_message" }, { none, code })
    assert.matches("at most 1000 bytes", words)
    local frame = assert(message.encode("large", ("\0"):rep(3 << 20)))
    assert.equal(3 << 20, assert(message.decode(frame)).size)
    assert.is_nil((message.encode("large", ("\0"):rep((3 << 20) + 1))))
    assert.has_error(function()
      message.define { command = "none", limit = -1 }
    end)
  end)

  it("replaces an earlier declaration, whose messages stay", function()
    message.define { command = "mine", fields = {
      { name = "a", type = "uint8" } } }
    local old = make("mine", { a = 7 })
    message.define { command = "mine", fields = {
      { name = "b", type = "uint8" } } }
    collectgarbage()
    assert.same({ 7, nil, 8 }, { old.a, old.b, make("mine", { b = 8 }).b })
  end)

  it("knows records, hashes of records, and conditions", function()
    message.define { command = "nested", fields = {
      { name = "kind", type = "uint8" },
      { name = "body", type = "record", sized = true, fields = {
        { name = "x", type = "bytes", size = 3 } } },
      { name = "id", type = "hash_of", of = "body" },
      { name = "more", type = "var_bytes", when = "kind" },
      { name = "rows", type = "list", fields = {
        { name = "y", type = "uint24" } } },
      { name = "ids", type = "hashes_of", of = "rows" },
    } }
    local one = make("nested", { kind = 1, body = { x = "abc" }, more = "m",
      rows = { { y = 1 }, { y = 2 } } })
    assert.same({ { x = "abc" }, "m", 32, 2 },
      { one.body, one.more, #one.id, #one.ids })
    assert.is_nil(make("nested", { kind = 0, body = { x = "abc" },
      rows = {} }).more)
  end)

  it("refuses what makes no sense, and says what", function()
    local function field(one)
      return { command = "bad", fields = { one } }
    end
    local deep = { name = "x", type = "record" }
    deep.fields = { deep }
    for words, declaration in pairs {
      ["built in"] = { command = "inv", fields = {} },
      ["nearest known is \"fields\""] = { command = "bad", field = {} },
      ["nearest known is \"uint%d+\""] = field { name = "a", type = "uint61" },
      ["nearest known is \"max\""] =
        field { name = "a", type = "text", maxi = 1 },
      ["its type is nil"] = field { name = "a" },
      ["name for every field"] = field { type = "uint8" },
      ["command: expected a text"] = { fields = {} },
      ["1 to 12 printable"] = { command = "thirteen bytes", fields = {} },
      ["nest too deeply"] = { command = "bad", fields = { deep } },
      ["expected an item"] = field { name = "a", type = "list" },
      ["at least one byte"] = field { name = "a", type = "list", fields = {} },
      ["expected a field of the same record in of"] =
        field { name = "a", type = "count_of", of = "b" },
      ["expected a field"] = field "a",
      ["an item has no name"] =
        field { name = "a", type = "list", item = { name = "b",
          type = "hash" } },
      ["size: expected at most 255"] =
        field { name = "a", type = "bytes", size = 1000 },
      ["max: expected a whole number"] =
        field { name = "a", type = "text", max = "x" },
    } do
      assert.error_matches(function()
        message.define(declaration)
      end, words)
    end
    assert.error_matches(function()
      message.encode("bad", { a = 1 })
    end, "payload as a string")
  end)
end)

stage.describe("a declared message between two", function(one)
  local options = { network = "regtest", send_memory = 4 << 20,
    receive_memory = 4 << 20 }

  one.it("is taken up to its limit, and no further", function()
    message.define { command = "wide", limit = 3 << 20 }
    local far
    local listener = assert(one.listen(one.host(2) .. ":0",
      function(accepted)
        assert(accepted:handshake())
        far = accepted
      end, options))
    local near = assert(one.connect(listener.address, options))
    assert(near:handshake())
    one.await("the other end", function()
      return far
    end)
    assert(near:send("wide", ("x"):rep(3 << 20)))
    assert.equal(3 << 20, far:receive("wide", 5).size)
    local none, _, code = near:send("wide", ("x"):rep((3 << 20) + 1))
    assert.same({ nil, "oversize_message" }, { none, code })
    near:send_raw(("<c4c12I4I4"):pack("\xda\xb5\xbf\xfa", "wide",
      (3 << 20) + 1, 0))
    for _, command in ipairs { "a\n", "extmsg" } do
      local refused
      none, refused, code = near:send(command)
      assert.same({ nil, "protocol_error" }, { none, code })
      assert.matches("12 printable", refused)
    end
    none, _, code = far:receive("wide", 5)
    assert.same({ nil, "oversize_message" }, { none, code })
  end)
end)
