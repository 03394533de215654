/* memory - a caller's allocator, or malloc. */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static void *get(void *data, size_t n) {
  (void)data;
  return calloc(1, n);
}

static void put(void *data, void *block, size_t n) {
  (void)data;
  (void)n;
  free(block);
}

const struct mp_memory memory_default = {.get = get, .put = put};

void *memory_get(const struct mp_memory *memory, size_t n) {
  return memory->get(memory->data, n);
}

void memory_put(const struct mp_memory *memory, void *block, size_t n) {
  if (block)
    memory->put(memory->data, block, n);
}

void *memory_resize(const struct mp_memory *memory, void *block, size_t from,
                    size_t to) {
  void *larger = memory_get(memory, to);
  if (!larger)
    return NULL;
  if (block)
    memcpy(larger, block, from < to ? from : to);
  memory_put(memory, block, from);
  return larger;
}
