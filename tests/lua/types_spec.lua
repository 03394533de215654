--- The types file as an editor with lua-language-server would use it: it can
--- be read, it completes what there is, and it finds nothing wrong with what
--- people are shown to copy, but everything that is misspelt.
local annotations = require "support.annotations"
local api = require "moonpeer.api"
local checked = require "support.checked"

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local types = annotations.read(read "lua/moonpeer/types.lua")

local scripts = {}
do
  local pipe <close> = assert(io.popen "ls scripts/*.lua")
  for path in pipe:lines() do
    scripts[path] = read(path)
  end
end

local function check(text, there)
  return checked.problems(types, "it", text, there)
end

describe("the types file", function()
  it("is well-formed, and names nothing that it does not tell of", function()
    assert.same({}, types.problems)
  end)

  for what, text in pairs {
    ["an unknown annotation"] = "---@parm x string",
    ["a type without an end"] = "---@alias x table<string",
    ["a type of nothing"] = "---@alias x string|",
    ["a class that there is not"] = "---@alias x moonpeer.Nobody",
    ["two results that are no list"] = "---@return boolean, string",
    ["an answer in brackets"] = "---@alias x fun(): (string)?, string",
    ["a parameter of another function"] = "---@class c\nlocal c = {}\n"
      .. "---@param x string\nfunction c:go(y) end",
  } do
    it("may not have " .. what, function()
      assert.is_true(#annotations.read(text .. "\n").problems > 0)
    end)
  end

  local function names_of(one, wants_methods)
    local names = one.parent
      and annotations.offered(types, one.parent, wants_methods and ":" or ".")
      or {}
    for _, member in ipairs(one.members) do
      if not wants_methods or api.kind(one, member) == "method" then
        names[#names + 1] = member.name
      end
    end
    table.sort(names)
    return names
  end

  for _, one in ipairs(api.types()) do
    it("offers what the description has of " .. one.class, function()
      assert.same(names_of(one), annotations.offered(types, one.class, "."))
      assert.same(names_of(one, true),
        annotations.offered(types, one.class, ":"))
    end)

    for _, member in ipairs(one.members) do
      if type(member.options) == "table" then
        it("offers the options of " .. api.signature(one, member), function()
          local names = {}
          for i, option in ipairs(member.options) do
            names[i] = option[1]
          end
          table.sort(names)
          assert.same(names, annotations.offered(types,
            ("%s.%s.Options"):format(one.class, member.name), "."))
        end)
      end
    end
  end

  it("has every event", function()
    local names = {}
    for i, literal in ipairs(types.aliases["moonpeer.EventType"]) do
      names[i] = literal.value
    end
    assert.same(require("moonpeer.core").events, names)
  end)
end)

describe("with it an editor finds nothing wrong with", function()
  for path, text in pairs(scripts) do
    it(path, function()
      assert.same({}, checked.problems(types, path, text))
    end)
  end

  for _, path in ipairs { "README.md", "scripts/README.md" } do
    it("what is to be copied from " .. path, function()
      local n = 0
      for text in read(path):gmatch "\n```lua[^\n]*\n(.-)\n```" do
        n = n + 1
        assert.same({}, checked.problems(types, path, text))
      end
      assert.is_true(n >= 3)
    end)
  end

  local there = {}
  for _, one in ipairs(api.types()) do
    there[one.variable] = one.class
  end

  for _, one in ipairs(api.types()) do
    it("the examples of " .. one.class, function()
      for _, member in ipairs(one.members) do
        assert.same({}, check(member.example or "", there))
      end
    end)
  end
end)

describe("with it an editor sees", function()
  --- Every name that stands behind the pattern, misspelt where it stands.
  local function misspelt(text, pattern)
    local places = text:gmatch('[^".%w]' .. pattern .. "()([%a_][%w_]*)")
    return function()
      local at, name
      repeat
        at, name = places()
      until not at or not text:sub(1, at):match("[^\n]*$"):find "^%s*%-%-"
      return name, at and text:sub(1, at - 1) .. name .. "x"
        .. text:sub(at + #name)
    end
  end

  for what, pattern in pairs {
    ["a member of the module"] = "moonpeer%.",
    ["a member of an engine"] = "engine[.:]",
    ["a member of a connection"] = "connection[.:]",
    ["a member of a version"] = "version%.",
    ["a member of an event"] = "event%.",
  } do
    it(what .. " that is misspelt in a script", function()
      local n = 0
      for path, text in pairs(scripts) do
        for name, wrong in misspelt(text, pattern) do
          n = n + 1
          assert.matches("has no " .. name .. "x",
            checked.problems(types, path, wrong)[1] or path .. ": " .. name)
        end
      end
      assert.is_true(n > 3)
    end)
  end

  for what, text in pairs {
    ["a key"] = "moonpeer.engine { netwrk = 'regtest' }",
    ["a key of options"] = "e:ban('1.2.3.4', { tme = '1h' })",
    ["a key of a policy"] = "moonpeer.engine { policies = { { jugde = 1 } } }",
    ["a key of a rule"] =
      "moonpeer.engine { policies = { { rules = { { vedict = 'ban' } } } } }",
    ["a key of a policy's file"] =
      "---@type moonpeer.Policy\nlocal policy = { jugde = 1 }\nreturn policy",
    ["what a policy answers"] = "---@type moonpeer.Policy\n"
      .. "local policy = { validate = function() return 'okay' end }",
    ["an event"] = "e:on('peer_baned', 'x', function() end)",
    ["an event of a policy"] =
      "e:try { on = { peer_baned = function() end } }",
    ["a member of what comes back"] = "e.store.bans:find('1.2.3.4').reson()",
    ["a member of what is walked"] =
      "for one in e:connections() do one:clos() end",
    ["a method of an option"] =
      "moonpeer.listen(':0', function(c) c:handshak() end)",
    ["an argument of another type"] = "e:dial(8333)",
    ["an argument too many"] = "e:unban('1.2.3.4', 1)",
    ["an argument too few"] = "e:ban()",
  } do
    it(what .. " that is wrong", function()
      assert.equal(1, #check(text, { e = "moonpeer.Engine" }))
    end)
  end
end)
