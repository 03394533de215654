--- dice - a source of choices that a seed decides, apart from any world's.
local dice = {}
dice.__index = dice

--- splitmix64
local function next_bits(self)
  self.state = self.state + 0x9e3779b97f4a7c15
  local z = self.state
  z = (z ~ (z >> 30)) * 0xbf58476d1ce4e5b9
  z = (z ~ (z >> 27)) * 0x94d049bb133111eb
  return z ~ (z >> 31)
end

function dice.new(seed)
  return setmetatable({ state = seed * 0x632be59bd9b4e019 }, dice)
end

--- An integer from low to high.
function dice:whole(low, high)
  return low + (next_bits(self) >> 1) % (high - low + 1)
end

--- A number from low to high.
function dice:real(low, high)
  return low + (next_bits(self) >> 11) * 0x1p-53 * (high - low)
end

--- Whether something of this chance happens.
function dice:happens(chance)
  return self:real(0, 1) < chance
end

--- One of a list.
function dice:pick(list)
  return list[self:whole(1, #list)]
end

return dice
