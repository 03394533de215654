/* ban_list - prefixes that are refused, by prefix and by expiry. */
#include "peer/ban_list.h"

#include <string.h>

#include "moonpeer/error.h"
#include "peer/record.h"

enum { CHUNK = 256 };

void ban_list_init(struct ban_list *list, const struct mp_memory *memory,
                   uint32_t most) {
  *list = (struct ban_list){.memory = memory, .most = most};
  list->used.memory = memory;
  trie_init(&list->trie, memory);
}

static void drop_texts(struct ban *ban, const struct mp_memory *memory) {
  memory_put(memory, ban->texts, ban->texts_size);
  ban->texts = NULL;
}

void ban_list_deinit(struct ban_list *list) {
  const struct bits *used = &list->used;
  for (uint32_t i = bits_next(used, 1); i != UINT32_MAX;
       i = bits_next(used, i + 1))
    drop_texts(ban_at(list, i), list->memory);
  bits_deinit(&list->used);
  for (uint32_t i = 0; i < list->chunk_room; i++)
    memory_put(list->memory, list->chunks[i], CHUNK * sizeof(struct ban));
  memory_put(list->memory, list->chunks,
             list->chunk_room * sizeof *list->chunks);
  memory_put(list->memory, list->heap, list->heap_room * sizeof *list->heap);
  trie_deinit(&list->trie);
}

struct ban *ban_at(const struct ban_list *list, uint32_t slot) {
  return list->chunks[slot / CHUNK] + slot % CHUNK;
}

bool ban_is_used(const struct ban_list *list, uint32_t slot) {
  return bits_has(&list->used, slot);
}

static int64_t to_time(int64_t seconds) {
  return seconds == INT64_MAX ? MP_BAN_FOREVER : seconds * RECORD_SECOND;
}

void ban_describe(const struct ban *ban, struct mp_ban *to) {
  const char *origin = ban->texts ? ban->texts : "";
  *to = (struct mp_ban){
      .prefix = ban->prefix,
      .reason = (enum mp_ban_reason)ban->reason,
      .created = to_time(ban->created),
      .expires = to_time(ban->expires),
      .origin = origin,
      .note = ban->texts ? origin + strlen(origin) + 1 : "",
  };
}

/* --- the heap */

static int64_t expiry(const struct ban_list *list, uint32_t place) {
  return ban_at(list, list->heap[place])->expires;
}

static void set_place(struct ban_list *list, uint32_t place, uint32_t slot) {
  list->heap[place] = slot;
  ban_at(list, slot)->heap = place;
}

static void swap(struct ban_list *list, uint32_t a, uint32_t b) {
  uint32_t slot = list->heap[a];
  set_place(list, a, list->heap[b]);
  set_place(list, b, slot);
}

static void sift(struct ban_list *list, uint32_t place) {
  while (place && expiry(list, place) < expiry(list, (place - 1) / 2)) {
    swap(list, place, (place - 1) / 2);
    place = (place - 1) / 2;
  }
  for (;;) {
    uint32_t least = place, child = 2 * place + 1;
    for (uint32_t i = child; i < child + 2 && i < list->count; i++)
      if (expiry(list, i) < expiry(list, least))
        least = i;
    if (least == place)
      return;
    swap(list, place, least);
    place = least;
  }
}

/* --- coming and going */

static int reserve_heap(struct ban_list *list) {
  if (list->count < list->heap_room)
    return 0;
  uint32_t room = list->heap_room * 2 + 64;
  uint32_t *heap =
      memory_resize(list->memory, list->heap, list->heap_room * sizeof *heap,
                    room * sizeof *heap);
  if (!heap)
    return MP_ELIMIT;
  list->heap = heap;
  list->heap_room = room;
  return 0;
}

static int reserve_slot(struct ban_list *list, uint32_t slot) {
  uint32_t chunk = slot / CHUNK;
  if (chunk >= list->chunk_room) {
    uint32_t room = chunk + chunk / 2 + 8;
    struct ban **chunks =
        memory_resize(list->memory, list->chunks,
                      list->chunk_room * sizeof *chunks, room * sizeof *chunks);
    if (!chunks)
      return MP_ELIMIT;
    list->chunks = chunks;
    list->chunk_room = room;
  }
  if (!list->chunks[chunk])
    list->chunks[chunk] = memory_get(list->memory, CHUNK * sizeof(struct ban));
  return list->chunks[chunk] ? 0 : MP_ELIMIT;
}

static int make_texts(struct ban *ban, const struct mp_ban *from,
                      const struct mp_memory *memory) {
  size_t origin = strlen(from->origin), note = strlen(from->note);
  ban->texts = NULL;
  ban->texts_size = (uint32_t)(origin + note + 2);
  if (!origin && !note)
    return 0;
  ban->texts = memory_get(memory, ban->texts_size);
  if (!ban->texts)
    return MP_ELIMIT;
  memcpy(ban->texts, from->origin, origin);
  memcpy(ban->texts + origin + 1, from->note, note);
  return 0;
}

static int make(struct ban *ban, const struct mp_ban *from,
                const struct mp_memory *memory) {
  *ban = (struct ban){
      .prefix = from->prefix,
      .reason = (uint8_t)from->reason,
      .created = record_seconds(from->created),
      .expires = from->expires == MP_BAN_FOREVER
                     ? INT64_MAX
                     : from->expires / RECORD_SECOND,
  };
  return make_texts(ban, from, memory);
}

int ban_copy(struct ban *to, const struct ban *from,
             const struct mp_memory *memory) {
  struct mp_ban described;
  ban_describe(from, &described);
  return make(to, &described, memory);
}

int ban_insert(struct ban_list *list, uint32_t *wanted,
               const struct mp_ban *from) {
  struct ban made;
  uint32_t slot = *wanted;
  if (!slot)
    slot = list->free ? list->free : list->high + 1;
  if (reserve_slot(list, slot) || reserve_heap(list) ||
      bits_reserve(&list->used, slot) || trie_reserve(&list->trie) ||
      list->reserve(list->owner, slot) || make(&made, from, list->memory))
    return MP_ELIMIT;
  list->touch(list->owner, slot);
  if (slot == list->free)
    list->free = ban_at(list, slot)->heap;
  if (slot > list->high)
    list->high = slot;
  *ban_at(list, slot) = made;
  bits_add(&list->used, slot);
  trie_put(&list->trie, &made.prefix, slot);
  set_place(list, list->count++, slot);
  sift(list, list->count - 1);
  *wanted = slot;
  return 0;
}

void ban_remove(struct ban_list *list, uint32_t slot) {
  struct ban *ban = ban_at(list, slot);
  uint32_t place = ban->heap;
  list->touch(list->owner, slot);
  trie_remove(&list->trie, &ban->prefix);
  if (place != --list->count) {
    set_place(list, place, list->heap[list->count]);
    sift(list, place);
  }
  drop_texts(ban, list->memory);
  bits_remove(&list->used, slot);
  *ban = (struct ban){.heap = list->free};
  list->free = slot;
}

int ban_replace(struct ban_list *list, uint32_t slot,
                const struct mp_ban *from) {
  struct ban made, *ban = ban_at(list, slot);
  if (make(&made, from, list->memory))
    return MP_ELIMIT;
  list->touch(list->owner, slot);
  drop_texts(ban, list->memory);
  made.heap = ban->heap;
  *ban = made;
  sift(list, made.heap);
  return 0;
}

uint32_t ban_get(const struct ban_list *list, const struct mp_prefix *prefix) {
  return trie_get(&list->trie, prefix);
}

unsigned ban_path(const struct ban_list *list, const uint8_t ip[16],
                  uint32_t slots[TRIE_PATH]) {
  return trie_path(&list->trie, ip, slots);
}

uint32_t ban_find(struct ban_list *list, const uint8_t ip[16],
                  int64_t seconds) {
  uint32_t slots[TRIE_PATH], slot = trie_find(&list->trie, ip);
  if (!slot || ban_at(list, slot)->expires > seconds)
    return slot;
  for (unsigned n = trie_path(&list->trie, ip, slots); n; n--)
    if (ban_at(list, slots[n - 1])->expires > seconds)
      return slots[n - 1];
  return 0;
}

uint32_t ban_soonest(const struct ban_list *list) {
  return list->count ? list->heap[0] : 0;
}

void ban_list_settle(struct ban_list *list) {
  list->free = 0;
  for (uint32_t slot = list->high; slot; slot--) {
    if (!list->chunks[slot / CHUNK] || ban_is_used(list, slot))
      continue;
    ban_at(list, slot)->heap = list->free;
    list->free = slot;
  }
}
