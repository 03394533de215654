--- report - what happened last in a world, remote by remote: for people who
--- wonder why what they wait for did not come.
local misuse = require "moonpeer.misuse"
local remote = require "moonpeer.sim.remote"

misuse.own_file()

local report = {}

local tail = 256 * 1024 -- bytes of the trace that are looked at

--- The last line of the trace for each ip.
local function last_lines(trace)
  local last = {}
  for line in trace:sub(-tail):gmatch "[^\n]+" do
    for place in line:gmatch '"[fta][rot]o?m?":"([^"]*)"' do
      last[place:match "^%[(.*)%]" or place:match "^[^:]*" or place] = line
    end
  end
  return last
end

local function of_remote(self)
  if self.error then
    return "failed"
  elseif self.done then
    return ("ended at %.6g s"):format(self.ended)
  end
  local place = remote.place(self)
  return place and "waits at " .. place or "has not begun"
end

local function of_engine(engine)
  local words = {}
  for connection in engine:connections() do
    words[#words + 1] = ("%s %s"):format(connection.address, connection.state)
    if #words == 8 then
      words[#words + 1] = "..."
      break
    end
  end
  return #words == 0 and "no connections" or table.concat(words, ", ")
end

local function describe(host, last)
  local line = last[host.ip]
  return ("  %s %s: %s%s"):format(host.remote and "remote" or "engine",
    host.ip, host.remote and of_remote(host.remote) or of_engine(host.engine),
    line and "; last: " .. line or "")
end

--- Everything in words, one line a host; at most `most` of them.
---@param hosts table[]  in the order of their making: ip, remote or engine
---@param trace string
---@param most? integer
---@return string
function report.of(hosts, trace, most)
  local last, lines = last_lines(trace), {}
  for i, host in ipairs(hosts) do
    if i > (most or 20) then
      lines[#lines + 1] = ("  and %d more hosts"):format(#hosts - i + 1)
      break
    end
    lines[#lines + 1] = describe(host, last)
  end
  return #lines == 0 and "  nothing" or table.concat(lines, "\n")
end

return report
