/* siphash - SipHash-1-3 for tables: short keys, hashed in place.
 *
 * Words are little-endian and 8 bytes; the last one has what is left over and
 * the length of all in its top byte, and is always added. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct siphash {
  uint64_t v[4];
};

static inline uint64_t siphash_rotate(uint64_t x, int bits) {
  return x << bits | x >> (64 - bits);
}

static inline void siphash_round(uint64_t v[4]) {
  v[0] += v[1];
  v[2] += v[3];
  v[1] = siphash_rotate(v[1], 13) ^ v[0];
  v[3] = siphash_rotate(v[3], 16) ^ v[2];
  v[0] = siphash_rotate(v[0], 32);
  v[2] += v[1];
  v[0] += v[3];
  v[1] = siphash_rotate(v[1], 17) ^ v[2];
  v[3] = siphash_rotate(v[3], 21) ^ v[0];
  v[2] = siphash_rotate(v[2], 32);
}

static inline struct siphash siphash_of(const uint64_t key[2]) {
  return (struct siphash){
      {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
       key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573}};
}

/* One round for a word, three at the end: what most languages' own tables use
 * against chosen keys, at half the price of SipHash-2-4. */
static inline void siphash_add(struct siphash *hash, uint64_t word) {
  hash->v[3] ^= word;
  siphash_round(hash->v);
  hash->v[0] ^= word;
}

static inline uint64_t siphash_end(struct siphash *hash) {
  hash->v[2] ^= 0xff;
  for (int i = 0; i < 3; i++)
    siphash_round(hash->v);
  return hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
}

/* The same with 128 bits. */
static inline struct siphash siphash_of_wide(const uint64_t key[2]) {
  struct siphash hash = siphash_of(key);
  hash.v[1] ^= 0xee;
  return hash;
}

static inline void siphash_end_wide(struct siphash *hash, uint64_t wide[2]) {
  hash->v[2] ^= 0xee;
  for (int i = 0; i < 3; i++)
    siphash_round(hash->v);
  wide[0] = hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
  hash->v[1] ^= 0xdd;
  for (int i = 0; i < 3; i++)
    siphash_round(hash->v);
  wide[1] = hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
}

#endif
