--- ban-takers - bans peers that ask for a lot and announce nothing.
---
---   moonpeer.engine { policies = { "scripts/ban-takers.lua" } }
---
--- Counts, for each connection, the items it asks us for (getdata) and those
--- it tells us of (inv). Nothing is kept of connections that are over.
local patience = 1000 -- items asked for, while not one was announced

local engine
local taken, given = {}, {}

---@param event moonpeer.Event
local function forget(event)
  taken[event.address], given[event.address] = nil, nil
end

---@type moonpeer.Policy
local policy = {
  name = "ban-takers",
  setup = function(the_engine)
    engine = the_engine
  end,
  on = {
    message = function(event)
      local message, who = event.message, event.address
      if message.command == "inv" then
        given[who] = true
      elseif message.command == "getdata" and not given[who] then
        taken[who] = (taken[who] or 0) + #message
        if taken[who] > patience then
          engine:ban(event.connection, {
            time = "24h", reason = "takes and never gives",
          })
        end
      end
    end,
    connection_lost = forget,
  },
}

return policy
