/* sim_index - numbers found by a hash: linear probing, grown by doubling. */
#include "net/sim_index.h"

#include <stdlib.h>

#include "base/mem.h"

enum { FIRST_SIZE = 64 };

int64_t sim_index_find(const struct sim_index *index, uint64_t hash,
                       bool (*is_it)(const void *data, uint32_t number),
                       const void *data) {
  if (!index->size)
    return -1;
  size_t mask = index->size - 1;
  for (size_t i = hash & mask; index->slots[i].value; i = (i + 1) & mask)
    if (index->slots[i].hash == hash && is_it(data, index->slots[i].value - 1))
      return index->slots[i].value - 1;
  return -1;
}

static void place(struct sim_index *index, struct sim_slot slot) {
  size_t mask = index->size - 1, i = slot.hash & mask;
  while (index->slots[i].value)
    i = (i + 1) & mask;
  index->slots[i] = slot;
  index->used++;
}

static void grow(struct sim_index *index) {
  struct sim_index old = *index;
  index->size = old.size ? old.size * 2 : FIRST_SIZE;
  index->slots = mem_new(index->size * sizeof *index->slots);
  index->used = 0;
  for (size_t i = 0; i < old.size; i++)
    if (old.slots[i].value)
      place(index, old.slots[i]);
  free(old.slots);
}

void sim_index_add(struct sim_index *index, uint64_t hash, uint32_t number) {
  if (index->used * 2 >= index->size)
    grow(index);
  place(index, (struct sim_slot){.hash = hash, .value = number + 1});
}

void sim_index_deinit(struct sim_index *index) {
  free(index->slots);
  *index = (struct sim_index){0};
}
