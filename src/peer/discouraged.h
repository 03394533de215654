/* discouraged - the last 50,000 addresses that were a nuisance. */
#ifndef PEER_DISCOURAGED_H
#define PEER_DISCOURAGED_H

#include <stdbool.h>

#include "base/map.h"

enum { DISCOURAGED_MOST = 50000 };

/* Keys are keyed hashes of addresses; 0 is an empty place. */
struct discouraged {
  const struct mp_memory *memory;
  uint64_t secret[2];
  struct map map;
  uint64_t *ring; /* the oldest at next; or NULL */
  uint32_t next;
};

void discouraged_init(struct discouraged *set, const struct mp_memory *memory,
                      const uint64_t secret[2]);
void discouraged_deinit(struct discouraged *set);

/* 0 or MP_ELIMIT for want of memory. The oldest makes room. */
int discouraged_add(struct discouraged *set, const uint8_t ip[16]);
void discouraged_remove(struct discouraged *set, const uint8_t ip[16]);
bool discouraged_has(const struct discouraged *set, const uint8_t ip[16]);

#endif
