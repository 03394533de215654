/* map - keys of a few 32-bit words to numbers, growing without a stop. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

enum { MAP_WORDS = 5 /* of a key, at most */ };

/* The keys stand inside the table, so that a look-up that finds nothing, or
 * only wants the number, touches one place in memory. A larger table is filled
 * a few cells with every change. Where a key goes depends on a secret, so no
 * remote can choose keys that collide. */
struct map {
  const struct mp_memory *memory;
  uint64_t secret[2];
  uint32_t *cells, *old; /* per cell the value, 0 for none, then the key */
  uint32_t size, old_size, moved, count, most;
  unsigned words;
  bool is_hashed;
};

/* Keys of so many words (1 to MAP_WORDS). `most` is how many there will be:
 * tables are made no larger than that takes, though it may be exceeded. */
void map_init(struct map *map, const struct mp_memory *memory,
              const uint64_t secret[2], unsigned words, uint32_t most);

/* The same for keys that are keyed hashes already. */
void map_init_hashed(struct map *map, const struct mp_memory *memory,
                     unsigned words, uint32_t most);
void map_deinit(struct map *map);

/* Makes sure that n puts cannot fail. 0 or MP_ELIMIT, for want of memory. */
int map_reserve(struct map *map, uint32_t n);

/* Adds a key that is not there, after map_reserve; neither 0 nor the largest
 * value. */
void map_put(struct map *map, const uint32_t *key, uint32_t value);

/* The value, or 0. */
uint32_t map_find(const struct map *map, const uint32_t *key);

/* The same in steps, for many look-ups of one key: its hash, which asks for
 * the memory that the rest will want; and look-up and put by that. */
uint32_t map_prefetch(const struct map *map, const uint32_t *key);
uint32_t map_find_hashed(const struct map *map, const uint32_t *key,
                         uint32_t hash);
void map_put_hashed(struct map *map, const uint32_t *key, uint32_t hash,
                    uint32_t value);

/* Where the value stands, to be changed (not to 0) until the map is; NULL. */
uint32_t *map_at(struct map *map, const uint32_t *key);

/* False when it was not there. */
bool map_remove(struct map *map, const uint32_t *key);

/* Of one-word hashed keys several may be the same, so that who has the whole
 * key elsewhere need not keep it here: where the value stands for which `is`
 * says yes, as with map_at; and the removal of a key with this value. */
typedef bool (*map_is_fn)(const void *data, uint32_t value);
uint32_t *map_search(const struct map *map, uint32_t key, map_is_fn is,
                     const void *data);
void map_remove_value(struct map *map, uint32_t key, uint32_t value);

#endif
