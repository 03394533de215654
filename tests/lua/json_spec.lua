--- JSON: Lua values as text and back.
local core = require "moonpeer.core"

local encode, decode = core.json_encode, core.json_decode

local function fails(pattern, text)
  local value, message, code = decode(text)
  assert.is_nil(value)
  assert.equal("invalid_configuration", code)
  assert.matches(pattern, message)
end

describe("writing JSON", function()
  it("has a form for every value", function()
    assert.equal('{"a":[1,2.5,true,false,null],"b":{}}',
      encode { b = {}, a = { 1, 2.5, true, false, core.null } })
    assert.equal("[]", encode(core.json_list {}))
    assert.equal('"x"', encode "x")
    assert.equal("1.0", encode(1.0))
    assert.equal("9007199254740993", encode(9007199254740993))
    assert.equal("-9223372036854775808", encode(math.mininteger))
  end)

  it("orders names, so that the same is the same", function()
    local t = {}
    for i = 1, 100 do
      t["k" .. i * 37 % 101] = i
    end
    local keys = {}
    for key in encode(t):gmatch '"(k%d+)"' do
      keys[#keys + 1] = key
    end
    local sorted = { table.unpack(keys) }
    table.sort(sorted)
    assert.equal(100, #keys)
    assert.same(sorted, keys)
  end)

  it("escapes what must be", function()
    assert.equal([["\"\\\u0000\u000a\u007fä😀"]],
      encode "\"\\\0\n\127ä😀")
  end)

  it("writes numbers with as few digits as mean the same", function()
    assert.equal("0.1", encode(0.1))
    assert.equal("1e+300", encode(1e300))
    for _, n in ipairs { 1 / 3, 2 ^ 0.5, 5e-324, 1.7976931348623157e308 } do
      assert.equal(n, decode(encode(n)))
    end
  end)

  it("refuses bytes that are no UTF-8, or replaces them", function()
    for _, bad in ipairs { "\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
      "\xe2\x82", "a\x80" } do
      assert.has_error(function() encode(bad) end)
      assert.matches("\\ufffd", encode(bad, { lossy = true }))
    end
  end)

  it("refuses what JSON has no words for", function()
    for _, bad in ipairs { print, io.stdout, 1 / 0, -1 / 0, 0 / 0,
      coroutine.create(print), { 1, a = 2 }, { [2] = 1 }, { [1.5] = 1 },
      { [true] = 1 }, { { { print } } } } do
      assert.has_error(function() encode(bad) end)
    end
  end)

  it("ends at its limits", function()
    local deep = {}
    for _ = 1, 63 do
      deep = { deep }
    end
    assert.has_no_error(function() encode(deep) end)
    assert.has_error(function() encode { deep } end)
    assert.has_no_error(function() encode(("x"):rep(8), { most = 10 }) end)
    assert.has_error(function() encode(("x"):rep(9), { most = 10 }) end)
    assert.has_error(function() encode("x", { mots = 10 }) end)
  end)
end)

describe("reading JSON", function()
  it("is the other way round", function()
    for _, text in ipairs { '{"a":[1,2.5,true,false,null],"b":{}}', "[]", "{}",
      '[[],{},[{}]]', '"x"', "-5", "0", "true", "null",
      '{"":{"\\"":"\\\\"}}' } do
      assert.equal(text, encode(decode(text)))
    end
  end)

  it("keeps whole numbers whole, all 64 bits of them", function()
    assert.equal(9007199254740993, decode "9007199254740993")
    assert.equal(math.maxinteger, decode "9223372036854775807")
    assert.equal(math.mininteger, decode "[-9223372036854775808]"[1])
    assert.equal("float", math.type(decode "1.0"))
    assert.equal("float", math.type(decode "1e2"))
    assert.equal(1.8446744073709552e19, decode "18446744073709551615")
  end)

  it("finds each number in its place", function()
    assert.same({ a = { 1, 2, { b = 3 } }, ["-4"] = "5", ["6\""] = 7, c = "\\8" },
      decode [[{"a":[1, 2 ,{"b":3}],"-4":"5","6\"":7,"c":"\\8"}]])
  end)

  it("reads escapes and spaces", function()
    assert.same({ "ä😀/\n" }, decode '\t[ "\\u00e4\\ud83d\\ude00\\/\\n" ]\r\n')
  end)

  it("refuses what is no JSON, with the place", function()
    for _, bad in ipairs { "", " ", "{", "[1,]", "{\"a\"}", "nul", "tru", "'x'",
      "[1 2]", "1 2", "{}x", "[", "\"", "\"\\x\"", "\"\\ud800\"", "{a:1}",
      "01", "-", "+1", ".5", "1.", "1e", "0x10", "--1", "[1e]" } do
      local value, message, code = decode(bad)
      assert.is_nil(value, bad)
      assert.is_string(message)
      assert.equal("invalid_configuration", code)
    end
    fails('got "x" at byte 4', "{} x")
  end)

  it("refuses what Lua or a file could not hold", function()
    fails("too large", "1e999")
    fails("zero byte", '"a\\u0000b"')
    fails("zero byte", '"a\0b"')
    fails("expected a number", ("9"):rep(500))
    assert.equal("\\u0000", decode '"\\\\u0000"')
  end)

  it("ends at its limits", function()
    assert.is_table(decode(("["):rep(64) .. ("]"):rep(64)))
    fails("64 deep", ("["):rep(65) .. ("]"):rep(65))
    fails(".", ("["):rep(1000000))
    fails("bytes at most", '"' .. ("x"):rep(17 << 20) .. '"')
  end)
end)
