/* bits - a growing set of small numbers. */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"

/* {.memory = m} is the empty set. */
struct bits {
  const struct mp_memory *memory;
  uint64_t *words;
  uint32_t n, count; /* words; members */
};

void bits_deinit(struct bits *bits);

/* Numbers below n can be added without failing. 0 or MP_ELIMIT. */
int bits_reserve(struct bits *bits, uint32_t n);

/* Adds a number below what was reserved. */
void bits_add(struct bits *bits, uint32_t number);
void bits_remove(struct bits *bits, uint32_t number);
bool bits_has(const struct bits *bits, uint32_t number);

/* Adds all that are in the other, which has no larger numbers than fit. */
void bits_add_all(struct bits *bits, const struct bits *other);
void bits_clear(struct bits *bits);

/* The first member that is not below `from`, or UINT32_MAX. */
uint32_t bits_next(const struct bits *bits, uint32_t from);

#endif
