/* rand - a seeded generator (xoshiro256**): repeatable, not secret. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

struct rand {
  uint64_t s[4];
};

/* Any seed is good; the same seed gives the same numbers everywhere. */
void rand_init(struct rand *rand, uint64_t seed);
uint64_t rand_u64(struct rand *rand);

/* Evenly from 0 to n - 1; 0 for n = 0. */
uint64_t rand_below(struct rand *rand, uint64_t n);

/* Evenly in [0, 1). */
double rand_unit(struct rand *rand);
void rand_bytes(struct rand *rand, void *bytes, size_t n);

#endif
