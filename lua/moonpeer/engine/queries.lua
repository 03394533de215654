--- queries - what an engine tells about itself when it is asked.
local core = require "moonpeer.core"
local listeners = require "moonpeer.engine.listeners"
local misuse = require "moonpeer.misuse"
local sorted = require "moonpeer.sorted"

misuse.own_file()

local methods = core.methods "moonpeer.engine"
local list, traffic, lag = methods.list, methods.traffic, methods.lag
local rule_counts = methods.rule_counts
methods.list, methods.traffic, methods.lag = nil, nil, nil
methods.rule_counts = nil

local function passes(connection, filter)
  for key, value in pairs(filter) do -- any order: all must hold
    if connection[key] ~= value then
      return false
    end
  end
  return true
end

local filters = { state = "string", inbound = "boolean", address = "string" }

local states = {
  "awaiting_handshake", "connected", "connecting", "disconnected", "failed",
  "rejected",
}

local function is_state(name)
  for _, state in ipairs(states) do
    if state == name then
      return true
    end
  end
  return false
end

--- Raises unless the values of a table, whose keys are known, have these types.
---@param what string
---@param types table<string, string>
local function check_types(what, values, types)
  for key, value in sorted(values) do
    if type(value) ~= types[key] then
      misuse.raise("%s: %s: expected %s, got %s", what, key, types[key],
        type(value))
    end
  end
end

local function check_filter(filter)
  if type(filter) ~= "table" then
    misuse.raise("connections: expected a table of filters, got %s",
      type(filter))
  end
  misuse.check_known("connections: unknown filter", filter, filters)
  check_types("connections", filter, filters)
  if filter.state and not is_state(filter.state) then
    misuse.raise("connections: unknown state %q; the nearest known is %q",
      filter.state, core.nearest(filter.state, states) or "connected")
  end
end

--- Walks the connections. Closing them meanwhile is safe.
---@param filter? table  state, inbound, address
---@return function  for connection in engine:connections() do
function methods:connections(filter)
  filter = filter or {}
  check_filter(filter)
  local all, i = list(self), 0
  return function()
    repeat
      i = i + 1
    until not all[i] or passes(all[i], filter)
    return all[i]
  end
end

-- --- whom a verb means ------------------------------------------------------

--- "moonpeer.peer", of its objects, or the type.
local function kind_of(what)
  return type(what) == "userdata" and tostring(what):match "^(moonpeer%.%w+)"
    or type(what)
end

--- Those that are a peer's: it was dialled, or says to be it.
local function of_peer(self, peer)
  local found = {}
  for _, connection in ipairs(list(self)) do
    if connection.peer == peer then
      found[#found + 1] = connection
    end
  end
  return found
end

local function find(self, what)
  local kind = kind_of(what)
  if kind == "string" then
    return misuse.guard("disconnect", list, self, what)
  elseif kind == "moonpeer.peer" then
    return of_peer(self, what)
  elseif kind ~= "moonpeer.connection" then
    misuse.raise("disconnect: expected a connection, a peer or an address, "
      .. "got %s", kind)
  end
  for _, connection in ipairs(list(self, what.address)) do
    if connection == what then
      return { what }
    end
  end
  return {}
end

--- Closes connections: one, those of a peer, or all with an address.
---@param what moonpeer.Connection|moonpeer.Peer|string  "1.2.3.4:8333",
---  "1.2.3.4" for all ports, or "1.2.0.0/16"
---@param reason? string
---@return integer closed
function methods:disconnect(what, reason)
  if reason ~= nil and type(reason) ~= "string" then
    misuse.raise("disconnect: expected a reason as a text, got %s",
      type(reason))
  end
  local found = find(self, what)
  for _, connection in ipairs(found) do
    connection:close(reason)
  end
  return #found
end

--- Walks the peers it remembers. Changing them meanwhile is safe.
---@param filter? table  as for each() of a store: status, group, source ...
---@return function  for peer in engine:peers() do
function methods:peers(filter)
  return misuse.guard("peers", self.store.each, self.store, filter)
end

--- What it has done and has now: `connections` and those of them that are
--- `inbound`, `outbound`, `connected`, `half_open`, `feelers`, `polite`;
--- `peers` by status; `dials`, `accepted`, `rejected`, `handshakes`, `bans`,
--- `evictions`; `failures` by code; `commands`: of each command the messages
--- and bytes both ways, and the sum of these; `memory` held for what was
--- `received` and is `queued`; `lag` and `most_lag` of the loop in seconds;
--- `events_lost`: dropped because a reader of events was too slow, or too many
--- came at once.
---@return table
function methods:stats()
  local stats = misuse.guard("stats", self.counts, self)
  stats.peers = self.store:count_by_status()
  stats.commands, stats.memory = traffic(self)
  stats.lag, stats.most_lag = lag(self)
  stats.events_lost = stats.events_lost + listeners.of(self).events_lost
  for _, key in ipairs {
    "messages_in", "bytes_in", "messages_out", "bytes_out",
  } do
    stats[key] = 0
    for _, row in pairs(stats.commands) do -- any order: adds integers
      stats[key] = stats[key] + row[key]
    end
  end
  return stats
end

--- The jobs of the schedule.
---@return table[]  name, runs, failures, skipped, last (wall time), running
function methods:schedule()
  local handlers = listeners.of(self)
  return handlers.schedule and handlers.schedule:counts() or {}
end

--- What policies may take, and what they took.
---@return table[]  policy, name, state, calls, errors, kills, time, last_error
function methods:policies()
  return listeners.of(self).stack:counts()
end

--- The declared rules, and what they have counted.
---@return table[]  name, counted, exempted, reached (a step of the ladder)
function methods:rules()
  local counts = {}
  for i, rule in ipairs(listeners.of(self).stack:rules()) do
    local counted, exempted, reached = rule_counts(self, i)
    counts[i] = {
      name = rule.name, counted = counted, exempted = exempted,
      reached = reached,
    }
  end
  return counts
end

local function host_of(address)
  return address:match "^%[(.-)%]" or address:match "^[^:]+$"
    or address:match "^([^:]+):%d+$" or address
end

local function is_about(address, what)
  return address ~= nil and (address == what or host_of(address) == what)
end

--- The last decisions, about one address or all: which policy or rule, in
--- which generation, on what, with which verdict and reason; `text` has it in
--- words.
---@param what? string|moonpeer.Connection|moonpeer.Peer  an address, with or
---  without its port
---@return table[]  the oldest first
function methods:explain(what)
  local kind = kind_of(what)
  if kind == "moonpeer.connection" or kind == "moonpeer.peer" then
    what = what.address
  elseif what ~= nil and kind ~= "string" then
    misuse.raise("explain: expected an address, a connection or a peer, got %s",
      kind)
  end
  local rows, found = self:decisions(), {}
  for _, row in ipairs(rows) do
    if what == nil or is_about(row.address, what)
      or row.decision == "evict" and is_about(row.verdict, what) then
      found[#found + 1] = row
    end
  end
  return found
end
