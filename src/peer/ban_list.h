/* ban_list - prefixes that are refused, by prefix and by expiry. */
#ifndef PEER_BAN_LIST_H
#define PEER_BAN_LIST_H

#include "base/bits.h"
#include "moonpeer/ban.h"
#include "moonpeer/store.h"
#include "peer/trie.h"

/* One ban; texts in one block of its own, NULL when both are empty. Times are
 * seconds since 1970. */
struct ban {
  struct mp_prefix prefix;
  uint8_t reason;
  uint32_t heap;            /* place in the heap; next of free slots */
  int64_t created, expires; /* INT64_MAX is for ever */
  char *texts;              /* origin and note, each with a terminator */
  uint32_t texts_size;
};

/* A slot is a ban's number, above 0, while it is there. */
struct ban_list {
  const struct mp_memory *memory;
  struct trie trie;
  struct bits used; /* slots */
  struct ban **chunks;
  uint32_t chunk_room, high, free, count, most;
  uint32_t *heap; /* slots, soonest to expire first */
  uint32_t heap_room;
  /* As of a peer_store. */
  void (*touch)(void *owner, uint32_t slot);
  int (*reserve)(void *owner, uint32_t slot);
  void *owner;
};

void ban_list_init(struct ban_list *list, const struct mp_memory *memory,
                   uint32_t most);
void ban_list_deinit(struct ban_list *list);

struct ban *ban_at(const struct ban_list *list, uint32_t slot);
bool ban_is_used(const struct ban_list *list, uint32_t slot);

/* Sets what a public ban says. Texts are borrowed. */
void ban_describe(const struct ban *ban, struct mp_ban *to);

/* The fields that have a default are filled. The prefix is not in the list.
 * slot 0: any. 0 or MP_ELIMIT for want of memory. */
int ban_insert(struct ban_list *list, uint32_t *slot, const struct mp_ban *ban);
void ban_remove(struct ban_list *list, uint32_t slot);

/* Puts other contents on the same prefix. 0 or MP_ELIMIT. */
int ban_replace(struct ban_list *list, uint32_t slot, const struct mp_ban *ban);

/* Slots, or 0: of exactly a prefix; of the longest that has an address and
 * lasts at a time. */
uint32_t ban_get(const struct ban_list *list, const struct mp_prefix *prefix);
uint32_t ban_find(struct ban_list *list, const uint8_t ip[16], int64_t seconds);

/* All that have an address, the longest last; how many. */
unsigned ban_path(const struct ban_list *list, const uint8_t ip[16],
                  uint32_t slots[TRIE_PATH]);

/* The soonest to expire, or 0. */
uint32_t ban_soonest(const struct ban_list *list);

/* After loading: finds the free slots. */
void ban_list_settle(struct ban_list *list);

/* A copy with texts of its own. 0 or MP_ELIMIT. */
int ban_copy(struct ban *to, const struct ban *from,
             const struct mp_memory *memory);

#endif
