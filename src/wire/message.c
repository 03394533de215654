/* message - opening a payload as what its command says. */
#include "moonpeer/message.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/mem.h"
#include "wire/frame.h"
#include "wire/layout.h"

static int too_large(const struct mp_message_type *type, uint64_t n,
                     struct mp_fault *fault) {
  return fault_set(fault, MP_EPROTOCOL,
                   "%s: expected at most %llu bytes of payload, got %llu",
                   type->command, (unsigned long long)type->limit,
                   (unsigned long long)n);
}

static int walk_fields(struct mp_message *message, struct mp_fault *fault) {
  struct walk_words words; /* the rest is written when there is a failure */
  words.at = 0;
  words.path[0] = words.what[0] = '\0';
  struct walk walk = {
      .bytes = message->payload,
      .size = (size_t)message->size,
      .words = fault ? &words : NULL, /* without it wrong_at is 0 */
  };
  int rc = layout_walk(&walk, message->type->layout, &message->fields);
  message->wrong_at = words.at;
  if (rc)
    return fault_set(fault, rc, "%s: %s at offset %zu: %s",
                     message->type->command, words.path, words.at, words.what);
  return 0;
}

static void name(struct mp_message *message, const char *command) {
  size_t n = 0;
  for (; n < MP_COMMAND_SIZE && command[n]; n++)
    message->command[n] = command[n];
  message->command[n] = '\0';
}

static void place(struct mp_message *message,
                  const struct mp_message_type *type, const void *payload,
                  uint64_t n) {
  message->type = type;
  message->payload = n ? payload : (const uint8_t *)"";
  message->size = n;
  message->wrong_at = 0;
  message->fields.layout = NULL;
  message->fields.present = 0;
}

int mp_message_open_as(struct mp_message *message,
                       const struct mp_message_type *type, const void *payload,
                       uint64_t n, struct mp_fault *fault) {
  name(message, type->command);
  place(message, type, payload, n);
  if (type->limit && n > type->limit)
    return too_large(type, n, fault);
  return type->layout ? walk_fields(message, fault) : 0;
}

int mp_message_open(struct mp_message *message, const char *command,
                    const void *payload, uint64_t n, struct mp_fault *fault) {
  const struct mp_message_type *type = mp_message_find(command);
  if (type)
    return mp_message_open_as(message, type, payload, n, fault);
  name(message, command);
  place(message, NULL, payload, n);
  return 0;
}

/* The public name of base's hasher: the same thing. */
struct mp_hasher {
  struct hasher *hasher;
};

struct mp_hasher *mp_hasher_new(void) {
  struct mp_hasher *own = mem_new(sizeof *own);
  own->hasher = hasher_new();
  if (own->hasher)
    return own;
  mp_hasher_free(own);
  return NULL;
}

void mp_hasher_free(struct mp_hasher *own) {
  if (!own)
    return;
  hasher_free(own->hasher);
  free(own);
}

void mp_hash(struct mp_hasher *own, const void *bytes, size_t n,
             uint8_t digest[32]) {
  hash_sha256d(own->hasher, bytes, n, digest);
}

/* --- frames -------------------------------------------------------------- */

/* NOLINTNEXTLINE(readability-function-size): bytes and size are one */
int mp_message_cut(struct mp_cut *cut, const struct mp_network *network,
                   const void *bytes, size_t n, struct mp_hasher *hasher,
                   struct mp_fault *fault) {
  struct frame frame;
  int rc = frame_next(network, bytes, n, &frame, fault);
  if (rc == 1 && hasher && frame_check(hasher->hasher, &frame, fault))
    rc = MP_ECHECKSUM;
  *cut = (struct mp_cut){.is_extended = frame.is_extended,
                         .header_size = frame.header_size,
                         .payload_size = frame.payload_size,
                         .payload = frame.payload};
  memcpy(cut->command, frame.command, sizeof cut->command);
  memcpy(cut->checksum, frame.checksum, sizeof cut->checksum);
  return rc;
}

/* NOLINTNEXTLINE(readability-function-size): bytes and size are one */
size_t mp_message_header(uint8_t header[MP_HEADER_MAX],
                         const struct mp_network *network, const char *command,
                         const void *payload, uint64_t n,
                         struct mp_hasher *hasher) {
  uint8_t digest[HASH_SIZE] = {0};
  if (!frame_may_send(command))
    return 0;
  if (n <= UINT32_MAX)
    hash_sha256d(hasher->hasher, payload, (size_t)n, digest);
  return frame_header(header, network, command, n, digest);
}
