/* frame - cutting a byte stream into messages, and making frames. */
#include "wire/frame.h"

#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/fault.h"

enum {
  COMMAND_AT = 4,
  LENGTH_AT = 16,
  CHECKSUM_AT = 20,
  MAGIC_SIZE = 4,
  EXTENDED_PREFIX = 6
};

static const char extended_command[MP_COMMAND_SIZE] = "extmsg";

/* Printable ASCII, then only zero bytes; none at all is good, and so are all
 * twelve. */
static bool is_command(const char command[MP_COMMAND_SIZE]) {
  size_t i = 0;
  while (i < MP_COMMAND_SIZE && command[i] >= 0x20 && command[i] <= 0x7e)
    i++;
  while (i < MP_COMMAND_SIZE && command[i] == '\0')
    i++;
  return i == MP_COMMAND_SIZE;
}

static int wrong_magic(const struct mp_network *network, const uint8_t *bytes,
                       struct mp_fault *fault) {
  const uint8_t *want = network->magic;
  return fault_set(fault, MP_ENETWORK,
                   "frame: magic at offset 0: expected %02x%02x%02x%02x of "
                   "%s, got %02x%02x%02x%02x",
                   want[0], want[1], want[2], want[3], network->name, bytes[0],
                   bytes[1], bytes[2], bytes[3]);
}

static int wrong_command(const struct frame *frame, struct mp_fault *fault) {
  char text[MP_COMMAND_SIZE * 2 + 1];
  for (size_t i = 0; i < MP_COMMAND_SIZE; i++)
    snprintf(text + i * 2, 3, "%02x", (uint8_t)frame->command[i]);
  return fault_set(fault, MP_EPROTOCOL,
                   "frame: command at offset %d: expected printable ASCII and "
                   "then only zero bytes, got %s",
                   frame->is_extended ? FRAME_HEADER : COMMAND_AT, text);
}

/* The reference tests the first six bytes of the command only, and neither
 * the length nor the checksum before the inner command. */
static bool is_extended(const uint8_t *bytes) {
  return memcmp(bytes + COMMAND_AT, extended_command, EXTENDED_PREFIX) == 0;
}

static void read_header(struct frame *frame, const uint8_t *bytes) {
  size_t command_at = frame->is_extended ? FRAME_HEADER : COMMAND_AT;
  memcpy(frame->command, bytes + command_at, MP_COMMAND_SIZE);
  frame->command[MP_COMMAND_SIZE] = '\0';
  memcpy(frame->checksum, bytes + CHECKSUM_AT, sizeof frame->checksum);
  frame->payload_size = frame->is_extended
                            ? get_u64(bytes + FRAME_HEADER + MP_COMMAND_SIZE)
                            : get_u32(bytes + LENGTH_AT);
}

/* Nothing over 2^63 - 1 passes whatever the limit, so that header and payload
 * can be added up in 64 bits. */
static int check_size(const struct mp_network *network,
                      const struct frame *frame, struct mp_fault *fault) {
  uint64_t limit = mp_network_limit(network, frame->command);
  if (limit > INT64_MAX)
    limit = INT64_MAX;
  if (frame->payload_size <= limit)
    return 0;
  return fault_set(fault, MP_EOVERSIZE,
                   "frame: length at offset %d: expected at most %llu bytes of "
                   "payload in '%s' on %s, the header claims %llu",
                   frame->is_extended ? FRAME_HEADER + MP_COMMAND_SIZE
                                      : LENGTH_AT,
                   (unsigned long long)limit,
                   is_command(frame->command) ? frame->command : "?",
                   network->name, (unsigned long long)frame->payload_size);
}

int frame_next(const struct mp_network *network, const uint8_t *bytes, size_t n,
               struct frame *frame, struct mp_fault *fault) {
  *frame = (struct frame){0};
  if (n >= MAGIC_SIZE && memcmp(bytes, network->magic, MAGIC_SIZE) != 0)
    return wrong_magic(network, bytes, fault);
  if (n < FRAME_HEADER)
    return 0;
  frame->is_extended = is_extended(bytes);
  size_t header = frame->is_extended ? FRAME_EXTENDED_HEADER : FRAME_HEADER;
  if (n < header)
    return 0;
  read_header(frame, bytes);
  frame->header_size = header;
  int rc = check_size(network, frame, fault);
  if (rc)
    return rc;
  if (n - header < frame->payload_size)
    return 0;
  frame->payload = bytes + header;
  if (!is_command(frame->command))
    return wrong_command(frame, fault);
  return 1;
}

int frame_check(struct hasher *hasher, const struct frame *frame,
                struct mp_fault *fault) {
  if (frame->is_extended)
    return 0;
  uint8_t digest[HASH_SIZE];
  hash_sha256d(hasher, frame->payload, (size_t)frame->payload_size, digest);
  return frame_check_digest(frame, digest, fault);
}

int frame_check_digest(const struct frame *frame,
                       const uint8_t digest[HASH_SIZE],
                       struct mp_fault *fault) {
  const uint8_t *sum = frame->checksum;
  if (memcmp(digest, sum, sizeof frame->checksum) == 0)
    return 0;
  return fault_set(fault, MP_ECHECKSUM,
                   "frame: checksum at offset %d: the header of '%s' claims "
                   "%02x%02x%02x%02x, its %llu bytes have "
                   "%02x%02x%02x%02x",
                   CHECKSUM_AT, frame->command, sum[0], sum[1], sum[2], sum[3],
                   (unsigned long long)frame->payload_size, digest[0],
                   digest[1], digest[2], digest[3]);
}

ptrdiff_t frame_begin(struct buf *out) {
  size_t start = buf_length(out);
  if (!buf_reserve(out, FRAME_HEADER))
    return FRAME_NONE;
  buf_grow(out, FRAME_HEADER);
  return (ptrdiff_t)start;
}

/* Makes room for the longer header; such payloads are not copied often. */
static int widen(struct buf *out, ptrdiff_t start, size_t n) {
  size_t more = FRAME_EXTENDED_HEADER - FRAME_HEADER;
  if (!buf_reserve(out, more))
    return MP_ELIMIT;
  buf_grow(out, more);
  uint8_t *header = buf_head(out) + start;
  memmove(header + FRAME_EXTENDED_HEADER, header + FRAME_HEADER, n);
  return 0;
}

size_t frame_header(uint8_t header[FRAME_EXTENDED_HEADER],
                    const struct mp_network *network, const char *command,
                    uint64_t payload_size, const uint8_t checksum[4]) {
  bool extended = payload_size > UINT32_MAX;
  size_t size = extended ? FRAME_EXTENDED_HEADER : FRAME_HEADER;
  memset(header, 0, size);
  memcpy(header, network->magic, MAGIC_SIZE);
  uint8_t *place = header + (extended ? FRAME_HEADER : COMMAND_AT);
  memcpy(place, command, strnlen(command, MP_COMMAND_SIZE));
  if (extended) {
    memcpy(header + COMMAND_AT, extended_command, MP_COMMAND_SIZE);
    put_u32(header + LENGTH_AT, UINT32_MAX);
    put_u64(place + MP_COMMAND_SIZE, payload_size);
  } else {
    put_u32(header + LENGTH_AT, (uint32_t)payload_size);
    memcpy(header + CHECKSUM_AT, checksum, 4);
  }
  return size;
}

bool frame_is_command(const char *text) {
  char command[MP_COMMAND_SIZE] = {0};
  size_t n = strlen(text);
  if (n > MP_COMMAND_SIZE)
    return false;
  memcpy(command, text, n);
  return is_command(command);
}

bool frame_may_send(const char *text) {
  return frame_is_command(text) &&
         strncmp(text, extended_command, EXTENDED_PREFIX) != 0;
}

int frame_end(struct buf *out, ptrdiff_t start,
              const struct mp_network *network, const char *command,
              struct hasher *hasher) {
  size_t n = buf_length(out) - (size_t)start - FRAME_HEADER;
  int rc = frame_may_send(command) ? 0 : MP_EPROTOCOL;
  if (!rc && n > UINT32_MAX)
    rc = widen(out, start, n);
  if (rc) {
    buf_truncate(out, (size_t)start);
    return rc;
  }
  uint8_t *header = buf_head(out) + start, digest[HASH_SIZE] = {0};
  if (n <= UINT32_MAX)
    hash_sha256d(hasher, header + FRAME_HEADER, n, digest);
  frame_header(header, network, command, n, digest);
  return 0;
}

/* NOLINTNEXTLINE(readability-function-size): bytes and size are one */
int frame_put(struct buf *out, const struct mp_network *network,
              const char *command, const void *payload, size_t n,
              struct hasher *hasher) {
  ptrdiff_t start = frame_begin(out);
  if (start == FRAME_NONE)
    return MP_ELIMIT;
  int rc = buf_put(out, payload, n);
  if (!rc)
    return frame_end(out, start, network, command, hasher);
  buf_truncate(out, (size_t)start);
  return rc;
}
