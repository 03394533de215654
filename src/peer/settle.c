/* settle - bringing a store in order after everything was loaded. */
#include <stdlib.h>

#include "peer/peer_store.h"

struct entry {
  uint32_t time, slot;
};

static int by_time(const void *a, const void *b) {
  const struct entry *left = a, *right = b;
  if (left->time != right->time)
    return left->time < right->time ? -1 : 1;
  return left->slot < right->slot ? -1 : left->slot > right->slot;
}

/* Gathers a list, and says whether it is in order already. */
static bool gather(const struct peer_store *store, const struct peer_list *list,
                   struct entry *entries, size_t *n) {
  bool is_sorted = true;
  *n = 0;
  for (uint32_t slot = list->head; slot; slot = peer_at(store, slot)->next) {
    uint32_t time = peer_at(store, slot)->status_time;
    is_sorted = is_sorted && (*n == 0 || entries[*n - 1].time <= time);
    entries[(*n)++] = (struct entry){time, slot};
  }
  return is_sorted;
}

static void relink(const struct peer_store *store, struct peer_list *list,
                   const struct entry *entries, size_t n) {
  for (size_t i = 0; i < n; i++) {
    struct mp_peer *peer = peer_at(store, entries[i].slot);
    peer->previous = i ? entries[i - 1].slot : 0;
    peer->next = i + 1 < n ? entries[i + 1].slot : 0;
  }
  *list = (struct peer_list){entries[0].slot, entries[n - 1].slot};
}

static void free_holes(struct peer_store *store) {
  store->free = 0;
  for (uint32_t slot = store->high; slot; slot--) {
    if (!store->chunks[slot / PEER_CHUNK] || peer_is_used(store, slot))
      continue;
    peer_at(store, slot)->next = store->free;
    store->free = slot;
  }
}

int peer_store_settle(struct peer_store *store) {
  size_t room = (store->count ? store->count : 1) * sizeof(struct entry), n;
  struct entry *entries = memory_get(store->memory, room);
  if (!entries)
    return MP_ELIMIT;
  for (int i = 0; i < PEER_LISTS; i++)
    if (!gather(store, store->lists + i, entries, &n)) {
      qsort(entries, n, sizeof *entries, by_time);
      relink(store, store->lists + i, entries, n);
    }
  memory_put(store->memory, entries, room);
  free_holes(store);
  return 0;
}
