--- load - policies from files: compiled as text, run once in an environment of
--- their own, within a budget.
local core = require "moonpeer.core"
local environment = require "moonpeer.policy.environment"
local fields = require "moonpeer.policy.fields"

local load_policy = {}

local size_limit = 1 << 20 -- bytes of a file

--- The bytes of a file; nil and why not.
---@param path string
---@return string|nil, string?
function load_policy.read(path)
  if not core.is_plain(path) then
    return nil, path .. ": is no plain file" -- it might be waited for
  end
  local file <close>, message = io.open(path, "rb")
  if not file then
    return nil, message
  end
  local text
  text, message = file:read(size_limit + 1)
  if not text and message then
    return nil, ("%s: %s"):format(path, message)
  elseif text and #text > size_limit then
    return nil, ("%s: expected at most %d bytes"):format(path, size_limit)
  end
  return text or ""
end

local deepest = 6 -- tables within tables that a policy declares

--- A copy without metamethods, as far as tables go.
local function plain(value, depth)
  if type(value) ~= "table" then
    return value
  elseif depth == 0 then
    error(("expected at most %d tables within each other"):format(deepest), 0)
  end
  local made = {}
  for key, part in next, value do -- any order: copies
    made[key] = plain(part, depth - 1)
  end
  return made
end

--- What is declared with tables, and read when its budget is over.
local declared = { on = true, rules = true, schedule = true }

--- The policy that a file has returned in a table without metamethods; what it
--- inherits it has itself then. Runs within its budget.
local function flat(given)
  if type(given) ~= "table" then
    return given
  end
  local made = {}
  for key, value in next, given do -- any order: copies
    if type(key) ~= "string" then
      error(("expected names of fields, got a %s as one"):format(type(key)), 0)
    end
    made[key] = value
  end
  for _, name in ipairs(fields.names) do
    made[name] = given[name]
  end
  for name in pairs(declared) do -- any order: copies
    made[name] = plain(made[name], deepest)
  end
  return made
end

--- Runs a chunk as everything of a policy runs, and gives what it returns.
local function run(path, chunk, budget, generation)
  local made, returned = nil, false
  local guard = core.guard {
    policy = path, name = "loading", budget = budget, confined = true,
    generation = generation,
    fn = function()
      made = flat(chunk())
      returned = true
    end,
  }
  guard:call(nil)
  if not returned then
    local why = guard:counts().last_error or "it did not end"
    return nil, ("%s: %s"):format(path, why:match "^[^\n]*")
  end
  return made
end

--- Reads and runs a file: the policy it returns, and its text.
---@param path string
---@param budget number       seconds that it may run
---@param generation integer
---@return table|nil, string
function load_policy.file(path, budget, generation)
  local text, message = load_policy.read(path)
  if not text then
    return nil, message
  end
  local chunk
  chunk, message = load(text:gsub("^#[^\n]*", ""), "@" .. path, "t",
    environment.new())
  if not chunk then
    return nil, message
  end
  local made
  made, message = run(path, chunk, budget, generation)
  if message then
    return nil, message
  end
  message = fields.complaint(path, made)
  if message then
    return nil, message
  end
  return made, text
end

return load_policy
