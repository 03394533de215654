--- job - what a schedule's jobs are: those that everybody has, and how a job
--- is declared.
local core = require "moonpeer.core"
local log = require "moonpeer.log"
local misuse = require "moonpeer.misuse"

misuse.own_file()

local job = {}

-- --- what the named ones do ------------------------------------------------

local standard = {}
job.standard = standard

--- Waits until the changes are durable; nothing to do without any.
function standard.save(engine)
  if engine.store.is_changed then
    assert(engine:save())
  end
end

function standard.discover(engine)
  engine:discover()
end

--- Ends bans that are over, forgets stale peers, a slice a turn.
function standard.expire(engine)
  while engine.store:expire(1000) do
    core.sleep(0)
  end
end

local reported = {
  "connected", "inbound", "outbound", "handshakes", "accepted", "rejected",
  "bans", "evictions",
}

--- One line for people.
function standard.report(engine)
  local counts, words = engine:counts(), {}
  for i, name in ipairs(reported) do
    words[i] = ("%s %d"):format(name, counts[name])
  end
  log.say("schedule", "report: " .. table.concat(words, ", "))
end

-- --- how one is declared ---------------------------------------------------

local known = {
  every = true, jitter = true, overlap = true, at_start = true, run = true,
  persist = true, changes = true, after_ban = true,
}

local shortest = 0.1 -- seconds

local function every_of(what, given)
  if given.every == nil then
    if not (given.after_ban or given.changes or given.at_start) then
      misuse.raise("%s: expected every, a duration", what)
    end
    return nil
  end
  local every = misuse.duration(what .. ".every", given.every)
  if every < shortest then
    misuse.raise("%s.every: expected at least 100ms, got %s", what,
      tostring(given.every))
  end
  return every
end

local function is_flag(value)
  return value == nil or type(value) == "boolean"
end

--- Of a job: field, what it may be, and what is expected in words.
local checks = {
  { "jitter", function(value)
    return value == nil
      or type(value) == "number" and value >= 0 and value <= 1
  end, "0 to 1" },
  { "overlap", function(value)
    return value == nil or value == "skip"
  end, '"skip"' },
  { "changes", function(value)
    return value == nil or math.type(value) == "integer" and value >= 1
  end, "a number of changes" },
  { "at_start", is_flag, "true or false" },
  { "after_ban", is_flag, "true or false" },
  { "persist", is_flag, "true or false" },
}

local function check_fields(what, given)
  for _, check in ipairs(checks) do
    local field, is_good, expected = table.unpack(check)
    if not is_good(given[field]) then
      misuse.raise("%s.%s: expected %s, got %s", what, field, expected,
        tostring(given[field]))
    end
  end
end

--- Makes a job of what a script says of it; raises when it makes no sense.
---@param name string
---@param given table
---@param entry? table  the member of a stack of policies that declares it
---@return table
function job.new(name, given, entry)
  local what = ("schedule.%s"):format(tostring(name))
  if type(name) ~= "string" or type(given) ~= "table" then
    misuse.raise("%s: expected a table, got %s", what, type(given))
  end
  misuse.check_options(what, given, known)
  check_fields(what, given)
  local run = given.run or standard[name]
  if type(run) ~= "function" then
    misuse.raise("%s.run: expected a function, got %s", what, type(run))
  end
  entry = entry or { generation = 0, confined = false }
  return {
    name = name, given = given, run = run, every = every_of(what, given),
    jitter = given.jitter or 0, at_start = given.at_start == true,
    after_ban = given.after_ban == true, persist = given.persist ~= false,
    changes = given.changes, generation = entry.generation,
    confined = entry.confined, runs = 0, failures = 0, skipped = 0, row = 0,
  }
end

return job
