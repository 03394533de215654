/* siphash - SipHash-2-4, after the paper of Aumasson and Bernstein (2012). */
#include "base/cursor.h"
#include "base/hash.h"

struct state {
  uint64_t v[4];
};

static uint64_t rotate(uint64_t x, int bits) {
  return x << bits | x >> (64 - bits);
}

static void round_once(struct state *s) {
  uint64_t *v = s->v;
  v[0] += v[1];
  v[2] += v[3];
  v[1] = rotate(v[1], 13) ^ v[0];
  v[3] = rotate(v[3], 16) ^ v[2];
  v[0] = rotate(v[0], 32);
  v[2] += v[1];
  v[0] += v[3];
  v[1] = rotate(v[1], 17) ^ v[2];
  v[3] = rotate(v[3], 21) ^ v[0];
  v[2] = rotate(v[2], 32);
}

static void absorb(struct state *s, uint64_t word) {
  s->v[3] ^= word;
  round_once(s);
  round_once(s);
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
  struct state s = {{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                     key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573}};
  for (size_t i = 0; i + 8 <= n; i += 8)
    absorb(&s, get_u64(bytes + i));
  absorb(&s, tail(bytes, n));
  s.v[2] ^= 0xff;
  for (int i = 0; i < 4; i++)
    round_once(&s);
  return s.v[0] ^ s.v[1] ^ s.v[2] ^ s.v[3];
}
