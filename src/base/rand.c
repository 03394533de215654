/* rand - xoshiro256** of Blackman and Vigna (2018), seeded by splitmix64. */
#include "base/rand.h"

#include <string.h>

static uint64_t rotate(uint64_t x, int bits) {
  return x << bits | x >> (64 - bits);
}

static uint64_t splitmix(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

void rand_init(struct rand *rand, uint64_t seed) {
  for (int i = 0; i < 4; i++)
    rand->s[i] = splitmix(&seed);
}

uint64_t rand_u64(struct rand *rand) {
  uint64_t *s = rand->s;
  uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate(s[3], 45);
  return result;
}

/* Values in the uneven rest at the top are drawn again. */
uint64_t rand_below(struct rand *rand, uint64_t n) {
  if (n == 0)
    return 0;
  uint64_t x, rest = (UINT64_MAX % n + 1) % n;
  do
    x = rand_u64(rand);
  while (x > UINT64_MAX - rest);
  return x % n;
}

double rand_unit(struct rand *rand) {
  return (double)(rand_u64(rand) >> 11) * 0x1p-53;
}

void rand_bytes(struct rand *rand, void *bytes, size_t n) {
  uint8_t *to = bytes;
  while (n) {
    uint64_t word = rand_u64(rand);
    size_t part = n < sizeof word ? n : sizeof word;
    memcpy(to, &word, part);
    to += part;
    n -= part;
  }
}
