--- Values are shown in order, within limits, and whatever they hold.
local inspect = require "moonpeer.inspect"

describe("inspect", function()
  it("shows single values as Lua would write them", function()
    assert.equal("nil", inspect.value(nil))
    assert.equal("true", inspect.value(true))
    assert.equal("-7", inspect.value(-7))
    assert.equal("0.5", inspect.value(0.5))
    assert.equal("inf", inspect.value(math.huge))
    assert.equal('"a \\"b\\"\\n"', inspect.value('a "b"\n'))
  end)

  it("sorts keys: numbers, texts, truths", function()
    assert.equal('{ 1, 2, [-1] = 3, [9] = 0, a = 1, b = 2, ["c d"] = 3, '
      .. '["end"] = 4, [true] = 5 }', inspect.value({
      1, 2, [9] = 0, [-1] = 3, b = 2, a = 1, ["c d"] = 3, ["end"] = 4,
      [true] = 5,
    }, { width = 100 }))
  end)

  it("shows bytes as hex, and text that is UTF-8 as text", function()
    assert.equal("<3 bytes: 00ff41>", inspect.value "\0\255A")
    assert.equal('"h\u{e9}llo"', inspect.value "h\u{e9}llo")
    assert.equal("<3 bytes: 1b5b4d>", inspect.value "\27[M")
    assert.equal("<2 bytes: c29b>", inspect.value "\u{9b}")
  end)

  it("cuts long text at a character", function()
    local shown = inspect.value(("\u{e9}"):rep(200), { text = 5 })
    assert.equal('"\u{e9}\u{e9}"... (400 bytes)', shown)
    assert.matches("^<1000 bytes: 00000000%.%.%.>$",
      inspect.value(("\0"):rep(1000), { text = 8 }))
  end)

  it("stops at a depth and at cycles", function()
    assert.equal("{ { { { {...} } } } }",
      inspect.value { { { { { { 1 } } } } } })
    local t = { name = "me" }
    t.self = t
    assert.equal('{ name = "me", self = <cycle> }', inspect.value(t))
  end)

  it("shows the same table twice when it is no cycle", function()
    local t = { 1 }
    assert.equal("{ { 1 }, { 1 } }", inspect.value { t, t })
  end)

  it("gives long tables a line for each item", function()
    local shown = inspect.value({ alpha = ("x"):rep(40), beta = 2 },
      { width = 40 })
    assert.equal('{\n  alpha = "' .. ("x"):rep(40) .. '",\n  beta = 2\n}',
      shown)
  end)

  it("stays small whatever the size of the table", function()
    local huge = {}
    for i = 1, 200000 do
      huge["key" .. i] = i
    end
    local shown = inspect.value(huge)
    assert.is_true(#shown < 4000)
    assert.matches("%.%.%. 199936 more", shown)
    assert.matches("^{%s+key1 = 1,%s+key10 = 10,", shown)
    local wide = {}
    for i = 1, 60 do
      wide[i] = {}
      for j = 1, 60 do
        wide[i][j] = ("y"):rep(200)
      end
    end
    assert.is_true(#inspect.value(wide) < 20000)
  end)

  it("survives objects that fail to describe themselves", function()
    local bad = setmetatable({}, { __tostring = function() error "no" end })
    assert.equal("<table: __tostring failed>", inspect.value(bad))
    local evil = setmetatable({}, { __index = error, __pairs = error,
      __len = error })
    assert.equal("{}", inspect.value(evil))
    local loud = setmetatable({}, { __tostring = function()
      return "\27[2J"
    end })
    assert.equal("<<4 bytes: 1b5b324a>>", inspect.value(loud))
  end)

  it("shows several results, one to a line", function()
    assert.equal("1\nnil\n\"x\"", inspect.results(table.pack(1, nil, "x")))
    assert.equal("", inspect.results(table.pack()))
  end)

  it("shows the fields of objects that have a table of them", function()
    local moonpeer = require "moonpeer"
    local shown = inspect.value(moonpeer.network.regtest, { width = 500 })
    assert.matches("genesis = <32 bytes: 0", shown)
    assert.matches("magic = ", shown)
  end)
end)
