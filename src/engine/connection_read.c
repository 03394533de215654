/* connection_read - from received bytes to the session and the hooks. */
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "engine/connection.h"
#include "moonpeer/message.h"
#include "net/io.h"
#include "wire/version.h"

enum { READ_SIZE = 64 * 1024 };

static bool is_deaf(const struct mp_connection *c) {
  return c->is_closing || c->is_paused || c->is_throttled || c->is_choked;
}

/* Grows with what has come, by doubling: a header's claim alone makes nobody
 * allocate. */
struct mp_room connection_room(void *owner) {
  struct mp_connection *c = owner;
  uint8_t *bytes = is_deaf(c) ? NULL : buf_reserve(&c->in, READ_SIZE);
  if (bytes)
    return (struct mp_room){bytes, c->in.size - c->in.end};
  c->is_reading = false;
  return (struct mp_room){0};
}

void connection_received(void *owner, size_t n) {
  struct mp_connection *c = owner;
  buf_grow(&c->in, n);
  c->counts.bytes_in += n;
  connection_drain(c);
  connection_account(c);
  if (!c->is_closing && !connection_may_receive(c) &&
      buf_length(&c->in) > READ_SIZE) /* who holds little is not to blame */
    connection_end(c, MP_ELIMIT,
                   "expected what is received and not handled in all to stay "
                   "below receive_memory_total");
}

void connection_read(struct mp_connection *c) {
  bool is_open = c->session.state == MP_AWAITING_HANDSHAKE ||
                 c->session.state == MP_CONNECTED;
  if (c->is_reading || is_deaf(c) || !is_open)
    return;
  c->is_reading = true;
  mp_stream_read(c->stream, true);
}

/* What lies there must be taken before the stream can tell its end. A pong
 * that could not be read is not late. */
void connection_listen(struct mp_connection *c) {
  if (c->waiting == WAITING_PONG)
    connection_wait(c, WAITING_PONG, c->options->ping_timeout);
  if (buf_length(&c->in))
    mp_later_post(c->loop, &c->turn);
  else
    connection_read(c);
}

/* --- one message -----------------------------------------------------------
 */

static bool is_wanted(const struct mp_connection *c, const char *command) {
  return c->hooks->wants & UINT64_C(1) << MP_MESSAGE &&
         c->hooks->commands & mp_command_bit(command);
}

/* What cannot be decoded is dropped with a reject, as the reference node
 * drops it. */
static void refuse_payload(struct mp_connection *c, const char *command,
                           const char *text) {
  static const char reason[] = "error parsing message";
  uint8_t payload[2 + MP_COMMAND_SIZE + sizeof reason];
  size_t n = strlen(command), at = 0;
  payload[at++] = (uint8_t)n;
  memcpy(payload + at, command, n);
  at += n;
  payload[at++] = 0x01; /* malformed */
  payload[at++] = sizeof reason - 1;
  memcpy(payload + at, reason, sizeof reason - 1);
  at += sizeof reason - 1;
  if (strcmp(command, "reject") != 0)
    connection_say(c, "reject", payload, at);
  connection_offend(c, MP_EPROTOCOL, true, text);
}

static int open_message(struct mp_connection *c, struct mp_message *message,
                        const struct frame *frame, struct mp_fault *fault) {
  const struct mp_message_type *type = mp_message_find(frame->command);
  if ((!type || !type->layout) && c->hooks->declared)
    type = c->hooks->declared(c->data, frame->command);
  if (type)
    return mp_message_open_as(message, type, frame->payload,
                              frame->payload_size, fault);
  return mp_message_open(message, frame->command, frame->payload,
                         frame->payload_size, fault);
}

static void show(struct mp_connection *c, const struct frame *frame) {
  struct mp_message message;
  struct mp_fault fault;
  if (open_message(c, &message, frame, &fault) != 0) {
    refuse_payload(c, frame->command, fault.text);
    return;
  }
  if (!is_wanted(c, frame->command))
    return;
  struct mp_event event = {.type = MP_MESSAGE, .message = &message};
  connection_tell(c, &event);
}

/* The checks on version in their order: age, ourselves, then the policies.
 * That the network is ours the magic has said. */
static int check_version(struct mp_connection *c,
                         const struct mp_version *version,
                         struct mp_fault *fault) {
  int rc = session_check_version(version, fault);
  if (rc == 0 && c->session.is_inbound && c->is_own_nonce &&
      c->is_own_nonce(c->data, version->nonce))
    rc = fault_set(fault, MP_ESELF,
                   "expected another node, got our own nonce back");
  if (rc == 0 && c->hooks->validate)
    rc = c->hooks->validate(c->data, c, fault);
  return rc;
}

static void complete(struct mp_connection *c) {
  connection_wait(c, WAITING_NOTHING, 0);
  connection_introduce(c);
  struct mp_event event = {.type = MP_HANDSHAKE_COMPLETE};
  connection_tell(c, &event);
}

static void take_version(struct mp_connection *c, const struct frame *frame) {
  struct mp_fault fault = {0};
  c->version = mem_new(sizeof *c->version);
  int rc = version_decode(c->version, frame->payload,
                          (size_t)frame->payload_size, &fault);
  if (rc == 0)
    rc = check_version(c, c->version, &fault);
  if (rc != 0 && !is_offence(rc))
    mp_connection_close(c, rc, fault.text); /* a connection too many */
  if (c->is_closing ||
      (rc != 0 && !connection_offend(c, rc, false, fault.text)))
    return;
  session_take_version(&c->session, c->version);
  if (c->session.is_inbound)
    connection_send_version(c);
  connection_say(c, "verack", NULL, 0);
  if (session_sent_verack(&c->session))
    complete(c);
}

static void after_pong(struct mp_connection *c) {
  if (c->waiting != WAITING_PONG || c->session.is_pinging)
    return;
  connection_wait_to_ping(c);
  if (c->measured)
    c->measured(c->data, c);
}

static void take_message(struct mp_connection *c, const struct frame *frame) {
  struct session_step step;
  struct mp_fault fault = {0};
  c->counts.messages_in++;
  connection_count(c, frame->command,
                   frame->header_size + (size_t)frame->payload_size, false);
  if (connection_spend(c, frame->command, &fault) != 0) {
    connection_offend(c, MP_EFLOOD, true, fault.text);
    return;
  }
  if (!c->is_started) {
    show(c, frame);
    return;
  }
  /* only a pong that is waited for needs the time */
  int64_t now = c->session.ping_sent ? mp_loop_now(c->loop) : 0;
  session_receive(&c->session, frame->command, frame->payload,
                  (size_t)frame->payload_size, now, &step, &fault);
  if (step.is_version)
    take_version(c, frame);
  else if (step.offence && step.is_dropped)
    refuse_payload(c, frame->command, fault.text);
  else if (step.offence)
    connection_offend(c, step.offence, false, fault.text);
  if (step.is_complete)
    complete(c);
  if (step.is_pong && c->options->keepalive)
    connection_say(c, "pong", frame->payload, 8);
  after_pong(c);
  if (step.is_shown && !c->is_closing)
    show(c, frame);
}

/* --- frames ----------------------------------------------------------------
 */

/* A legal message that we do not want to hold is no offence. */
static bool fits(struct mp_connection *c, const struct frame *frame) {
  char text[MP_FAULT_TEXT];
  struct mp_fault fault;
  if (!frame->header_size ||
      frame->payload_size <= (uint64_t)c->options->receive_memory)
    return true;
  fault_set(&fault, MP_ELIMIT,
            "%s: expected at most %lld bytes (receive_memory), got %llu",
            frame->command, (long long)c->options->receive_memory,
            (unsigned long long)frame->payload_size);
  memcpy(text, fault.text, sizeof text);
  connection_end(c, MP_ELIMIT, text);
  return false;
}

static void tell_frame(struct mp_connection *c, const struct frame *frame) {
  const struct mp_frame told = {.bytes = buf_head(&c->in),
                                .n = frame->header_size +
                                     (size_t)frame->payload_size};
  if (c->hooks->frame)
    c->hooks->frame(c->data, c, &told);
}

/* One frame; false when there is none to take, or the stream makes no sense
 * any more. */
static bool take_frame(struct mp_connection *c) {
  struct frame frame = {0};
  struct mp_fault fault = {0};
  int rc = frame_next(c->options->network, buf_head(&c->in), buf_length(&c->in),
                      &frame, &fault);
  if (rc == MP_ENETWORK || rc == MP_EOVERSIZE) {
    if (connection_offend(c, rc, false, fault.text))
      mp_connection_close(c, rc, fault.text); /* no verdict finds a frame */
    return false;
  }
  if (!fits(c, &frame) || rc == 0)
    return false;
  tell_frame(c, &frame);
  if (rc == 1)
    rc = frame_check(loop_hasher(c->loop), &frame, &fault);
  if (rc == 0)
    take_message(c, &frame);
  else
    connection_offend(c, rc, true, fault.text);
  buf_consume(&c->in, frame.header_size + (size_t)frame.payload_size);
  return true;
}

void connection_drain(struct mp_connection *c) {
  while (!is_deaf(c) && buf_length(&c->in) && take_frame(c))
    continue;
  if (c->is_closing)
    buf_consume(&c->in, buf_length(&c->in)); /* nobody will look at it */
  buf_release(&c->in);
}
