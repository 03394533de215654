--- console - attaches to a running engine.
local core = require "moonpeer.core"
local places = require "moonpeer.cli.places"
local remote = require "moonpeer.repl.remote"

local command = {
  summary = "Attaches to a running moonpeer: the same prompt, over there.",
}

function command.configure(parser)
  parser:argument("path", "The socket; without it the one that is there.")
    :args "?"
  parser:option("-e --eval", "Evaluates this and ends."):argname "<code>"
  parser:flag("--json", "Requests as lines of JSON on stdin, answers on "
    .. "stdout.")
  parser:flag("--list", "Lists the sockets of this user.")
  parser:epilog [[
Without -e and --json, and with no terminal, all of stdin is evaluated.
A request of --json is one of {"id": 1, "eval": "CODE"}, {"id": 2, "complete":
"TEXT"}, {"id": 3, "cancel": 1}; its answer has the id, "ok", and "results",
"printed" or "error", and "cut" when these would be too long.
Exit codes: 0 done, 1 nobody answers or the evaluation failed, 2 called the
wrong way.]]
end

local function fail(message)
  io.stderr:write("moonpeer console: ", message, "\n")
  return 1
end

-- --- one evaluation --------------------------------------------------------

local longest = 1 << 20 -- bytes of a request

local function evaluate(client, code)
  local length, place = utf8.len(code)
  if #code >= longest then
    return fail(("expected less than 1 MiB of code, got %d bytes"):format(
      #code))
  elseif not length then
    return fail(("expected code in UTF-8, got the byte %d at byte %d"):format(
      code:byte(place), place))
  end
  local answer = client:ask { eval = code, text = true }
  if not answer then
    return fail(client.complaint or "the other side has ended")
  elseif not answer.ok then
    return fail(answer.error or "failed")
  elseif answer.text then
    print(answer.text)
  end
  return 0
end

-- --- lines of JSON ---------------------------------------------------------

local most = 32 -- requests under way at once

--- Gives each whole line to fn, and what has grown longer than the other side
--- takes; the rest comes back.
local function take_lines(text, fn)
  local first = 1
  repeat
    local last = text:find("\n", first, true)
      or #text - first >= longest and #text + 1
    local line = last and text:sub(first, last - 1)
    if line and line:find "%S" then
      fn(line)
    end
    first = last and last + 1 or first
  until not last
  return text:sub(first)
end

--- Gives the lines of stdin to fn as they come, without holding the loop;
--- until is_over says so.
local function each_line(fn, is_over)
  local rest = ""
  repeat
    while not is_over() and not core.is_readable(0) do
      core.sleep "2ms"
    end
    if is_over() then
      return
    end
    local text = core.read_some(io.stdin, 1 << 16)
    rest = take_lines(rest .. (text or "\n"), fn)
  until not text
end

--- Prints what comes; is_over when nothing will, or nobody reads it.
local function print_answers(client, state)
  repeat
    local text = client.line:read()
    local answer = text and core.json_decode(text)
    if text and not (io.stdout:write(text, "\n") and io.stdout:flush()) then
      state.is_unread = true
      break
    end
    if type(answer) == "table" and answer.ok ~= nil then
      state.under_way = state.under_way - 1
    end
  until not text
  state.is_over = true
end

--- Requests go as they come, answers come as they are ready.
local function relay(client)
  local state = { under_way = 0 }
  local function wait_for(n)
    while state.under_way > n and not state.is_over do
      core.sleep "1ms"
    end
  end
  core.spawn(print_answers, client, state)
  each_line(function(text)
    wait_for(most - 1)
    state.under_way = state.under_way + 1
    client.line:write(text .. "\n")
  end, function()
    return state.is_over
  end)
  wait_for(0)
  client:close()
  if state.is_unread then
    return 1 -- which says itself why
  end
  return state.is_over and fail "the other side has ended" or 0
end

-- --- a person --------------------------------------------------------------

local function evaluator_of(client)
  local evaluator = { is_remote = true,
    prompt = client.about.read_only and "(looks) > " or "> " }

  function evaluator.evaluate(_, text)
    local answer = client:ask { eval = text, text = true }
    if not answer then
      return "the other side has ended"
    elseif answer.unfinished then
      return nil, true, answer.error
    end
    return answer.text or answer.error
  end

  function evaluator.complete(_, text, offer)
    core.spawn(function()
      local answer = client:ask { complete = text }
      if answer and answer.words then
        offer(answer.words, answer.replaced)
      end
    end)
  end

  function evaluator.cancel(_, running)
    if client.is_over then
      running:cancel()
    else
      client:cancel()
    end
  end

  return evaluator
end

local function talk(client, path)
  print(("moonpeer %s at %s; :help, Ctrl-D leaves"):format(
    client.about.moonpeer, path))
  local evaluator = evaluator_of(client)
  core.spawn(function()
    client:listen(io.write)
    if evaluator.leave and not client.is_left then
      print "the other side has ended"
      evaluator.leave()
    end
  end)
  local prompt = require "moonpeer.repl.prompt"
  local why = prompt.talk(evaluator)
  client.is_left = true
  client:close()
  core.finish()
  return why == "closed" and 1 or 0
end

-- --- choosing --------------------------------------------------------------

local function is_person(options)
  return not (options.eval or options.json)
    and core.is_terminal(0) and core.is_terminal(1)
end

local function answer_once(client, options)
  if options.json then
    return relay(client)
  end
  core.spawn(function()
    core.background()
    client:listen(io.write)
  end)
  return evaluate(client, options.eval or io.read "a")
end

function command.run(options)
  if options.list then
    print(table.concat(places.find(), "\n"))
    return 0
  end
  local path, message = places.choose(options.path)
  if not path then
    return fail(message)
  end
  local client, code
  local result = core.run(function()
    client, message, code = remote.attach(path)
    if not client then
      return fail(("%s: %s (%s)"):format(path, message, code))
    elseif not is_person(options) then
      return answer_once(client, options)
    end
  end)
  if client and is_person(options) then
    return talk(client, path)
  end
  return result or 1
end

return command
