/* roster - connections in no order. */
#include "engine/roster.h"

#include <stdlib.h>

#include "engine/connection.h"

void roster_deinit(struct roster *roster) {
  free(roster->list);
  *roster = (struct roster){0};
}

static void put(struct roster *roster, size_t i, struct mp_connection *c) {
  roster->list[i] = c;
  c->role.place = i + 1;
}

static bool grow(struct roster *roster) {
  size_t size = roster->size ? 2 * roster->size : 16;
  struct mp_connection **list =
      realloc(roster->list, size * sizeof *roster->list);
  if (!list)
    return false;
  roster->list = list;
  roster->size = size;
  return true;
}

void roster_add(struct roster *roster, struct mp_connection *c) {
  if (roster->n < roster->size || grow(roster))
    put(roster, roster->n++, c);
}

void roster_remove(struct roster *roster, struct mp_connection *c) {
  if (c->role.place == 0)
    return;
  put(roster, c->role.place - 1, roster->list[--roster->n]);
  c->role.place = 0;
}

size_t roster_draw(struct roster *roster, struct mp_loop *loop, size_t most) {
  if (roster->n <= most)
    return roster->n;
  for (size_t i = 0; i < most; i++) {
    size_t left = roster->n - i;
    size_t j = i + (size_t)(mp_loop_random_u64(loop) % left);
    struct mp_connection *drawn = roster->list[j];
    put(roster, j, roster->list[i]);
    put(roster, i, drawn);
  }
  return most;
}
