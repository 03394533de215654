/* version - the payloads that the handshake and the keepalive are made of. */
#include "wire/version.h"

#include <string.h>

#include "base/cursor.h"
#include "base/fault.h"

enum { ADDRESS_SIZE = 26, FIXED_SIZE = 4 + 8 + 8 + 2 * ADDRESS_SIZE + 8 };

/* A reader that remembers which field broke it. */
struct reader {
  struct cursor cursor;
  const char *field;
  struct mp_fault *fault;
};

/* Whether there is more; a field that is not there at all is not an error. */
static bool next_field(struct reader *reader, const char *field) {
  if (!cursor_left(&reader->cursor))
    return false;
  reader->field = field;
  return true;
}

static int broken(const struct reader *reader, size_t size) {
  return fault_set(reader->fault, MP_EPROTOCOL,
                   "version: expected %s at offset %zu, the payload of %zu "
                   "bytes does not hold it",
                   reader->field, reader->cursor.at, size);
}

static int too_long(const struct reader *reader, size_t at, uint64_t n,
                    int max) {
  return fault_set(reader->fault, MP_EPROTOCOL,
                   "version: expected at most %d bytes of %s at offset %zu, "
                   "got %llu",
                   max, reader->field, at, (unsigned long long)n);
}

static void read_address(struct cursor *cursor, uint64_t *services,
                         struct mp_address *address) {
  *services = cursor_u64(cursor);
  const uint8_t *ip = cursor_bytes(cursor, sizeof address->ip);
  if (ip)
    memcpy(address->ip, ip, sizeof address->ip);
  address->port = cursor_u16_be(cursor);
}

static int read_required(struct reader *reader, struct mp_version *version) {
  struct cursor *cursor = &reader->cursor;
  reader->field = "version";
  version->version = (int32_t)cursor_u32(cursor);
  if (!cursor->failed)
    reader->field = "services";
  version->services = cursor_u64(cursor);
  if (!cursor->failed)
    reader->field = "timestamp";
  version->timestamp = (int64_t)cursor_u64(cursor);
  if (!cursor->failed)
    reader->field = "addr_recv";
  read_address(cursor, &version->recv_services, &version->addr_recv);
  return cursor->failed ? broken(reader, cursor->size) : 0;
}

/* Length and bytes; the bytes into at most max. */
static int read_bytes(struct reader *reader, void *bytes, size_t *size,
                      int max) {
  struct cursor *cursor = &reader->cursor;
  size_t at = cursor->at;
  uint64_t n = cursor_compact(cursor);
  if (n > (uint64_t)max)
    return too_long(reader, at, n, max);
  const uint8_t *from = cursor_bytes(cursor, (size_t)n);
  if (!from)
    return broken(reader, cursor->size);
  memcpy(bytes, from, (size_t)n);
  *size = (size_t)n;
  return 0;
}

static int read_from(struct reader *reader, struct mp_version *version) {
  struct cursor *cursor = &reader->cursor;
  if (!next_field(reader, "addr_from"))
    return 0;
  read_address(cursor, &version->from_services, &version->addr_from);
  if (!cursor->failed)
    reader->field = "nonce";
  version->nonce = cursor_u64(cursor);
  return cursor->failed ? broken(reader, cursor->size) : 0;
}

static int read_numbers(struct reader *reader, struct mp_version *version) {
  struct cursor *cursor = &reader->cursor;
  if (next_field(reader, "start_height"))
    version->start_height = (int32_t)cursor_u32(cursor);
  if (next_field(reader, "relay"))
    version->relay = cursor_u8(cursor) != 0;
  return cursor->failed ? broken(reader, cursor->size) : 0;
}

int version_decode(struct mp_version *version, const uint8_t *payload, size_t n,
                   struct mp_fault *fault) {
  *version = (struct mp_version){
      .nonce = 1,
      .start_height = -1,
      .relay = true,
  };
  struct reader reader = {.cursor = cursor_of(payload, n), .fault = fault};
  int rc = read_required(&reader, version);
  if (!rc)
    rc = read_from(&reader, version);
  if (!rc && next_field(&reader, "user_agent"))
    rc = read_bytes(&reader, version->user_agent, &version->user_agent_size,
                    MP_USER_AGENT);
  if (!rc)
    rc = read_numbers(&reader, version);
  if (!rc && next_field(&reader, "association_id")) {
    version->has_association_id = true;
    rc = read_bytes(&reader, version->association_id,
                    &version->association_id_size, MP_ASSOCIATION_ID);
  }
  return rc;
}

static uint8_t *put_address(uint8_t *place, uint64_t services,
                            const struct mp_address *address) {
  put_u64(place, services);
  memcpy(place + 8, address->ip, sizeof address->ip);
  put_u16_be(place + 24, address->port);
  return place + ADDRESS_SIZE;
}

static uint8_t *put_bytes(uint8_t *place, const void *bytes, size_t n) {
  place += put_compact(place, n);
  memcpy(place, bytes, n);
  return place + n;
}

static void put_fixed(uint8_t *place, const struct mp_version *version) {
  put_u32(place, (uint32_t)version->version);
  put_u64(place + 4, version->services);
  put_u64(place + 12, (uint64_t)version->timestamp);
  place = put_address(place + 20, version->recv_services, &version->addr_recv);
  place = put_address(place, version->from_services, &version->addr_from);
  put_u64(place, version->nonce);
}

int version_put(struct buf *out, const struct mp_version *version) {
  enum { MOST = FIXED_SIZE + 3 + MP_USER_AGENT + 5 + 1 + MP_ASSOCIATION_ID };
  uint8_t payload[MOST], *place = payload + FIXED_SIZE;
  if (version->user_agent_size > MP_USER_AGENT ||
      version->association_id_size > MP_ASSOCIATION_ID)
    return MP_ELIMIT;
  put_fixed(payload, version);
  place = put_bytes(place, version->user_agent, version->user_agent_size);
  put_u32(place, (uint32_t)version->start_height);
  place[4] = version->relay;
  place += 5;
  if (version->has_association_id)
    place =
        put_bytes(place, version->association_id, version->association_id_size);
  return buf_put(out, payload, (size_t)(place - payload));
}

int nonce_decode(uint64_t *nonce, const uint8_t *payload, size_t n,
                 struct mp_fault *fault) {
  if (n < NONCE_SIZE)
    return fault_set(fault, MP_EPROTOCOL,
                     "nonce: expected 8 bytes at offset 0, got %zu", n);
  *nonce = get_u64(payload);
  return 0;
}

void nonce_put(uint8_t payload[NONCE_SIZE], uint64_t nonce) {
  put_u64(payload, nonce);
}
