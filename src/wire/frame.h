/* frame - cutting a byte stream into messages, and making frames.
 * Facts: bitcoin-sv 1.2.2, src/protocol.cpp and src/net/net_message.cpp. */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "moonpeer/error.h"
#include "moonpeer/network.h"

enum {
  FRAME_HEADER = 24,          /* magic, command, length, checksum */
  FRAME_EXTENDED_HEADER = 44, /* and a second command and length */
};

/* One message as it lies in the buffer; payload is borrowed from there. */
struct frame {
  char command[MP_COMMAND_SIZE + 1]; /* the inner one of an extended frame */
  bool is_extended;                  /* has no checksum */
  size_t header_size;                /* FRAME_HEADER or ..EXTENDED_HEADER */
  uint64_t payload_size;
  uint8_t checksum[4]; /* as claimed; not compared yet */
  const uint8_t *payload;
};

/* Looks at the first n bytes.
 *  1  a whole frame lies there: frame is filled, it takes
 *     frame->header_size + frame->payload_size bytes
 *  0  more bytes are needed; when frame->header_size is not 0 the header is
 *     complete and good, and payload_size says what will come
 *  MP_ENETWORK   the magic is another one, judged at its four bytes
 *  MP_EOVERSIZE  the length is over the network's limit for the command,
 *                judged when the header is complete: frame tells the sizes
 *  MP_EPROTOCOL  the whole frame is here and its command breaks the rules:
 *                frame tells its size, so that it can be skipped
 * A failure fills fault. Never allocates. */
int frame_next(const struct mp_network *network, const uint8_t *bytes, size_t n,
               struct frame *frame, struct mp_fault *fault);

/* 0, or MP_ECHECKSUM when the payload does not hash to what the header
 * claims. Extended frames have none. */
int frame_check(struct hasher *hasher, const struct frame *frame,
                struct mp_fault *fault);

/* The same for a digest that was computed in pieces. */
int frame_check_digest(const struct frame *frame,
                       const uint8_t digest[HASH_SIZE], struct mp_fault *fault);

/* Whether a text can be a command: at most 12 characters of printable ASCII. */
bool frame_is_command(const char *text);

/* Whether a message can be sent under it: one that begins with extmsg would be
 * read as the long header. */
bool frame_may_send(const char *text);

/* Making a frame in a queue, payload in place:
 *   size_t start = frame_begin(out);  then put the payload into out
 *   frame_end(out, start, ...)        writes the header before it
 * begin gives FRAME_NONE without memory; end 0, MP_ELIMIT, or MP_EPROTOCOL
 * for a command that breaks the rules: then out is as it was before begin. A
 * payload of 4 GiB and more gets the extended form. */
enum { FRAME_NONE = -1 };
ptrdiff_t frame_begin(struct buf *out);
int frame_end(struct buf *out, ptrdiff_t start,
              const struct mp_network *network, const char *command,
              struct hasher *hasher);

/* begin, a copy of the payload, end. */
int frame_put(struct buf *out, const struct mp_network *network,
              const char *command, const void *payload, size_t n,
              struct hasher *hasher);

/* Only the header of a payload that comes later, and its size: the extended
 * form (checksum not used) above 4 GiB - 1, else the basic one. command obeys
 * the rules. */
size_t frame_header(uint8_t header[FRAME_EXTENDED_HEADER],
                    const struct mp_network *network, const char *command,
                    uint64_t payload_size, const uint8_t checksum[4]);

#endif
