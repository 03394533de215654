/* asmap - which autonomous system announces a prefix, from lines of text. */
#ifndef PEER_ASMAP_H
#define PEER_ASMAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "moonpeer/address.h"
#include "peer/trie.h"

struct asmap {
  struct trie trie;
};

/* Reads lines "prefix AS" (the number with or without "AS"; # begins a
 * comment). 0, or MP_ECONFIG naming the line, or MP_ELIMIT. */
int asmap_init(struct asmap *map, const struct mp_memory *memory,
               const char *text, size_t size, struct mp_fault *fault);
void asmap_deinit(struct asmap *map);

/* The system of the longest prefix that has the address, or 0. */
uint32_t asmap_find(struct asmap *map, const struct mp_address *address);

#endif
