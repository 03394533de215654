/* source - what one source of addresses may place: how fast, how many. */
#ifndef PEER_SOURCE_H
#define PEER_SOURCE_H

#include <stdbool.h>

#include "base/map.h"
#include "moonpeer/store.h"

/* Peers per source group, and per pair of source group and group. Of a pair 32
 * bits of a keyed hash are kept: one in some thousand is counted together with
 * another, which nobody outside can bring about, and never too low. */
struct source_counts {
  struct map groups, pairs;
};

void source_counts_init(struct source_counts *counts,
                        const struct mp_memory *memory, uint32_t most);
void source_counts_deinit(struct source_counts *counts);

/* Room for one more. 0 or MP_ELIMIT. */
int source_counts_reserve(struct source_counts *counts);

/* Both will be wanted soon. */
void source_counts_prefetch(const struct source_counts *counts,
                            uint64_t source_key, uint64_t group_key);
void source_counts_add(struct source_counts *counts, uint64_t source_key,
                       uint64_t group_key);
void source_counts_remove(struct source_counts *counts, uint64_t source_key,
                          uint64_t group_key);
uint32_t source_count(const struct source_counts *counts, uint64_t source_key);
uint32_t source_pair_count(const struct source_counts *counts,
                           uint64_t source_key, uint64_t group_key);

enum { SOURCE_BUCKETS = 4096, SOURCE_BURST = 1000 };

/* A token bucket for each of the last 4,096 sources; tokens in thousandths. */
struct source_bucket {
  uint64_t key;
  int64_t time;
  uint32_t tokens;
};

struct source_rates {
  const struct mp_memory *memory;
  struct map map;
  struct source_bucket *buckets; /* a ring, the oldest at next; or NULL */
  uint32_t next;
};

void source_rates_init(struct source_rates *rates,
                       const struct mp_memory *memory);
void source_rates_deinit(struct source_rates *rates);

/* Takes a token: 0, or MP_ELIMIT when there is none (or no memory). */
int source_take(struct source_rates *rates, uint64_t key, int64_t now);

/* Grants n more at once, up to SOURCE_BURST in all. */
void source_grant(struct source_rates *rates, uint64_t key, uint32_t n,
                  int64_t now);

#endif
