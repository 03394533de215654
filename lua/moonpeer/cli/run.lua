--- run - runs an engine: a script, a configuration, or plain options.
local core = require "moonpeer.core"
local networks = require "moonpeer.cli.networks"
local words = require "moonpeer.words"

local run = {
  summary = "Runs a Lua script with the engine at hand, a JSON configuration, "
    .. "or an engine with plain options.",
  takes_script = true,
}

--- Options that have a value: what follows them is no script.
run.values = {}

local function option(parser, names, text, argname)
  for name in names:gmatch "%S+" do
    run.values[name] = true
  end
  return parser:option(names, text):argname(argname)
end

local function count(text)
  return tonumber(text), ("--connections: expected a number, got '%s'")
    :format(text)
end

local function network_name(name)
  local network, message = networks.find(name)
  return network and name, message
end

--- "debug", or "net=debug" for those of one component.
local function log_level(text)
  local component, level = text:match "^([^=]*)=(.*)$"
  level = level or text
  local doubt = require("moonpeer.log").doubt(level, component)
  return not doubt and { level, component } or nil, doubt
end

function run.configure(parser)
  parser:argument("script", "A Lua file, or a configuration (.json)."):args "?"
  option(parser, "--network", "The network to speak: mainnet when not given, "
    .. "testnet, regtest ...", "<name>")
    :convert(network_name)
  option(parser, "--listen", "Where to wait for peers, such as 0.0.0.0:8333; "
    .. "nowhere when not given.", "<address>")
  option(parser, "--peer", "Dial only these; may be given again.", "<address>")
    :count "*"
  option(parser, "--store", "Where peers are remembered: json:FILE, "
    .. "sqlite:FILE; in memory when not given.", "<url>")
  option(parser, "--policy", "A policy, asked before the stock ones; may be "
    .. "given again.", "<file>")
    :count "*"
  parser:flag("--watch", "Reload policies when their files change.")
  option(parser, "--connections", "Outbound connections to keep; 8 when not "
    .. "given.", "<n>")
    :convert(count)
  option(parser, "--console", "Where consoles attach: a Unix socket of mode "
    .. "0600.", "<path>")
  parser:flag("--no-console", "No socket for consoles.")
  parser:flag("--read-only", "Consoles only look.")
  option(parser, "--log", "error, warning, info or debug, of all or of one "
    .. "component, such as net=debug; info when not given; may be given again.",
    "<level>")
    :count "*":convert(log_level)
  parser:flag("--json", "Logs as lines of JSON.")
  parser:flag("--no-status", "No status line on the terminal.")
  parser:epilog [[
What follows the script are its own arguments. A script that returns a table
gives a configuration; one that leaves engines open is served until the last
of them closes. SIGINT, SIGTERM and a terminal that is closed (SIGHUP) close
them in order, a second SIGINT or SIGTERM at once.
Exit codes: 0 ended in order, 1 failed, 2 called the wrong way.]]
end

--- In the form that was asked for.
local function complain(options, message)
  if options.json then
    require("moonpeer.log").fail("run", "failed", message)
  else
    io.stderr:write("moonpeer: ", message, "\n")
  end
  return 1
end

-- --- what a command line says ----------------------------------------------

--- Makes the script arg[0] and what follows it arg[1] and on.
local function shift(arg, places)
  local shifted = {}
  for i, word in pairs(arg) do
    shifted[i - places] = word
  end
  return shifted
end

--- The first word that is no option and no option's value.
local function place_of(given)
  local i = 1
  while given[i] and given[i]:sub(1, 1) == "-" do
    i = i + (run.values[given[i]] and 2 or 1)
  end
  return i
end

local plain = { network = "network", listen = "listen", store = "store",
  connections = "target_connections" }

local usual_most = 20 -- connections in all

--- The configuration of plain options; nil when there are none.
local function of_options(options)
  local configuration = {}
  for name, key in pairs(plain) do
    configuration[key] = options[name]
  end
  if (options.connections or 0) > usual_most then
    configuration.max_connections = options.connections + usual_most
  end
  if #options.peer > 0 then
    configuration.peers = options.peer
  end
  if #options.policy > 0 then
    configuration.policies = options.policy
  end
  return next(configuration) ~= nil and configuration or nil
end

local function read_json(path)
  local file, message = io.open(path)
  if not file then
    return nil, "cannot open " .. message
  end
  local text, unreadable = file:read "a"
  file:close()
  if not text then
    return nil, ("%s: %s"):format(path, unreadable)
  end
  local configuration, why = core.json_decode(text)
  if configuration == nil or not text:find "^%s*{" then
    return nil, ("%s: %s"):format(path, why or "expected an object, {...}")
  end
  return configuration
end

-- --- what goes with it -----------------------------------------------------

local function open_console(options)
  if options.no_console then
    return
  end
  local console = require "moonpeer.console"
  local path = options.console or console.default_path()
  local listener, message = console.serve(path,
    { read_only = options.read_only })
  if not listener and options.console then
    return nil, message
  elseif not listener then
    require("moonpeer.log").write("warning", "console", "no console",
      { reason = message })
    return nil
  end
  -- the socket is to be gone when the script leaves by the side door
  local exit = os.exit
  rawset(os, "exit", function(...)
    listener:close()
    exit(...)
  end)
  return listener
end

local function start_log(options)
  local log = require "moonpeer.log"
  log.configure { format = options.json and "json" or "text" }
  log.set_level "info"
  for _, one in ipairs(options.log) do
    log.set_level(one[1], one[2])
  end
  log.start()
  require("moonpeer.engine").made = function(engine)
    log.follow(engine)
    if options.watch then
      engine:watch()
    end
  end
end

local function rate(now, before)
  return now - before
end

--- "regtest: 8 connected of 9 (3 in, 6 out), 12 bans, 1 dials/s ..., saved".
local function describe(engine, before)
  local counts = engine:stats()
  local store = engine.store
  local text = ("%s: %d connected of %d (%d in, %d out), %d bans, %d dials/s, "
    .. "%d handshakes/s, %d messages/s, %s"):format(engine:network().name,
    counts.connected, counts.connections, counts.inbound, counts.outbound,
    #store.bans, rate(counts.dials, before.dials or 0),
    rate(counts.handshakes, before.handshakes or 0),
    rate(counts.messages_in, before.messages or 0),
    store.is_changed and "not saved" or "saved")
  before.dials, before.handshakes = counts.dials, counts.handshakes
  before.messages = counts.messages_in
  return text
end

local function start_status(options)
  local good, terminal = pcall(require, "moonpeer.terminal")
  if options.no_status or options.json or not good
    or not terminal.is_there() or os.getenv "TERM" == "dumb" then
    return nil
  end
  local before = {}
  return core.ticker("1s", function()
    local engine = core.engines()[1]
    local fine, text = pcall(describe, engine, before)
    terminal.status(engine and fine and text or nil)
  end), terminal
end

-- --- running ---------------------------------------------------------------

local function run_engine(options, configuration)
  local moonpeer = require "moonpeer"
  local good, engine, message, code = pcall(moonpeer.engine, configuration)
  if not good then
    return complain(options, require("moonpeer.misuse").bare(engine))
  elseif not engine then
    return complain(options, ("%s (%s)"):format(message, code))
  end
  local started, why, how = engine:start()
  if not started then
    return complain(options, ("%s (%s)"):format(why, how))
  end
  moonpeer.run()
  return 0
end

local function traceback(message)
  return debug.traceback(words.raised(message), 2)
end

--- Who reads JSON is told what failed as JSON; people get it from where it
--- came, as from lua.
local function call(options, script, arguments)
  if options.json then
    return xpcall(script, traceback, table.unpack(arguments))
  end
  return true, script(table.unpack(arguments))
end

--- The script's own result may be a configuration. Engines that it has made
--- and left open are the service.
local function run_script(options, given)
  local script, message = loadfile(options.script)
  if not script then
    return complain(options, message)
  end
  local own = shift(given, place_of(given))
  _G.arg = own
  local good, result = call(options, script, own)
  if not good then
    return complain(options, result)
  elseif type(result) == "table" then
    return run_engine(options, result)
  end
  if #core.engines() > 0 then
    require("moonpeer").run()
  end
  return 0
end

local function choose(options, given)
  local script = options.script
  if script and not script:find "%.json$" then
    return run_script(options, given)
  end
  local configuration, message = of_options(options) or {}, nil
  if script then
    local rest = configuration
    configuration, message = read_json(script)
    for key, value in pairs(configuration and rest or {}) do
      configuration[key] = value
    end
  end
  return configuration and run_engine(options, configuration)
    or complain(options, message)
end

function run.run(options, given)
  if not options.script and not of_options(options) then
    io.stderr:write("moonpeer run: missing argument 'script', or ",
      "options; --help lists them\n")
    return 2
  end
  start_log(options)
  local _, trouble = open_console(options)
  if trouble then
    return complain(options, trouble)
  end
  local ticker, terminal = start_status(options)
  local code = choose(options, given)
  if ticker then
    ticker:close()
    terminal.status(nil)
  end
  return code
end

return run
