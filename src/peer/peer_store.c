/* peer_store - all peers in memory, and every way to find one. */
#include "peer/peer_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

/* All of the seed, and never all zero. */
void peer_store_stir(struct peer_store *store,
                     const uint8_t seed[MP_STORE_SEED]) {
  rand_init(&store->rand, get_u64(seed));
  for (int i = 0; i < 4; i++)
    store->rand.s[i] ^= get_u64(seed + (size_t)8 * i);
}

void peer_store_init(struct peer_store *store, const struct mp_memory *memory,
                     const uint8_t seed[MP_STORE_SEED], uint32_t capacity) {
  *store = (struct peer_store){.memory = memory, .capacity = capacity};
  store->used.memory = memory;
  peer_store_stir(store, seed);
  store->secret[0] = rand_u64(&store->rand);
  store->secret[1] = rand_u64(&store->rand);
  map_init(&store->v4, memory, store->secret, 2, capacity);
  map_init_hashed(&store->v6, memory, 3, capacity);
  map_init_hashed(&store->ids, memory, 1, capacity);
  for (int i = 0; i < MP_STATUS_COUNT; i++)
    group_index_init(store->groups + i, memory, capacity);
  source_counts_init(&store->sources, memory, capacity);
}

void peer_store_deinit(struct peer_store *store) {
  const struct bits *used = &store->used;
  for (uint32_t i = bits_next(used, 1); i != UINT32_MAX;
       i = bits_next(used, i + 1))
    record_deinit(peer_at(store, i), store->memory);
  bits_deinit(&store->used);
  for (uint32_t i = 0; i < store->chunk_room; i++)
    memory_put(store->memory, store->chunks[i],
               PEER_CHUNK * sizeof(struct mp_peer));
  memory_put(store->memory, store->chunks,
             store->chunk_room * sizeof *store->chunks);
  map_deinit(&store->v4);
  map_deinit(&store->v6);
  map_deinit(&store->ids);
  for (int i = 0; i < MP_STATUS_COUNT; i++)
    group_index_deinit(store->groups + i);
  source_counts_deinit(&store->sources);
}

struct mp_peer *peer_at(const struct peer_store *store, uint32_t slot) {
  return store->chunks[slot / PEER_CHUNK] + slot % PEER_CHUNK;
}

bool peer_is_used(const struct peer_store *store, uint32_t slot) {
  return bits_has(&store->used, slot);
}

/* --- lists */

static unsigned list_of(const struct mp_peer *peer) {
  return 2u * peer->status + (peer->flags & RECORD_SECOND_LIST ? 1 : 0);
}

static void link_tail(struct peer_store *store, uint32_t slot) {
  struct mp_peer *peer = peer_at(store, slot);
  bool second = peer->status == MP_STATUS_BANNED
                    ? (peer->flags & RECORD_COVERED) != 0
                    : peer->last_seen != 0;
  peer->flags &= (unsigned)~RECORD_SECOND_LIST & 255;
  if (second)
    peer->flags |= RECORD_SECOND_LIST;
  struct peer_list *list = store->lists + list_of(peer);
  peer->previous = list->tail;
  peer->next = 0;
  if (list->tail)
    peer_at(store, list->tail)->next = slot;
  else
    list->head = slot;
  list->tail = slot;
}

static void unlink_slot(struct peer_store *store, uint32_t slot) {
  struct mp_peer *peer = peer_at(store, slot);
  struct peer_list *list = store->lists + list_of(peer);
  peer_iterators_skip(store, slot, list_of(peer));
  if (peer->previous)
    peer_at(store, peer->previous)->next = peer->next;
  else
    list->head = peer->next;
  if (peer->next)
    peer_at(store, peer->next)->previous = peer->previous;
  else
    list->tail = peer->previous;
}

/* --- sources */

static bool is_counted(const struct mp_peer *peer) {
  return peer->source_kind == MP_SOURCE_PEER ||
         peer->source_kind == MP_SOURCE_INBOUND;
}

static uint64_t source_key(const struct peer_store *store,
                           const struct mp_peer *peer) {
  struct mp_source source;
  mp_peer_source(peer, &source);
  return peer_group_key(store, &source.address);
}

/* --- coming and going */

/* Memory for records up to a slot. */
static int reserve_slot(struct peer_store *store, uint32_t slot) {
  uint32_t chunk = slot / PEER_CHUNK;
  if (chunk >= store->chunk_room) {
    uint32_t room = chunk + chunk / 2 + 8;
    struct mp_peer **chunks = memory_resize(store->memory, store->chunks,
                                            store->chunk_room * sizeof *chunks,
                                            room * sizeof *chunks);
    if (!chunks)
      return MP_ELIMIT;
    store->chunks = chunks;
    store->chunk_room = room;
  }
  if (!store->chunks[chunk])
    store->chunks[chunk] =
        memory_get(store->memory, PEER_CHUNK * sizeof(struct mp_peer));
  return store->chunks[chunk] ? 0 : MP_ELIMIT;
}

static int reserve_all(struct peer_store *store, uint32_t slot,
                       const struct mp_peer *peer, const struct peer_keys *keys,
                       struct group **group) {
  if (reserve_slot(store, slot) || bits_reserve(&store->used, slot) ||
      store->reserve(store->owner, slot) ||
      map_reserve(keys->is_v4 ? &store->v4 : &store->v6, 1) ||
      map_reserve(&store->ids, 1) ||
      group_index_reserve(store->groups + peer->status, keys->group, group))
    return MP_ELIMIT;
  return is_counted(peer) ? source_counts_reserve(&store->sources) : 0;
}

static uint32_t next_slot(const struct peer_store *store) {
  return store->free ? store->free : store->high + 1;
}

int peer_insert(struct peer_store *store, uint32_t *wanted,
                const struct mp_peer *from, const struct peer_keys *keys) {
  uint32_t slot = *wanted ? *wanted : next_slot(store);
  uint64_t source = 0;
  struct group *group = NULL;
  if (reserve_all(store, slot, from, keys, &group))
    return MP_ELIMIT;
  if (is_counted(from)) {
    source = source_key(store, from);
    source_counts_prefetch(&store->sources, source, keys->group);
  }
  store->touch(store->owner, slot);
  if (slot == store->free)
    store->free = peer_at(store, slot)->next;
  if (slot > store->high)
    store->high = slot;
  struct mp_peer *peer = peer_at(store, slot);
  *peer = *from;
  bits_add(&store->used, slot);
  map_put_hashed(keys->is_v4 ? &store->v4 : &store->v6, keys->address,
                 keys->address_hash, slot);
  map_put(&store->ids, &keys->id, slot);
  peer->place =
      group_index_add(store->groups + peer->status, group, keys->group, slot);
  link_tail(store, slot);
  if (is_counted(peer))
    source_counts_add(&store->sources, source, keys->group);
  store->counts[peer->status]++;
  store->count++;
  *wanted = slot;
  return 0;
}

static void leave_group(struct peer_store *store, const struct mp_peer *peer,
                        uint64_t group) {
  uint32_t moved =
      group_index_remove(store->groups + peer->status, group, peer->place);
  if (moved)
    peer_at(store, moved)->place = peer->place;
}

void peer_remove(struct peer_store *store, uint32_t slot) {
  struct mp_peer *peer = peer_at(store, slot);
  struct peer_keys keys;
  peer_keys_init(&keys, store, peer->id, &peer->address);
  store->touch(store->owner, slot);
  unlink_slot(store, slot);
  leave_group(store, peer, keys.group);
  map_remove(keys.is_v4 ? &store->v4 : &store->v6, keys.address);
  map_remove_value(&store->ids, keys.id, slot);
  if (is_counted(peer))
    source_counts_remove(&store->sources, source_key(store, peer), keys.group);
  store->counts[peer->status]--;
  store->count--;
  record_deinit(peer, store->memory);
  bits_remove(&store->used, slot);
  *peer = (struct mp_peer){.next = store->free};
  store->free = slot;
}

/* --- changing */

static void move_status(struct peer_store *store, uint32_t slot,
                        const struct mp_peer_change *change, bool is_covered,
                        uint64_t group) {
  struct mp_peer *peer = peer_at(store, slot);
  unlink_slot(store, slot);
  leave_group(store, peer, group);
  store->counts[peer->status]--;
  if (peer->status != (unsigned)change->status)
    peer->status_time = record_seconds(change->status_time);
  peer->status = change->status & 3;
  peer->flags &= (unsigned)~RECORD_COVERED & 255;
  if (is_covered)
    peer->flags |= RECORD_COVERED;
  store->counts[peer->status]++;
  struct group_index *groups = store->groups + peer->status;
  peer->place =
      group_index_add(groups, group_index_find(groups, group), group, slot);
  link_tail(store, slot);
}

static bool is_moving(const struct mp_peer *peer,
                      const struct mp_peer_change *change, bool is_covered) {
  return change->fields & MP_PEER_STATUS &&
         (peer->status != (unsigned)change->status ||
          is_covered != ((peer->flags & RECORD_COVERED) != 0));
}

static void change_source(struct peer_store *store, struct mp_peer *peer,
                          const struct mp_source *source, uint64_t group) {
  struct mp_peer_change change = {.fields = MP_PEER_SOURCE, .source = *source};
  if (is_counted(peer))
    source_counts_remove(&store->sources, source_key(store, peer), group);
  record_apply(peer, &change, MP_PEER_SOURCE, store->memory);
  if (is_counted(peer))
    source_counts_add(&store->sources, source_key(store, peer), group);
}

int peer_change(struct peer_store *store, uint32_t slot,
                const struct mp_peer_change *change, bool is_covered) {
  struct mp_peer *peer = peer_at(store, slot);
  bool moves = is_moving(peer, change, is_covered);
  uint64_t group = peer_group_key(store, &peer->address);
  struct group *found;
  if (moves &&
      group_index_reserve(store->groups + change->status, group, &found))
    return MP_ELIMIT;
  if (change->fields & MP_PEER_SOURCE && source_counts_reserve(&store->sources))
    return MP_ELIMIT;
  store->touch(store->owner, slot);
  if (record_apply(peer, change, ~(unsigned)MP_PEER_SOURCE, store->memory))
    return MP_ELIMIT;
  if (change->fields & MP_PEER_SOURCE)
    change_source(store, peer, &change->source, group);
  if (moves)
    move_status(store, slot, change, is_covered, group);
  if (peer->status != MP_STATUS_BANNED)
    peer->reason = MP_REASON_NONE;
  else if (change->fields & MP_PEER_BAN_REASON)
    peer->reason = change->ban_reason & 7;
  return 0;
}

/* --- who goes */

enum { VICTIM_LOOKS = 32 };

/* The first of a list, or one soon behind it, that still never worked. */
static uint32_t never_worked(const struct peer_store *store, uint32_t slot) {
  for (int i = 0; slot && i < VICTIM_LOOKS; i++) {
    const struct mp_peer *peer = peer_at(store, slot);
    if (!peer->last_seen)
      return slot;
    slot = peer->next;
  }
  return 0;
}

/* Of a status whoever has it longest: the first of either list. */
static uint32_t longest_in(const struct peer_store *store,
                           enum mp_status status) {
  uint32_t one = store->lists[peer_list_of(status, 0)].head;
  uint32_t other = store->lists[peer_list_of(status, 1)].head;
  if (!one || !other)
    return one ? one : other;
  return peer_at(store, one)->status_time < peer_at(store, other)->status_time
             ? one
             : other;
}

uint32_t peer_victim(const struct peer_store *store) {
  static const enum mp_status order[] = {MP_STATUS_INACCESSIBLE,
                                         MP_STATUS_UNKNOWN, MP_STATUS_VALID};
  const struct peer_list *lists = store->lists;
  uint32_t slot = 0;
  for (int i = 0; i < 3 && !slot; i++)
    slot = never_worked(store, lists[peer_list_of(order[i], 0)].head);
  for (int i = 0; i < 3 && !slot; i++)
    slot = longest_in(store, order[i]);
  if (!slot)
    slot = lists[peer_list_of(MP_STATUS_BANNED, 0)].head;
  return slot ? slot : lists[peer_list_of(MP_STATUS_BANNED, 1)].head;
}
