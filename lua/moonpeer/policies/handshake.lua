--- handshake - who may complete a handshake.
---
--- The core has checked the protocol version and that the peer is not this
--- engine itself. On the public networks, whose magic other chains use too,
--- only the user agent tells them apart. To let others in, put a policy before
--- this one that answers "ok"; to keep more out, one that answers "offence".
local core = require "moonpeer.core"

local handshake = {
  name = "handshake",

  --- Nodes of this blockchain call themselves so.
  user_agents = {
    "/Bitcoin SV*", "/moonpeer*", "/teranode*", "/bsvwire*",
  },

  --- Nobody who calls himself so gets in.
  banned_user_agents = {},
}

local function matches(text, globs)
  for _, glob in ipairs(globs) do
    if core.glob(text, glob) then
      return glob
    end
  end
end

function handshake.validate(engine, _, version)
  local agent = version.user_agent
  if engine:network().checks_user_agent
    and not matches(agent, handshake.user_agents) then
    return "offence", "blockchain_mismatch",
      ("expected a user agent of this blockchain, got %q"):format(agent)
  end
  local glob = matches(agent, handshake.banned_user_agents)
  if glob then
    return "offence", "banned_user_agent",
      ("the user agent %q matches %q"):format(agent, glob)
  end
  return "ok"
end

return handshake
