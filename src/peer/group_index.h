/* group_index - peers by network group, so that one can be drawn evenly over
 * groups and then over a group's members. */
#ifndef PEER_GROUP_INDEX_H
#define PEER_GROUP_INDEX_H

#include "base/map.h"
#include "base/memory.h"

enum { GROUP_CHUNK = 1024 };

/* A group that has members. Its key is a keyed hash of its bytes. */
struct group {
  uint32_t n, room; /* members; room 0: the one stands in place */
  union {
    uint32_t one;
    uint32_t *many;
  } slots;
  uint64_t key;
};

struct group_index {
  const struct mp_memory *memory;
  struct map map;        /* key to number */
  struct group **chunks; /* groups without gaps, by number from 0 */
  uint32_t n, chunk_room;
};

void group_index_init(struct group_index *index, const struct mp_memory *memory,
                      uint32_t most);
void group_index_deinit(struct group_index *index);

/* The group will be wanted soon. */
void group_index_prefetch(const struct group_index *index, uint64_t key);

/* Makes sure that one add to the group cannot fail; *group is what add is
 * given then, as long as nothing is removed. 0 or MP_ELIMIT. */
int group_index_reserve(struct group_index *index, uint64_t key,
                        struct group **group);

/* Adds a member to the group that reserve found (NULL: a new one); returns its
 * place in it. */
uint32_t group_index_add(struct group_index *index, struct group *group,
                         uint64_t key, uint32_t slot);

/* Removes the member at a place; the slot that is there now, or 0. */
uint32_t group_index_remove(struct group_index *index, uint64_t key,
                            uint32_t place);

/* The group with a key, or NULL; the one with number < n. */
struct group *group_index_find(const struct group_index *index, uint64_t key);
struct group *group_index_at(const struct group_index *index, uint32_t number);
uint32_t group_slot(const struct group *group, uint32_t place);

#endif
