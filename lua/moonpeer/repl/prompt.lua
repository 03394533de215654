--- prompt - a session at a terminal. Each input runs as a task beside whatever
--- else the loop has to do; Ctrl-C ends the input, not the engine.
local core = require "moonpeer.core"
local repl = require "moonpeer.repl"
local terminal = require "moonpeer.terminal"

local prompt = {}

--- Where the history is kept; nil for nowhere.
function prompt.history_path()
  local path = os.getenv "MOONPEER_HISTORY"
  if path then
    return path ~= "" and path or nil
  end
  local home = os.getenv "HOME"
  return home and home ~= "" and home .. "/.moonpeer_history" or nil
end

-- --- completion ------------------------------------------------------------

--- The beginning that all words share.
local function common(words)
  local shared = words[1]
  for _, word in ipairs(words) do
    while word:sub(1, #shared) ~= shared do
      shared = shared:sub(1, -2)
    end
  end
  return shared
end

local function columns(words, width)
  local longest = 0
  for _, word in ipairs(words) do
    longest = math.max(longest, #word + 2)
  end
  local each = math.max(1, width // longest)
  local lines = {}
  for i = 1, #words, each do
    local row = {}
    for j = i, math.min(i + each - 1, #words) do
      row[#row + 1] = words[j] .. (" "):rep(longest - #words[j])
    end
    lines[#lines + 1] = (table.concat(row):gsub("%s+$", ""))
  end
  return table.concat(lines, "\n")
end

--- Puts in what is certain; shows the choice when nothing is.
function prompt.offer(words, replaced)
  if #words == 0 then
    return
  end
  local rest = common(words):sub(replaced + 1)
  if rest ~= "" then
    terminal.insert(rest)
  elseif #words > 1 then
    local shown = table.move(words, 1, math.min(#words, 100), 1, {})
    local text = columns(shown, terminal.columns())
    if #words > 100 then
      text = text .. ("\n... %d more"):format(#words - 100)
    end
    print(text)
  end
end

-- --- the session -----------------------------------------------------------

local function text_of(name, default)
  local value = _G[name]
  return value == nil and default or tostring(value)
end

--- Talks to a person until the end of input. The evaluator has
--- evaluate(text), in a task, which gives the text to be shown, or nil, true
--- when the input goes on, and what it lacks; complete(text, offer), which
--- calls offer(words, replaced) some time; cancel(task); is_remote, when Ctrl-C
--- is not to stop code of this process.
---@param evaluator table
---@return string  "end", "hangup" or "terminated"
function prompt.talk(evaluator)
  local pending, lacks, running, ended
  local function ask()
    terminal.ask(pending and text_of("_PROMPT2", ">> ")
      or text_of("_PROMPT", evaluator.prompt or "> "))
  end

  local function done(shown, goes_on, message)
    terminal.guard(nil)
    running, lacks = nil, goes_on and message
    if not goes_on then
      pending = nil
      if shown == "interrupted" then
        print() -- behind the ^C
      end
      if shown then
        print(shown)
      end
    end
    if not ended then
      ask()
    end
  end

  local handlers = { history = prompt.history_path() }

  function handlers.line(line)
    pending = pending and pending .. "\n" .. line or line
    if not pending:find "%S" then
      pending = nil
      return ask()
    end
    local task
    -- another waits for it, from before it runs: Ctrl-C may hit it anywhere
    core.spawn(function()
      local shown, goes_on, message = task:wait()
      if shown == nil and type(goes_on) == "string" then
        shown = goes_on:find "interrupted!" and "interrupted" or goes_on
      end
      done(shown, goes_on == true, message)
    end)
    task = core.spawn(evaluator.evaluate, evaluator, pending)
    running = task
    if not evaluator.is_remote then
      terminal.guard(running)
    end
  end

  function handlers.complete(text)
    evaluator:complete(pending and pending .. "\n" .. text or text,
      prompt.offer)
  end

  function handlers.interrupt()
    if running then
      evaluator:cancel(running)
    else
      pending, lacks = nil, nil
      ask()
    end
  end

  function handlers.finish(why)
    ended = why
    if running then
      evaluator:cancel(running)
    elseif lacks and why == "end" then
      print(lacks)
    end
    terminal.stop()
  end

  function evaluator.leave()
    handlers.finish "closed"
  end

  if not terminal.open(handlers) then
    return nil
  end
  ask()
  repeat
    terminal.run()
  until ended
  terminal.close()
  return ended
end

--- The session of this process.
local function own_session()
  local session = repl.new { print = print }
  local evaluator = {}

  function evaluator.evaluate(_, text)
    session.width = terminal.columns() - 2
    local result = session:evaluate(text)
    if result.unfinished then
      return nil, true, result.unfinished
    end
    return session:describe(result)
  end

  function evaluator.complete(_, text, offer)
    offer(session:complete(text))
  end

  function evaluator.cancel(_, running)
    running:cancel()
  end

  return evaluator
end

--- The prompt of the executable; false when there is no terminal. When it
--- ends, engines close in order.
---@return boolean
function prompt.run()
  for name, fn in pairs(core.confined().coroutine) do -- any order: copies
    rawset(coroutine, name, fn) -- Ctrl-C finds those that compute
  end
  if not terminal.is_there() or not prompt.talk(own_session()) then
    return false
  end
  for _, engine in ipairs(core.engines()) do
    engine:close()
  end
  core.finish()
  return true
end

return prompt
