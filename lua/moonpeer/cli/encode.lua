--- encode - makes a frame from a command and its fields.
local core = require "moonpeer.core"
local networks = require "moonpeer.cli.networks"
local misuse = require "moonpeer.misuse"
local words_of = require "moonpeer.words"

local encode = {
  summary = "Makes a message: its frame in hex digits.",
}

function encode.configure(parser)
  parser:argument("command", "Such as ping. One that is not built in is made, "
    .. "with a word of warning.")
  parser:argument("fields", "key=value: numbers as 33 or 0x21, hashes as they "
    .. "are displayed, other bytes as hex digits, lists and records as JSON.")
    :args "*"
  parser:option("--network", "Whose frame it is to be.", "mainnet")
  parser:option("--payload", "The payload as hex digits, instead of fields.")
  parser:flag("--binary", "The bytes themselves.")
  parser:flag("--json", "An object: command, payload_length, frame.")
  parser:epilog("Exit code 0: done; 2: misuse.")
end

local function complain(words)
  io.stderr:write("moonpeer encode: ", words, "\n")
  return 2
end

--- Lists and records are written as JSON.
local function value_of(text)
  if text:find "^%s*[%[{]" then
    return core.json_decode(text)
  end
  return text
end

local function fields_of(words)
  local fields = {}
  for _, word in ipairs(words) do
    local key, text = word:match "^([^=]+)=(.*)$"
    if not key then
      return nil, ("expected key=value, got %q"):format(word)
    elseif fields[key] ~= nil then
      return nil, key .. ": given twice"
    end
    local value, message = value_of(text)
    if value == nil then
      return nil, key .. ": " .. message
    end
    fields[key] = value
  end
  return fields
end

--- Whether it can be had, and it: fields, a payload, or nothing given.
local function payload_of(options)
  if options.payload and #options.fields > 0 then
    return false, "expected fields or a payload, got both"
  elseif options.payload then
    local payload = core.unhex(options.payload)
    return payload, payload or "payload: expected hex digits, two for a byte"
  elseif #options.fields == 0 then
    return true, nil
  end
  local fields, message = fields_of(options.fields)
  return fields, fields or message
end

local function print_frame(options, frame)
  if options.binary then
    io.write(frame)
  elseif options.json then
    local message = core.decode(frame, { network = options.network })
    io.write(('{"command": "%s", "payload_length": %d, "frame": "%s"}\n')
      :format(options.command:gsub('["\\]', "\\%0"), message.size,
        core.hex_of(frame)))
  else
    io.write(core.hex_of(frame), "\n")
  end
end

function encode.run(options)
  local network, wrong = networks.find(options.network)
  if not network then
    return complain(wrong)
  end
  local can, payload = payload_of(options)
  if not can then
    return complain(payload)
  end
  local good, frame, words = pcall(core.encode, options.command, payload,
    { network = options.network, text = true })
  if not good or not frame then
    return complain(misuse.bare(good and words or frame))
  end
  local doubt = words_of.doubt(options.command)
  if doubt then
    io.stderr:write("moonpeer encode: ", doubt, "\n")
  end
  print_frame(options, frame)
  return 0
end

return encode
