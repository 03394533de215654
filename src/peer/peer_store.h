/* peer_store - all peers in memory, and every way to find one. */
#ifndef PEER_PEER_STORE_H
#define PEER_PEER_STORE_H

#include "base/bits.h"
#include "base/map.h"
#include "base/rand.h"
#include "moonpeer/store.h"
#include "peer/group_index.h"
#include "peer/record.h"
#include "peer/source.h"

struct asmap;

enum {
  PEER_CHUNK = 1024,
  /* Each status has two lists, longest in it first: peers that had never worked
   * when they came and others; of the banned, those banned for themselves and
   * those that a ban covers. */
  PEER_LISTS = 2 * MP_STATUS_COUNT,
};

struct peer_list {
  uint32_t head, tail;
};

/* The number of a status's first or second list. */
static inline size_t peer_list_of(unsigned status, unsigned second) {
  return (size_t)2 * status + second;
}

/* A slot is a peer's number, above 0, for as long as it is in the store. */
struct peer_store {
  const struct mp_memory *memory;
  struct asmap *asmap; /* or NULL */
  uint64_t secret[2];
  struct rand rand;
  uint32_t capacity, count, high; /* high: slots ever used */
  uint32_t free;                  /* first of the free slots, by next */
  struct bits used;               /* slots */
  struct mp_peer **chunks;
  uint32_t chunk_room;
  struct map v4, v6, ids;
  struct group_index groups[MP_STATUS_COUNT];
  struct source_counts sources;
  struct peer_list lists[PEER_LISTS];
  uint32_t counts[MP_STATUS_COUNT];
  struct mp_iterator *iterators;
  /* Told before a slot's content changes in any way; never fails. */
  void (*touch)(void *owner, uint32_t slot);
  /* Makes sure that touch of slots up to this one needs no memory. */
  int (*reserve)(void *owner, uint32_t slot);
  void *owner;
};

void peer_store_init(struct peer_store *store, const struct mp_memory *memory,
                     const uint8_t seed[MP_STORE_SEED], uint32_t capacity);

/* Chance follows from these bytes from now on. */
void peer_store_stir(struct peer_store *store,
                     const uint8_t seed[MP_STORE_SEED]);
void peer_store_deinit(struct peer_store *store);

/* The peer in a slot that is in use. */
struct mp_peer *peer_at(const struct peer_store *store, uint32_t slot);
bool peer_is_used(const struct peer_store *store, uint32_t slot);

/* --- keys.c: slots, or 0. */
uint32_t peer_find(const struct peer_store *store,
                   const struct mp_address *address);
uint32_t peer_read(const struct peer_store *store,
                   const uint8_t id[MP_UUID_SIZE]);

/* What a peer is found by, hashed once for all that create asks. */
struct peer_keys {
  uint32_t address[3], address_hash, id;
  uint64_t group;
  bool is_v4;
};

/* Also asks for the memory that look-ups will want. */
void peer_keys_init(struct peer_keys *keys, const struct peer_store *store,
                    const uint8_t id[MP_UUID_SIZE],
                    const struct mp_address *address);

/* Asks for the memory of a new peer's group: some time after that, so that
 * where it is has come. */
void peer_keys_prefetch(const struct peer_store *store,
                        const struct peer_keys *keys);
uint32_t peer_find_by(const struct peer_store *store,
                      const struct peer_keys *keys);
uint32_t peer_read_by(const struct peer_store *store,
                      const struct peer_keys *keys,
                      const uint8_t id[MP_UUID_SIZE]);

/* Puts a peer into a slot (0: any) and all indexes. It has all its fields and
 * is neither there by id nor by address; its extra is taken when 0 is
 * returned, else MP_ELIMIT. */
int peer_insert(struct peer_store *store, uint32_t *slot,
                const struct mp_peer *peer, const struct peer_keys *keys);
void peer_remove(struct peer_store *store, uint32_t slot);

/* Applies a change that was checked; status changes have their time in
 * status_time, which counts always. 0, or MP_ELIMIT with nothing changed. */
int peer_change(struct peer_store *store, uint32_t slot,
                const struct mp_peer_change *change, bool is_covered);

/* The peer to go when one must, or 0. */
uint32_t peer_victim(const struct peer_store *store);

/* A new id. */
void peer_make_id(struct peer_store *store, uint8_t id[MP_UUID_SIZE]);

/* The keyed hash of an address's group, of any group, of any bytes. */
uint64_t peer_group_key(const struct peer_store *store,
                        const struct mp_address *address);
uint64_t peer_key_of_group(const struct peer_store *store,
                           const struct mp_group *group);
void peer_group(const struct peer_store *store,
                const struct mp_address *address, struct mp_group *group);

/* After loading: finds the free slots, and sorts the lists. 0 or MP_ELIMIT. */
int peer_store_settle(struct peer_store *store);

/* --- iterator.c */
bool filter_match(const struct peer_store *store,
                  const struct mp_filter *filter, const struct mp_peer *peer);
void peer_iterator_begin(struct peer_store *store, struct mp_iterator *iterator,
                         const struct mp_filter *filter);
uint32_t peer_iterator_next(struct peer_store *store,
                            struct mp_iterator *iterator);
void peer_iterator_end(struct peer_store *store, struct mp_iterator *iterator);

/* Before a slot leaves its list. */
void peer_iterators_skip(struct peer_store *store, uint32_t slot,
                         unsigned list);

/* --- choice.c: as mp_store_pick. */
size_t peer_pick(struct peer_store *store, const struct mp_filter *filter,
                 const struct mp_peer **peers, size_t n);

#endif
