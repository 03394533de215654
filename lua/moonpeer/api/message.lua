--- Messages.
return {
  name = "moonpeer.message", class = "moonpeer.Message",
  variable = "message", kind = "method",
  summary = "A command and its fields, read when they are asked for: "
    .. "`message.nonce`. `#message` is the length of its list. Hooks and "
    .. "listeners get views, stale when they return; receive gives copies.",
  members = {
    { name = "command", kind = "field", type = "string", since = "0.1.0",
      summary = "\"inv\"." },
    { name = "each", since = "0.1.0",
      summary = "Walks the list: of an inv its kind and hash.",
      returns = { { "function", "an iterator" } },
      example = [[for kind in message:each() do print(kind) end]] },
    { name = "table", since = "0.1.0", summary = "All fields as a table.",
      returns = { { "table", "" } },
      example = [[assert(message:table().nonce == message.nonce)]] },
    { name = "raw", since = "0.1.0", summary = "The payload.",
      returns = { { "string", "" } },
      example = [[assert(#message:raw() == 8)]] },
    { name = "copy", since = "0.1.0",
      summary = "A message of one's own, for later.",
      returns = { { "moonpeer.Message", "" } },
      example = [[assert(message:copy().command == message.command)]] },
  },
}
