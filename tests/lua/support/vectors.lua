--- vectors - the test data of the wire, and comparing with it.
local json = require "support.json"

local vectors = {}

local function read(name)
  local file <close> = assert(io.open("tests/data/" .. name))
  return file:read "a"
end

local names = {
  ["bsv-main"] = "mainnet",
  ["bsv-test"] = "testnet",
  ["bsv-regtest"] = "regtest",
  ["bsv-teratestnet"] = "teratestnet",
}

--- What a vector calls its network is called here.
function vectors.network(vector)
  return names[vector.network] or vector.network
end

function vectors.bytes(hex)
  return (hex:gsub("%x%x", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

--- Payloads that the reference node dislikes though they can be read.
local readable = {
  ping_pre_bip31_empty = true,
  version_banned_ua_bch = true,
  protoconf_too_small = true,
}

function vectors.is_good(vector)
  return vector.fields.valid or readable[vector.name] or false
end

--- All vectors that are frames of one message.
function vectors.messages()
  local list = {}
  for _, file in ipairs { "vectors.json", "messages.json" } do
    for _, vector in ipairs(json.read(read(file))) do
      if vector.frame_hex and vector.command:sub(1, 1) ~= "("
        and not vector.name:find "^neg_"
        and not vector.name:find "^extmsg" then
        list[#list + 1] = vector
      end
    end
  end
  return list
end

--- Those that are broken on purpose.
function vectors.broken()
  local list = {}
  for _, vector in ipairs(json.read(read "vectors.json")) do
    if vector.name:find "^neg_" then
      list[#list + 1] = vector
    end
  end
  return list
end

vectors.captures = {
  "bad-checksum", "banned-user-agent", "drip", "duplicate-version", "http-get",
  "inbound-full", "inbound-no-protoconf", "inv-unknown-block",
  "obsolete-version", "outbound-full", "oversize", "short-ping", "wrong-magic",
}

--- The lines of a capture that are frames.
function vectors.capture(name)
  local list = {}
  for line in read("captures/" .. name .. ".jsonl"):gmatch "[^\n]+" do
    local row = json.read(line)
    if row.frame then
      list[#list + 1] = row
    end
  end
  return list
end

local notes = {
  valid = true, note = true, expect = true, nonce_dec = true, trailing = true,
}
local other_names = { nonce_hex = "nonce", salt_hex = "salt" }

--- Whether all that a vector gives is so in what was read as JSON; else where
--- it is not.
function vectors.compare(want, got, path)
  if type(want) ~= "table" then
    if path:find "relay$" then
      want = want == true or want == 1 or type(want) == "string"
    end
    return want == got, path
  end
  if type(got) ~= "table" then
    return false, path
  end
  for key, value in pairs(want) do
    if not notes[key] then
      local name = other_names[key] or key
      local same, place = vectors.compare(value, got[name], path .. "." .. name)
      if not same then
        return false, place
      end
    end
  end
  return #want == #got, path
end

return vectors
