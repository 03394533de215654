--- follow - reads policies from files again when these change: for whoever
--- writes one while the engine runs.
local core = require "moonpeer.core"
local load_policy = require "moonpeer.policy.load"

local follow = {}

--- Whether a file is another than before. An editor may write it in pieces: it
--- counts when two looks have found the same.
local function has_changed(file)
  local text = load_policy.read(file.path)
  local is_settled = text == file.found
  file.found = text
  if not text or not is_settled or text == file.text then
    return false
  end
  file.text = text
  return true
end

--- Looks again and again, in a task, and never ends.
---@param entries table[]  members of a stack
---@param every number     seconds
---@param reload function
function follow.run(entries, every, reload)
  local files = {}
  for _, entry in ipairs(entries) do
    if entry.path then
      files[#files + 1] = { path = entry.path, text = entry.text }
    end
  end
  while #files > 0 do
    core.sleep(every)
    local changed = false
    for _, file in ipairs(files) do
      changed = has_changed(file) or changed
    end
    if changed then
      reload()
    end
  end
end

return follow
