/* map - open addressing, linear probing, and an old table that empties. */
#include "base/map.h"

#include <string.h>

#include "base/siphash.h"
#include "moonpeer/error.h"

/* A cell of the old table whose key has moved or was removed: probing goes on
 * behind it. */
static const uint32_t gone = UINT32_MAX;

enum { FIRST_SIZE = 16, LARGE_SIZE = 1 << 18, STEP = 16 };

void map_init(struct map *map, const struct mp_memory *memory,
              const uint64_t secret[2], unsigned words, uint32_t most) {
  *map = (struct map){.memory = memory, .words = words, .most = most};
  memcpy(map->secret, secret, sizeof map->secret);
}

void map_init_hashed(struct map *map, const struct mp_memory *memory,
                     unsigned words, uint32_t most) {
  *map = (struct map){
      .memory = memory, .words = words, .most = most, .is_hashed = true};
}

static size_t cell_words(const struct map *map) {
  return map->words + 1;
}

static size_t table_bytes(const struct map *map, uint32_t size) {
  return (size_t)size * cell_words(map) * sizeof(uint32_t);
}

void map_deinit(struct map *map) {
  memory_put(map->memory, map->cells, table_bytes(map, map->size));
  memory_put(map->memory, map->old, table_bytes(map, map->old_size));
  map->cells = map->old = NULL;
  map->size = map->old_size = map->count = 0;
}

static uint32_t hash_of(const struct map *map, const uint32_t *key) {
  if (map->is_hashed)
    return key[map->words > 1];
  struct siphash hash = siphash_of(map->secret);
  unsigned i = 0;
  for (; i + 1 < map->words; i += 2)
    siphash_add(&hash, key[i] | (uint64_t)key[i + 1] << 32);
  siphash_add(&hash, (i < map->words ? key[i] : 0) | (uint64_t)i << 56);
  return (uint32_t)(siphash_end(&hash) >> 32);
}

static uint32_t in_table(uint32_t hash, uint32_t size) {
  return (uint32_t)((uint64_t)hash * size >> 32);
}

static bool is_equal(const uint32_t *a, const uint32_t *b, unsigned words) {
  if (a[0] != b[0])
    return false;
  unsigned i = 1;
  while (i < words && a[i] == b[i])
    i++;
  return i == words;
}

/* The cell of a key, or NULL. A table always has an empty cell. */
static uint32_t *probe(uint32_t *cells, uint32_t size, uint32_t hash,
                       const uint32_t *key, unsigned words) {
  uint32_t at = in_table(hash, size);
  for (;;) {
    uint32_t *cell = cells + (size_t)at * (words + 1);
    if (cell[0] == 0)
      return NULL;
    if (cell[0] != gone && is_equal(cell + 1, key, words))
      return cell;
    if (++at == size)
      at = 0;
  }
}

static uint32_t *find(const struct map *map, const uint32_t *key,
                      uint32_t hash) {
  uint32_t *cell = NULL;
  if (!map->cells)
    return NULL;
  cell = probe(map->cells, map->size, hash, key, map->words);
  if (!cell && map->old)
    cell = probe(map->old, map->old_size, hash, key, map->words);
  return cell;
}

uint32_t map_find_hashed(const struct map *map, const uint32_t *key,
                         uint32_t hash) {
  const uint32_t *cell = find(map, key, hash);
  return cell ? cell[0] : 0;
}

uint32_t map_find(const struct map *map, const uint32_t *key) {
  return map_find_hashed(map, key, hash_of(map, key));
}

uint32_t map_prefetch(const struct map *map, const uint32_t *key) {
  uint32_t hash = hash_of(map, key);
  size_t words = cell_words(map);
  if (map->size)
    __builtin_prefetch(map->cells + in_table(hash, map->size) * words);
  if (map->old)
    __builtin_prefetch(map->old + in_table(hash, map->old_size) * words);
  return hash;
}

uint32_t *map_at(struct map *map, const uint32_t *key) {
  return find(map, key, hash_of(map, key));
}

static void insert(struct map *map, const uint32_t *key, uint32_t hash,
                   uint32_t value) {
  uint32_t at = in_table(hash, map->size);
  uint32_t *cell = map->cells + (size_t)at * cell_words(map);
  while (cell[0]) {
    at = at + 1 == map->size ? 0 : at + 1;
    cell = map->cells + (size_t)at * cell_words(map);
  }
  cell[0] = value;
  cell[1] = key[0];
  for (unsigned i = 1; i < map->words; i++)
    cell[1 + i] = key[i];
}

/* Moves a few cells of the old table into the new one. */
static void step(struct map *map, uint32_t n) {
  if (!map->old)
    return;
  for (; n && map->moved < map->old_size; n--, map->moved++) {
    uint32_t *cell = map->old + (size_t)map->moved * cell_words(map);
    if (cell[0] && cell[0] != gone)
      insert(map, cell + 1, hash_of(map, cell + 1), cell[0]);
    if (cell[0])
      cell[0] = gone;
  }
  if (map->moved < map->old_size)
    return;
  memory_put(map->memory, map->old, table_bytes(map, map->old_size));
  map->old = NULL;
  map->old_size = map->moved = 0;
}

/* Larger by a factor that falls with the size, for the memory's sake, but no
 * larger than `most` keys need. */
static uint32_t next_size(const struct map *map, uint32_t n) {
  uint64_t size = map->size ? (uint64_t)map->size * 3 / 2 : FIRST_SIZE;
  if (map->size < LARGE_SIZE)
    size = map->size * UINT64_C(4) + FIRST_SIZE;
  uint64_t enough = (uint64_t)map->most * 10 / 7 + FIRST_SIZE;
  uint64_t needed = ((uint64_t)map->count + n) * 10 / 7 + FIRST_SIZE;
  if (enough > map->size && enough / 5 <= map->size)
    size = enough;
  if (size < needed)
    size = needed;
  return size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
}

static bool has_room(const struct map *map, uint32_t n) {
  return ((uint64_t)map->count + n) * 10 <= (uint64_t)map->size * 7;
}

int map_reserve(struct map *map, uint32_t n) {
  if (has_room(map, n))
    return 0;
  step(map, UINT32_MAX); /* by then nothing is left, but for a large n */
  uint32_t size = next_size(map, n);
  uint32_t *cells = memory_get(map->memory, table_bytes(map, size));
  if (!cells) /* a table a little too full serves until memory is back */
    return ((uint64_t)map->count + n) * 8 <= (uint64_t)map->size * 7
               ? 0
               : MP_ELIMIT;
  map->old = map->cells;
  map->old_size = map->size;
  map->moved = 0;
  map->cells = cells;
  map->size = size;
  if (!map->old)
    map->old_size = 0;
  return 0;
}

void map_put_hashed(struct map *map, const uint32_t *key, uint32_t hash,
                    uint32_t value) {
  insert(map, key, hash, value);
  map->count++;
  step(map, STEP);
}

void map_put(struct map *map, const uint32_t *key, uint32_t value) {
  map_put_hashed(map, key, hash_of(map, key), value);
}

/* Closes the hole at `at`, so that no probe stops too early. */
static void close_hole(struct map *map, uint32_t at) {
  size_t words = cell_words(map);
  uint32_t next = at;
  for (;;) {
    next = next + 1 == map->size ? 0 : next + 1;
    uint32_t *cell = map->cells + next * words;
    if (!cell[0])
      break;
    uint32_t home = in_table(hash_of(map, cell + 1), map->size);
    bool stays =
        at < next ? home > at && home <= next : home > at || home <= next;
    if (stays)
      continue;
    memcpy(map->cells + at * words, cell, words * sizeof *cell);
    at = next;
  }
  map->cells[at * words] = 0;
}

static void remove_cell(struct map *map, uint32_t *cell) {
  map->count--;
  size_t words = cell_words(map);
  if (cell >= map->cells && cell < map->cells + map->size * words)
    close_hole(map, (uint32_t)((size_t)(cell - map->cells) / words));
  else
    cell[0] = gone;
  step(map, STEP);
}

bool map_remove(struct map *map, const uint32_t *key) {
  uint32_t *cell = find(map, key, hash_of(map, key));
  if (cell)
    remove_cell(map, cell);
  return cell != NULL;
}

/* --- keys that may be the same */

static uint32_t *search(uint32_t *cells, uint32_t size, uint32_t key,
                        map_is_fn is, const void *data) {
  uint32_t at = in_table(key, size);
  for (;;) {
    uint32_t *cell = cells + (size_t)2 * at;
    if (cell[0] == 0)
      return NULL;
    if (cell[1] == key && cell[0] != gone && is(data, cell[0]))
      return cell;
    if (++at == size)
      at = 0;
  }
}

uint32_t *map_search(const struct map *map, uint32_t key, map_is_fn is,
                     const void *data) {
  uint32_t *cell = NULL;
  if (map->cells)
    cell = search(map->cells, map->size, key, is, data);
  if (!cell && map->old)
    cell = search(map->old, map->old_size, key, is, data);
  return cell;
}

static bool is_same(const void *data, uint32_t value) {
  return value == *(const uint32_t *)data;
}

void map_remove_value(struct map *map, uint32_t key, uint32_t value) {
  uint32_t *cell = map_search(map, key, is_same, &value);
  if (cell)
    remove_cell(map, cell);
}
