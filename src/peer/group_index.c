/* group_index - peers by network group. */
#include "peer/group_index.h"

#include <string.h>

#include "moonpeer/error.h"

enum { MANY = 65536 /* as IPv4 has, and more than are in use */ };

void group_index_init(struct group_index *index, const struct mp_memory *memory,
                      uint32_t most) {
  *index = (struct group_index){.memory = memory};
  map_init_hashed(&index->map, memory, 1, most < MANY ? most : MANY);
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

/* What the map knows of a key; groups have the whole. */
static uint32_t short_of(uint64_t key) {
  return (uint32_t)(key >> 32);
}

struct wanted {
  const struct group_index *index;
  uint64_t key;
};

static bool is_wanted(const void *data, uint32_t number) {
  const struct wanted *wanted = data;
  return group_index_at(wanted->index, number - 1)->key == wanted->key;
}

/* Where the number of a group stands, above 0; or NULL. */
static uint32_t *number_of(const struct group_index *index, uint64_t key) {
  struct wanted wanted = {index, key};
  return map_search(&index->map, short_of(key), is_wanted, &wanted);
}

void group_index_prefetch(const struct group_index *index, uint64_t key) {
  uint32_t word = short_of(key);
  map_prefetch(&index->map, &word);
}

struct group *group_index_find(const struct group_index *index, uint64_t key) {
  const uint32_t *number = number_of(index, key);
  return number ? group_index_at(index, *number - 1) : NULL;
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
  uint32_t word = short_of(key);
  map_put(&index->map, &word, ++index->n);
  *group_index_at(index, index->n - 1) =
      (struct group){.n = 1, .slots.one = slot, .key = key};
  return 0;
}

/* Takes an empty group away; the last one gets its number. */
static void drop_group(struct group_index *index, uint32_t number) {
  struct group *group = group_index_at(index, number);
  struct group *last = group_index_at(index, --index->n);
  map_remove_value(&index->map, short_of(group->key), number + 1);
  drop_room(index, group);
  if (group != last) {
    *number_of(index, last->key) = number + 1;
    *group = *last;
  }
  memset(last, 0, sizeof *last);
}

uint32_t group_index_remove(struct group_index *index, uint64_t key,
                            uint32_t place) {
  uint32_t number = *number_of(index, key) - 1;
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
