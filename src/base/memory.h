/* memory - a caller's allocator, or the system's. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

#include "moonpeer/memory.h"

/* calloc and free; for large blocks mmap. */
extern const struct mp_memory memory_default;

/* n > 0 zeroed bytes, or NULL. */
void *memory_get(const struct mp_memory *memory, size_t n);

/* Takes a block of n bytes back; NULL is fine. */
void memory_put(const struct mp_memory *memory, void *block, size_t n);

/* A block of `to` bytes with what was in the old one, the rest zero; the old
 * one is gone. NULL: it is still there. */
void *memory_resize(const struct mp_memory *memory, void *block, size_t from,
                    size_t to);

#endif
