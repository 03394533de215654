/* connection - the life of one stream to a peer: dial or accept, handshake,
 * keepalive, end. */
#include "engine/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "net/io.h"

enum { LINGER = 5 }; /* seconds that what is queued may take to leave */

void connection_tell(struct mp_connection *c, struct mp_event *event) {
  const struct mp_hooks *hooks = c->hooks;
  if (!(hooks->wants & UINT64_C(1) << event->type))
    return;
  event->time = mp_loop_time(c->loop);
  event->connection = c;
  event->address = c->address;
  if (!event->text)
    event->text = "";
  hooks->event(c->data, event);
}

static void tell(struct mp_connection *c, enum mp_event_type type) {
  struct mp_event event = {.type = type};
  connection_tell(c, &event);
}

static void announce(struct mp_connection *c) {
  if (c->is_announced)
    return;
  c->is_announced = true;
  tell(c, MP_CONNECTION_STARTED);
}

/* --- the end ---------------------------------------------------------------
 */

/* Only one that was connected can just end. */
static void move_to_end(struct mp_connection *c, int code) {
  bool is_meant =
      is_offence(code) || code == MP_ECLOSED || code == MP_ECANCELLED;
  enum mp_state to = MP_FAILED;
  if (is_offence(code) && c->session.state == MP_AWAITING_HANDSHAKE)
    to = MP_REJECTED;
  else if (is_meant && c->session.state == MP_CONNECTED)
    to = MP_DISCONNECTED;
  session_move(&c->session, to);
}

void connection_end(struct mp_connection *c, int code, const char *text) {
  bool was_connected = c->session.state == MP_CONNECTED;
  if (c->is_over)
    return;
  announce(c);
  c->is_closing = c->is_over = true;
  if (!c->reason)
    c->reason = code;
  mp_timer_stop(&c->timer);
  mp_later_cancel(&c->turn);
  move_to_end(c, code);
  struct mp_event event = {.type = was_connected ? MP_CONNECTION_LOST
                                                 : MP_CONNECTION_FAILED,
                           .code = code,
                           .text = text};
  connection_tell(c, &event);
  mp_stream_close(c->stream);
}

void mp_connection_close(struct mp_connection *c, int code, const char *text) {
  char words[MP_FAULT_TEXT];
  if (c->is_closing)
    return;
  c->is_closing = true;
  c->reason = code ? code : MP_ECLOSED;
  snprintf(words, sizeof words, "%s", text ? text : "closed by us");
  c->text = mem_text(words); /* few of those that live are closing */
  connection_wait(c, WAITING_LINGER, LINGER * MP_SECOND);
  mp_later_post(c->loop, &c->turn);
}

void mp_connection_reset(struct mp_connection *c) {
  if (c->is_over)
    return;
  if (!c->is_closing)
    mp_connection_close(c, MP_ECLOSED, "reset by us");
  buf_consume(&c->out, buf_length(&c->out));
  mp_stream_reset(c->stream); /* the event follows at the end of the turn */
}

/* The remote has said its last, and all of it was taken. */
static void end_when_read(struct mp_connection *c) {
  if (!c->has_ended || c->is_over || c->is_paused || c->is_throttled)
    return;
  if (c->is_started && c->session.state == MP_AWAITING_HANDSHAKE)
    connection_end(c, MP_EHANDSHAKE,
                   "expected a handshake, the remote closed the connection");
  else
    connection_end(c, MP_ECLOSED, "the remote closed the connection");
}

/* The end of a turn: tell what could not be told at once, take what was left
 * lying while paused, then write. */
static void on_turn(void *data) {
  struct mp_connection *c = data;
  announce(c);
  connection_drain(c);
  end_when_read(c);
  connection_read(c);
  connection_flush(c);
  connection_account(c);
  if (c->is_closing && !c->is_over && mp_connection_queued(c) == 0)
    connection_end(c, c->reason, c->text);
}

static void on_closed(void *owner) {
  struct mp_connection *c = owner;
  if (!c->is_over) /* the loop itself was closed, or we reset */
    connection_end(c, c->reason ? c->reason : MP_ECANCELLED,
                   c->reason ? c->text : "the loop was closed");
  session_move(&c->session, MP_DISCONNECTED);
  connection_source_end(c, c->reason ? c->reason : MP_ECLOSED);
  if (c->hooks->closed)
    c->hooks->closed(c->data, c);
  mp_timer_stop(&c->timer); /* whatever was started while it ended */
  mp_later_cancel(&c->turn);
  connection_chunk_forget(c);
  connection_forgive(c);
  buf_deinit(&c->in);
  buf_deinit(&c->out);
  buf_deinit(&c->flying);
  connection_account(c);
  free(c->version);
  free(c->own_version);
  free(c->text);
  free(c);
}

/* --- time ------------------------------------------------------------------
 */

void connection_wait(struct mp_connection *c, enum waiting waiting,
                     int64_t delay) {
  c->waiting = waiting;
  if (delay > 0)
    mp_timer_start(c->loop, &c->timer, delay);
  else
    mp_timer_stop(&c->timer);
}

int64_t connection_jitter(struct mp_loop *loop, int64_t interval, double part) {
  uint64_t most = (uint64_t)((double)interval * part);
  if (most == 0)
    return interval;
  uint64_t moved = mp_loop_random_u64(loop) % (2 * most + 1);
  return interval - (int64_t)most + (int64_t)moved;
}

/* Until the next of the instants that lie so far apart: whoever waits for one
 * of them wakes the process together with others. */
static int64_t together(struct mp_loop *loop, int64_t delay, int64_t apart) {
  int64_t due = mp_loop_now(loop) + delay;
  return due % apart ? delay + apart - due % apart : delay;
}

/* Not all at once: many connections begin together. But where chance chooses, a
 * thousandth of the interval more or less does not matter. */
void connection_wait_to_ping(struct mp_connection *c) {
  enum { INSTANTS = 1024 };
  const struct mp_session_options *o = c->options;
  int64_t delay = connection_jitter(c->loop, o->ping_interval, o->jitter);
  if (o->jitter > 0 && o->ping_interval >= INSTANTS)
    delay = together(c->loop, delay, o->ping_interval / INSTANTS);
  connection_wait(c, WAITING_TO_PING,
                  delay == 0 && o->ping_interval > 0 ? 1 : delay);
}

static int64_t patience(const struct mp_connection *c) {
  return c->patience ? c->patience : c->options->handshake_timeout;
}

void connection_limit(struct mp_connection *c, int64_t limit) {
  c->patience = limit;
}

void connection_unlimit(struct mp_connection *c) {
  c->patience = 0;
  if (c->waiting == WAITING_HANDSHAKE)
    connection_wait(c, WAITING_HANDSHAKE, patience(c));
}

static void end_late(struct mp_connection *c, int code, const char *what,
                     int64_t limit) {
  char text[MP_FAULT_TEXT];
  snprintf(text, sizeof text, "expected %s within %.3g s, got none", what,
           (double)limit / (double)MP_SECOND);
  connection_end(c, code, text);
}

static void on_timer(void *data) {
  struct mp_connection *c = data;
  const struct mp_session_options *o = c->options;
  switch (c->waiting) {
  case WAITING_CONNECT:
    end_late(c, MP_ECONNECT_TIMEOUT, "an answer to the dial",
             o->connect_timeout);
    break;
  case WAITING_HANDSHAKE:
    end_late(c, MP_EHANDSHAKE_TIMEOUT, "a complete handshake", patience(c));
    break;
  case WAITING_PONG:
    if (c->is_paused || c->is_throttled)
      break; /* it counts anew when we read again */
    if (connection_chunk_moves(c)) {
      connection_wait(c, WAITING_PONG, o->ping_timeout);
      break;
    }
    end_late(c, MP_EPING_TIMEOUT, "a pong", o->ping_timeout);
    break;
  case WAITING_TO_PING: connection_send_ping(c); break;
  case WAITING_LINGER: connection_end(c, c->reason, c->text); break;
  case WAITING_NOTHING: break;
  }
}

/* What a wait would last under options; 0 for what they do not tell. */
static int64_t length_of(const struct mp_connection *c,
                         const struct mp_session_options *o) {
  switch (c->waiting) {
  case WAITING_CONNECT: return o->connect_timeout;
  case WAITING_HANDSHAKE: return c->patience ? 0 : o->handshake_timeout;
  case WAITING_TO_PING: return o->ping_interval;
  case WAITING_PONG: return o->ping_timeout;
  default: return 0;
  }
}

void connection_reconfigure(struct mp_connection *c,
                            const struct mp_session_options *old) {
  int64_t before = length_of(c, old), after = length_of(c, c->options);
  bool wants_pings = c->options->ping_interval > 0;
  if (c->waiting == WAITING_NOTHING && wants_pings &&
      c->session.state == MP_CONNECTED)
    connection_wait_to_ping(c);
  else if (c->waiting == WAITING_TO_PING && !wants_pings)
    connection_wait(c, WAITING_NOTHING, 0);
  if (before == after || !c->timer.is_set)
    return;
  int64_t left = c->timer.due - mp_loop_now(c->loop) + after - before;
  connection_wait(c, c->waiting, left > 0 ? left : 1);
}

/* --- the beginning ---------------------------------------------------------
 */

/* Starts the session: sends our version when we have dialled. */
static void start(struct mp_connection *c) {
  c->is_started = true;
  c->is_paused = false;
  connection_wait(c, WAITING_HANDSHAKE, patience(c));
  if (!c->session.is_inbound)
    connection_send_version(c);
  connection_listen(c);
}

static void on_connected(void *owner, int rc) {
  struct mp_connection *c = owner;
  announce(c);
  if (c->is_closing)
    return;
  if (rc != 0) {
    connection_end(c, rc,
                   rc == MP_EREFUSED ? "the remote refused the dial"
                                     : "the dial failed");
    return;
  }
  c->heard_at = mp_loop_now(c->loop);
  session_move(&c->session, MP_AWAITING_HANDSHAKE);
  connection_wait(c, WAITING_NOTHING, 0);
  tell(c, MP_CONNECTION_ESTABLISHED);
  if (c->is_manual)
    connection_listen(c);
  else if (!c->is_closing)
    start(c);
}

static void on_ended(void *owner, int rc) {
  struct mp_connection *c = owner;
  if (rc != MP_ECLOSED) {
    connection_end(c, rc,
                   rc == MP_ERESET ? "the remote reset the connection"
                                   : "the connection failed");
    return;
  }
  c->has_ended = true;
  c->is_choked = false; /* it takes no answers any more */
  connection_drain(c);
  end_when_read(c);
}

static const struct mp_stream_events events = {
    .connected = on_connected,
    .room = connection_room,
    .received = connection_received,
    .ended = on_ended,
    .drained = connection_drained,
    .closed = on_closed,
};

static struct mp_connection *
connection_new(const struct mp_connection_setup *setup, bool is_inbound) {
  struct mp_connection *c = mem_new(sizeof *c);
  c->loop = setup->loop;
  c->options = setup->options;
  c->hooks = setup->hooks;
  c->data = setup->data;
  c->is_own_nonce = setup->is_own_nonce;
  c->measured = setup->measured;
  c->usage = setup->usage;
  c->is_manual = c->is_paused = setup->is_manual;
  c->heard_at = mp_loop_now(c->loop);
  c->id = ++c->loop->connections;
  session_init(&c->session, is_inbound, mp_loop_random_u64(c->loop));
  mp_timer_init(&c->timer, on_timer, c);
  mp_later_init(&c->turn, on_turn, c);
  return c;
}

struct mp_connection *
mp_connection_dial(const struct mp_connection_setup *setup,
                   const struct mp_address *to) {
  struct mp_connection *c = connection_new(setup, false);
  c->address = *to;
  session_move(&c->session, MP_CONNECTING);
  connection_wait(c, WAITING_CONNECT, c->options->connect_timeout);
  mp_later_post(c->loop, &c->turn);
  c->stream = mp_stream_connect(c->loop, to, &events, c);
  return c;
}

static void start_accepted(void *data) {
  struct mp_connection *c = data;
  mp_later_init(&c->turn, on_turn, c);
  announce(c);
  if (!c->is_closing && !c->is_manual)
    start(c);
  on_turn(c);
}

struct mp_connection *
mp_connection_accept(const struct mp_connection_setup *setup,
                     struct mp_stream *stream) {
  struct mp_connection *c = connection_new(setup, true);
  c->stream = stream;
  mp_stream_remote(stream, &c->address);
  mp_stream_own(stream, &events, c);
  c->turn.fn = start_accepted;
  mp_later_post(c->loop, &c->turn);
  return c;
}

int mp_connection_handshake(struct mp_connection *c,
                            const struct mp_version *own,
                            struct mp_fault *fault) {
  if (c->is_closing)
    return fault_set(fault, MP_ECLOSED, "the connection is closed");
  if (c->is_started)
    return fault_set(fault, MP_EHANDSHAKE, "the handshake has begun already");
  if (own) {
    c->own_version = mem_new(sizeof *own);
    *c->own_version = *own;
  }
  start(c);
  return 0;
}

void mp_connection_pause(struct mp_connection *c, bool paused) {
  if (c->is_paused == paused || c->is_closing)
    return;
  c->is_paused = paused;
  if (!paused)
    connection_listen(c);
}
