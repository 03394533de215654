/* session_fuzz - what a remote may send: bytes as they are, or messages in
 * good frames, to a real connection in a world. It ends once, its hooks do
 * not nest, and it holds no more than has come. */
#include <assert.h>
#include <string.h>

#include "engine/connection.h"
#include "moonpeer/message.h"
#include "moonpeer/world.h"
#include "wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* The first byte of an input. */
enum {
  IS_OUTBOUND = 1,
  IS_FRAMED = 2,  /* command, size (2 bytes), payload; else raw bytes */
  IS_GREETED = 4, /* version and verack come first */
  IS_PATIENT = 8, /* verdicts: observe and throttle */
  IS_CUT = 16,    /* a few bytes at a time */
  IS_DEAF = 32,   /* the remote reads nothing */
  IS_RESET = 64,
  IS_LONG = 128, /* two more minutes pass */
};

/* What an outbound one holds that is patient: the rest comes in chunks. */
enum { LITTLE = 2000, PAUSE = 8 };

struct stage {
  struct mp_world *world;
  struct mp_loop *near, *far;
  struct mp_listener *listener;
  struct mp_address at;
  struct hasher *hasher;
  struct mp_session_options options;
  struct mp_hooks hooks;
  struct mp_usage usage; /* inbound ones have budgets, as an engine's */
  uint64_t chunked;      /* bytes of the payload that comes in chunks */
  unsigned messages;
  struct mp_connection *c;
  struct mp_stream *remote;
  uint8_t flags;
  uint8_t room[4096];
  size_t sent;
  int ends, closed;
  bool is_inside;
};

static struct stage stage;

/* --- the connection --------------------------------------------------------
 */

static void enter(struct mp_connection *c) {
  assert(!stage.is_inside && !stage.closed);
  assert(c->counts.bytes_in <= stage.sent);
  assert(buf_length(&c->in) <= stage.sent);
  assert(c->in.size <= 4 * stage.sent + 4 * 65536);
  assert(mp_connection_queued(c) <=
         (size_t)stage.options.send_memory + 2 * FRAME_EXTENDED_HEADER);
}

static void touch(const struct mp_message *message) {
  struct mp_value value;
  const struct mp_layout *layout = message->fields.layout;
  for (size_t i = 0; layout && i < layout->count; i++)
    mp_record_get(&message->fields, i, &value);
}

static void check_chunk(const struct mp_chunk *chunk) {
  assert(chunk->offset == stage.chunked && chunk->size > 0);
  assert(chunk->total > LITTLE);
  stage.chunked += chunk->size;
  assert(chunk->is_last == (stage.chunked == chunk->total));
  if (chunk->is_last)
    stage.chunked = 0;
}

static void take_message(const struct mp_event *event) {
  touch(event->message);
  mp_connection_send(event->connection, "xyzzy", "answer", 6, NULL);
  if (stage.flags & IS_PATIENT && ++stage.messages % PAUSE == 0)
    mp_connection_pause(event->connection, true);
}

static void on_event(void *data, const struct mp_event *event) {
  (void)data;
  enter(event->connection);
  assert(event->text && event->time > 0);
  stage.is_inside = true;
  if (event->type == MP_MESSAGE)
    take_message(event);
  if (event->type == MP_CHUNK)
    check_chunk(event->chunk);
  stage.ends +=
      event->type == MP_CONNECTION_FAILED || event->type == MP_CONNECTION_LOST;
  stage.is_inside = false;
}

static int on_validate(void *data, struct mp_connection *c,
                       struct mp_fault *fault) {
  (void)data, (void)fault;
  enter(c);
  assert(mp_connection_version(c)->version >= SESSION_MIN_VERSION);
  return 0;
}

static void on_judge(void *data, struct mp_connection *c,
                     const struct mp_offence *offence,
                     struct mp_verdict *verdict) {
  (void)data;
  enter(c);
  assert(offence->code <= MP_ENETWORK && offence->code >= MP_EFLOOD);
  assert(offence->text[0] && offence->count > 0);
  if (stage.flags & IS_PATIENT)
    verdict->answer = offence->count % 8 ? MP_OBSERVE : MP_THROTTLE;
}

static void on_closed(void *data, struct mp_connection *c) {
  (void)data;
  assert(stage.ends == 1 && !stage.closed);
  assert(mp_connection_state(c) == MP_DISCONNECTED);
  stage.closed++;
  stage.c = NULL;
}

static const struct mp_hooks hooks = {.wants = UINT64_MAX,
                                      .commands = UINT64_MAX,
                                      .event = on_event,
                                      .validate = on_validate,
                                      .judge = on_judge,
                                      .closed = on_closed};

static struct mp_connection_setup setup(void) {
  bool is_outbound = stage.flags & IS_OUTBOUND;
  bool is_little = is_outbound && stage.flags & IS_PATIENT;
  struct mp_session_options usual;
  mp_session_options_init(&usual, stage.options.network);
  stage.options.receive_memory = is_little ? LITTLE : usual.receive_memory;
  stage.hooks = hooks;
  stage.hooks.chunks = is_little ? UINT64_MAX : 0;
  return (struct mp_connection_setup){.loop = stage.near,
                                      .options = &stage.options,
                                      .hooks = &stage.hooks,
                                      .usage =
                                          is_outbound ? NULL : &stage.usage};
}

/* --- the remote ------------------------------------------------------------
 */

static void ignore(void *owner, int rc) {
  (void)owner, (void)rc;
}

static struct mp_room give_room(void *owner) {
  (void)owner;
  return (struct mp_room){stage.room, sizeof stage.room};
}

static void on_received(void *owner, size_t n) {
  (void)owner, (void)n;
}

static void on_drained(void *owner) {
  (void)owner;
}

static void on_remote_closed(void *owner) {
  (void)owner;
  stage.remote = NULL;
}

static const struct mp_stream_events remote_events = {.connected = ignore,
                                                      .room = give_room,
                                                      .received = on_received,
                                                      .ended = ignore,
                                                      .drained = on_drained,
                                                      .closed =
                                                          on_remote_closed};

static void on_accepted(void *owner, struct mp_stream *stream) {
  (void)owner;
  struct mp_connection_setup made = setup();
  if (stage.flags & IS_OUTBOUND) {
    stage.remote = stream;
    mp_stream_own(stream, &remote_events, NULL);
  } else {
    stage.c = mp_connection_accept(&made, stream);
  }
}

static void on_listener_closed(void *owner) {
  (void)owner;
}

static const struct mp_listener_events listener_events = {
    .accepted = on_accepted, .failed = ignore, .closed = on_listener_closed};

/* --- the play --------------------------------------------------------------
 */

static void run(int64_t time) {
  mp_world_run(stage.world, mp_world_now(stage.world) + time, NULL, NULL, NULL);
}

static struct mp_loop *host(const char *ip) {
  struct mp_loop *loop;
  struct mp_address address;
  mp_address_parse(&address, ip, 0, NULL);
  int rc = mp_world_host(&loop, stage.world, &address, NULL);
  assert(rc == 0);
  return loop;
}

static void open_stage(void) {
  const struct mp_world_options options = {.trace = MP_TRACE_OFF};
  int rc = mp_world_new(&stage.world, &options, NULL);
  assert(rc == 0);
  stage.near = host("10.0.0.1");
  stage.far = host("10.0.0.2");
  stage.hasher = hasher_new();
  mp_session_options_init(&stage.options, mp_network_find("regtest"));
  stage.usage.received_max = stage.usage.queued_max = 1 << 30;
  mp_address_parse(&stage.at, "10.0.0.1:18444", 0, NULL);
  rc = mp_listener_open(&stage.listener, stage.near, &stage.at,
                        &listener_events, NULL, NULL);
  assert(rc == 0);
}

/* The connection dials its own host's listener, or the remote does. */
static void connect(void) {
  struct mp_connection_setup made = setup();
  if (stage.flags & IS_OUTBOUND)
    stage.c = mp_connection_dial(&made, &stage.at);
  else
    stage.remote =
        mp_stream_connect(stage.far, &stage.at, &remote_events, NULL);
  run(100 * MP_MILLISECOND);
  assert(stage.remote && stage.c);
  if (!(stage.flags & IS_DEAF))
    mp_stream_read(stage.remote, true);
}

/* The stream borrows the bytes until they have left, or it is closed. */
static void say(const uint8_t *bytes, size_t n) {
  size_t step = stage.flags & IS_CUT ? 7 : n;
  for (size_t at = 0; at < n && stage.c && stage.remote; at += step) {
    size_t size = n - at < step ? n - at : step;
    stage.sent += size;
    if (mp_stream_write(stage.remote, bytes + at, size) < 0)
      break;
    run(20 * MP_MILLISECOND);
  }
}

static void frame(struct buf *out, const char *command, const uint8_t *payload,
                  size_t n) {
  frame_put(out, stage.options.network, command, payload, n, stage.hasher);
}

static void put_messages(struct buf *out, const uint8_t *bytes, size_t n) {
  static const char *const commands[] = {
      "version", "verack",  "ping",  "pong",        "protoconf", "reject",
      "addr",    "getaddr", "inv",   "sendheaders", "authch",    "headers",
      "tx",      "block",   "xyzzy", "feefilter"};
  while (n >= 3) {
    size_t size = bytes[1] | (size_t)bytes[2] << 8;
    size = size > n - 3 ? n - 3 : size;
    frame(out, commands[bytes[0] % 16], bytes + 3, size);
    bytes += 3 + size;
    n -= 3 + size;
  }
}

static void greet(struct buf *out) {
  uint8_t version[46] = {0x80, 0x11, 0x01};
  frame(out, "version", version, sizeof version);
  frame(out, "verack", NULL, 0);
}

static void end(void) {
  if (stage.remote && stage.flags & IS_RESET)
    mp_stream_reset(stage.remote);
  mp_stream_close(stage.remote);
  run(MP_SECOND);
  if (stage.c) /* what lies there, then the end, is heard now */
    mp_connection_pause(stage.c, false);
  run(30 * MP_SECOND);
  if (stage.c)
    mp_connection_close(stage.c, 0, NULL);
  run(10 * MP_SECOND);
  assert(stage.closed == 1 && !stage.c && !stage.remote);
  assert(stage.usage.received == 0 && stage.usage.queued == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  struct buf out = {0};
  if (n < 1)
    return 0;
  if (!stage.world)
    open_stage();
  stage.flags = bytes[0];
  stage.ends = stage.closed = 0;
  stage.sent = 0;
  stage.chunked = stage.messages = 0;
  connect();
  if (stage.flags & IS_GREETED)
    greet(&out);
  if (stage.flags & IS_FRAMED)
    put_messages(&out, bytes + 1, n - 1);
  else
    buf_put(&out, bytes + 1, n - 1);
  say(buf_head(&out), buf_length(&out));
  run(stage.flags & IS_LONG ? 120 * MP_SECOND : MP_SECOND);
  end();
  buf_deinit(&out);
  return 0;
}
