/* crowd - counts by key. */
#include "engine/crowd.h"

#include "base/hash.h"

enum { WORDS = 2 };

void crowd_init(struct crowd *crowd, const uint64_t secret[2]) {
  crowd->secret[0] = secret[0];
  crowd->secret[1] = secret[1];
  map_init(&crowd->map, &memory_default, secret, WORDS, 1024);
}

void crowd_deinit(struct crowd *crowd) {
  map_deinit(&crowd->map);
}

static void reduce(const struct crowd *crowd, const void *key, size_t n,
                   uint32_t words[WORDS]) {
  uint64_t hash = hash_sip(crowd->secret, key, n);
  words[0] = (uint32_t)hash;
  words[1] = (uint32_t)(hash >> 32);
}

uint32_t crowd_count(const struct crowd *crowd, const void *key, size_t n) {
  uint32_t words[WORDS];
  reduce(crowd, key, n, words);
  return map_find(&crowd->map, words);
}

bool crowd_add(struct crowd *crowd, const void *key, size_t n) {
  uint32_t words[WORDS];
  reduce(crowd, key, n, words);
  uint32_t *count = map_at(&crowd->map, words);
  if (count) {
    ++*count;
    return true;
  }
  if (map_reserve(&crowd->map, 1) != 0)
    return false;
  map_put(&crowd->map, words, 1);
  return true;
}

void crowd_remove(struct crowd *crowd, const void *key, size_t n) {
  uint32_t words[WORDS];
  reduce(crowd, key, n, words);
  uint32_t *count = map_at(&crowd->map, words);
  if (count && --*count == 0) {
    *count = 1; /* 0 means none there */
    map_remove(&crowd->map, words);
  }
}
