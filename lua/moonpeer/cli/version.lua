--- version - says which moonpeer this is.
local moonpeer = require "moonpeer"

local version = { summary = "Prints the version." }

function version.configure(parser)
  parser:flag("--json", "As an object.")
  parser:epilog "Exit codes: 0 done, 1 it cannot be written."
end

function version.run(options)
  local form = options.json and '{"moonpeer":"%s","lua":"%s"}'
    or "moonpeer %s (%s)"
  print(form:format(moonpeer.version, _VERSION))
  return 0
end

return version
