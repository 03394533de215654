/* connection_read - from received bytes to the session and the hooks. */
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "engine/connection.h"
#include "moonpeer/message.h"
#include "net/io.h"
#include "wire/version.h"

/* --- one message -----------------------------------------------------------
 */

/* All of its text at every message would cost more than many of them do. */
static void clear(struct mp_fault *fault) {
  fault->code = 0;
  fault->text[0] = '\0';
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
                        const struct frame *frame,
                        const struct mp_message_type *type,
                        struct mp_fault *fault) {
  if ((!type || !type->layout) && c->hooks->declared)
    type = c->hooks->declared(c->data, frame->command);
  if (type)
    return mp_message_open_as(message, type, frame->payload,
                              frame->payload_size, fault);
  return mp_message_open(message, frame->command, frame->payload,
                         frame->payload_size, fault);
}

/* Its type, when the table of messages knows it. */
static void show(struct mp_connection *c, const struct frame *frame,
                 const struct mp_message_type *type) {
  struct mp_message message;
  struct mp_fault fault;
  if (open_message(c, &message, frame, type, &fault) != 0) {
    refuse_payload(c, frame->command, fault.text);
    return;
  }
  if (!(c->hooks->wants & UINT64_C(1) << MP_MESSAGE))
    return;
  uint64_t bit = mp_command_bit(frame->command);
  if (!(c->hooks->commands & bit))
    return;
  struct mp_event event = {.type = MP_MESSAGE, .message = &message, .bit = bit};
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
  struct mp_fault fault;
  connection_look_up(c, frame->command);
  const struct mp_message_type *type = c->kind.type;
  clear(&fault);
  c->counts.messages_in++;
  connection_count(c, type, frame->header_size + (size_t)frame->payload_size,
                   false);
  if (connection_spend(c, &fault) != 0) {
    connection_offend(c, MP_EFLOOD, true, fault.text);
    return;
  }
  if (!c->is_started) {
    show(c, frame, type);
    return;
  }
  /* only a pong that is waited for needs the time */
  int64_t now = c->session.is_pinging ? mp_loop_now(c->loop) : 0;
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
    show(c, frame, type);
}

/* --- frames ----------------------------------------------------------------
 */

static bool is_large(const struct mp_connection *c, const struct frame *frame) {
  return frame->header_size &&
         frame->payload_size > (uint64_t)c->options->receive_memory;
}

/* A legal message that we do not want to hold is no offence. */
static void refuse_size(struct mp_connection *c, const struct frame *frame) {
  struct mp_fault fault;
  fault_set(&fault, MP_ELIMIT,
            "%s: expected at most %lld bytes (receive_memory), got %llu",
            frame_is_command(frame->command) ? frame->command : "?",
            (long long)c->options->receive_memory,
            (unsigned long long)frame->payload_size);
  connection_end(c, MP_ELIMIT, fault.text);
}

static void tell_frame(struct mp_connection *c, const struct frame *frame,
                       const uint8_t *bytes) {
  const struct mp_frame told = {
      .bytes = bytes,
      .n = frame->header_size + (size_t)frame->payload_size,
  };
  if (c->hooks->frame)
    c->hooks->frame(c->data, c, &told);
}

/* The stream makes no sense any more. */
static void give_up(struct mp_connection *c, int rc, const char *text) {
  if (connection_offend(c, rc, false, text))
    mp_connection_close(c, rc, text); /* no verdict finds a frame */
}

/* One that is here whole; how many bytes it takes. */
static size_t take_frame(struct mp_connection *c, const struct frame *frame,
                         int rc, struct mp_fault *fault) {
  tell_frame(c, frame, frame->payload - frame->header_size);
  if (rc == 1)
    rc = frame_check(loop_hasher(c->loop), frame, fault);
  if (rc == 0)
    take_message(c, frame);
  else
    connection_offend(c, rc, true, fault->text);
  return frame->header_size + (size_t)frame->payload_size;
}

/* A declared message may bring a limit, which counts instead of the
 * network's. */
static int next_frame(const struct mp_connection *c, const uint8_t *bytes,
                      size_t n, struct frame *frame, struct mp_fault *fault) {
  const struct mp_network *network = c->options->network;
  int rc = frame_next(network, bytes, n, frame, fault);
  uint64_t limit =
      frame->header_size ? connection_declared_limit(c, frame->command) : 0;
  if (!limit)
    return rc;
  struct mp_network own = *network;
  own.max_payload = limit;
  own.limits = NULL;
  return frame_next(&own, bytes, n, frame, fault);
}

size_t connection_take(struct mp_connection *c, const uint8_t *bytes,
                       size_t n) {
  struct frame frame;
  struct mp_fault fault;
  clear(&fault);
  if (c->incoming)
    return connection_chunk_take(c, bytes, n);
  int rc = next_frame(c, bytes, n, &frame, &fault);
  if (rc == MP_ENETWORK || rc == MP_EOVERSIZE) {
    give_up(c, rc, fault.text);
    return 0;
  }
  if (is_large(c, &frame)) {
    if (connection_chunk_begin(c, &frame))
      return frame.header_size;
    refuse_size(c, &frame);
    return 0;
  }
  if (rc != 0)
    return take_frame(c, &frame, rc, &fault);
  if (frame.header_size)
    c->in_size = frame.header_size + frame.payload_size;
  return 0;
}
