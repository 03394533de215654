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
  uint64_t ip[2];             /* as numbers; zero behind bits */
  struct trie_node *child[2]; /* or NULL */
  uint32_t value;             /* 0 for a mere fork */
  uint32_t bits;
};

struct trie_chunk;

/* Where a look-up of an IPv4 address may begin, by its first 16 bits: behind
 * all nodes of fewer bits, of which best was the last value. Made when asked
 * for, and again when the version is not the trie's. */
struct trie_start {
  const struct trie_node *node;
  uint32_t best, version;
};

struct trie {
  const struct mp_memory *memory;
  struct trie_chunk *chunks;
  struct trie_node *root, *free; /* the free ones by child[0] */
  uint32_t free_count, count;    /* count: of prefixes */
  struct trie_start *starts;     /* 65,536; NULL while there are few prefixes */
  uint32_t version;
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
uint32_t trie_find(struct trie *trie, const uint8_t ip[16]);

/* All that have the address, the longest last; how many. */
unsigned trie_path(const struct trie *trie, const uint8_t ip[16],
                   uint32_t values[TRIE_PATH]);

#endif
