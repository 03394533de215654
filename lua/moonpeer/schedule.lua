--- schedule - named jobs that an engine does again and again: each is a task
--- that waits for its time, runs the job as another task, waits for its end,
--- and plans the next run. A job that fails keeps its place.
local core = require "moonpeer.core"
local job_type = require "moonpeer.schedule.job"
local log = require "moonpeer.log"
local misuse = require "moonpeer.misuse"

misuse.own_file()

local schedule = {}

--- All jobs: the configuration's first, then those of the policies in order.
---@param given? table     name -> job, or false for none
---@param entries table[]  of a stack of policies
---@return table[]
function schedule.jobs(given, entries)
  if given ~= nil and type(given) ~= "table" then
    misuse.raise("schedule: expected a table of jobs, got %s", type(given))
  end
  local jobs, taken = {}, {}
  local function add(table_of_jobs, entry)
    for _, name in ipairs(misuse.names(table_of_jobs)) do
      local job = table_of_jobs[name]
      if not taken[name] then
        taken[name] = true
        jobs[#jobs + 1] = job and job_type.new(name, job, entry) or nil
      end
    end
  end
  add(given or {})
  for _, entry in ipairs(entries) do
    add(entry.policy.schedule or {}, entry)
  end
  return jobs
end

-- --- running ---------------------------------------------------------------

local function value_name(job)
  return "schedule." .. job.name
end

--- When a job ran last, in seconds of wall time; also before a restart.
local function last_run(engine, job)
  return job.persist and tonumber(engine.store:value(value_name(job)))
end

local function note_run(engine, job)
  job.last = core.time()
  if job.persist then
    engine.store:set_value(value_name(job), ("%.3f"):format(job.last))
  end
end

--- Says it at the first failure, and then ever more rarely.
local function report(engine, job, message)
  job.failures, job.row = job.failures + 1, job.row + 1
  if job.row & (job.row - 1) == 0 then
    local text = ("job %q failed (%d times in a row): %s"):format(job.name,
      job.row, tostring(message))
    log.say("schedule", text, true)
    engine:complain(text:match "^[^\n]*")
  end
end

local function jittered(job)
  if not job.every then
    return nil
  end
  return job.every * (1 + job.jitter * (2 * math.random() - 1))
end

local function first_wait(engine, job)
  if job.at_start then
    return 0
  end
  local last = last_run(engine, job)
  local wait = jittered(job)
  if last and wait then
    wait = math.max(0, math.min(wait, last + wait - core.time()))
  end
  return wait
end

local function is_idle(engine, job)
  return job.name == "save" and not engine.store.is_changed
end

local function run_once(self, job)
  local engine = self.engine
  if is_idle(engine, job) then
    return
  end
  note_run(engine, job)
  job.runs, job.running = job.runs + 1, true
  job.changes_before = engine:counts().changes
  local task = self.spawn_on(engine, {
    budget = self.budget, confined = job.confined, owned = true,
    generation = job.generation,
  }, function()
    job.run(engine)
    return true
  end)
  local good, message = task:wait()
  job.running = false
  if good then
    job.row = 0
  else
    report(engine, job, message)
  end
end

--- How many runs a long one has missed: they are skipped.
local function next_wait(job, began)
  local wait = jittered(job)
  local late = core.now() - began
  if wait and late > wait then
    job.skipped = job.skipped + math.floor(late / wait)
    return wait - late % wait
  end
  return wait and wait - late
end

local function has_changed(self, job)
  return self.engine:counts().changes - (job.changes_before or 0)
    >= job.changes
end

--- Waits for a time, a ban, or a number of changes.
local function await(self, job, wait)
  if not job.changes then
    job.gate:wait(wait)
    return
  end
  local due = wait and core.now() + wait
  repeat
    local opened = job.gate:wait(math.min(1, due and due - core.now() or 1))
  until opened or has_changed(self, job) or due and core.now() >= due
end

local function follow(self, job)
  local wait = first_wait(self.engine, job)
  while true do
    await(self, job, wait and math.max(0, wait))
    local began = core.now()
    run_once(self, job)
    wait = next_wait(job, began)
  end
end

local methods = {}
methods.__index = methods

--- What each job has done.
---@return table[]
function methods:counts()
  local list = {}
  for i, job in ipairs(self.jobs) do
    list[i] = {
      name = job.name, runs = job.runs, failures = job.failures,
      skipped = job.skipped, last = job.last, running = job.running or false,
    }
  end
  return list
end

--- A peer was banned: some jobs do not wait then.
local function watch_bans(self)
  self.engine:on("peer_banned", "schedule", function()
    for _, job in ipairs(self.jobs) do
      if job.after_ban then
        job.gate:open()
      end
    end
  end)
end

local function needs_task(engine, job)
  return job.name ~= "save" or engine.store.url ~= "memory:"
    or job.run ~= job_type.standard.save
end

local function start_job(self, job)
  job.gate = core.gate()
  job.task = self.spawn_on(self.engine, { owned = true }, follow, self, job)
end

--- What is declared as before goes on as before.
local function find_same(self, job)
  for _, old in ipairs(self.jobs) do
    if old.name == job.name and old.given == job.given then
      return old
    end
  end
end

--- Other jobs from now on: those that are gone end, those that are new begin.
---@param jobs table[]  of schedule.jobs
function methods:change(jobs)
  local before, has_bans, is_kept = self.jobs, false, {}
  local now = {}
  for _, job in ipairs(jobs) do
    if needs_task(self.engine, job) then
      local same = find_same(self, job)
      now[#now + 1] = same or job
      is_kept[now[#now]] = same ~= nil
      has_bans = has_bans or job.after_ban
    end
  end
  self.jobs = now
  for _, job in ipairs(before) do
    if not is_kept[job] then
      job.task:cancel()
    end
  end
  for _, job in ipairs(now) do
    if not is_kept[job] then
      start_job(self, job)
    end
  end
  if has_bans then
    watch_bans(self)
  end
end

--- Sets the jobs going.
---@param engine moonpeer.Engine
---@param jobs table[]       of schedule.jobs
---@param spawn_on function  engine, { budget ... }, fn
---@param budget number      seconds that a job may run without waiting
---@return table
function schedule.start(engine, jobs, spawn_on, budget)
  local self = setmetatable({
    engine = engine, jobs = {}, spawn_on = spawn_on, budget = budget,
  }, methods)
  self:change(jobs)
  return self
end

return schedule
