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
Exit codes: 0 done, 1 nobody answers or the evaluation failed, 2 called the
wrong way.]]
end

local function fail(message)
  io.stderr:write("moonpeer console: ", message, "\n")
  return 1
end

-- --- one evaluation --------------------------------------------------------

local function evaluate(client, code)
  local answer = client:ask { eval = code, text = true }
  if not answer then
    return fail "the other side has ended"
  elseif answer.text then
    print(answer.text)
  end
  if not answer.ok then
    return fail(answer.error or "failed")
  end
  return 0
end

-- --- lines of JSON ---------------------------------------------------------

--- One request after the other; what is printed meanwhile comes first.
local function relay(client)
  for text in io.lines() do
    if text:find "%S" then
      client.line:write(text .. "\n")
      local answer, is_answer
      repeat
        answer = client.line:read()
        is_answer = answer
          and (core.json_decode(answer) or {}).ok ~= nil
        if answer then
          print(answer)
        end
      until not answer or is_answer
      io.stdout:flush()
      if not answer then
        return fail "the other side has ended"
      end
    end
  end
  return 0
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
      return nil, true
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
