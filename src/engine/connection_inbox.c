/* connection_inbox - where received bytes lie. What comes is read into the
 * loop's scratch and taken from there; only the beginning of a message that
 * has not come whole stays, in a buffer that grows with it. */
#include <string.h>

#include "engine/connection.h"
#include "net/io.h"

enum {
  SMALL = 4096,       /* rather copied back than read behind */
  BLAMED = 64 * 1024, /* held by one when all hold too much */
};

static bool is_deaf(const struct mp_connection *c) {
  return c->is_closing || c->is_paused || c->is_throttled;
}

/* Who does not take our answers is not listened to. But as much as one like us
 * may have queued is put aside: were both to stop, none would go on. */
static bool is_full(const struct mp_connection *c) {
  return c->is_choked && buf_length(&c->in) >= (size_t)c->options->send_memory;
}

/* How many bytes the message in front takes, as far as its header has told. */
static uint64_t missing(const struct mp_connection *c) {
  size_t n = buf_length(&c->in);
  return c->in_size > n ? c->in_size - n : 0;
}

/* Behind what is held: no more than there is already, so that a header's
 * claim alone makes nobody allocate, and no more than the message wants, so
 * that nothing behind it has to be moved. */
static struct mp_room room_behind(struct mp_connection *c) {
  size_t n = buf_length(&c->in);
  if (n < LENDING_SCRATCH)
    n = LENDING_SCRATCH;
  if (n > missing(c))
    n = (size_t)missing(c);
  uint8_t *bytes = buf_reserve(&c->in, n);
  if (!bytes)
    return (struct mp_room){0};
  n = c->in.size - c->in.end;
  return (struct mp_room){bytes, n < missing(c) ? n : (size_t)missing(c)};
}

/* In the scratch, behind a copy of what is held. */
static struct mp_room room_in_scratch(struct mp_connection *c) {
  uint8_t *bytes = lending_scratch(c->loop->lending);
  size_t n = buf_length(&c->in);
  if (!bytes)
    return (struct mp_room){0};
  if (n)
    memcpy(bytes, buf_head(&c->in), n);
  c->is_lent = true;
  return (struct mp_room){bytes + n, LENDING_SCRATCH - n};
}

/* For later: what lies there may be more than one message. */
static struct mp_room room_aside(struct mp_connection *c) {
  uint8_t *bytes = buf_reserve(&c->in, LENDING_SCRATCH);
  return (struct mp_room){bytes, bytes ? LENDING_SCRATCH : 0};
}

struct mp_room connection_room(void *owner) {
  struct mp_connection *c = owner;
  struct mp_room room = {0};
  c->is_lent = false;
  if (is_deaf(c) || is_full(c))
    ;
  else if (c->is_choked)
    room = room_aside(c);
  else if (buf_length(&c->in) <= SMALL && c->in_size <= LENDING_SCRATCH)
    room = room_in_scratch(c);
  else if (missing(c)) /* else what lies there is taken first, in a turn */
    room = room_behind(c);
  if (!room.size)
    c->is_reading = false;
  return room;
}

/* Keeps what could not be taken. */
static void keep(struct mp_connection *c, const uint8_t *bytes, size_t n) {
  buf_consume(&c->in, buf_length(&c->in));
  if (c->in_size > LENDING_SCRATCH)
    lending_take(c->loop->lending, &c->in);
  if (n && buf_put(&c->in, bytes, n) != 0)
    mp_connection_close(c, MP_ELIMIT, "out of memory");
}

/* Takes what is there of n bytes; returns how much that was. */
static size_t take(struct mp_connection *c, const uint8_t *bytes, size_t n) {
  size_t at = 0, used = 1;
  while (!is_deaf(c) && !c->is_choked && at < n && used) {
    c->in_size = 0;
    used = connection_take(c, bytes + at, n - at);
    at += used;
    connection_choke(c);
  }
  return c->is_closing ? n : at; /* then nobody will look at it */
}

static void release(struct mp_connection *c) {
  if (!buf_length(&c->in))
    lending_leave(c->loop->lending, &c->in);
}

void connection_drain(struct mp_connection *c) {
  buf_consume(&c->in, take(c, buf_head(&c->in), buf_length(&c->in)));
  release(c);
}

static void drain_scratch(struct mp_connection *c, size_t n) {
  const uint8_t *bytes = lending_scratch(c->loop->lending);
  size_t taken = take(c, bytes, n);
  keep(c, bytes + taken, n - taken);
  release(c);
}

static void note_heard(struct mp_connection *c) {
  c->heard_at = mp_loop_now(c->loop);
  if (c->usage && !mp_address_is_loopback(&c->address))
    c->usage->heard_at = c->heard_at;
}

void connection_received(void *owner, size_t n) {
  struct mp_connection *c = owner;
  c->counts.bytes_in += n;
  note_heard(c);
  if (c->is_lent) {
    drain_scratch(c, buf_length(&c->in) + n);
  } else {
    buf_grow(&c->in, n);
    if (!missing(c))
      connection_drain(c);
  }
  connection_account(c);
  if (!c->is_closing && !connection_may_receive(c) &&
      buf_length(&c->in) > BLAMED) /* who holds little is not to blame */
    connection_end(c, MP_ELIMIT,
                   "expected what is received and not handled in all to stay "
                   "below receive_memory_total");
}

void connection_read(struct mp_connection *c) {
  bool is_open = c->session.state == MP_AWAITING_HANDSHAKE ||
                 c->session.state == MP_CONNECTED;
  if (c->is_reading || c->has_ended || !is_open || is_deaf(c) || is_full(c))
    return;
  c->is_reading = true;
  mp_stream_read(c->stream, true);
}

/* What lies there must be taken before the stream can tell its end, and an end
 * that was told before is still to be heard. A pong that could not be read is
 * not late. */
void connection_listen(struct mp_connection *c) {
  if (c->waiting == WAITING_PONG)
    connection_wait(c, WAITING_PONG, c->options->ping_timeout);
  if (buf_length(&c->in) || c->has_ended)
    mp_later_post(c->loop, &c->turn);
  else
    connection_read(c);
}
