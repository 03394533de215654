/* wire_bench - cutting, checking and reading messages in memory, on one core:
 * all times are processor time. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "bench.h"
#include "moonpeer/message.h"
#include "wire/frame.h"
#include "wire/version.h"

enum { MIB = 1048576 };

/* A stream of equal frames, and what is done with it. */
struct stream {
  const struct mp_network *network;
  struct hasher *hasher;
  struct buf bytes;
  size_t frames;
  uint64_t sum; /* so that no work is thrown away */
};

static void fill(struct stream *stream, const char *command,
                 const void *payload, size_t n, size_t frames) {
  stream->frames = frames;
  buf_truncate(&stream->bytes, 0);
  for (size_t i = 0; i < frames; i++)
    if (frame_put(&stream->bytes, stream->network, command, payload, n,
                  stream->hasher))
      abort();
}

static int cut(struct stream *stream, size_t *at, struct frame *frame) {
  const uint8_t *bytes = buf_head(&stream->bytes);
  int rc = frame_next(stream->network, bytes + *at,
                      buf_length(&stream->bytes) - *at, frame, NULL);
  if (rc == 1)
    *at += frame->header_size + (size_t)frame->payload_size;
  return rc;
}

static void cut_all(void *data) {
  struct stream *stream = data;
  struct frame frame;
  for (size_t at = 0; cut(stream, &at, &frame) == 1;)
    stream->sum += frame.payload_size;
}

static void cut_and_check_all(void *data) {
  struct stream *stream = data;
  struct frame frame;
  size_t n = 0;
  for (size_t at = 0; cut(stream, &at, &frame) == 1; n++)
    if (frame_check(stream->hasher, &frame, NULL))
      abort();
  if (n != stream->frames)
    abort();
}

static void cut_check_and_decode_all(void *data) {
  struct stream *stream = data;
  struct frame frame;
  struct mp_message message;
  struct mp_value value;
  for (size_t at = 0; cut(stream, &at, &frame) == 1;) {
    if (frame_check(stream->hasher, &frame, NULL) ||
        mp_message_open(&message, frame.command, frame.payload,
                        frame.payload_size, NULL))
      abort();
    if (message.fields.layout) {
      mp_record_get(&message.fields, 0, &value);
      stream->sum += value.number;
    }
  }
}

/* --- the limit ----------------------------------------------------------- */

struct raw {
  EVP_MD *digest;
  EVP_MD_CTX *context;
  const uint8_t *bytes;
  size_t n;
};

static void raw_sha256(void *data) {
  struct raw *raw = data;
  uint8_t digest[32];
  EVP_DigestInit_ex2(raw->context, raw->digest, NULL);
  EVP_DigestUpdate(raw->context, raw->bytes, raw->n);
  EVP_DigestFinal_ex(raw->context, digest, NULL);
}

static void raw_sha256d(void *data) {
  struct raw *raw = data;
  uint8_t digest[32];
  EVP_DigestInit_ex2(raw->context, raw->digest, NULL);
  EVP_DigestUpdate(raw->context, raw->bytes, raw->n);
  EVP_DigestFinal_ex(raw->context, digest, NULL);
  EVP_DigestInit_ex2(raw->context, raw->digest, NULL);
  EVP_DigestUpdate(raw->context, digest, sizeof digest);
  EVP_DigestFinal_ex(raw->context, digest, NULL);
}

static void bench_pings(struct stream *stream, struct raw *raw) {
  uint8_t nonce[NONCE_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8};
  const size_t frames = 10000;
  fill(stream, "ping", nonce, sizeof nonce, frames);
  raw->bytes = nonce;
  raw->n = sizeof nonce;
  double limit = 1 / best_cpu_time(raw_sha256d, raw);
  double count = (double)frames;
  report("wire.ping.cut", count / best_cpu_time(cut_all, stream), "frames/s",
         0);
  report("wire.ping.cut_check",
         count / best_cpu_time(cut_and_check_all, stream), "frames/s", limit);
  report("wire.ping.cut_check_decode",
         count / best_cpu_time(cut_check_and_decode_all, stream), "frames/s",
         limit);
}

static void bench_large(struct stream *stream, struct raw *raw) {
  uint8_t *payload = calloc(MIB, 1);
  fill(stream, "large", payload, MIB, 8);
  raw->bytes = payload;
  raw->n = MIB;
  double limit = MIB / best_cpu_time(raw_sha256, raw);
  double bytes = 8.0 * MIB;
  report("wire.1MiB.cut_check_decode",
         bytes / best_cpu_time(cut_check_and_decode_all, stream), "bytes/s",
         limit);
  free(payload);
}

/* --- allocations ----------------------------------------------------------
 * Counted by standing in for the C library's. */

static uint64_t allocations;

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t count, size_t n);
extern void *__libc_realloc(void *block, size_t n);

void *malloc(size_t n) {
  allocations++;
  return __libc_malloc(n);
}

void *calloc(size_t count, size_t n) {
  allocations++;
  return __libc_calloc(count, n);
}

void *realloc(void *block, size_t n) {
  allocations++;
  return __libc_realloc(block, n);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

/* --- lists --------------------------------------------------------------- */

struct payload {
  const char *command, *list;
  uint8_t *bytes;
  size_t n;
  uint64_t count, sum;
};

static void open_payload(void *data) {
  struct payload *payload = data;
  struct mp_message message;
  struct mp_value value;
  if (mp_message_open(&message, payload->command, payload->bytes, payload->n,
                      NULL) ||
      !mp_record_find(&message.fields, payload->list, &value))
    abort();
  payload->count = value.number;
}

/* The first integer and the first byte of the last field of every entry. */
static void iterate(void *data) {
  struct payload *payload = data;
  struct mp_message message;
  struct mp_value value;
  struct mp_list list;
  mp_message_open(&message, payload->command, payload->bytes, payload->n, NULL);
  mp_record_find(&message.fields, payload->list, &value);
  mp_value_list(&value, &list);
  while (mp_list_next(&list))
    payload->sum += get_u32(list.entry.bytes) + list.entry.bytes[4];
}

/* Every field of every entry as a value. */
static void read_all(void *data) {
  struct payload *payload = data;
  struct mp_message message;
  struct mp_value value;
  struct mp_list list;
  mp_message_open(&message, payload->command, payload->bytes, payload->n, NULL);
  mp_record_find(&message.fields, payload->list, &value);
  mp_value_list(&value, &list);
  while (mp_list_next(&list))
    for (size_t i = 0; i < list.item->count; i++) {
      mp_record_get(&list.entry, i, &value);
      payload->sum += value.number + (value.bytes ? value.bytes[0] : 0);
    }
}

static void bench_list(const char *command, const char *list, size_t count,
                       size_t size) {
  char name[64];
  uint8_t prefix[9];
  size_t n = put_compact(prefix, count);
  struct payload payload = {.command = command, .list = list};
  payload.n = n + count * size;
  payload.bytes = calloc(payload.n, 1);
  memcpy(payload.bytes, prefix, n);
  snprintf(name, sizeof name, "wire.%s.open_%zu", command, count);
  report(name, best_cpu_time(open_payload, &payload) * 1e6, "us", 0);
  snprintf(name, sizeof name, "wire.%s.iterate", command);
  report(name, best_cpu_time(iterate, &payload) * 1e9 / (double)count,
         "ns/entry", 0);
  snprintf(name, sizeof name, "wire.%s.read_all_fields", command);
  report(name, best_cpu_time(read_all, &payload) * 1e9 / (double)count,
         "ns/entry", 0);
  allocations = 0;
  open_payload(&payload);
  read_all(&payload);
  snprintf(name, sizeof name, "wire.%s.allocations", command);
  report(name, (double)allocations, "allocations", 0);
  free(payload.bytes);
}

/* --- blocks -------------------------------------------------------------- */

static void bench_block(void) {
  static const uint8_t tx[] = {
      [0] = 1, [4] = 1, [41] = 0, [46] = 2, [55] = 3, [67] = 0, [71] = 0};
  const size_t count = 10000;
  uint8_t prefix[9];
  size_t n = put_compact(prefix, count), size = sizeof tx;
  struct payload payload = {.command = "block", .list = "txs"};
  payload.n = 80 + n + count * size;
  payload.bytes = calloc(payload.n, 1);
  memcpy(payload.bytes + 80, prefix, n);
  for (size_t i = 0; i < count; i++)
    memcpy(payload.bytes + 80 + n + i * size, tx, size);
  report("wire.block.open",
         best_cpu_time(open_payload, &payload) * 1e9 / (double)count, "ns/tx",
         0);
  free(payload.bytes);
}

int main(void) {
  struct stream stream = {.network = mp_network_find("mainnet"),
                          .hasher = hasher_new()};
  struct raw raw = {.digest = EVP_MD_fetch(NULL, "SHA256", NULL),
                    .context = EVP_MD_CTX_new()};
  bench_pings(&stream, &raw);
  bench_large(&stream, &raw);
  bench_list("inv", "items", 50000, 36);
  bench_list("addr", "entries", 1000, 30);
  bench_list("headers", "headers", 2000, 81);
  bench_block();
  buf_deinit(&stream.bytes);
  hasher_free(stream.hasher);
  EVP_MD_CTX_free(raw.context);
  EVP_MD_free(raw.digest);
  return 0;
}
