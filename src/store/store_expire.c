/* store_expire - what ends with time, a little with every call. */
#include "moonpeer/loop.h"
#include "store/store.h"

static const int64_t pass_every = 60 * INT64_C(1000000000);

enum { WASTE = 32 }; /* blocks of 64 KiB given back with every call */

/* Whether a time that began so many seconds after 1970 is over. */
static bool is_over(uint32_t since, int64_t time, int64_t now) {
  if (time == MP_FOREVER)
    return false;
  return now / RECORD_SECOND - (int64_t)since >= time / RECORD_SECOND;
}

static void end_bans(struct mp_store *store, int64_t now, unsigned *budget) {
  while (*budget) {
    uint32_t slot = ban_soonest(&store->bans);
    if (!slot || ban_at(&store->bans, slot)->expires > now / RECORD_SECOND)
      return;
    store_end_ban(store, slot, now, MP_STORE_EXPIRED);
    *budget -= *budget < 16 ? *budget : 16; /* the peers it let go, about */
  }
}

/* The head of a list is the longest in its status. */
static void end_status(struct mp_store *store, unsigned list, int64_t time,
                       int64_t now, unsigned *budget) {
  for (; *budget; --*budget) {
    uint32_t slot = store->peers.lists[list].head;
    if (!slot || !is_over(peer_at(&store->peers, slot)->status_time, time, now))
      return;
    store_set_ban(store, slot, NULL, now, MP_STORE_EXPIRED);
    if (store->peers.lists[list].head == slot)
      return; /* no memory to move it now */
  }
}

static int64_t end_of(const struct mp_store *store, unsigned list,
                      int64_t time) {
  uint32_t slot = store->peers.lists[list].head;
  if (!slot || time == MP_FOREVER)
    return MP_FOREVER;
  int64_t since = peer_at(&store->peers, slot)->status_time;
  return time > MP_FOREVER - since * RECORD_SECOND
             ? MP_FOREVER
             : since * RECORD_SECOND + time;
}

int64_t mp_store_next_end(const struct mp_store *store) {
  uint32_t ban = ban_soonest(&store->bans);
  int64_t ends[] = {
      MP_FOREVER,
      end_of(store, 2 * MP_STATUS_INACCESSIBLE, store->inaccessible_time),
      end_of(store, 2 * MP_STATUS_INACCESSIBLE + 1, store->inaccessible_time),
      end_of(store, 2 * MP_STATUS_BANNED, store->ban_time),
  };
  if (ban && ban_at(&store->bans, ban)->expires < MP_FOREVER / RECORD_SECOND)
    ends[0] = ban_at(&store->bans, ban)->expires * RECORD_SECOND;
  int64_t next = MP_FOREVER;
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    next = ends[i] < next ? ends[i] : next;
  return next;
}

static void shrink(struct mp_store *store, unsigned *budget) {
  for (; *budget && store->peers.count > store->capacity; --*budget)
    store_drop(store, peer_victim(&store->peers), MP_STORE_EVICTED);
}

static void look_at(struct mp_store *store, uint32_t slot, int64_t now) {
  const struct mp_peer *peer = peer_at(&store->peers, slot);
  if (store->sweep_left)
    store_cover(store, slot, now);
  if (peer->status != MP_STATUS_BANNED && store->pass_left &&
      is_over(record_fresh(peer), store->ttl[peer->status], now))
    store_drop(store, slot, MP_STORE_EXPIRED);
}

/* Looks at the next slots; free ones cost little. */
static void pass(struct mp_store *store, int64_t now, unsigned *budget) {
  struct peer_store *peers = &store->peers;
  while (*budget && (store->sweep_left || store->pass_left)) {
    uint32_t slot = bits_next(&peers->used, store->cursor + 1);
    uint32_t end = slot > peers->high ? peers->high : slot;
    uint32_t n = end - store->cursor;
    if (slot <= peers->high)
      look_at(store, slot, now);
    store->cursor = slot >= peers->high ? 0 : slot;
    store->sweep_left -= n < store->sweep_left ? n : store->sweep_left;
    store->pass_left -= n < store->pass_left ? n : store->pass_left;
    --*budget;
  }
}

bool mp_store_expire(struct mp_store *store, int64_t now, unsigned budget) {
  struct peer_store *peers = &store->peers;
  if (!store->pass_left &&
      (now - store->pass_time >= pass_every || now < store->pass_time)) {
    store->pass_time = now;
    store->pass_left = peers->high;
  }
  end_bans(store, now, &budget);
  for (unsigned i = 0; i < 2; i++)
    end_status(store, 2 * MP_STATUS_INACCESSIBLE + i, store->inaccessible_time,
               now, &budget);
  end_status(store, 2 * MP_STATUS_BANNED, store->ban_time, now, &budget);
  shrink(store, &budget);
  pass(store, now, &budget);
  bool has_waste = arena_shrink(&store->waste, WASTE);
  return budget == 0 || store->sweep_left || store->pass_left || has_waste;
}
