/* siphash - SipHash-2-4, after the paper of Aumasson and Bernstein (2012). */
#include "base/siphash.h"

#include "base/cursor.h"
#include "base/hash.h"

static void absorb(struct siphash *s, uint64_t word) {
  s->v[3] ^= word;
  siphash_round(s->v);
  siphash_round(s->v);
  s->v[0] ^= word;
}

/* The last word: what is left over, and the length in the top byte. */
static uint64_t tail(const uint8_t *bytes, size_t n) {
  uint64_t word = (uint64_t)n << 56;
  for (size_t i = 0; i < n % 8; i++)
    word |= (uint64_t)bytes[n - n % 8 + i] << (8 * i);
  return word;
}

uint64_t hash_sip(const uint64_t key[2], const void *data, size_t n) {
  const uint8_t *bytes = data;
  struct siphash s = siphash_of(key);
  for (size_t i = 0; i + 8 <= n; i += 8)
    absorb(&s, get_u64(bytes + i));
  absorb(&s, tail(bytes, n));
  s.v[2] ^= 0xff;
  for (int i = 0; i < 4; i++)
    siphash_round(s.v);
  return s.v[0] ^ s.v[1] ^ s.v[2] ^ s.v[3];
}
