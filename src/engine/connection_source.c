/* connection_source - sending a payload that is too large to be queued: read
 * from where it comes as the remote takes it. */
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "engine/connection.h"
#include "moonpeer/layout.h"
#include "net/io.h"

enum {
  PIECE = LENDING_SCRATCH, /* bytes of one write */
  PIECES = 16,             /* in one turn; then others have theirs */
};

struct outgoing {
  struct mp_payload source;
  char command[MP_COMMAND_SIZE + 1];
  struct buf head;       /* what was queued before it, and goes first */
  struct buf piece;      /* what is written next */
  struct hasher *hasher; /* while the checksum is made */
  uint8_t checksum[4];
  uint64_t at;        /* what has been read */
  uint64_t seen;      /* how far it was when it was looked at last */
  size_t header_size; /* once it has begun */
  bool has_begun;
};

size_t connection_source_queued(const struct mp_connection *c) {
  return c->outgoing ? buf_length(&c->outgoing->head) : 0;
}

/* Who takes nothing of it cannot be pinged, and must not stay for ever. The
 * first look has nothing to compare with. */
void connection_wait_for_source(struct mp_connection *c) {
  struct outgoing *out = c->outgoing;
  struct mp_fault fault;
  uint64_t now = c->counts.bytes_out + out->at;
  bool moves = out->seen != now;
  out->seen = now;
  if (moves) {
    connection_wait(c, WAITING_TO_PING, c->options->ping_timeout);
    return;
  }
  fault_set(&fault, MP_EPING_TIMEOUT,
            "%s: expected the remote to take some of the payload within %.3g "
            "s, it took none",
            out->command, (double)c->options->ping_timeout / (double)MP_SECOND);
  connection_end(c, MP_EPING_TIMEOUT, fault.text);
}

/* It is over: with 0, all is with the system. */
static void finish(struct mp_connection *c, int rc) {
  struct outgoing *out = c->outgoing;
  c->outgoing = NULL;
  buf_deinit(&out->head);
  buf_deinit(&out->piece);
  hasher_free(out->hasher);
  if (!c->is_over)
    mp_later_post(c->loop, &c->turn); /* for what waited behind it */
  if (out->source.done)
    out->source.done(out->source.data, rc);
  free(out);
}

/* What was queued before it still goes, unless it has begun: then what would
 * follow makes no sense to the remote. */
void connection_source_end(struct mp_connection *c, int rc) {
  struct outgoing *out = c->outgoing;
  if (!out)
    return;
  bool is_cut = out->has_begun && out->at < out->source.size;
  if (is_cut) {
    buf_consume(&c->out, buf_length(&c->out));
  } else if (buf_length(&out->head)) {
    struct buf later = c->out;
    c->out = out->head;
    out->head = later;
    buf_put(&c->out, buf_head(&later), buf_length(&later)); /* or is lost */
  }
  finish(c, rc);
}

/* --- reading --------------------------------------------------------------
 */

/* Up to PIECE bytes at `at`: how many, or why not. */
static ptrdiff_t read_piece(struct outgoing *out, uint8_t *bytes) {
  uint64_t left = out->source.size - out->at;
  size_t n = left < PIECE ? (size_t)left : PIECE;
  if (n == 0)
    return 0;
  ptrdiff_t got = out->source.read(out->source.data, out->at, bytes, n);
  if (got == 0 || got > (ptrdiff_t)n)
    got = MP_EIO; /* it has less than it said */
  if (got > 0)
    out->at += (uint64_t)got;
  return got;
}

/* Nobody can take back what has been sent of it. */
static void fail(struct mp_connection *c, int rc) {
  struct mp_fault fault;
  struct outgoing *out = c->outgoing;
  fault_set(&fault, rc,
            "%s: expected %llu bytes of payload, the source failed "
            "after %llu",
            out->command, (unsigned long long)out->source.size,
            (unsigned long long)out->at);
  bool has_begun = out->has_begun;
  connection_source_end(c, rc);
  if (has_begun)
    connection_end(c, rc, fault.text);
}

/* The checksum stands before the payload, so the source is read twice. A part
 * of it a turn; true when it is done. */
static bool hash_some(struct mp_connection *c) {
  struct outgoing *out = c->outgoing;
  uint8_t digest[HASH_SIZE], *bytes = lending_scratch(c->loop->lending);
  for (int i = 0; i < PIECES && out->at < out->source.size; i++) {
    ptrdiff_t n = bytes ? read_piece(out, bytes) : MP_ELIMIT;
    if (n < 0) {
      fail(c, (int)n);
      return false;
    }
    hash_add(out->hasher, bytes, (size_t)n);
  }
  if (out->at < out->source.size) {
    mp_later_post(c->loop, &c->turn);
    return false;
  }
  hash_finish_sha256d(out->hasher, digest);
  memcpy(out->checksum, digest, sizeof out->checksum);
  hasher_free(out->hasher);
  out->hasher = NULL;
  out->at = 0;
  return true;
}

/* --- writing --------------------------------------------------------------
 */

static int put_header(struct mp_connection *c) {
  uint8_t header[FRAME_EXTENDED_HEADER];
  struct outgoing *out = c->outgoing;
  out->header_size = frame_header(header, c->options->network, out->command,
                                  out->source.size, out->checksum);
  out->has_begun = true;
  c->counts.messages_out++;
  return buf_put(&out->piece, header, out->header_size);
}

/* True when it is gone and the next may follow. */
static bool write_piece(struct mp_connection *c) {
  struct outgoing *out = c->outgoing;
  int rc = out->has_begun ? 0 : put_header(c);
  uint8_t *bytes = rc ? NULL : buf_reserve(&out->piece, PIECE);
  ptrdiff_t n = bytes ? read_piece(out, bytes) : MP_ELIMIT;
  if (n < 0) {
    fail(c, (int)n);
    return false;
  }
  buf_grow(&out->piece, (size_t)n);
  return connection_write(c, &out->piece) == 1;
}

void connection_source_write(struct mp_connection *c) {
  struct outgoing *out = c->outgoing;
  if (buf_length(&out->head) && connection_write(c, &out->head) != 1)
    return;
  if (out->hasher && !hash_some(c))
    return;
  for (int i = 0; i < PIECES; i++) {
    if (out->has_begun && out->at == out->source.size) {
      connection_count(c, mp_message_find(out->command),
                       out->header_size + (size_t)out->source.size, true);
      finish(c, 0);
      return;
    }
    if (!write_piece(c))
      return;
  }
  mp_later_post(c->loop, &c->turn);
}

/* --- beginning ------------------------------------------------------------
 */

static int refuse(struct mp_connection *c, const char *command,
                  const struct mp_payload *source, struct mp_fault *fault) {
  uint64_t most = connection_send_limit(c, command);
  int rc = connection_may_send(c, 0, fault);
  if (rc != 0)
    return rc;
  if (c->outgoing)
    return fault_set(fault, MP_EWOULD_BLOCK,
                     "%s: another payload is being sent in pieces: %s", command,
                     c->outgoing->command);
  if (!frame_may_send(command))
    return fault_set(fault, MP_EPROTOCOL,
                     "expected a command of at most 12 printable ASCII "
                     "characters that does not begin with extmsg");
  if (source->size > most)
    return fault_set(fault, MP_EOVERSIZE,
                     "%s: expected at most %llu bytes of payload, got %llu",
                     command, (unsigned long long)most,
                     (unsigned long long)source->size);
  return 0;
}

int mp_connection_send_from(struct mp_connection *c, const char *command,
                            const struct mp_payload *source,
                            struct mp_fault *fault) {
  int rc = refuse(c, command, source, fault);
  if (rc != 0)
    return rc;
  struct outgoing *out = c->outgoing = mem_new(sizeof *out);
  out->source = *source;
  out->seen = UINT64_MAX;
  memcpy(out->command, command, strlen(command));
  out->head = c->out;
  c->out = (struct buf){0};
  if (source->size <= UINT32_MAX && (out->hasher = hasher_new()))
    hash_start(out->hasher);
  mp_later_post(c->loop, &c->turn);
  return 0;
}
