--- sorted - walks a table in the order of its keys: what pairs gives first is
--- chance, and nothing that has an effect may depend on that.

--- Numbers before texts; of anything else only the types have an order.
local function is_before(a, b)
  local kind, other = type(a), type(b)
  if kind ~= other then
    return kind < other
  elseif kind == "number" or kind == "string" then
    return a < b
  end
  return tostring(a) < tostring(b)
end

--- For key, value in sorted(t) do: changing t meanwhile is safe.
---@param t table
---@return function
local function sorted(t)
  local keys, i = {}, 0
  for key in pairs(t) do -- any order: they are sorted next
    keys[#keys + 1] = key
  end
  table.sort(keys, is_before)
  return function()
    i = i + 1
    return keys[i], t[keys[i]]
  end
end

return sorted
