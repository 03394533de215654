/* discouraged - the last 50,000 addresses that were a nuisance. */
#include "peer/discouraged.h"

#include <string.h>

#include "base/hash.h"
#include "moonpeer/error.h"

void discouraged_init(struct discouraged *set, const struct mp_memory *memory,
                      const uint64_t secret[2]) {
  *set = (struct discouraged){.memory = memory};
  memcpy(set->secret, secret, sizeof set->secret);
  map_init_hashed(&set->map, memory, 2, DISCOURAGED_MOST);
}

void discouraged_deinit(struct discouraged *set) {
  map_deinit(&set->map);
  memory_put(set->memory, set->ring, DISCOURAGED_MOST * sizeof *set->ring);
  set->ring = NULL;
}

static uint64_t key_of(const struct discouraged *set, const uint8_t ip[16],
                       uint32_t words[2]) {
  uint64_t key = hash_sip(set->secret, ip, 16);
  key += key == 0;
  memcpy(words, &key, sizeof key);
  return key;
}

bool discouraged_has(const struct discouraged *set, const uint8_t ip[16]) {
  uint32_t words[2];
  key_of(set, ip, words);
  return map_find(&set->map, words) != 0;
}

static void clear_place(struct discouraged *set, uint32_t at) {
  uint32_t words[2];
  memcpy(words, set->ring + at, sizeof words);
  if (set->ring[at])
    map_remove(&set->map, words);
  set->ring[at] = 0;
}

int discouraged_add(struct discouraged *set, const uint8_t ip[16]) {
  uint32_t words[2];
  uint64_t key = key_of(set, ip, words);
  if (!set->ring)
    set->ring = memory_get(set->memory, DISCOURAGED_MOST * sizeof *set->ring);
  if (!set->ring || map_reserve(&set->map, 1))
    return MP_ELIMIT;
  discouraged_remove(set, ip); /* so that it is the youngest */
  clear_place(set, set->next);
  set->ring[set->next] = key;
  map_put(&set->map, words, set->next + 1);
  set->next = (set->next + 1) % DISCOURAGED_MOST;
  return 0;
}

void discouraged_remove(struct discouraged *set, const uint8_t ip[16]) {
  uint32_t words[2];
  key_of(set, ip, words);
  uint32_t at = map_find(&set->map, words);
  if (at)
    clear_place(set, at - 1);
}
