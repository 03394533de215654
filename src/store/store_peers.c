/* store_peers - creating, reading, updating, deleting, choosing peers. */
#include <string.h>

#include "base/fault.h"
#include "store/json_text.h"
#include "store/store.h"

static int no_memory(struct mp_fault *fault) {
  return fault_set(fault, MP_ELIMIT, "no memory for another peer");
}

static int no_such(struct mp_fault *fault, const uint8_t id[MP_UUID_SIZE]) {
  char text[MP_UUID_TEXT];
  return fault_set(fault, MP_ENOT_FOUND, "no peer has the id %s",
                   mp_uuid_format(id, text));
}

static int check(const struct mp_peer_change *change, struct mp_fault *fault) {
  int rc = record_check(change, fault);
  if (rc)
    return rc;
  if (change->fields & MP_PEER_DATA_TEXT && change->data[0] &&
      !json_is_object(change->data))
    return fault_set(fault, MP_ECONFIG, "data: expected a JSON object");
  return 0;
}

static void tell(struct mp_store *store, enum mp_store_event_kind kind,
                 uint32_t slot, enum mp_status before,
                 enum mp_store_cause cause) {
  struct mp_store_event event = {.kind = kind,
                                 .cause = cause,
                                 .peer = peer_at(&store->peers, slot),
                                 .before = before};
  store_tell(store, &event);
}

void store_drop(struct mp_store *store, uint32_t slot,
                enum mp_store_cause cause) {
  enum mp_status status = mp_peer_status(peer_at(&store->peers, slot));
  tell(store, MP_STORE_PEER_DELETED, slot, status, cause);
  peer_remove(&store->peers, slot);
}

void store_set_ban(struct mp_store *store, uint32_t slot,
                   const struct mp_ban *ban, int64_t now,
                   enum mp_store_cause cause) {
  struct mp_peer *peer = peer_at(&store->peers, slot);
  enum mp_status before = mp_peer_status(peer);
  struct mp_peer_change change = {.fields = MP_PEER_STATUS,
                                  .status = MP_STATUS_UNKNOWN,
                                  .status_time = now};
  if (ban) {
    change.fields |= MP_PEER_BAN_REASON;
    change.status = MP_STATUS_BANNED;
    change.ban_reason = ban->reason;
  }
  if (peer_change(&store->peers, slot, &change, ban != NULL) == 0)
    tell(store, MP_STORE_PEER_UPDATED, slot, before, cause);
  else /* no memory now: the next pass tries again */
    store->sweep_left = store->peers.high;
}

/* The status and reason a change leads to; what it says of them must make
 * sense together. */
static int check_status(const struct mp_peer_change *change,
                        const struct mp_peer *peer, struct mp_fault *fault) {
  enum mp_status status = change->fields & MP_PEER_STATUS ? change->status
                          : peer                          ? mp_peer_status(peer)
                                                          : MP_STATUS_UNKNOWN;
  if (change->fields & MP_PEER_BAN_REASON && status != MP_STATUS_BANNED &&
      change->ban_reason != MP_REASON_NONE)
    return fault_set(fault, MP_ECONFIG,
                     "ban_reason: expected none for a peer that is %s, got %s",
                     mp_status_name(status),
                     mp_ban_reason_name(change->ban_reason));
  return 0;
}

/* A ban without a reason is somebody's wish. */
static enum mp_ban_reason reason_of(const struct mp_peer_change *change) {
  bool has_one = change->fields & MP_PEER_BAN_REASON &&
                 change->ban_reason != MP_REASON_NONE;
  return has_one ? change->ban_reason : MP_REASON_MANUAL;
}

static void fill_reason(struct mp_peer_change *change) {
  if (!(change->fields & MP_PEER_STATUS) || change->status != MP_STATUS_BANNED)
    return;
  change->ban_reason = reason_of(change);
  change->fields |= MP_PEER_BAN_REASON;
}

/* The id, given or made, and the keys. */
static void make_keys(struct mp_store *store, struct peer_keys *keys,
                      struct mp_peer *made, const uint8_t *id) {
  struct peer_store *peers = &store->peers;
  if (id)
    memcpy(made->id, id, sizeof made->id);
  else
    peer_make_id(peers, made->id);
  peer_keys_init(keys, peers, made->id, &made->address);
}

static int check_new(struct mp_store *store, const struct peer_keys *keys,
                     const struct mp_peer_new *from,
                     const struct mp_peer **peer, struct mp_fault *fault) {
  const struct mp_address *address = from->address;
  char text[MP_ADDRESS_TEXT];
  uint32_t slot = peer_find_by(&store->peers, keys);
  if (slot && peer)
    *peer = peer_at(&store->peers, slot);
  if (slot)
    return fault_set(fault, MP_EDUPLICATE, "there is a peer at %s already",
                     mp_address_format(address, text));
  if (from->id && peer_read_by(&store->peers, keys, from->id))
    return fault_set(fault, MP_EDUPLICATE, "there is a peer with that id");
  if (address->port == 0)
    return fault_set(fault, MP_ECONFIG, "%s: expected a port above 0",
                     mp_address_format(address, text));
  return 0;
}

/* A record of all that is known of a new peer. */
static int fill(struct mp_store *store, struct mp_peer *made,
                const struct mp_peer_change *change, int64_t now) {
  const unsigned wanted =
      ~(unsigned)(MP_PEER_UNKNOWN_TEXT | MP_PEER_STATUS_TIME);
  made->first_seen = made->status_time = record_seconds(now);
  if (change->fields & MP_PEER_STATUS)
    made->status = change->status & 3;
  if (made->status == MP_STATUS_BANNED)
    made->reason = reason_of(change) & 7;
  uint32_t slot = store_ban_of(store, &made->address, now);
  if (slot) {
    made->status = MP_STATUS_BANNED;
    made->reason = ban_at(&store->bans, slot)->reason & 7;
    made->flags = RECORD_COVERED;
  }
  return record_apply(made, change, wanted, store->memory);
}

/* Into the store, and another out of it when it is full. */
static int insert(struct mp_store *store, uint32_t *slot,
                  const struct mp_peer *made, const struct peer_keys *keys) {
  uint32_t victim =
      store->peers.count >= store->capacity ? peer_victim(&store->peers) : 0;
  int rc = peer_insert(&store->peers, slot, made, keys);
  if (rc == 0 && victim)
    store_drop(store, victim, MP_STORE_EVICTED);
  return rc;
}

int mp_store_create(struct mp_store *store, const struct mp_peer **peer,
                    const struct mp_peer_new *from, int64_t now,
                    struct mp_fault *fault) {
  static const struct mp_peer_change none;
  const struct mp_peer_change *change = from->change ? from->change : &none;
  struct mp_peer made;
  struct peer_keys keys;
  uint32_t slot = 0;
  if (peer)
    *peer = NULL;
  record_init(&made, from->address);
  make_keys(store, &keys, &made, from->id);
  int rc = check(change, fault); /* while the memory for the keys comes */
  if (rc == 0)
    rc = check_status(change, NULL, fault);
  if (rc == 0)
    peer_keys_prefetch(&store->peers, &keys);
  if (rc == 0)
    rc = check_new(store, &keys, from, peer, fault);
  if (rc)
    return rc;
  while (!from->id && peer_read_by(&store->peers, &keys, made.id))
    make_keys(store, &keys, &made, NULL); /* a seed that was used before */
  if (fill(store, &made, change, now))
    return no_memory(fault);
  if (insert(store, &slot, &made, &keys)) {
    record_deinit(&made, store->memory);
    return no_memory(fault);
  }
  if (peer)
    *peer = peer_at(&store->peers, slot);
  if (store->listeners)
    tell(store, MP_STORE_PEER_CREATED, slot, mp_peer_status(&made),
         MP_STORE_ASKED);
  return 0;
}

const struct mp_peer *mp_store_read(struct mp_store *store,
                                    const uint8_t id[MP_UUID_SIZE]) {
  uint32_t slot = peer_read(&store->peers, id);
  return slot ? peer_at(&store->peers, slot) : NULL;
}

const struct mp_peer *mp_store_find(struct mp_store *store,
                                    const struct mp_address *address) {
  uint32_t slot = peer_find(&store->peers, address);
  return slot ? peer_at(&store->peers, slot) : NULL;
}

/* Whether a ban of the list stands against this status. */
static int check_cover(struct mp_store *store, const struct mp_peer *peer,
                       const struct mp_peer_change *change,
                       struct mp_fault *fault) {
  char prefix[MP_PREFIX_TEXT], address[MP_ADDRESS_TEXT];
  if (!(peer->flags & RECORD_COVERED) || !(change->fields & MP_PEER_STATUS) ||
      change->status == MP_STATUS_BANNED)
    return 0;
  uint32_t slots[TRIE_PATH];
  unsigned n = ban_path(&store->bans, peer->address.ip, slots);
  if (!n)
    return 0;
  return fault_set(
      fault, MP_ECONFIG, "%s is banned by %s: remove that ban first",
      mp_address_format(&peer->address, address),
      mp_prefix_format(&ban_at(&store->bans, slots[n - 1])->prefix, prefix));
}

int mp_store_update(struct mp_store *store, const uint8_t id[MP_UUID_SIZE],
                    const struct mp_peer_change *change, int64_t now,
                    struct mp_fault *fault) {
  struct mp_peer_change all = *change;
  uint32_t slot = peer_read(&store->peers, id);
  if (!slot)
    return no_such(fault, id);
  struct mp_peer *peer = peer_at(&store->peers, slot);
  enum mp_status before = mp_peer_status(peer);
  int rc = check(&all, fault);
  if (rc == 0)
    rc = check_status(&all, peer, fault);
  if (rc == 0)
    rc = check_cover(store, peer, &all, fault);
  if (rc)
    return rc;
  all.fields &= ~(unsigned)(MP_PEER_UNKNOWN_TEXT | MP_PEER_STATUS_TIME);
  fill_reason(&all);
  all.status_time = now;
  bool is_covered =
      peer->flags & RECORD_COVERED &&
      (!(all.fields & MP_PEER_STATUS) || all.status == MP_STATUS_BANNED);
  if (peer_change(&store->peers, slot, &all, is_covered))
    return no_memory(fault);
  tell(store, MP_STORE_PEER_UPDATED, slot, before, MP_STORE_ASKED);
  return 0;
}

int mp_store_delete(struct mp_store *store, const uint8_t id[MP_UUID_SIZE],
                    struct mp_fault *fault) {
  uint32_t slot = peer_read(&store->peers, id);
  if (!slot)
    return no_such(fault, id);
  store_drop(store, slot, MP_STORE_ASKED);
  return 0;
}

uint32_t mp_store_count(const struct mp_store *store) {
  return store->peers.count;
}

uint32_t mp_store_count_by_status(const struct mp_store *store,
                                  enum mp_status status) {
  return (unsigned)status < MP_STATUS_COUNT ? store->peers.counts[status] : 0;
}

uint32_t mp_store_capacity(const struct mp_store *store) {
  return store->capacity;
}

void mp_iterator_begin(struct mp_iterator *iterator, struct mp_store *store,
                       const struct mp_filter *filter) {
  iterator->store = store;
  peer_iterator_begin(&store->peers, iterator, filter);
}

const struct mp_peer *mp_iterator_next(struct mp_iterator *iterator) {
  if (!iterator->mode)
    return NULL;
  struct peer_store *peers = &iterator->store->peers;
  uint32_t slot = peer_iterator_next(peers, iterator);
  return slot ? peer_at(peers, slot) : NULL;
}

void mp_iterator_end(struct mp_iterator *iterator) {
  if (iterator->mode)
    peer_iterator_end(&iterator->store->peers, iterator);
}

void mp_store_stir(struct mp_store *store, const uint8_t seed[MP_STORE_SEED]) {
  peer_store_stir(&store->peers, seed);
}

size_t mp_store_pick(struct mp_store *store, const struct mp_filter *filter,
                     const struct mp_peer **peers, size_t n) {
  return peer_pick(&store->peers, filter, peers, n);
}

void mp_store_group(const struct mp_store *store,
                    const struct mp_address *address, struct mp_group *group) {
  peer_group(&store->peers, address, group);
}
