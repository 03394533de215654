/* map_test - tables beside a plain array, through growth and removal. */
#include "base/map.h"

#include "base/rand.h"
#include "test.h"

enum { KEYS = 3000, STEPS = 60000, MOST = 2000 };

static void *get(void *data, size_t n) {
  *(long long *)data += (long long)n;
  return calloc(1, n);
}

static void put(void *data, void *block, size_t n) {
  *(long long *)data -= (long long)n;
  free(block);
}

static long long out;
static const struct mp_memory memory = {get, put, &out};

/* The i-th key: all words count, and few of the last. */
static void key_of(uint32_t i, unsigned words, uint32_t *key) {
  for (unsigned w = 0; w < words; w++)
    key[w] = w + 1 == words && w > 1 ? i % 3 : i * 2654435761u + w;
}

static void check_all(const struct map *map, unsigned words,
                      const uint32_t *model) {
  uint32_t key[MAP_WORDS], n = 0;
  for (uint32_t i = 0; i < KEYS; i++) {
    key_of(i, words, key);
    CHECK_INT(map_find(map, key), model[i]);
    n += model[i] != 0;
  }
  CHECK_INT(map->count, n);
}

/* Comes, changes and goes at random; the array knows what must be there. */
static void live(struct map *map, unsigned words) {
  uint32_t key[MAP_WORDS], model[KEYS] = {0};
  struct rand rand;
  rand_init(&rand, words);
  for (uint32_t n = 0; n < STEPS; n++) {
    uint32_t i = (uint32_t)rand_below(&rand, n < STEPS / 2 ? KEYS : KEYS / 9);
    key_of(i, words, key);
    CHECK_INT(map_find(map, key), model[i]);
    if (!model[i]) {
      CHECK_INT(map_reserve(map, 1), 0);
      map_put(map, key, model[i] = n + 1);
    } else if (n % 2) {
      *map_at(map, key) = model[i] = n + 1;
    } else {
      CHECK(map_remove(map, key));
      CHECK(!map_remove(map, key));
      model[i] = 0;
    }
    if (n % 4096 == 0)
      check_all(map, words, model);
  }
  check_all(map, words, model);
  map_deinit(map);
  CHECK_INT(out, 0);
}

static void keys_of_every_length_are_found(void) {
  const uint64_t secret[2] = {1, 2};
  for (unsigned words = 1; words <= MAP_WORDS; words++) {
    struct map map;
    map_init(&map, &memory, secret, words, MOST);
    live(&map, words);
    map_init_hashed(&map, &memory, words, MOST);
    live(&map, words);
  }
}

/* Which of the values under one key: those of the same rest. */
static bool is_it(const void *data, uint32_t value) {
  return value == *(const uint32_t *)data;
}

/* Three values share a key, and all keys but a few share their place. */
static uint32_t shared_key(uint32_t value) {
  return value % 7 ? value / 3 : value / 3 * 0x9e3779b9u;
}

static void equal_keys_are_told_apart_by_who_knows_more(void) {
  struct map map;
  bool model[KEYS] = {0};
  struct rand rand;
  rand_init(&rand, 5);
  map_init_hashed(&map, &memory, 1, MOST);
  CHECK(map_search(&map, 1, is_it, &(uint32_t){1}) == NULL);
  for (uint32_t n = 0; n < STEPS; n++) {
    uint32_t value = 1 + (uint32_t)rand_below(&rand, KEYS - 1);
    uint32_t key = shared_key(value);
    const uint32_t *found = map_search(&map, key, is_it, &value);
    CHECK(model[value] ? found && *found == value : found == NULL);
    if (model[value]) {
      map_remove_value(&map, key, value);
    } else {
      CHECK_INT(map_reserve(&map, 1), 0);
      map_put(&map, &key, value);
    }
    model[value] = !model[value];
  }
  uint32_t n = 0;
  for (uint32_t value = 1; value < KEYS; value++)
    n += model[value];
  CHECK_INT(map.count, n);
  map_remove_value(&map, 77, KEYS); /* is not there */
  CHECK_INT(map.count, n);
  map_deinit(&map);
  CHECK_INT(out, 0);
}

static void *refuse(void *data, size_t n) {
  (void)data;
  (void)n;
  return NULL;
}

static void without_memory_nothing_is_lost(void) {
  const struct mp_memory none = {refuse, put, &out};
  struct map map;
  uint32_t key, n = 0;
  map_init_hashed(&map, &memory, 1, MOST);
  CHECK_INT(map_reserve(&map, 1), 0);
  map.memory = &none;
  while (map_reserve(&map, 1) == 0) { /* there is a little room beyond */
    key = n++;
    map_put(&map, &key, n);
  }
  map.memory = &memory;
  CHECK(n >= 11);
  CHECK_INT(map_reserve(&map, 1), 0);
  for (key = 0; key < n; key++)
    CHECK_INT(map_find(&map, &key), key + 1);
  map_deinit(&map);
  CHECK_INT(out, 0);
}

TEST_MAIN(TEST(keys_of_every_length_are_found),
          TEST(equal_keys_are_told_apart_by_who_knows_more),
          TEST(without_memory_nothing_is_lost))
