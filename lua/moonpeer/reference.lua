--- reference - the page of all messages, made from the table that the code
--- works with.
local core = require "moonpeer.core"

local reference = {}

local HEAD = [[
# The wire: every message

This page is written by `scripts/reference` from `messages.c`, `layouts.c` and
`chain_layouts.c`; a test fails when it is stale.

`frame.c` cuts a stream of bytes into messages, `layout.c` walks their fields,
`view.c` reads them in place, `encoder.c` makes payloads, `network.c` knows the
networks and their limits, `session.c` holds handshake and keepalive.

## Reading the tables

| column | meaning |
|---|---|
| field | its name in Lua, JSON and `encode`; `list[].field` of entries |
| bytes | its width; `1-9` is a compact size, `+ n` so many bytes after it |
| type | integers are little-endian |
| rules | what is checked, and when the field is there |

In JSON integers shown as *hex* are texts such as `"0x21"`, hashes are 64 digits
in reverse, other bytes hex digits, and what is absent is null.

Computed fields take no bytes: they are read like others, and ignored by the
encoder, except that a count must be right. *optional* means that the payload
may end before the field; then it and all that follow are absent. Bytes after
the last field are ignored. **When**: *any*: always; *version*: once a version
has come; *negotiation*: between version and verack; *ready*: after both.
Messages marked *other chains* are not sent by Bitcoin SV nodes.

## What stands before a payload

| at | bytes | field | rules |
|---|---|---|---|
| 0 | 4 | magic | the network's; another is `network_mismatch`, at once |
| 4 | 12 | command | printable ASCII, then zero bytes |
| 16 | 4 | length | little-endian; limits are below |
| 20 | 4 | checksum | the first bytes of the payload's double sha256 |

**extmsg**: when the command begins with these six letters, the length and the
checksum say nothing, and twenty bytes more follow. Source: SV protocol.cpp,
specification p2p/large_messages.md.

| at | bytes | field | rules |
|---|---|---|---|
| 24 | 12 | command | of the payload; the limit is that of this one |
| 36 | 8 | length | little-endian; at most 2^63 - 1 |

Such a frame is read at any size, and written only when a payload has 4 GiB or
more: then with a length of `ffffffff` and a checksum of zeros before it.
]]

local function thousands(n)
  local text, changes = ("%d"):format(n), 1
  while changes > 0 do
    text, changes = text:gsub("^(%-?%d+)(%d%d%d)", "%1,%2")
  end
  return text
end

-- --- limits ----------------------------------------------------------------

local function limit_text(n)
  return n >= 1 << 61 and "none" or thousands(n)
end

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do -- any order: sorts them
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

--- Networks with the same limits stand together.
local function limit_groups()
  local groups, order = {}, {}
  for _, name in ipairs(sorted_keys(core.network)) do
    local network = core.network[name]
    local words = { "all others " .. limit_text(network.max_payload) }
    for _, command in ipairs(sorted_keys(network.limits)) do
      words[#words + 1] = command .. " "
        .. limit_text(network.limits[command])
    end
    local text = table.concat(words, ", ")
    if not groups[text] then
      groups[text] = {}
      order[#order + 1] = text
    end
    table.insert(groups[text], name)
  end
  return groups, order
end

local function put_limits(out)
  out [[

## Limits of a payload, in bytes

Judged when the header is complete; what is over is the offence
`oversize_message`. Custom networks bring their own (`max_payload`, `limits`).
What is legal and larger than `receive_memory` comes in chunks to who asks for
it, else the connection ends with `limit`. A message that a script has declared
with a `limit` has that instead.

What has no limit of its own is sent up to what the peer's protoconf says, or
four times our own `max_payload` if that is less; before its protoconf up to
1,048,576. Our protoconf says `max_payload`, or `receive_memory` if that is less
(at least 1,048,576). Payloads of 4 GiB and more are sent to peers of version
70016 and later only.

| networks | limits |
|---|---|]]
  local groups, order = limit_groups()
  for _, text in ipairs(order) do
    out(("| %s | %s |"):format(table.concat(groups[text], ", "), text))
  end
end

-- --- fields ----------------------------------------------------------------

local widths = {
  bool = "1", hash = "32", ip = "16", compact = "1-9", record = "",
  text = "1-9 + n", var_bytes = "1-9 + n", list = "1-9",
  count_of = "0", size_of = "0", hash_of = "0", hashes_of = "0",
}

local function width(field)
  if field.sized then
    return "1-9"
  end
  return widths[field.type] or tostring(field.size)
end

local function subject(field)
  if field.of then
    return "`" .. field.of .. "`"
  elseif field.type == "hash_of" and field.size then
    return ("its first %d bytes"):format(field.size)
  end
  return "it"
end

local kinds = {
  uint = "unsigned integer", int = "signed integer", bool = "true or false",
  compact = "compact size", hash = "hash", ip = "IP address", bytes = "bytes",
  var_bytes = "bytes", text = "text", record = "record", list = "list",
}

local computed = {
  count_of = "computed: the entries of %s", size_of = "computed: bytes of %s",
  hash_of = "computed: the double sha256 of %s",
  hashes_of = "computed: the double sha256 of each of %s",
}

local function kind(field)
  if computed[field.type] then
    return computed[field.type]:format(subject(field))
  end
  local words = { kinds[field.type] }
  if field.big_endian then
    words[#words + 1] = "big-endian"
  end
  if field.unit then
    words[#words + 1] = field.unit
  end
  if field.hex then
    words[#words + 1] = "hex"
  end
  return table.concat(words, ", ")
end

local counted = { list = " entries", text = " bytes", var_bytes = " bytes" }

local function range(field)
  local what = counted[field.type] or ""
  local least, most = field.min or 0, field.max
  if least == most then
    return thousands(least) .. what
  elseif not most then
    return ("at least %s%s"):format(thousands(least), what)
  elseif least > 0 then
    return ("%s to %s%s"):format(thousands(least), thousands(most), what)
  end
  return ("at most %s%s"):format(thousands(most), what)
end

local function condition(field)
  if field.when_is then
    return ("only when `%s` is %s"):format(field.when,
      field.when_is:gsub(" ", " or "))
  end
  return ("only when `%s` is at least %d"):format(field.when, field.when_min)
end

local function default(field)
  if field.type == "uint" or field.type == "int" or field.type == "compact" then
    return "default " .. ("%d"):format(field.default)
  elseif field.type == "bool" then
    return "default " .. tostring(field.default ~= 0)
  end
  return "default empty"
end

local function rules(field)
  local words = {}
  local function add(condition_holds, text)
    if condition_holds then
      words[#words + 1] = text
    end
  end
  add(field.optional, "optional")
  add(field.lenient, "absent when cut off")
  add(field.when, field.when and condition(field))
  add(field.min or field.max, (field.min or field.max) and range(field))
  add(field.default, field.default and default(field))
  add(field.network_address, "as long as its network has it")
  add(field.sized, "fills the length before it")
  add(field.differential, "each the distance to the one before, less one")
  add(field.quiet, "not shown in JSON")
  return table.concat(words, "; ")
end

local put_fields

local function put_field(out, field, prefix)
  local name = prefix .. (field.name or "")
  if field.name then
    out(("| `%s` | %s | %s | %s |"):format(name, width(field), kind(field),
      rules(field)))
  end
  if field.type == "list" then
    put_fields(out, field.fields, name .. "[]")
  elseif field.type == "record" then
    put_fields(out, field.fields, name)
  end
end

--- An item without a name is the entry itself.
function put_fields(out, fields, prefix)
  for _, field in ipairs(fields) do
    if not field.name then
      out(("| `%s` | %s | %s | %s |"):format(prefix, width(field), kind(field),
        rules(field)))
    else
      put_field(out, field, prefix == "" and "" or prefix .. ".")
    end
  end
end

-- --- messages --------------------------------------------------------------

local function limit_on(network, command)
  local one = core.network[network]
  return limit_text(one.limits[command] or one.max_payload)
end

local function put_message(out, one)
  out(("\n### %s\n"):format(one.command))
  out(("%s. When: %s%s. Source: %s.\n"):format(
    one.summary:gsub("^%l", string.upper), one.phase,
    one.foreign and "; other chains" or "", one.source))
  out(("Limit in bytes: %s; BTC %s, BCH %s.\n"):format(
    limit_on("mainnet", one.command), limit_on("btc-main", one.command),
    limit_on("bch-main", one.command)))
  if not one.fields then
    out "Known by name; its payload is bytes."
  elseif #one.fields == 0 then
    out "No payload."
  else
    out "| field | bytes | type | rules |\n|---|---|---|---|"
    put_fields(out, one.fields, "")
  end
end

--- The whole page, as Markdown.
---@return string
function reference.messages()
  local lines = {}
  local function out(text)
    lines[#lines + 1] = text .. "\n"
  end
  out((HEAD:gsub("\n$", "")))
  put_limits(out)
  out "\n## Messages"
  for _, one in ipairs(core.types()) do
    put_message(out, one)
  end
  return table.concat(lines)
end

return reference
