/* sim_index - numbers found by a hash: nothing is ever taken out, and nothing
 * depends on its order. */
#ifndef NET_SIM_INDEX_H
#define NET_SIM_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_slot {
  uint64_t hash;
  uint32_t value; /* the number plus one; 0 is an empty slot */
};

/* {0} is empty. */
struct sim_index {
  struct sim_slot *slots;
  size_t size, used;
};

/* The number with this hash that is_it says yes to, or -1. */
int64_t sim_index_find(const struct sim_index *index, uint64_t hash,
                       bool (*is_it)(const void *data, uint32_t number),
                       const void *data);
void sim_index_add(struct sim_index *index, uint64_t hash, uint32_t number);
void sim_index_deinit(struct sim_index *index);

#endif
