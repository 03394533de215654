--- weather - what a world's network is like: the methods of worlds for links,
--- limits, partitions and names.
local core = require "moonpeer.core"
local misuse = require "moonpeer.misuse"

misuse.own_file()

local raw = core.methods "moonpeer.world"

local methods = {}

local function must(what, result, message)
  if not result then
    misuse.raise("%s%s", message:find(what .. ": ", 1, true) == 1 and ""
      or what .. ": ", message)
  end
  return result
end

--- The handle of a world that is open.
local function open(self)
  self:check()
  return self.handle
end

--- The ip of an engine or remote of this world, or of an address.
function methods.ip_of(self, what, host)
  if type(host) == "string" then
    host = misuse.guard(what, raw.ip, host)
    if self.by_ip[host] then
      return host
    end
  else
    for _, one in ipairs(self.hosts) do
      if host ~= nil and (one.engine == host or one.remote == host) then
        return one.ip
      end
    end
  end
  misuse.raise("%s: expected an engine, a remote or an address of this world,"
    .. " got %s", what, tostring(host))
end

local weather = {
  latency = true, jitter = true, bandwidth = true, segment = true,
  split = true, merge = true, loss = true, refuse = true, silence = true,
  lifetime = true, one_way = true,
}

local function set_weather(self, a, b, options)
  return must("link", misuse.guard("link", raw.weather, self.handle, a, b,
    options))
end

--- What the way between two hosts is like; nil for any host. Latency, jitter
--- and bandwidth are each way's own. Without options it is as before.
---@param a? string|table     an address, an engine or a remote
---@param b? string|table
---@param options? table  latency, jitter, bandwidth (bytes a second), segment,
---  split, merge, loss, refuse, silence (chances), lifetime, one_way
function methods:link(a, b, options)
  open(self)
  misuse.check_options("link", options, weather)
  a = a ~= nil and self:ip_of("link", a) or nil
  b = b ~= nil and self:ip_of("link", b) or nil
  set_weather(self, a, b, options)
  if a ~= b and not (options or {}).one_way then
    set_weather(self, b, a, options)
  end
end

local limits = { descriptors = true, window = true, send_buffer = true }

--- What a host can hold; nil for hosts that are made later.
---@param host? string|table
---@param options table  descriptors; window: bytes that may wait unread;
---  send_buffer: bytes that may wait to be sent
function methods:limit(host, options)
  open(self)
  if options == nil then
    misuse.raise "limit(host, options): expected a table of options, got nil"
  end
  misuse.check_options("limit", options, limits)
  must("limit", misuse.guard("limit", raw.limits, self.handle,
    host ~= nil and self:ip_of("limit", host) or nil, options))
end

local function ips_of(self, what, hosts)
  local is_list = type(hosts) == "table" and getmetatable(hosts) == nil
  local ips = {}
  for i, host in ipairs(is_list and hosts or { hosts }) do
    ips[i] = self:ip_of(what, host)
  end
  return ips
end

--- Cuts all ways between a and b, each a host or a list; without b, between a
--- and everybody else.
---@return integer  a number for heal
function methods:partition(a, b)
  open(self)
  local other = b ~= nil and ips_of(self, "partition", b) or nil
  self.last_cut = must("partition", misuse.guard("partition", raw.cut,
    self.handle, ips_of(self, "partition", a), other))
  return self.last_cut
end

--- Takes a partition back, or all.
---@param number? integer
function methods:heal(number)
  open(self)
  if number ~= nil and (math.type(number) ~= "integer" or number < 1
    or number > (self.last_cut or 0)) then
    misuse.raise("heal: expected the number of a partition, got %s",
      tostring(number))
  end
  raw.heal(self.handle, number)
end

--- Resets every stream between two hosts.
---@return integer  how many
function methods:sever(a, b)
  open(self)
  return raw.sever(self.handle, self:ip_of("sever", a),
    self:ip_of("sever", b))
end

--- What a name resolves to: a list of ips, empty for a failure.
---@param name string
---@param answers string[]
---@param options? table  delay: a duration, or "never"
function methods:dns(name, answers, options)
  open(self)
  misuse.check_options("dns", options, { delay = true })
  if type(name) ~= "string" or type(answers) ~= "table" then
    misuse.raise "dns: expected a name and a list of addresses"
  end
  must("dns", misuse.guard("dns", raw.name, self.handle, name, answers,
    (options or {}).delay))
end

return methods
