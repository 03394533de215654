/* store_bans - adding and removing bans, and what they do to peers. */
#include <string.h>

#include "base/fault.h"
#include "store/store.h"

enum { AT_ONCE = 4096 }; /* peers looked at while a ban comes or goes */

struct mp_prefix mp_prefix_of(const struct mp_address *address) {
  struct mp_prefix prefix = {.bits = 128};
  memcpy(prefix.ip, address->ip, sizeof prefix.ip);
  return prefix;
}

struct mp_prefix mp_prefix_of_group(const struct mp_address *address) {
  struct mp_prefix prefix = mp_prefix_of(address);
  if (!mp_address_is_routable(address))
    return prefix;
  prefix.bits = mp_address_is_ipv4(address) ? 96 + 16 : 32;
  memset(prefix.ip + prefix.bits / 8, 0,
         sizeof prefix.ip - (size_t)(prefix.bits / 8));
  return prefix;
}

uint32_t store_ban_of(struct mp_store *store, const struct mp_address *address,
                      int64_t now) {
  return ban_find(&store->bans, address->ip, now / RECORD_SECOND);
}

void store_cover(struct mp_store *store, uint32_t slot, int64_t now) {
  const struct mp_peer *peer = peer_at(&store->peers, slot);
  uint32_t found = store_ban_of(store, &peer->address, now);
  bool is_covered = peer->flags & RECORD_COVERED;
  struct mp_ban ban;
  if (!found && is_covered)
    store_set_ban(store, slot, NULL, now, MP_STORE_BANNED);
  if (!found)
    return;
  ban_describe(ban_at(&store->bans, found), &ban);
  if (!is_covered || peer->reason != (unsigned)ban.reason)
    store_set_ban(store, slot, &ban, now, MP_STORE_BANNED);
}

/* The peers of one IP are members of one group in each status. From the last
 * on: a member that leaves is replaced by one that was seen. */
static unsigned reach_group(struct mp_store *store, unsigned status,
                            uint64_t key, const struct mp_prefix *prefix,
                            int64_t now) {
  struct peer_store *peers = &store->peers;
  const struct group *group = group_index_find(peers->groups + status, key);
  uint32_t n = group ? group->n : 0;
  if (n > AT_ONCE) {
    store->sweep_left = peers->high;
    return 0;
  }
  for (uint32_t i = n; i; i--) {
    group = group_index_find(peers->groups + status, key);
    if (!group || i > group->n)
      continue;
    uint32_t slot = group_slot(group, i - 1);
    if (mp_prefix_contains(prefix, &peer_at(peers, slot)->address))
      store_cover(store, slot, now);
  }
  return n;
}

/* Brings a ban that came or went to the peers, or leaves it to the passes of
 * expire when they are too many. How many were looked at. */
static unsigned reach(struct mp_store *store, const struct mp_prefix *prefix,
                      int64_t now) {
  struct peer_store *peers = &store->peers;
  struct mp_address address = {0};
  unsigned looks = 0;
  if (prefix->bits == 128) {
    memcpy(address.ip, prefix->ip, sizeof address.ip);
    uint64_t key = peer_group_key(peers, &address);
    for (unsigned i = 0; i < MP_STATUS_COUNT; i++)
      looks += reach_group(store, i, key, prefix, now);
    return looks;
  }
  if (peers->high > AT_ONCE) {
    store->sweep_left = peers->high;
    return 0;
  }
  for (uint32_t slot = bits_next(&peers->used, 1); slot != UINT32_MAX;
       slot = bits_next(&peers->used, slot + 1))
    if (mp_prefix_contains(prefix, &peer_at(peers, slot)->address))
      store_cover(store, slot, now);
  return peers->high;
}

static void tell(struct mp_store *store, enum mp_store_event_kind kind,
                 uint32_t slot, enum mp_store_cause cause) {
  struct mp_ban ban;
  ban_describe(ban_at(&store->bans, slot), &ban);
  struct mp_store_event event = {.kind = kind, .cause = cause, .ban = &ban};
  store_tell(store, &event);
}

void store_end_ban(struct mp_store *store, uint32_t slot, int64_t now,
                   enum mp_store_cause cause) {
  struct mp_prefix prefix = ban_at(&store->bans, slot)->prefix;
  tell(store, MP_STORE_BAN_REMOVED, slot, cause);
  ban_remove(&store->bans, slot);
  reach(store, &prefix, now);
}

static int check(const struct mp_ban *ban, int64_t now,
                 struct mp_fault *fault) {
  char text[MP_PREFIX_TEXT];
  mp_prefix_format(&ban->prefix, text);
  if ((unsigned)ban->reason >= MP_REASON_COUNT)
    return fault_set(fault, MP_ECONFIG, "ban of %s: no such reason, %d", text,
                     (int)ban->reason);
  if (ban->created < 0 || ban->created / RECORD_SECOND > UINT32_MAX)
    return fault_set(fault, MP_ECONFIG,
                     "ban of %s: expected it created after 1970", text);
  if (ban->expires <= now)
    return fault_set(fault, MP_ECONFIG, "ban of %s: has expired already", text);
  if (strlen(ban->origin) >= MP_BAN_TEXT || strlen(ban->note) >= MP_BAN_TEXT)
    return fault_set(fault, MP_ECONFIG,
                     "ban of %s: origin and note have %d bytes at most", text,
                     MP_BAN_TEXT - 1);
  return 0;
}

static struct mp_ban filled(const struct mp_store *store,
                            const struct mp_ban *ban, int64_t now) {
  struct mp_ban all = *ban;
  if (all.reason == MP_REASON_NONE)
    all.reason = MP_REASON_MANUAL;
  if (!all.created)
    all.created = now;
  if (!all.expires)
    all.expires = now + store->ban_time;
  if (!all.origin)
    all.origin = "";
  if (!all.note)
    all.note = "";
  return all;
}

/* Room for one more, by the end of the one soonest to expire. */
static int make_room(struct mp_store *store, int64_t now,
                     struct mp_fault *fault) {
  if (store->bans.count < store->max_bans)
    return 0;
  uint32_t soonest = ban_soonest(&store->bans);
  if (ban_at(&store->bans, soonest)->expires == INT64_MAX)
    return fault_set(fault, MP_ELIMIT, "there are %u bans, all for ever",
                     store->bans.count);
  store_end_ban(store, soonest, now, MP_STORE_EVICTED);
  return 0;
}

int mp_ban_add(struct mp_store *store, const struct mp_ban *ban, int64_t now,
               struct mp_fault *fault) {
  struct mp_ban all = filled(store, ban, now);
  int rc = check(&all, now, fault);
  if (rc)
    return rc;
  uint32_t slot = ban_get(&store->bans, &all.prefix);
  if (slot) {
    rc = ban_replace(&store->bans, slot, &all);
  } else {
    rc = make_room(store, now, fault);
    if (rc)
      return rc;
    rc = ban_insert(&store->bans, &slot, &all);
  }
  if (rc)
    return fault_set(fault, rc, "no memory for another ban");
  tell(store, MP_STORE_BAN_ADDED, slot, MP_STORE_ASKED);
  reach(store, &all.prefix, now);
  return 0;
}

int mp_ban_remove(struct mp_store *store, const struct mp_prefix *prefix,
                  int64_t now, struct mp_fault *fault) {
  char text[MP_PREFIX_TEXT];
  uint32_t slot = ban_get(&store->bans, prefix);
  if (!slot)
    return fault_set(fault, MP_ENOT_FOUND, "%s is not banned",
                     mp_prefix_format(prefix, text));
  store_end_ban(store, slot, now, MP_STORE_ASKED);
  return 0;
}

unsigned mp_ban_lift(struct mp_store *store, const struct mp_address *address,
                     int64_t now) {
  uint32_t slots[TRIE_PATH];
  unsigned n = ban_path(&store->bans, address->ip, slots);
  for (unsigned i = 0; i < n; i++)
    store_end_ban(store, slots[i], now, MP_STORE_ASKED);
  return n;
}

bool mp_ban_find(struct mp_store *store, const struct mp_address *address,
                 int64_t now, struct mp_ban *ban) {
  uint32_t slot = store_ban_of(store, address, now);
  if (slot && ban)
    ban_describe(ban_at(&store->bans, slot), ban);
  return slot != 0;
}

bool mp_ban_get(struct mp_store *store, const struct mp_prefix *prefix,
                struct mp_ban *ban) {
  uint32_t slot = ban_get(&store->bans, prefix);
  if (slot && ban)
    ban_describe(ban_at(&store->bans, slot), ban);
  return slot != 0;
}

bool mp_ban_next(struct mp_store *store, uint32_t *position,
                 struct mp_ban *ban) {
  uint32_t slot = bits_next(&store->bans.used, *position + 1);
  if (slot == UINT32_MAX)
    return false;
  *position = slot;
  ban_describe(ban_at(&store->bans, slot), ban);
  return true;
}

uint32_t mp_ban_count(struct mp_store *store) {
  return store->bans.count;
}

int mp_discourage(struct mp_store *store, const struct mp_address *address) {
  return discouraged_add(&store->discouraged, address->ip);
}

bool mp_is_discouraged(struct mp_store *store,
                       const struct mp_address *address) {
  return discouraged_has(&store->discouraged, address->ip);
}

void mp_encourage(struct mp_store *store, const struct mp_address *address) {
  discouraged_remove(&store->discouraged, address->ip);
}
