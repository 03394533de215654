--- What README.md prints works as it is printed.

--- The code blocks under a heading.
local function blocks(heading)
  local file <close> = assert(io.open "README.md")
  local text = file:read "a"
  local section = text:match("\n## " .. heading .. "\n(.-)\n## ")
  assert(section, "README.md has no section " .. heading)
  local list = {}
  for code in section:gmatch "```lua\n(.-)```" do
    list[#list + 1] = code
  end
  return list
end

describe("README.md", function()
  local code = blocks "A policy test"

  it("has one policy test", function()
    assert.equal(1, #code)
  end)

  assert(load(code[1], "=README.md", "t", _ENV))()
end)
