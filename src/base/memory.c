/* memory - a caller's allocator, or the system's. */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Large blocks go back to the system at once, wherever they lie: a table that
 * was outgrown would else stay a hole in the heap. */
enum { LARGE = 65537 };

static void *get(void *data, size_t n) {
  (void)data;
  if (n < LARGE)
    return calloc(1, n);
  void *block =
      mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return block == MAP_FAILED ? NULL : block;
}

static void put(void *data, void *block, size_t n) {
  (void)data;
  if (n < LARGE)
    free(block);
  else
    munmap(block, n);
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
