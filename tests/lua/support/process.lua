--- process - the executable as a child of its own.
local process = {}

process.executable = os.getenv "MOONPEER" or "build/dev/moonpeer"
process.is_sanitized = os.getenv "MOONPEER_SANITIZE" ~= nil

function process.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

--- Runs a shell command: what it printed on both outputs, and its exit code.
function process.run(command)
  local out, err = os.tmpname(), os.tmpname()
  local _, _, code = os.execute(("{ %s\n} >%s 2>%s </dev/null"):format(
    command, out, err))
  local printed, complained = read(out), read(err)
  os.remove(out)
  os.remove(err)
  return printed, complained, code
end

--- Runs Lua code in the executable, or in another interpreter that finds the
--- module where this one does.
function process.lua(code, interpreter, after)
  if interpreter then
    local found = os.getenv "MOONPEER_MODULE" or "build/dev/moonpeer.so"
    code = ("package.cpath = %q "):format(found) .. code
  end
  return process.run(("exec timeout 60 %s -e %s %s"):format(
    process.quote(interpreter or process.executable), process.quote(code),
    after or ""))
end

--- Both interpreters that can have the module: fn(nil), fn("lua5.4").
function process.each(fn)
  fn(nil)
  if not process.is_sanitized then
    fn "lua5.4"
  end
end

return process
