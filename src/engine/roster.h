/* roster - connections in no order, so that some of them can be drawn by lot
 * however many there are. */
#ifndef ENGINE_ROSTER_H
#define ENGINE_ROSTER_H

#include <stddef.h>

struct mp_connection;
struct mp_loop;

struct roster {
  struct mp_connection **list; /* each knows its role.place */
  size_t n, size;
};

void roster_deinit(struct roster *roster);

/* Without memory for it, it is never drawn. */
void roster_add(struct roster *roster, struct mp_connection *connection);

/* Nothing happens when it is not there. */
void roster_remove(struct roster *roster, struct mp_connection *connection);

/* Moves `most` of them, drawn by lot, to the front of the list; when there are
 * no more than that, all stay as they are. Returns how many. */
size_t roster_draw(struct roster *roster, struct mp_loop *loop, size_t most);

#endif
