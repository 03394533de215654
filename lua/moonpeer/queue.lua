--- queue - events kept for a task that reads them when it can.
local core = require "moonpeer.core"
local misuse = require "moonpeer.misuse"

misuse.own_file()

local queue = {}

local function push(self, item)
  if self.count == self.capacity then
    self.first = self.first % self.capacity + 1
    self.count = self.count - 1
    self.lost = self.lost + 1
    self.on_lost()
  end
  self.items[(self.first + self.count - 1) % self.capacity + 1] = item
  self.count = self.count + 1
  self.gate:open()
end

local function pop(self)
  local item = self.items[self.first]
  self.items[self.first] = nil
  self.first = self.first % self.capacity + 1
  self.count = self.count - 1
  if self.lost > 0 then
    item.lost = self.lost
    self.lost = 0
  end
  return item
end

local function default_events()
  local list = {}
  for _, name in ipairs(core.events) do
    if name ~= "message" and name ~= "chunk" and name ~= "decision" then
      list[#list + 1] = name
    end
  end
  return list
end

local known = { capacity = true, command = true, events = true }

local function check(options)
  misuse.check_options("events", options, known)
  local capacity = options.capacity or 1024
  if math.type(capacity) ~= "integer" or capacity < 1 then
    misuse.raise("events: capacity: expected a whole number from 1, got %s",
      tostring(capacity))
  elseif options.events ~= nil and type(options.events) ~= "table" then
    misuse.raise("events: events: expected a list of names, got %s",
      type(options.events))
  elseif options.command ~= nil and type(options.command) ~= "string" then
    misuse.raise("events: command: expected string, got %s",
      type(options.command))
  end
  return capacity
end

--- No more will come: the iteration ends when all has been read.
local function finish(self)
  self.is_over = true
  self.gate:open()
end

--- Makes the iterator, the closer that ends the subscription, and the queue
--- itself, which lives as long as the iterator.
---@param engine moonpeer.Engine
---@param options table  capacity, events, command
---@param on_lost function  called for each event that is dropped
function queue.new(engine, options, on_lost)
  local self = {
    capacity = check(options), items = {}, first = 1, count = 0, lost = 0,
    on_lost = on_lost,
    gate = core.gate(), finish = finish,
  }
  local name = "queue " .. tostring(self)
  local events = options.events or default_events()
  for _, event in ipairs(events) do
    misuse.guard("events", engine.on, engine, event, name, function(view)
      push(self, view:table())
    end, { command = options.command })
  end
  local closer <const> = setmetatable({}, { __close = function()
    for _, event in ipairs(events) do
      engine:off(event, name)
    end
  end })
  local function next_event()
    while self.count == 0 do
      if self.is_over then
        return nil
      end
      self.gate:wait()
    end
    return pop(self)
  end
  return next_event, closer, self
end

return queue
