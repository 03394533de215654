--- files - small files that a spec writes and that are gone after it.
local files = {}

local made = {}

--- A file with this text; its path.
function files.make(text)
  local path = os.tmpname()
  made[#made + 1] = path
  files.write(path, text)
  return path
end

function files.write(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

function files.remove_all()
  for _, path in ipairs(made) do
    os.remove(path)
  end
  made = {}
end

return files
