/* crowd - how many connections there are from an address, from a group, to an
 * address: counts by key. */
#ifndef ENGINE_CROWD_H
#define ENGINE_CROWD_H

#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

/* Keys are reduced to 64 bits under a secret; two that collide share their
 * count, which nobody can bring about. */
struct crowd {
  struct map map;
  uint64_t secret[2];
};

void crowd_init(struct crowd *crowd, const uint64_t secret[2]);
void crowd_deinit(struct crowd *crowd);

uint32_t crowd_count(const struct crowd *crowd, const void *key, size_t n);

/* One more; false when there is no memory for it. */
bool crowd_add(struct crowd *crowd, const void *key, size_t n);

/* One less of what was added. */
void crowd_remove(struct crowd *crowd, const void *key, size_t n);

#endif
