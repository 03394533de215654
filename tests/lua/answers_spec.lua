--- What a peer asks is answered, however much it asks at once and however
--- little room there is for the answers.
local stage = require "support.stage"

--- A question of n hashes that nobody has: its answer is as large.
local function question(n)
  local items = {}
  for i = 1, n do
    items[i] = { type = 2, hash = ("h"):rep(32) }
  end
  return { items = items }
end

stage.describe("questions that come all at once", function(one)
  one.it("are all answered, though little may be queued", function()
    local _, log, peer = one.visited { send_memory = 20000 }
    assert(peer:handshake())
    for _ = 1, 40 do
      peer:send("getdata", question(100))
    end
    for _ = 1, 40 do
      assert(peer:receive("notfound", "5s"))
    end
    assert.is_nil(log:find "peer_misbehaved")
  end)
end)
