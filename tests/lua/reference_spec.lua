--- The page of all messages is what the table says.
local reference = require "moonpeer.reference"

describe("src/wire/README.md", function()
  it("is what scripts/reference writes now", function()
    local file <close> = assert(io.open "src/wire/README.md")
    assert.is_true(file:read "a" == reference.messages(),
      "it is stale: run scripts/reference")
  end)

  it("has every message, field and limit", function()
    local page = reference.messages()
    for _, words in ipairs {
      "\n### version\n", "| `addr_recv.ip` | 16 | IP address |",
      "| `entries[].port` | 2 | unsigned integer, big-endian |",
      "| `locator[]` | 32 | hash |", "at most 1,000 entries",
      "protoconf 1,048,576", "all others 2,097,152",
    } do
      assert.is_truthy(page:find(words, 1, true), words)
    end
  end)
end)
