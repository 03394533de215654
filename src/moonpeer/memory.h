/* memory - an allocator that the caller may bring along. */
#ifndef MOONPEER_MEMORY_H
#define MOONPEER_MEMORY_H

#include <stddef.h>

/* get gives n zeroed bytes or NULL; put takes a block of n bytes back. Both
 * are called on one thread at a time. */
struct mp_memory {
  void *(*get)(void *data, size_t n);
  void (*put)(void *data, void *block, size_t n);
  void *data;
};

#endif
