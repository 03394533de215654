--- addresses - which of the addresses that peers tell us of are worth keeping.
---
--- How many and how fast the store limits for each source by itself, and what
--- is no public address never comes here. What is left to judge is the port:
--- whoever spreads addresses with the port of a mail server wants us to
--- pester that server. A policy before this one may answer true for its own.
local addresses = { name = "addresses" }

--- Ports of services that would take a handshake for an attack: ssh, telnet,
--- mail, names, the web, shares, databases, chat.
addresses.refused_ports = {
  [0] = true, [7] = true, [9] = true, [19] = true, [20] = true, [21] = true,
  [22] = true, [23] = true, [25] = true, [53] = true, [80] = true,
  [110] = true, [123] = true, [137] = true, [139] = true, [143] = true,
  [161] = true, [389] = true, [443] = true, [445] = true, [465] = true,
  [587] = true, [636] = true, [993] = true, [995] = true, [1433] = true,
  [3306] = true, [3389] = true, [5060] = true, [5432] = true, [6379] = true,
  [6667] = true, [11211] = true, [27017] = true,
}

function addresses.keep(_, address)
  local port = tonumber(address:match ":(%d+)$")
  if addresses.refused_ports[port] then
    return false, ("port %d belongs to another service"):format(port)
  end
  return true
end

return addresses
