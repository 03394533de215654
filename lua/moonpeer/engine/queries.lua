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

local filters = { "state", "inbound", "address" }

local function check_filter(filter)
  for key in sorted(filter) do
    if key ~= "state" and key ~= "inbound" and key ~= "address" then
      error(("unknown filter %q; the nearest known is %q"):format(
        tostring(key), core.nearest(tostring(key), filters) or "state"), 3)
    end
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

--- Walks the peers it remembers. Changing them meanwhile is safe.
---@param filter? table  as for each() of a store: status, group, source ...
---@return function  for peer in engine:peers() do
function methods:peers(filter)
  return self.store:each(filter)
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

--- The last decisions, about one address or all: which policy or rule, in
--- which generation, on what, with which verdict and reason; `text` has it in
--- words.
---@param what? string|moonpeer.Connection|moonpeer.Peer  an address, with or
---  without its port
---@return table[]  the oldest first
function methods:explain(what)
  if what ~= nil and type(what) ~= "string" then
    what = what.address or host_of(what.ip)
  end
  local rows, found = self:decisions(), {}
  for _, row in ipairs(rows) do
    if what == nil or row.address == what
      or row.address and host_of(row.address) == what then
      found[#found + 1] = row
    end
  end
  return found
end
