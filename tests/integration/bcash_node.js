// bcash_node - a whole node in memory, of the npm package bcash, on regtest and
// loopback; the argument is the port to listen at (0: any). It tells where it
// listens, an object of JSON a line, and mines three blocks once it has three
// peers.
const Module = require("module");

// Its store on disk is a native addon, which a node in memory never opens.
const level = require.resolve("bdb/lib/level");
require.cache[level] = Object.assign(new Module(level), {
  exports: require("bdb/lib/level-browser"),
  loaded: true,
});
process.env.NODE_BACKEND = "js";
const bcash = require("bcash");

const say = (event, more) => console.log(JSON.stringify({ event, ...more }));
const port = Number(process.argv[2]);

const node = new bcash.FullNode({
  network: "regtest",
  memory: true,
  workers: false,
  logLevel: "none",
  listen: true,
  host: "127.0.0.1",
  maxInbound: 20,
  maxOutbound: 1,
  seeds: [],
  upnp: false,
});
// It would listen at a fixed port.
node.http = { open: async () => {}, close: async () => {} };
const pool = node.pool;
pool.options.port = port; // 0 is refused as an option
// These three would ask the outside world.
for (const name of ["discoverExternal", "discoverGateway", "discoverSeeds"])
  pool[name] = async () => {};

pool.on("listening", (at) =>
  say("listening", { port: at.port, pid: process.pid }),
);
function ready() {
  let n = 0;
  for (let peer = pool.peers.head(); peer; peer = peer.next) n += peer.handshake;
  return n;
}

let mined = 0;
async function mine() {
  if (ready() < 3 || mined >= 3) return;
  const block = await node.miner.mineBlock();
  await node.chain.add(block);
  say("block", { height: node.chain.height, n: ++mined });
}

(async () => {
  await node.open();
  await node.connect();
  node.chain.synced = true;
  setInterval(() => mine().catch((e) => say("error", { text: e.stack })), 300);
})().catch((e) => {
  say("error", { text: e.stack });
  process.exit(1);
});
