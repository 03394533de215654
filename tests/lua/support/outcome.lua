--- outcome - how calls end: with a failure, or raising.
local assert = require "luassert"

local outcome = {}

--- The results are nil, a message that matches, and the code.
function outcome.fails(code, pattern, ...)
  local value, message, got = ...
  assert.is_nil(value)
  assert.equal(code, got)
  assert.matches(pattern, message)
end

--- fn(...) raises a message that matches.
function outcome.raises(pattern, fn, ...)
  local good, message = pcall(fn, ...)
  assert.is_false(good)
  assert.matches(pattern, message)
end

return outcome
