/* store_listen - what changes in a store, told on the next turn. */
#ifndef SCRIPT_STORE_LISTEN_H
#define SCRIPT_STORE_LISTEN_H

#include <lua.h>

#include "moonpeer/ban.h"
#include "moonpeer/loop.h"
#include "moonpeer/store.h"
#include "script/script.h"

struct store;

enum { TELLING_MAX = 65536 }; /* changes that wait; then the oldest are lost */

/* A change, copied: what it speaks of may be gone when it is told. */
struct change {
  enum mp_store_event_kind kind;
  enum mp_store_cause cause;
  enum mp_status status, before;
  uint8_t id[MP_UUID_SIZE];
  struct mp_address address;
  struct mp_prefix prefix;
  enum mp_ban_reason reason;
  int64_t created, expires;
};

struct telling {
  struct closable closable;
  struct store *store;
  struct mp_loop *loop; /* NULL: nobody listens, or the loop is gone */
  struct mp_later later;
  unsigned wants; /* 1 << kind or'ed */
  bool holds;     /* the loop */
  struct change *changes;
  size_t first, count, room; /* a ring */
  uint64_t lost;
};

void telling_init(struct telling *telling, struct store *store);
void telling_deinit(struct telling *telling);

/* From the store's own listener. */
void telling_note(struct telling *telling, const struct mp_store_event *event);

/* store:tell(fn, names): fn(store, list of changes) from now on, for these
 * kinds. */
int telling_lua_tell(lua_State *L);

/* Pushes the names of all kinds as a list. */
void telling_push_names(lua_State *L);

#endif
