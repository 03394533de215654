// bsv_p2p_serves - a small server made of the npm package's codecs: it shakes
// hands, answers ping and getaddr, and asks for both itself. It tells where it
// listens and what it sees, an object of JSON a line.
const net = require("net");
const { Message, Version, Address } = require("bsv-p2p/lib/messages");

const magic = Buffer.from("dab5bffa", "hex");
const say = (event, more) => console.log(JSON.stringify({ event, ...more }));

const version = () =>
  Version.write({
    ticker: "REGTEST",
    version: 70016,
    user_agent: "/Bitcoin SV:1.2.2(codecs)/",
    start_height: 5,
    mempoolTxs: false,
  });

const addresses = () =>
  Buffer.concat([
    Buffer.from([1]),
    Address.write({
      time: 1700000000,
      services: Buffer.from("0000000000000021", "hex"),
      ipv4: "203.0.113.8",
      port: 8333,
    }),
  ]);

function serve(socket) {
  let buffer = Buffer.alloc(0);
  const send = (command, payload) =>
    socket.write(
      Message.write({ command, payload: payload || null, magic, extmsg: true }),
    );
  const answers = {
    version(payload) {
      const { version: number, user_agent, relay } = Version.read(payload);
      say("version", { version: number, user_agent, relay });
      send("version", version());
      send("verack");
    },
    verack() {
      send("ping", Buffer.from("0102030405060708", "hex"));
      send("getaddr");
    },
    ping: (payload) => send("pong", payload),
    getaddr: () => send("addr", addresses()),
    addr: (payload) =>
      say("addr", {
        list: Address.readAddr(payload).map(({ ipv4, port, time }) => ({
          ipv4,
          port,
          time,
        })),
      }),
  };
  socket.on("data", (data) => {
    buffer = Buffer.concat([buffer, data]);
    for (;;) {
      const message = Message.read({ buffer, magic, extmsg: true });
      if (message.needed) break;
      buffer = buffer.subarray(message.end);
      const { command, payload } = message;
      say("message", { command, payload: payload.toString("hex") });
      if (answers[command]) answers[command](payload);
    }
  });
  socket.on("error", (error) => say("error", { text: error.message }));
  socket.on("close", () => say("closed"));
}

const server = net.createServer(serve);
server.listen(0, "127.0.0.1", () =>
  say("listening", { port: server.address().port }),
);
