/* store_fuzz - what files and lists may contain: the first byte chooses a
 * store as JSON (its checksum made right), bans as banlist.json or as plain
 * text, an asmap, or a series of bans coming and going. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "moonpeer/ban.h"
#include "moonpeer/loop.h"
#include "moonpeer/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define T0 (INT64_C(1800000000) * MP_SECOND)

static const char *file_name(void) {
  static char path[64];
  if (!path[0])
    snprintf(path, sizeof path, "/tmp/moonpeer-store-fuzz-%ld", (long)getpid());
  return path;
}

static void write_file(const void *bytes, size_t n, const void *more,
                       size_t more_n) {
  FILE *file = fopen(file_name(), "wb");
  assert(file);
  assert(fwrite(bytes, 1, n, file) == n);
  assert(more_n == 0 || fwrite(more, 1, more_n, file) == more_n);
  fclose(file);
}

static struct mp_store *open_store(const char *url, const char *asmap) {
  struct mp_store_options options = {
      .read_only = true, .asmap = asmap, .seed = {1}};
  struct mp_store *store = NULL;
  struct mp_fault fault = {0};
  int rc = mp_store_open(&store, url, &options, &fault);
  assert((rc == 0) == (store != NULL));
  assert(rc == 0 || fault.text[0]);
  return store;
}

/* The text with a checksum behind it; what it loads, it can say again. */
static void load_json(const uint8_t *bytes, size_t n) {
  static struct hasher *hasher;
  char tail[96] = "\"sha256d\":\"", url[96];
  uint8_t digest[HASH_SIZE];
  if (!hasher)
    hasher = hasher_new();
  hash_sha256d(hasher, bytes, n, digest);
  size_t at = strlen(tail);
  for (int i = 0; i < HASH_SIZE; i++)
    at += (size_t)sprintf(tail + at, "%02x", digest[i]);
  at += (size_t)sprintf(tail + at, "\"\n}\n");
  write_file(bytes, n, tail, at);
  snprintf(url, sizeof url, "json:%s", file_name());
  struct mp_store *store = open_store(url, NULL);
  if (!store)
    return;
  struct mp_iterator iterator;
  const struct mp_peer *peer;
  mp_iterator_begin(&iterator, store, NULL);
  while ((peer = mp_iterator_next(&iterator))) {
    assert(mp_store_read(store, mp_peer_id(peer)) == peer);
    assert(mp_peer_is_banned(peer) == (mp_peer_ban_reason(peer) != 0));
  }
  mp_iterator_end(&iterator);
  while (mp_store_expire(store, T0, 1000))
    continue;
  mp_store_close(store);
}

static void import(enum mp_ban_format format, const uint8_t *bytes, size_t n) {
  struct mp_store *store = open_store("memory:", NULL);
  struct mp_ban_import list = {
      .name = "list", .format = format, .text = (const char *)bytes, .size = n};
  struct mp_fault fault = {0};
  char *text;
  size_t size;
  int rc = mp_ban_import(store, &list, T0, &fault);
  assert(rc == 0 || fault.text[0]);
  assert(rc == 0 || mp_ban_count(store) == 0);
  uint32_t count = mp_ban_count(store);
  assert(mp_ban_export(store, format, &text, &size) == 0);
  struct mp_store *other = open_store("memory:", NULL);
  list.text = text;
  list.size = size;
  assert(mp_ban_import(other, &list, T0, NULL) == 0);
  assert(mp_ban_count(other) == count);
  free(text);
  mp_store_close(store);
  mp_store_close(other);
}

/* Six bytes a step: what, bits, and an address of few distinct bits; against
 * a plain list. */
static void come_and_go(const uint8_t *bytes, size_t n) {
  enum { MOST = 64 };
  struct mp_store *store = open_store("memory:", NULL);
  struct mp_prefix list[MOST];
  size_t count = 0;
  for (; n >= 6 && count < MOST; bytes += 6, n -= 6) {
    struct mp_address address = {.port = 1};
    memset(address.ip + 10, bytes[0] & 2 ? 0xff : 0, 2);
    for (int i = 0; i < 4; i++)
      address.ip[12 + i] = bytes[2 + i] & 0x81;
    struct mp_prefix prefix = mp_prefix_of(&address);
    prefix.bits = bytes[1] % 129;
    for (unsigned i = prefix.bits; i < 128; i++)
      prefix.ip[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
    size_t at = 0;
    while (at < count && memcmp(list + at, &prefix, sizeof prefix) != 0)
      at++;
    struct mp_ban ban = {.prefix = prefix};
    if (bytes[0] & 1) {
      assert(mp_ban_add(store, &ban, T0, NULL) == 0);
      list[at] = prefix;
      count += at == count;
    } else {
      assert((mp_ban_remove(store, &prefix, T0, NULL) == 0) == (at < count));
      if (at < count)
        list[at] = list[--count];
    }
    int best = -1;
    for (size_t i = 0; i < count; i++)
      if (mp_prefix_contains(list + i, &address) && list[i].bits > best)
        best = list[i].bits;
    assert(mp_ban_find(store, &address, T0, &ban) == (best >= 0));
    assert(best < 0 || ban.prefix.bits == best);
    assert(mp_ban_count(store) == count);
  }
  mp_store_close(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  if (n == 0)
    return 0;
  switch (bytes[0] % 8) {
  case 0:
  case 1: load_json(bytes + 1, n - 1); break;
  case 2: import(MP_BAN_JSON, bytes + 1, n - 1); break;
  case 3: import(MP_BAN_PLAIN, bytes + 1, n - 1); break;
  case 4:
    write_file(bytes + 1, n - 1, NULL, 0);
    mp_store_close(open_store("memory:", file_name()));
    break;
  default: come_and_go(bytes + 1, n - 1);
  }
  unlink(file_name());
  return 0;
}
