// bsv_p2p_dials - the npm package's peer dials a port on loopback, asks for a
// ping and for addresses, and answers getaddr; it tells what it sees, an
// object of JSON a line: node bsv_p2p_dials.js <port>
const Peer = require("bsv-p2p").default;
const { Address } = require("bsv-p2p/lib/messages");

const say = (event, more) => console.log(JSON.stringify({ event, ...more }));

const peer = new Peer({
  node: "127.0.0.1",
  port: Number(process.argv[2]),
  ticker: "REGTEST",
  version: 70016,
  user_agent: "/Bitcoin SV:1.2.2(bsv-p2p)/",
  autoReconnect: false,
  mempoolTxs: false,
});

// One address: its time, services, ip and port.
function addresses() {
  const one = Address.write({
    time: 1700000000,
    services: Buffer.from("0000000000000021", "hex"),
    ipv4: "203.0.113.7",
    port: 18444,
  });
  return Buffer.concat([Buffer.from([1]), one]);
}

peer.on("version", ({ version }) =>
  say("version", { version: version.version, user_agent: version.user_agent }),
);
peer.on("message", ({ command, payload }) => {
  say("message", { command, payload: payload.toString("hex") });
  if (command === "getaddr") peer.sendMessage("addr", addresses());
});
peer.on("disconnected", () => say("disconnected"));
peer.on("error_socket", ({ error }) => say("error", { text: error.message }));

async function main() {
  await peer.connect();
  say("connected");
  say("ping", { ms: await peer.ping(10) });
  const { addrs } = await peer.getAddr(10);
  say("addr", {
    list: addrs.map(({ ipv4, port, time }) => ({ ipv4, port, time })),
  });
}

main().catch((error) => say("failed", { text: error.message }));
