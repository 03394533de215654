/* arena - memory of many small things that end together. */
#ifndef STORE_ARENA_H
#define STORE_ARENA_H

#include <stdbool.h>

#include "base/memory.h"

struct arena_block;

struct arena {
  const struct mp_memory *from;
  struct arena_block *blocks;
  struct mp_memory memory; /* an allocator on it; put does nothing */
};

void arena_init(struct arena *arena, const struct mp_memory *from);

/* Moves all of another one's memory, of the same origin, here. */
void arena_take(struct arena *arena, struct arena *other);

/* Gives up to so many blocks back; true while there are more. */
bool arena_shrink(struct arena *arena, unsigned blocks);

#endif
