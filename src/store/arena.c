/* arena - memory of many small things that end together. */
#include <stdalign.h>

#include "store/arena.h"

enum { BLOCK = 65536 };

struct arena_block {
  struct arena_block *next;
  size_t size, used; /* bytes, this head included */
};

static void *take(struct arena *arena, size_t n) {
  struct arena_block *block = arena->blocks;
  size_t align = alignof(max_align_t);
  n = (n + align - 1) / align * align;
  if (!block || block->size - block->used < n) {
    size_t head = (sizeof *block + align - 1) / align * align;
    size_t size = head + n > BLOCK ? head + n : BLOCK;
    block = memory_get(arena->from, size);
    if (!block)
      return NULL;
    *block = (struct arena_block){arena->blocks, size, head};
    arena->blocks = block;
  }
  block->used += n;
  return (char *)block + block->used - n;
}

static void *get(void *data, size_t n) {
  return take(data, n);
}

static void put(void *data, void *block, size_t n) {
  (void)data;
  (void)block;
  (void)n;
}

void arena_init(struct arena *arena, const struct mp_memory *from) {
  *arena = (struct arena){.from = from,
                          .memory = {.get = get, .put = put, .data = arena}};
}

void arena_take(struct arena *arena, struct arena *other) {
  struct arena_block **end = &other->blocks;
  while (*end)
    end = &(*end)->next;
  *end = arena->blocks;
  arena->blocks = other->blocks;
  other->blocks = NULL;
}

bool arena_shrink(struct arena *arena, unsigned blocks) {
  for (; blocks && arena->blocks; blocks--) {
    struct arena_block *block = arena->blocks;
    arena->blocks = block->next;
    memory_put(arena->from, block, block->size);
  }
  return arena->blocks != NULL;
}
