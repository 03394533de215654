--- Who dials us and says where it listens: there is one connection to it.
local field = require "support.field"
local wire = require "support.wire"
local it = field.it

describe("a peer that has dialled us and says where it listens", function()
  local at = "10.0.0.1:8333"

  for _, together in ipairs { true, false } do
    it("is there once, though it comes twice "
      .. (together and "in one instant" or "one after the other"),
      function(world)
        local engine, log = field.engine(world, at, { target_connections = 0 })
        world:remote("20.1.0.1", function(remote)
          for _ = 1, 2 do
            remote:spawn(function()
              local connection = remote:dial(at)
              if connection:handshake { addr_from = "20.1.0.1:8333" } then
                connection:receive "nothing"
              end
            end)
            remote:sleep(together and 0 or "10s")
          end
        end)
        world:run_for "1m"
        assert.equal(1, engine:counts().connected)
        assert.equal(1, #log:all("connection_failed", "duplicate_peer"))
        assert.is_nil(log:find "peer_misbehaved")
        assert.equal(0, engine:counts().half_open)
      end)
  end

  it("may come again when it is gone", function(world)
    local engine = field.engine(world, at, { target_connections = 0 })
    world:remote("20.1.0.1", function(remote)
      for _ = 1, 3 do
        local connection = assert(remote:dial(at))
        assert(connection:handshake { addr_from = "20.1.0.1:8333" })
        connection:receive("nothing", 1)
        connection:close()
        remote:sleep "1s"
      end
    end)
    world:run_for "10s"
    assert.equal(3, engine:counts().handshakes)
  end)

  it("is another with another port, and nobody when it names nobody's",
    function(world)
      local engine = field.engine(world, at, {
        target_connections = 0, per_group = 20,
      })
      world:remote("20.1.0.1", function(remote)
        for _, name in ipairs {
          "20.1.0.1:8333", "20.1.0.1:8334", "20.1.0.1:0", "20.1.0.1:0",
          "20.1.0.2:8333", "20.1.0.2:8333",
        } do
          remote:spawn(function()
            local connection = remote:dial(at)
            connection:handshake { addr_from = name }
            connection:receive "nothing"
          end)
        end
      end)
      assert(engine:configure { per_address = 10, half_open = 100,
        trusted = { "20.1.0.1" } })
      world:run_for "10s"
      assert.equal(6, engine:counts().connected)
    end)

  it("leaves its name free when its handshake fails", function(world)
    local engine = field.engine(world, at, {
      target_connections = 0, handshake_timeout = "5s",
    })
    world:remote("20.1.0.1", function(remote)
      local connection = assert(remote:dial(at))
      connection:send_raw(wire.frame("version", wire.version {
        addr_from = ("\0"):rep(18) .. "\xff\xff\20\1\0\1"
          .. (">I2"):pack(8333),
      }))
      connection:receive("nothing", 1)
      local second = assert(remote:dial(at))
      assert(not second:handshake { addr_from = "20.1.0.1:8333" })
      connection:receive("nothing", "10s")
      second = assert(remote:dial(at))
      assert(second:handshake { addr_from = "20.1.0.1:8333" })
      second:receive "nothing"
    end)
    world:run_for "30s"
    assert.equal(1, engine:counts().connected)
    assert.equal("duplicate_peer",
      select(3, engine:dial "20.1.0.1:8333"))
  end)
end)
