--- A whole node of another make: the npm package bcash, in memory, found in
--- NODE_PATH; and three engines, each in a process of its own, that keep their
--- connections with it and with each other. (It dials nobody who is no full
--- node, as we are none.)
local company = require "support.company"

assert(os.getenv "NODE_PATH", "expected NODE_PATH to name the packages")

local it, wait_for = company.it, company.wait_for

local function node(port)
  return company.start("node tests/integration/bcash_node.js " .. (port or 0),
    '"event":"listening"')
end

local function engine(config, ...)
  config.peers, config.mode = { ... }, "fixed"
  config.target_connections = select("#", ...)
  return company.engine(company.config(config))
end

--- A node and three engines, everybody connected with everybody: the first
--- engine dials the node, the second both of them, the third all three.
local function mesh(ping_timeout)
  local home = node()
  local at = "127.0.0.1:" .. home.port
  local config = { ping_timeout = ping_timeout }
  local one = engine(config, at)
  local two = engine(config, at, one.address)
  local three = engine(config, at, one.address, two.address)
  return home, { one, two, three }
end

local function wait_for_all(engines)
  wait_for("all three to have their connections", function()
    for i, program in ipairs(engines) do
      local state = program:state()
      if state.connected ~= 3 or state.outbound ~= i then
        return false
      end
    end
    return true
  end)
end

local function wait_for_loss(engines)
  wait_for("the loss", function()
    for _, program in ipairs(engines) do
      if program:state().connected ~= 2 then
        return false
      end
    end
    return true
  end)
end

describe("bcash and three engines", function()
  it("keep everybody connected with everybody, and hear of blocks",
    function()
      local home, engines = mesh()
      wait_for_all(engines)
      home:await '"event":"block"'
      wait_for("news of a block at all three", function()
        for _, program in ipairs(engines) do
          if program:state().blocks == 0 then
            return false
          end
        end
        return true
      end)
      for _, program in ipairs(engines) do
        assert.is_nil(program.child:line '"event":"peer_misbehaved"')
        assert.is_nil(program.child:line '"event":"connection_lost"')
      end
    end)

  it("meet again when the node is killed and started anew", function()
    local home, engines = mesh()
    wait_for_all(engines)
    home:signal "KILL"
    wait_for_loss(engines)
    node(home.port)
    wait_for_all(engines)
  end)

  it("meet again when the node stands still for a while", function()
    local home, engines = mesh "2s"
    wait_for_all(engines)
    home:signal "STOP"
    wait_for_loss(engines)
    for _, program in ipairs(engines) do
      program:await '"code":"ping_timeout"'
    end
    home:signal "CONT"
    wait_for_all(engines)
  end)

  it("meet again when one of the engines is killed", function()
    local _, engines = mesh()
    wait_for_all(engines)
    engines[2]:signal "KILL"
    wait_for_loss { engines[1], engines[3] }
    engines[2] = company.engine(company.config {
      listen = engines[2].address, mode = "fixed", target_connections = 2,
      peers = engines[2].config.peers,
    })
    wait_for_all(engines)
  end)
end)
