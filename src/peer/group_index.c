/* group_index - peers by network group. */
#include "peer/group_index.h"

#include <string.h>

#include "moonpeer/error.h"

void group_index_init(struct group_index *index, const struct mp_memory *memory,
                      uint32_t most) {
  *index = (struct group_index){.memory = memory};
  map_init_hashed(&index->map, memory, 2, most);
}

struct group *group_index_at(const struct group_index *index, uint32_t number) {
  return index->chunks[number / GROUP_CHUNK] + number % GROUP_CHUNK;
}

uint32_t group_slot(const struct group *group, uint32_t place) {
  return group->room ? group->slots.many[place] : group->slots.one;
}

static void drop_room(const struct group_index *index, struct group *group) {
  if (group->room)
    memory_put(index->memory, group->slots.many,
               group->room * sizeof(uint32_t));
  group->room = 0;
}

void group_index_deinit(struct group_index *index) {
  for (uint32_t i = 0; i < index->n; i++)
    drop_room(index, group_index_at(index, i));
  for (uint32_t i = 0; i < index->chunk_room; i++)
    memory_put(index->memory, index->chunks[i],
               GROUP_CHUNK * sizeof(struct group));
  memory_put(index->memory, index->chunks,
             index->chunk_room * sizeof *index->chunks);
  map_deinit(&index->map);
  index->chunks = NULL;
  index->n = index->chunk_room = 0;
}

static void words_of(uint64_t key, uint32_t words[2]) {
  words[0] = (uint32_t)key;
  words[1] = (uint32_t)(key >> 32);
}

static uint32_t number_of(const struct group_index *index, uint64_t key) {
  uint32_t words[2];
  words_of(key, words);
  return map_find(&index->map, words);
}

void group_index_prefetch(const struct group_index *index, uint64_t key) {
  uint32_t words[2];
  words_of(key, words);
  map_prefetch(&index->map, words);
}

struct group *group_index_find(const struct group_index *index, uint64_t key) {
  uint32_t number = number_of(index, key);
  return number ? group_index_at(index, number - 1) : NULL;
}

/* A place for one more group. */
static int reserve_group(struct group_index *index) {
  uint32_t chunk = index->n / GROUP_CHUNK;
  if (map_reserve(&index->map, 1))
    return MP_ELIMIT;
  if (chunk >= index->chunk_room) {
    uint32_t room = index->chunk_room * 2 + 8;
    struct group **chunks = memory_resize(index->memory, index->chunks,
                                          index->chunk_room * sizeof *chunks,
                                          room * sizeof *chunks);
    if (!chunks)
      return MP_ELIMIT;
    index->chunks = chunks;
    index->chunk_room = room;
  }
  if (!index->chunks[chunk])
    index->chunks[chunk] =
        memory_get(index->memory, GROUP_CHUNK * sizeof(struct group));
  return index->chunks[chunk] ? 0 : MP_ELIMIT;
}

/* A place for one more member. */
static int reserve_member(struct group_index *index, struct group *group) {
  uint32_t old = group->room;
  if (group->n < old) {
    __builtin_prefetch(group->slots.many + group->n, 1);
    return 0;
  }
  uint32_t room = old ? old + old / 2 : 4;
  uint32_t *many = memory_resize(index->memory, old ? group->slots.many : NULL,
                                 old * sizeof *many, room * sizeof *many);
  if (!many)
    return MP_ELIMIT;
  if (!old)
    many[0] = group->slots.one;
  group->slots.many = many;
  group->room = room;
  return 0;
}

int group_index_reserve(struct group_index *index, uint64_t key,
                        struct group **group) {
  *group = group_index_find(index, key);
  return *group ? reserve_member(index, *group) : reserve_group(index);
}

uint32_t group_index_add(struct group_index *index, struct group *group,
                         uint64_t key, uint32_t slot) {
  if (group) {
    group->slots.many[group->n] = slot;
    return group->n++;
  }
  uint32_t words[2];
  words_of(key, words);
  map_put(&index->map, words, ++index->n);
  *group_index_at(index, index->n - 1) =
      (struct group){.n = 1, .slots.one = slot, .key = key};
  return 0;
}

/* Takes an empty group away; the last one gets its number. */
static void drop_group(struct group_index *index, uint32_t number) {
  struct group *group = group_index_at(index, number);
  struct group *last = group_index_at(index, --index->n);
  uint32_t words[2];
  words_of(group->key, words);
  map_remove(&index->map, words);
  drop_room(index, group);
  if (group != last) {
    words_of(last->key, words);
    *map_at(&index->map, words) = number + 1;
    *group = *last;
  }
  memset(last, 0, sizeof *last);
}

uint32_t group_index_remove(struct group_index *index, uint64_t key,
                            uint32_t place) {
  uint32_t number = number_of(index, key) - 1;
  struct group *group = group_index_at(index, number);
  if (--group->n == 0) {
    drop_group(index, number);
    return 0;
  }
  uint32_t moved = group->slots.many[group->n];
  if (place == group->n)
    return 0;
  group->slots.many[place] = moved;
  return moved;
}
