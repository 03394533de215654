--- folder - a folder of its own for files of a spec.
local folder = {}

--- Makes a new folder.
---@return string
function folder.make()
  local path = os.tmpname()
  assert(os.remove(path))
  assert(os.execute("mkdir " .. path))
  return path
end

function folder.remove(path)
  assert(os.execute("rm -rf " .. path))
end

function folder.read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

function folder.write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

return folder
