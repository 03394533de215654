/* iterator - going through peers while they change. */
#include <string.h>

#include "peer/peer_store.h"

enum mode { ENDED, BY_SLOT, BY_LIST };

static bool is_source(const struct mp_peer *peer,
                      const struct mp_source *source) {
  static const uint8_t zero[16];
  if (peer->source_kind != (unsigned)source->kind)
    return false;
  return memcmp(source->address.ip, zero, sizeof zero) == 0 ||
         memcmp(source->address.ip, peer->source_ip, sizeof zero) == 0;
}

static bool is_old_enough(const struct mp_filter *filter,
                          const struct mp_peer *peer) {
  int64_t age = filter->now - mp_peer_first_seen(peer);
  if (filter->older_than && age < filter->older_than)
    return false;
  if (filter->newer_than && age >= filter->newer_than)
    return false;
  return !filter->untried_for || !peer->last_tried ||
         filter->now - mp_peer_last_tried(peer) >= filter->untried_for;
}

bool filter_match(const struct peer_store *store,
                  const struct mp_filter *filter, const struct mp_peer *peer) {
  struct mp_group group;
  if (filter->statuses && !(filter->statuses & 1u << peer->status))
    return false;
  if (filter->source && !is_source(peer, filter->source))
    return false;
  if (!is_old_enough(filter, peer))
    return false;
  if (filter->group) {
    peer_group(store, &peer->address, &group);
    if (memcmp(&group, filter->group, sizeof group) != 0)
      return false;
  }
  return !filter->accept || filter->accept(filter->data, peer);
}

static void begin_list(struct peer_store *store, struct mp_iterator *iterator,
                       unsigned status) {
  iterator->mode = BY_LIST;
  iterator->list = (uint8_t)(2 * status);
  iterator->last[0] = store->lists[peer_list_of(status, 0)].tail;
  iterator->last[1] = store->lists[peer_list_of(status, 1)].tail;
  iterator->at = store->lists[peer_list_of(status, 0)].head;
}

void peer_iterator_begin(struct peer_store *store, struct mp_iterator *iterator,
                         const struct mp_filter *filter) {
  unsigned statuses = filter ? filter->statuses : 0;
  iterator->filter = filter ? *filter : (struct mp_filter){0};
  iterator->previous = NULL;
  iterator->next = store->iterators;
  if (store->iterators)
    store->iterators->previous = iterator;
  store->iterators = iterator;
  iterator->mode = BY_SLOT;
  iterator->at = 1;
  iterator->end = store->high;
  for (unsigned i = 0; i < MP_STATUS_COUNT; i++)
    if (statuses == 1u << i)
      begin_list(store, iterator, i);
}

void peer_iterator_end(struct peer_store *store, struct mp_iterator *iterator) {
  if (iterator->mode == ENDED)
    return;
  if (iterator->previous)
    iterator->previous->next = iterator->next;
  else
    store->iterators = iterator->next;
  if (iterator->next)
    iterator->next->previous = iterator->previous;
  iterator->mode = ENDED;
}

void peer_iterators_skip(struct peer_store *store, uint32_t slot,
                         unsigned list) {
  const struct mp_peer *peer = peer_at(store, slot);
  struct mp_iterator *it = store->iterators;
  for (; it; it = it->next) {
    if (it->mode != BY_LIST || it->list / 2 != list / 2)
      continue;
    uint32_t *last = it->last + list % 2;
    if (it->list == list && it->at == slot)
      it->at = *last == slot ? 0 : peer->next;
    if (*last == slot)
      *last = peer->previous;
  }
}

static uint32_t next_in_list(struct peer_store *store,
                             struct mp_iterator *iterator) {
  if (!iterator->at && iterator->list % 2 == 0) {
    iterator->list++;
    iterator->at = iterator->last[1] ? store->lists[iterator->list].head : 0;
  }
  uint32_t slot = iterator->at;
  if (slot)
    iterator->at = slot == iterator->last[iterator->list % 2]
                       ? 0
                       : peer_at(store, slot)->next;
  return slot;
}

static uint32_t next_slot(struct peer_store *store,
                          struct mp_iterator *iterator) {
  uint32_t slot = bits_next(&store->used, iterator->at);
  if (slot > iterator->end)
    return 0;
  iterator->at = slot + 1;
  return slot;
}

uint32_t peer_iterator_next(struct peer_store *store,
                            struct mp_iterator *iterator) {
  uint32_t slot = 0;
  if (iterator->mode == ENDED)
    return 0;
  do
    slot = iterator->mode == BY_LIST ? next_in_list(store, iterator)
                                     : next_slot(store, iterator);
  while (slot && !filter_match(store, &iterator->filter, peer_at(store, slot)));
  return slot;
}
