/* trie - prefixes to numbers, and the longest one that has an address. */
#ifndef PEER_TRIE_H
#define PEER_TRIE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "moonpeer/address.h"

enum { TRIE_PATH = 129 };

/* A binary trie without one-way branches: a look-up visits at most 129 nodes,
 * with n prefixes there are less than 2n. */
struct trie_node {
  uint64_t ip[2]; /* as numbers; zero behind bits */
  uint32_t child[2];
  uint32_t value; /* 0 for a mere fork */
  uint32_t bits;
};

struct trie {
  const struct mp_memory *memory;
  struct trie_node **chunks; /* nodes by number from 1 */
  uint32_t chunk_room, high, free, root;
};

void trie_init(struct trie *trie, const struct mp_memory *memory);
void trie_deinit(struct trie *trie);

/* Makes sure that one put cannot fail. 0 or MP_ELIMIT. */
int trie_reserve(struct trie *trie);

/* Sets the value (not 0) of a prefix, after trie_reserve; returns the value it
 * had, or 0. */
uint32_t trie_put(struct trie *trie, const struct mp_prefix *prefix,
                  uint32_t value);

/* Removes a prefix; the value it had, or 0. */
uint32_t trie_remove(struct trie *trie, const struct mp_prefix *prefix);

/* The value of exactly this prefix; of the longest that has the address. */
uint32_t trie_get(const struct trie *trie, const struct mp_prefix *prefix);
uint32_t trie_find(const struct trie *trie, const uint8_t ip[16]);

/* All that have the address, the longest last; how many. */
unsigned trie_path(const struct trie *trie, const uint8_t ip[16],
                   uint32_t values[TRIE_PATH]);

#endif
