--- selection - whom to dial.
---
--- First the peers that worked when the engine was last closed (anchors), then
--- peers that are valid, then unknown ones; each time chosen at random over
--- network groups, so that whoever fills one network with nodes does not fill
--- the slots. Banned and inaccessible peers are not in the choice.
local selection = { name = "selection" }

--- The anchors of an engine are used once, after its start.
local is_started = setmetatable({}, { __mode = "k" })

local function add(list, peers, n)
  for _, peer in ipairs(peers) do
    if #list < n then
      list[#list + 1] = peer
    end
  end
end

function selection.select(engine, n)
  local list = {}
  if not is_started[engine] then
    is_started[engine] = true
    add(list, engine:anchors(), n)
  end
  add(list, engine:pick(n - #list, "valid"), n)
  if #list < n then
    add(list, engine:pick(n - #list, "unknown"), n)
  end
  return list
end

return selection
