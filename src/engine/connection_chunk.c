/* connection_chunk - payloads that are too large to be held: handed on in
 * pieces as they come. */
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "engine/connection.h"
#include "moonpeer/layout.h"

enum { LEAST = 65536 }; /* bytes between two looks: else it has stalled */

struct incoming {
  struct frame frame;
  uint64_t offset;       /* what has been handed on */
  struct hasher *hasher; /* NULL: extended frames have no checksum */
  bool is_dropped;       /* nobody is told: one message too many */
  uint64_t seen;         /* bytes_in when it was looked at last */
};

static bool is_wanted(const struct mp_connection *c, const char *command) {
  return c->hooks->wants & UINT64_C(1) << MP_CHUNK &&
         c->hooks->chunks & mp_command_bit(command);
}

/* The session has no say in these, so it must be complete. */
static bool is_ready(const struct mp_connection *c) {
  return !c->is_started || c->session.state == MP_CONNECTED;
}

static void drop(struct mp_connection *c) {
  struct incoming *in = c->incoming;
  c->incoming = NULL;
  hasher_free(in->hasher);
  free(in);
}

bool connection_chunk_begin(struct mp_connection *c,
                            const struct frame *frame) {
  struct mp_fault fault;
  if (!is_ready(c) || !frame_is_command(frame->command) ||
      !is_wanted(c, frame->command))
    return false;
  struct incoming *in = c->incoming = mem_new(sizeof *in);
  in->frame = *frame;
  in->frame.payload = NULL;
  in->seen = c->counts.bytes_in;
  if (!frame->is_extended && (in->hasher = hasher_new()))
    hash_start(in->hasher);
  c->counts.messages_in++;
  connection_look_up(c, frame->command);
  if (connection_spend(c, &fault) != 0) {
    in->is_dropped = true;
    connection_offend(c, MP_EFLOOD, true, fault.text);
  }
  return true;
}

/* Of the whole payload, before its last piece is told. */
static int check(struct incoming *in, struct mp_fault *fault) {
  uint8_t digest[HASH_SIZE];
  if (!in->hasher)
    return 0;
  hash_finish_sha256d(in->hasher, digest);
  return frame_check_digest(&in->frame, digest, fault);
}

static void tell(struct mp_connection *c, const struct mp_chunk *chunk) {
  struct mp_event event = {
      .type = MP_CHUNK, .chunk = chunk, .code = chunk->code};
  if (!c->incoming->is_dropped)
    connection_tell(c, &event);
}

size_t connection_chunk_take(struct mp_connection *c, const uint8_t *bytes,
                             size_t n) {
  struct incoming *in = c->incoming;
  struct mp_fault fault;
  uint64_t left = in->frame.payload_size - in->offset;
  if (n > left)
    n = (size_t)left;
  struct mp_chunk chunk = {.command = in->frame.command,
                           .offset = in->offset,
                           .total = in->frame.payload_size,
                           .bytes = bytes,
                           .size = n,
                           .is_last = n == left};
  if (in->hasher)
    hash_add(in->hasher, bytes, n);
  in->offset += n;
  if (chunk.is_last)
    chunk.code = check(in, &fault);
  tell(c, &chunk);
  if (chunk.is_last) {
    connection_count(c, mp_message_find(in->frame.command),
                     in->frame.header_size + (size_t)in->frame.payload_size,
                     false);
    drop(c);
  }
  if (chunk.code && !c->is_closing)
    connection_offend(c, chunk.code, true, fault.text);
  return n;
}

bool connection_chunk_moves(struct mp_connection *c) {
  struct incoming *in = c->incoming;
  if (!in || c->counts.bytes_in - in->seen < LEAST)
    return false;
  in->seen = c->counts.bytes_in;
  return true;
}

void connection_chunk_forget(struct mp_connection *c) {
  if (c->incoming)
    drop(c);
}
