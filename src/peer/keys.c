/* keys - what peers are found by: addresses, ids and groups, hashed. */
#include <string.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "base/siphash.h"
#include "base/uuid.h"
#include "peer/asmap.h"
#include "peer/peer_store.h"

struct address_key {
  uint32_t words[3];
  bool is_v4;
};

/* Of IPv6 96 bits of a keyed hash stand for the address: that two of a store's
 * 16 million are the same has a chance below 1 in 10^14, and who does not know
 * the key can do nothing for it. */
static struct address_key key_of(const struct peer_store *store,
                                 const struct mp_address *address) {
  struct address_key key = {.is_v4 = mp_address_is_ipv4(address)};
  if (key.is_v4) {
    memcpy(key.words, address->ip + 12, 4);
    key.words[1] = address->port;
    return key;
  }
  uint64_t wide[2];
  struct siphash hash = siphash_of_wide(store->secret);
  siphash_add(&hash, get_u64(address->ip));
  siphash_add(&hash, get_u64(address->ip + 8));
  siphash_add(&hash, address->port | UINT64_C(18) << 56);
  siphash_end_wide(&hash, wide);
  memcpy(key.words, wide, sizeof key.words);
  return key;
}

static uint32_t id_key(const struct peer_store *store,
                       const uint8_t id[MP_UUID_SIZE]) {
  struct siphash sip = siphash_of(store->secret);
  siphash_add(&sip, get_u64(id));
  siphash_add(&sip, get_u64(id + 8));
  siphash_add(&sip, UINT64_C(16) << 56);
  return (uint32_t)(siphash_end(&sip) >> 32);
}

uint32_t peer_find(const struct peer_store *store,
                   const struct mp_address *address) {
  struct address_key key = key_of(store, address);
  return map_find(key.is_v4 ? &store->v4 : &store->v6, key.words);
}

struct wanted {
  const struct peer_store *store;
  const uint8_t *id;
};

static bool has_id(const void *data, uint32_t slot) {
  const struct wanted *wanted = data;
  return memcmp(peer_at(wanted->store, slot)->id, wanted->id, MP_UUID_SIZE) ==
         0;
}

static uint32_t find_id(const struct peer_store *store, uint32_t key,
                        const uint8_t id[MP_UUID_SIZE]) {
  struct wanted wanted = {store, id};
  const uint32_t *slot = map_search(&store->ids, key, has_id, &wanted);
  return slot ? *slot : 0;
}

uint32_t peer_read(const struct peer_store *store,
                   const uint8_t id[MP_UUID_SIZE]) {
  return find_id(store, id_key(store, id), id);
}

void peer_keys_init(struct peer_keys *keys, const struct peer_store *store,
                    const uint8_t id[MP_UUID_SIZE],
                    const struct mp_address *address) {
  struct address_key key = key_of(store, address);
  memcpy(keys->address, key.words, sizeof keys->address);
  keys->is_v4 = key.is_v4;
  keys->address_hash =
      map_prefetch(key.is_v4 ? &store->v4 : &store->v6, key.words);
  keys->id = id_key(store, id);
  map_prefetch(&store->ids, &keys->id);
  keys->group = peer_group_key(store, address);
  group_index_prefetch(store->groups + MP_STATUS_UNKNOWN, keys->group);
}

void peer_keys_prefetch(const struct peer_store *store,
                        const struct peer_keys *keys) {
  __builtin_prefetch(
      group_index_find(store->groups + MP_STATUS_UNKNOWN, keys->group));
}

uint32_t peer_find_by(const struct peer_store *store,
                      const struct peer_keys *keys) {
  return map_find_hashed(keys->is_v4 ? &store->v4 : &store->v6, keys->address,
                         keys->address_hash);
}

uint32_t peer_read_by(const struct peer_store *store,
                      const struct peer_keys *keys,
                      const uint8_t id[MP_UUID_SIZE]) {
  return find_id(store, keys->id, id);
}

void peer_group(const struct peer_store *store,
                const struct mp_address *address, struct mp_group *group) {
  uint32_t as = 0;
  if (store->asmap && mp_address_is_routable(address))
    as = asmap_find(store->asmap, address);
  if (!as) {
    mp_group_of(address, group);
    return;
  }
  *group = (struct mp_group){.size = 5, .bytes = {3}}; /* 0 to 2 are taken */
  put_u32(group->bytes + 1, as);
}

uint64_t peer_key_of_group(const struct peer_store *store,
                           const struct mp_group *group) {
  return hash_sip(store->secret, group->bytes, group->size);
}

uint64_t peer_group_key(const struct peer_store *store,
                        const struct mp_address *address) {
  struct mp_group group;
  peer_group(store, address, &group);
  return peer_key_of_group(store, &group);
}

void peer_make_id(struct peer_store *store, uint8_t id[MP_UUID_SIZE]) {
  put_u64(id, rand_u64(&store->rand));
  put_u64(id + 8, rand_u64(&store->rand));
  uuid_of_random(id);
}
