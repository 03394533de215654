/* memory - an allocator that the caller may bring along. */
#ifndef MOONPEER_MEMORY_H
#define MOONPEER_MEMORY_H

#include <stddef.h>

/* get gives n > 0 zeroed bytes, aligned for any type, or NULL; put takes a
 * block that get gave for the same n back. Both are called on one thread at a
 * time. The table and data are borrowed until the last block is back. */
struct mp_memory {
  void *(*get)(void *data, size_t n);
  void (*put)(void *data, void *block, size_t n);
  void *data;
};

#endif
