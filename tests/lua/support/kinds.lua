--- kinds - questions about types as annotations.read has them: what one may
--- be, has, and takes.
local annotations = require "support.annotations"

local kinds = {}

--- The alternatives of a type, aliases resolved.
function kinds.each(types, one, list)
  list = list or {}
  if one and types.aliases[one.name] then
    kinds.each(types, types.aliases[one.name], list)
  elseif one and one.kind == "union" then
    for _, part in ipairs(one) do
      kinds.each(types, part, list)
    end
  else
    list[#list + 1] = one
  end
  return list
end

--- Without nil and false: what is left after an assert, or in an `and`.
function kinds.held(types, one)
  local kept = { kind = "union" }
  for _, part in ipairs(kinds.each(types, one)) do
    if part.name ~= "nil" and part.name ~= "false" then
      kept[#kept + 1] = part
    end
  end
  return #kept > 1 and kept or kept[1]
end

--- The first alternative of a kind: "fun", "array", "map".
function kinds.pick(types, one, kind)
  for _, part in ipairs(kinds.each(types, one)) do
    if part.kind == kind then
      return part
    end
  end
end

function kinds.class_of(types, one)
  for _, part in ipairs(kinds.each(types, one)) do
    if types.classes[part.name] then
      return types.classes[part.name]
    end
  end
end

--- The member of one alternative, and whether its members are known at all.
function kinds.member_of(types, part, name)
  if types.classes[part.name] then
    return annotations.member(types, part.name, name), true
  elseif part.kind == "map" then
    return { type = part.value }, true
  end
  return part.name == "string" and string[name] and {}, part.name == "string"
end

local fits = {
  String = { string = true }, Number = { number = true, integer = true },
  True = { boolean = true, ["true"] = true },
  False = { boolean = true, ["false"] = true }, Nil = { ["nil"] = true },
  Table = { table = true, array = true, map = true },
  Function = { ["function"] = true, fun = true },
}

local function fits_in(types, node, part)
  local fitting = fits[node.tag]
  return part.name == "any" or fitting[part.name] or fitting[part.kind]
    or node.tag == "String" and part.value == node[1]
    or node.tag == "Table" and types.classes[part.name]
end

--- Can what is written down be of a type? What is not known may.
function kinds.accepts(types, one, node)
  if not (one and fits[node.tag]) then
    return true
  end
  for _, part in ipairs(kinds.each(types, one)) do
    if fits_in(types, node, part) then
      return true
    end
  end
  return false
end

return kinds
