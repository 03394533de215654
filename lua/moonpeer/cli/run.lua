--- run - runs a script, as `moonpeer script.lua` does.
local run = {
  summary = "Runs a Lua script with the engine at hand: require \"moonpeer\".",
  takes_script = true,
}

function run.configure(parser)
  parser:argument("script", "A Lua file.")
  parser:epilog("What follows the script are its own arguments.")
end

--- Makes the script arg[0] and what follows it arg[1] and on.
local function shift(arg, places)
  local shifted = {}
  for i, word in pairs(arg) do
    shifted[i - places] = word
  end
  return shifted
end

local function place_of(script, words)
  for i, word in ipairs(words) do
    if word == script then
      return i
    end
  end
end

function run.run(options, words)
  local script, message = loadfile(options.script)
  if not script then
    io.stderr:write("moonpeer: ", message, "\n")
    return 1
  end
  local own = shift(words, place_of(options.script, words))
  _G.arg = own
  script(table.unpack(own))
  return 0
end

return run
