--- The prompt, as a person at a terminal meets it.
local terminal = require "support.terminal"

local home = os.tmpname()
assert(os.remove(home))

local function read(path)
  local file = io.open(path)
  local text = file and file:read "a"
  if file then
    file:close()
  end
  return text
end

describe("at the prompt", function()
  local t

  setup(function()
    assert(os.execute("mkdir " .. home))
  end)

  teardown(function()
    assert(os.execute("rm -r " .. home))
  end)

  before_each(function()
    os.remove(home .. "/.moonpeer_history")
    t = terminal.start({}, { home = home })
    t:expect "> "
  end)

  after_each(function()
    t.pty:kill(9)
    t.pty:wait(5)
  end)

  local function engine()
    t:enter("e = moonpeer.engine { network = 'regtest', "
      .. "listen = '127.0.0.1:0' }", "> ")
    t:enter("e:start()", "true\n> ")
  end

  -- the thread sanitizer holds a signal back until the next call of libc; what
  -- is typed is short, for its end is awaited on one line of the terminal
  local is_held = os.getenv "MOONPEER_SANITIZE" == "thread"
  local busy = "print('g'..'o') " .. (is_held
    and "while 1 do io.write'' end" or "while true do end")

  --- Types a line that says go and goes on, and waits until it does.
  local function run(code)
    t:enter(code, "\ngo\n")
  end

  --- Waits until a Ctrl-C has reached the process: two at once are one.
  local function wait_for_signal(id)
    local is_pending
    repeat
      t:take(is_held and 0.2 or 0.01)
      local status = read("/proc/" .. id .. "/status")
      is_pending = tonumber(status:match "ShdPnd:%s*(%x+)", 16)
        | tonumber(status:match "SigPnd:%s*(%x+)", 16)
    until is_pending & 2 == 0
  end

  it("expressions show their values, statements nothing", function()
    t:enter("1 + 41", "\n42\n> ")
    assert.equal("\n", t:enter("x = 7", "> "))
    t:enter("= x", "\n7\n> ")
    t:enter("1, nil, 'a'", '\n1\nnil\n"a"\n> ')
  end)

  it("_ is the last result", function()
    t:enter("20 + 1", "\n21\n> ")
    t:enter("_ * 2", "\n42\n> ")
  end)

  it("tables come sorted, bytes as hex, cycles end", function()
    t:enter("{ b = 1, a = '\\0\\255' }",
      "\n{ a = <2 bytes: 00ff>, b = 1 }\n> ")
    t:enter("c = {}; c.c = c", "> ")
    t:enter("c", "\n{ c = <cycle> }\n> ")
  end)

  it("an unfinished chunk goes on in the next line", function()
    t:enter("for i = 1, 2 do", ">> ")
    t:enter("print(i)", ">> ")
    t:enter("end", "\n1\n2\n> ")
  end)

  it("an unfinished expression does so, too", function()
    t:enter("1 +", ">> ")
    t:enter("41", "\n42\n> ")
    t:enter("{", ">> ")
    t:enter("}", "\n{}\n> ")
    t:enter("1 + + 1", "unexpected symbol near '1'\n> ")
  end)

  it("the end of input tells what an unfinished chunk lacks", function()
    t:enter("for i = 1, 2 do", ">> ")
    t:type "\4"
    t:expect "'end' expected"
    assert.equal(0, t:code())
  end)

  it("errors are shown with the part of the trace that is theirs", function()
    local shown = t:enter("error 'boom'", "> ")
    assert.matches("stdin:1: boom", shown)
    assert.not_matches("repl", shown)
    t:enter("x y", "syntax error near 'y'\n> ")
    t:enter("error { code = 7 }", "error: { code = 7 }\n> ")
  end)

  it("what waits is waited for, and so is a task", function()
    t:enter("moonpeer.sleep(0.01)", "\ntrue\n> ")
    t:enter("moonpeer.spawn(function() moonpeer.sleep(0.01) return 5 end)",
      "\n5\n> ")
  end)

  it("Ctrl-C ends what is waited for, not the engine", function()
    engine()
    for _, code in ipairs {
      "print('g' .. 'o') moonpeer.sleep '1h'", busy,
    } do
      run(code)
      t:type "\3"
      t:expect "^C\ninterrupted\n> "
      t:enter("tostring(e)", "running")
    end
  end)

  it("Ctrl-C again ends what computes elsewhere, or catches it", function()
    engine()
    t:enter("'id ' .. require 'moonpeer.core'.process()", "id ")
    local id = t:expect '"'
    for _, code in ipairs {
      "moonpeer.spawn(function() %s end)",
      "coroutine.wrap(function() %s end)()",
      "while 1 do pcall(function() %s end) end",
    } do
      run(code:format(busy))
      t:type "\3"
      t:expect "^C"
      wait_for_signal(id)
      t:type "\3"
      t:expect "interrupted\n> "
      t:enter("tostring(e)", "running")
    end
  end)

  it("Ctrl-C drops the line, and the chunk it belongs to", function()
    t:enter("for i = 1, 2 do", ">> ")
    t:type "nonsense"
    t:expect "nonsense"
    t:type "\3"
    t:expect "> "
    t:enter("1 + 1", "\n2\n> ")
  end)

  it("what is printed meanwhile goes above the line", function()
    t:enter("moonpeer.spawn(function() moonpeer.sleep(0.3) print 'later' "
      .. "end) and nil", "> ")
    t:type "x = 12"
    t:expect "later\n> x = 12"
    t:type "3\nx\n"
    t:expect "\n123\n> "
  end)

  it("the tabulator completes values, methods, keys, events", function()
    engine()
    t:type "moonpeer.resol\t"
    t:expect "moonpeer.resolve"
    t:type "\21e:discon\t"
    t:expect "e:disconnect"
    t:type "\21moonpeer.engine { target_c\t"
    t:expect "target_connections"
    t:type "\21e:on('handshake_\t"
    t:expect "handshake_complete"
    t:type "\21:wat\t"
    t:expect ":watch"
    t:type "\21e:conf\t\t"
    t:expect "config     configure\n"
    t:type "\21string.forma\t"
    t:expect "string.format"
  end)

  it("the tabulator completes peers, options and events where they stand",
    function()
      engine()
      t:enter("e.store:create { ip = '203.0.113.88', port = 18444 } ~= nil",
        "true\n> ")
      t:type ":explain 203.0.1\t"
      t:expect ":explain 203.0.113.88:18444"
      t:type "\21e:ban('203.\t"
      t:expect "e:ban('203.0.113.88:18444"
      t:type "\21e:configure { max_conn\t"
      t:expect "max_connections"
      t:type "\21moonpeer.connect('198.51.100.1', { handshake_t\t"
      t:expect "handshake_timeout"
      t:type "\21e:on('peer_mis\t"
      t:expect "peer_misbehaved"
      t:type "\21:watch store_sav\t"
      t:expect ":watch store_saved"
    end)

  it("commands begin with a colon", function()
    t:enter(":help", ":peers")
    t:expect "> "
    t:enter(":peers", "no engine runs here")
    t:expect "> "
    engine()
    t:enter(":peers", "0 connections\n> ")
    t:enter(":watch peer_banned", "watching peer_banned\n> ")
    t:enter("e:ban '198.51.100.9'", "peer_banned")
    t:enter(":watch peer_banned", "no longer watching peer_banned\n> ")
    t:enter(":watch pnig", 'watching pnig: "pnig" is no built-in message; '
      .. 'the nearest is "ping"\n> ')
    t:enter(":watch inv", "watching inv\n> ")
    t:enter("help(help)", "What there is;")
    t:enter(":explain nonsense", "nothing was decided lately about nonsense, "
      .. "which is no address\n> ")
    t:enter(":explain 192.0.2.7", "about 192.0.2.7\n> ")
    t:enter(":log debug lstener", 'unknown component "lstener"; the nearest '
      .. 'known is "listener"\n> ')
    t:enter(":stats", "handshakes = 0")
    t:enter(":log debug net", 'net = "debug"')
    t:enter(":log debug nte", 'the nearest known is "net"\n> ')
    t:enter(":pers", "the nearest known is :peers; :help lists them\n> ")
    t:enter("help(e.ban)", "engine:ban(what, options?)")
  end)

  it("the arrows bring lines back, from a file of mode 0600", function()
    t:enter("first = 1", "> ")
    t:type "\27[A"
    t:expect "first = 1"
    t:type "\n"
    t:expect "> "
    t:type "\4"
    assert.equal(0, t:code())
    assert.matches("first = 1\n", read(home .. "/.moonpeer_history"))
    local list <close> = io.popen("stat -c %a " .. home
      .. "/.moonpeer_history")
    assert.equal("600\n", list:read "a")
    t = terminal.start({}, { home = home })
    t:expect "> "
    t:type "\27[A\27[A"
    t:expect "first = 1"
  end)

  it("letters of all scripts are edited as such", function()
    t:type "'h\u{e9}l\u{4e2d}x\127lo'\n"
    t:expect "\"h\u{e9}l\u{4e2d}lo\"\n> "
  end)

  it("garbage is survived", function()
    local garbage = {}
    for i = 1, 4000 do
      local byte = (i * 7919 + i // 3) % 256
      -- Ctrl-C, -D, -Z, -\ and what the terminal itself takes
      if byte ~= 3 and byte ~= 4 and byte ~= 26 and byte ~= 28 and byte ~= 17
        and byte ~= 19 then
        garbage[#garbage + 1] = string.char(byte)
      end
    end
    t:type(table.concat(garbage))
    t:type "\27[999;999H\27]0;title\7\27P\27\\"
    t:type "\21\n\21\n\3"
    t:type "\21\n"
    -- an interruption takes with it what is typed and has not been read
    for _ = 1, 20 do
      t:type "\3"
      t:take(0.3)
      t:type "\0217 * 6\n"
      if pcall(t.expect, t, "\n42\n", 1) then
        return
      end
    end
    error "the prompt does not answer any more"
  end)

  it("a key that stays unfinished holds nothing up", function()
    engine()
    t:enter("moonpeer.spawn(function() moonpeer.sleep(0.3) print 'alive' "
      .. "end) and nil", "> ")
    t:type "\27"
    t:expect "alive"
    t:type "1 + 1\n"
    t:expect "\n2\n"
  end)

  it("a very long line is cut, not waited for", function()
    t:type(("x"):rep(20000) .. "\n")
    t:expect("nil\n> ", 60)
    t:enter("6 * 7", "\n42\n> ")
  end)

  it("a window that changes its size keeps the line", function()
    t:type "12345"
    t:expect "12345"
    t.pty:resize(20, 10)
    t:type "678\n"
    t:expect "\n12345678\n> "
  end)

  it("many lines at once are done one after the other", function()
    t:type "a = 1\na = a + 1\nfor i = 1, 3 do\n  a = a + i\nend\na\n"
    t:expect "\n8\n> "
  end)

  it("Ctrl-D ends it, and the engine in order", function()
    engine()
    t:type "\4"
    assert.equal(0, t:code())
  end)

  it("the terminal that is closed ends it", function()
    engine()
    t.pty:hang_up()
    assert.is_truthy(t.pty:wait(10))
  end)

  it("the terminal that is closed ends what computes", function()
    run(busy)
    t.pty:hang_up()
    assert.is_truthy(t.pty:wait(10))
  end)

  it("a terminal that only prints is sent text only", function()
    t = terminal.start({}, { home = home, env = "TERM=dumb" })
    t:expect "> "
    t:type "moonpeer.resol\t"
    t:expect "moonpeer.resolve"
    assert.not_matches("\27", t.bytes)
  end)

  it("a history that is no file holds nothing up", function()
    os.remove(home .. "/.moonpeer_history")
    assert(os.execute("mkfifo " .. home .. "/.moonpeer_history"))
    t:enter("1 + 1", "\n2\n> ")
  end)

  it("SIGTERM ends it, and gives the terminal back", function()
    engine()
    t.pty:kill(15)
    assert.equal(0, t:code())
    assert.is_false(t.pty:is_raw())
  end)

  it("the terminal is its own again during an evaluation", function()
    t:enter("io.read()", "\n")
    t:type "hello\r" -- what the key sends; good before and after the change
    t:expect "\"hello\"\n> "
  end)

  it("it follows a script for -i", function()
    t = terminal.start({ "-i", "-e", "x = 41" }, { home = home })
    t:expect "> "
    t:enter("x + 1", "\n42\n> ")
  end)
end)
