/* bits - a growing set of small numbers. */
#include "base/bits.h"

#include <string.h>

#include "moonpeer/error.h"

void bits_deinit(struct bits *bits) {
  memory_put(bits->memory, bits->words, bits->n * sizeof *bits->words);
  bits->words = NULL;
  bits->n = bits->count = 0;
}

int bits_reserve(struct bits *bits, uint32_t n) {
  uint32_t words = n / 64 + 1;
  if (words <= bits->n)
    return 0;
  words += words / 2 + 16; /* 16 million bits are 2 MB to copy */
  uint64_t *larger =
      memory_resize(bits->memory, bits->words, bits->n * sizeof *bits->words,
                    words * sizeof *bits->words);
  if (!larger)
    return MP_ELIMIT;
  bits->words = larger;
  bits->n = words;
  return 0;
}

bool bits_has(const struct bits *bits, uint32_t number) {
  return number / 64 < bits->n && (bits->words[number / 64] >> number % 64 & 1);
}

void bits_add(struct bits *bits, uint32_t number) {
  uint64_t bit = UINT64_C(1) << number % 64, *word = bits->words + number / 64;
  bits->count += !(*word & bit);
  *word |= bit;
}

void bits_remove(struct bits *bits, uint32_t number) {
  if (!bits_has(bits, number))
    return;
  bits->words[number / 64] &= ~(UINT64_C(1) << number % 64);
  bits->count--;
}

void bits_add_all(struct bits *bits, const struct bits *other) {
  uint32_t n = other->n < bits->n ? other->n : bits->n;
  for (uint32_t i = 0; i < n; i++) {
    uint64_t more = other->words[i] & ~bits->words[i];
    bits->words[i] |= more;
    bits->count += (uint32_t)__builtin_popcountll(more);
  }
}

void bits_clear(struct bits *bits) {
  if (bits->count)
    memset(bits->words, 0, bits->n * sizeof *bits->words);
  bits->count = 0;
}

uint32_t bits_next(const struct bits *bits, uint32_t from) {
  for (uint32_t i = from / 64; i < bits->n; i++) {
    uint64_t word = bits->words[i];
    if (i == from / 64)
      word &= ~UINT64_C(0) << from % 64;
    if (word)
      return i * 64 + (uint32_t)__builtin_ctzll(word);
  }
  return UINT32_MAX;
}
