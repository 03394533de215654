--- rows - many peers for specs of stores.
local rows = {}

--- The i-th of many addresses, a network group each.
function rows.nth(i)
  return ("%d.%d.1.1"):format(1 + i // 256, i % 256)
end

--- Creates the first n of them in a store, with the same fields.
function rows.fill(store, n, fields)
  for i = 1, n do
    local row = { ip = rows.nth(i), port = 8333 }
    for key, value in pairs(fields or {}) do
      row[key] = value
    end
    assert(store:create(row))
  end
end

return rows
