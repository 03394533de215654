/* choice - drawing peers at random, evenly over network groups. */
#include "peer/peer_store.h"

enum {
  TRIES_EACH = 16,  /* random tries for every peer that is wanted */
  TRIES_MORE = 256, /* and once */
  LOOKS = 16384,    /* peers looked at in order when the tries ran out */
  RECENT = 600,     /* seconds */
  FAILURES_MOST = 8,
};

struct draw {
  struct peer_store *store;
  struct mp_filter filter;
  struct map groups, slots; /* that were taken */
  const struct mp_peer **peers;
  size_t n, wanted;
  uint32_t looks;
  bool may_repeat; /* take a second peer of a group */
};

static void words_of(uint64_t key, uint32_t words[2]) {
  words[0] = (uint32_t)key;
  words[1] = (uint32_t)(key >> 32);
}

static bool has(const struct map *map, uint64_t key) {
  uint32_t words[2];
  words_of(key, words);
  return map_find(map, words) != 0;
}

static bool is_allowed(const struct draw *draw, unsigned status) {
  return !draw->filter.statuses || draw->filter.statuses & 1u << status;
}

/* 1, less a third for every failure, and a hundredth soon after a try. */
static double chance_of(const struct mp_peer *peer, int64_t now) {
  double chance = 1;
  unsigned failures =
      peer->failures < FAILURES_MOST ? peer->failures : FAILURES_MOST;
  for (unsigned i = 0; i < failures; i++)
    chance *= 0.66;
  int64_t since = now / RECORD_SECOND - (int64_t)peer->last_tried;
  return peer->last_tried && since < RECENT ? chance * 0.01 : chance;
}

/* Out of memory ends the draw with what it has. */
static void take(struct draw *draw, uint64_t group, uint32_t slot) {
  uint32_t words[2];
  if (map_reserve(&draw->slots, 1) || map_reserve(&draw->groups, 1)) {
    draw->wanted = draw->n;
    return;
  }
  words_of(slot, words);
  map_put(&draw->slots, words, 1);
  if (!has(&draw->groups, group)) {
    words_of(group, words);
    map_put(&draw->groups, words, 1);
  }
  draw->peers[draw->n++] = peer_at(draw->store, slot);
}

static bool is_open(const struct draw *draw, uint64_t group) {
  return draw->may_repeat || !has(&draw->groups, group);
}

/* In how many of the allowed statuses a group has peers. */
static unsigned places_of(const struct draw *draw, uint64_t group) {
  unsigned n = 0;
  for (unsigned i = 0; i < MP_STATUS_COUNT; i++)
    n += is_allowed(draw, i) &&
         group_index_find(draw->store->groups + i, group) != NULL;
  return n;
}

/* A group drawn evenly from those of all allowed statuses, or NULL: one that
 * stands in several is drawn too often, and put back as often. */
static const struct group *draw_group(struct draw *draw) {
  struct peer_store *store = draw->store;
  uint64_t total = 0;
  for (unsigned i = 0; i < MP_STATUS_COUNT; i++)
    total += is_allowed(draw, i) ? store->groups[i].n : 0;
  uint64_t at = rand_below(&store->rand, total);
  for (unsigned i = 0; i < MP_STATUS_COUNT && total; i++) {
    if (!is_allowed(draw, i))
      continue;
    if (at >= store->groups[i].n) {
      at -= store->groups[i].n;
      continue;
    }
    const struct group *group = group_index_at(store->groups + i, (uint32_t)at);
    bool keep = rand_below(&store->rand, places_of(draw, group->key)) == 0;
    return keep ? group : NULL;
  }
  return NULL;
}

/* The longer it finds nobody the less it asks for. */
static void draw_some(struct draw *draw) {
  struct peer_store *store = draw->store;
  size_t tries = draw->wanted * TRIES_EACH + TRIES_MORE;
  double factor = 1;
  for (; tries && draw->n < draw->wanted; tries--) {
    const struct group *group = draw_group(draw);
    if (!group || !is_open(draw, group->key))
      continue;
    uint32_t place = (uint32_t)rand_below(&store->rand, group->n);
    uint32_t slot = group_slot(group, place);
    const struct mp_peer *peer = peer_at(store, slot);
    if (has(&draw->slots, slot) || !filter_match(store, &draw->filter, peer))
      continue;
    if (rand_unit(&store->rand) < factor * chance_of(peer, draw->filter.now)) {
      take(draw, group->key, slot);
      factor = 1;
    } else {
      factor *= 1.2;
    }
  }
}

/* The first of a group's members that will do, from a random one on. */
static void look_into(struct draw *draw, const struct group *group) {
  struct peer_store *store = draw->store;
  uint32_t start = (uint32_t)rand_below(&store->rand, group->n);
  for (uint32_t i = 0; i < group->n && draw->looks; i++, draw->looks--) {
    uint32_t slot = group_slot(group, (start + i) % group->n);
    if (has(&draw->slots, slot) ||
        !filter_match(store, &draw->filter, peer_at(store, slot)))
      continue;
    take(draw, group->key, slot);
    if (!draw->may_repeat || draw->n == draw->wanted)
      return;
  }
}

/* Goes through the groups in order, from a random one on. */
static void look_through(struct draw *draw) {
  draw->looks = LOOKS;
  for (unsigned i = 0; i < MP_STATUS_COUNT; i++) {
    struct group_index *index = draw->store->groups + i;
    uint32_t start = (uint32_t)rand_below(&draw->store->rand, index->n);
    for (uint32_t j = 0; is_allowed(draw, i) && j < index->n; j++) {
      const struct group *group = group_index_at(index, (start + j) % index->n);
      if (draw->n >= draw->wanted || !draw->looks)
        return;
      draw->looks--;
      if (draw->looks && is_open(draw, group->key))
        look_into(draw, group);
    }
  }
}

size_t peer_pick(struct peer_store *store, const struct mp_filter *filter,
                 const struct mp_peer **peers, size_t n) {
  struct draw draw = {.store = store, .peers = peers};
  draw.wanted = n < store->count ? n : store->count;
  if (filter)
    draw.filter = *filter;
  map_init_hashed(&draw.groups, store->memory, 2, store->capacity);
  map_init(&draw.slots, store->memory, store->secret, 2, store->capacity);
  draw_some(&draw);
  if (draw.n < draw.wanted)
    look_through(&draw);
  draw.may_repeat = true;
  if (draw.n < draw.wanted)
    look_through(&draw);
  map_deinit(&draw.groups);
  map_deinit(&draw.slots);
  return draw.n;
}
