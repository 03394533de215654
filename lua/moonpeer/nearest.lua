--- nearest - which known word somebody meant.
local nearest = {}

--- One row of the table of edit distances, from the row above it.
local function next_row(above, letter, other)
  local row = { [0] = above[0] + 1 }
  for j = 1, #other do
    local swap = above[j - 1] + (letter == other:byte(j) and 0 or 1)
    row[j] = math.min(swap, above[j] + 1, row[j - 1] + 1)
  end
  return row
end

local function distance(word, other)
  local row = {}
  for j = 0, #other do
    row[j] = j
  end
  for i = 1, #word do
    row = next_row(row, word:byte(i), other)
  end
  return row[#other]
end

--- The candidate with the fewest letters to change.
---@param word string
---@param candidates string[]
---@return string|nil  nil when none is near: more than half would change
function nearest.find(word, candidates)
  local best, least = nil, math.max(2, #word // 2) + 1
  for _, candidate in ipairs(candidates) do
    local changes = distance(word, candidate)
    if changes < least then
      best, least = candidate, changes
    end
  end
  return best
end

return nearest
