/* source - what one source of addresses may place. */
#include "peer/source.h"

#include "moonpeer/error.h"

static const uint32_t token = 1000;
static const int64_t per_thousandth = 10000000; /* ns: 0.1 tokens a second */

void source_counts_init(struct source_counts *counts,
                        const struct mp_memory *memory, uint32_t most) {
  map_init_hashed(&counts->groups, memory, 2, most);
  map_init_hashed(&counts->pairs, memory, 1, most);
}

void source_counts_deinit(struct source_counts *counts) {
  map_deinit(&counts->groups);
  map_deinit(&counts->pairs);
}

int source_counts_reserve(struct source_counts *counts) {
  int rc = map_reserve(&counts->groups, 1);
  return rc ? rc : map_reserve(&counts->pairs, 1);
}

static void words_of(uint64_t key, uint32_t words[2]) {
  words[0] = (uint32_t)key;
  words[1] = (uint32_t)(key >> 32);
}

/* Both keys are keyed hashes already: any mixing of the two will do. */
static uint32_t pair_of(uint64_t source_key, uint64_t group_key) {
  return (uint32_t)((source_key * 0x9e3779b97f4a7c15 + group_key) >> 32);
}

static void count_up(struct map *map, const uint32_t *key) {
  uint32_t *count = map_at(map, key);
  if (count)
    ++*count;
  else
    map_put(map, key, 1);
}

static void count_down(struct map *map, const uint32_t *key) {
  uint32_t *count = map_at(map, key);
  if (count && *count > 1)
    --*count;
  else
    map_remove(map, key);
}

void source_counts_prefetch(const struct source_counts *counts,
                            uint64_t source_key, uint64_t group_key) {
  uint32_t words[2], pair = pair_of(source_key, group_key);
  words_of(source_key, words);
  map_prefetch(&counts->groups, words);
  map_prefetch(&counts->pairs, &pair);
}

void source_counts_add(struct source_counts *counts, uint64_t source_key,
                       uint64_t group_key) {
  uint32_t words[2], pair = pair_of(source_key, group_key);
  words_of(source_key, words);
  count_up(&counts->groups, words);
  count_up(&counts->pairs, &pair);
}

void source_counts_remove(struct source_counts *counts, uint64_t source_key,
                          uint64_t group_key) {
  uint32_t words[2], pair = pair_of(source_key, group_key);
  words_of(source_key, words);
  count_down(&counts->groups, words);
  count_down(&counts->pairs, &pair);
}

uint32_t source_count(const struct source_counts *counts, uint64_t source_key) {
  uint32_t words[2];
  words_of(source_key, words);
  return map_find(&counts->groups, words);
}

uint32_t source_pair_count(const struct source_counts *counts,
                           uint64_t source_key, uint64_t group_key) {
  uint32_t pair = pair_of(source_key, group_key);
  return map_find(&counts->pairs, &pair);
}

void source_rates_init(struct source_rates *rates,
                       const struct mp_memory *memory) {
  *rates = (struct source_rates){.memory = memory};
  map_init_hashed(&rates->map, memory, 2, SOURCE_BUCKETS);
}

void source_rates_deinit(struct source_rates *rates) {
  map_deinit(&rates->map);
  memory_put(rates->memory, rates->buckets,
             SOURCE_BUCKETS * sizeof *rates->buckets);
  rates->buckets = NULL;
}

/* A new bucket with one token, in the place of the oldest. */
static struct source_bucket *make(struct source_rates *rates, uint64_t key,
                                  int64_t now) {
  uint32_t words[2];
  if (!rates->buckets)
    rates->buckets =
        memory_get(rates->memory, SOURCE_BUCKETS * sizeof *rates->buckets);
  if (!rates->buckets || map_reserve(&rates->map, 1))
    return NULL;
  uint32_t at = rates->next;
  struct source_bucket *bucket = rates->buckets + at;
  rates->next = (at + 1) % SOURCE_BUCKETS;
  words_of(bucket->key, words);
  map_remove(&rates->map, words); /* an unused one's key 0 is not there */
  *bucket = (struct source_bucket){.key = key, .time = now, .tokens = token};
  words_of(key, words);
  map_put(&rates->map, words, at + 1);
  return bucket;
}

static void refill(struct source_bucket *bucket, int64_t now) {
  const uint32_t most = SOURCE_BURST * token;
  if (now <= bucket->time) {
    bucket->time = now; /* the clock was set back */
    return;
  }
  int64_t n = (now - bucket->time) / per_thousandth;
  bucket->time += n * per_thousandth;
  if (n > (int64_t)most - bucket->tokens)
    bucket->tokens = most;
  else
    bucket->tokens += (uint32_t)n;
}

static struct source_bucket *bucket_of(struct source_rates *rates, uint64_t key,
                                       int64_t now) {
  uint32_t words[2];
  words_of(key, words);
  uint32_t at = map_find(&rates->map, words);
  if (!at)
    return make(rates, key, now);
  refill(rates->buckets + at - 1, now);
  return rates->buckets + at - 1;
}

int source_take(struct source_rates *rates, uint64_t key, int64_t now) {
  struct source_bucket *bucket = bucket_of(rates, key, now);
  if (!bucket || bucket->tokens < token)
    return MP_ELIMIT;
  bucket->tokens -= token;
  return 0;
}

void source_grant(struct source_rates *rates, uint64_t key, uint32_t n,
                  int64_t now) {
  struct source_bucket *bucket = bucket_of(rates, key, now);
  uint32_t room = bucket ? SOURCE_BURST - bucket->tokens / token : 0;
  if (bucket)
    bucket->tokens += (n < room ? n : room) * token;
}
