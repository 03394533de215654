/* store - peer stores in Lua: what Lua's object, the engines that use it, and
 * a save under way share. */
#ifndef SCRIPT_STORE_H
#define SCRIPT_STORE_H

#include <lua.h>

#include "moonpeer/store.h"
#include "script/script.h"
#include "script/store_listen.h"
#include "script/store_save.h"

/* The store is closed when its object has let go, no engine uses it, and no
 * save is under way. */
struct store {
  struct script *script;
  struct mp_store *core;
  struct store_box *box; /* its object; NULL: closed, or collected */
  unsigned users;        /* engines */
  uint64_t deletions;    /* of peers: what a peer's object knew may be stale */
  bool has_backend;      /* in Lua: registry[this] is its table */
  struct mp_loop *loop;  /* where that runs: an engine's, or NULL */
  struct mp_store_options options;
  struct mp_store_listener listener;
  struct store_saver saver;
  struct telling telling;
};

/* The object, a userdata. User values: 1 the bans, 2 the function that tells
 * listeners. */
struct store_box {
  struct store *store; /* NULL: closed */
};

void store_open_type(lua_State *L);

/* The object at index; raises when it is none, or closed. */
struct store_box *store_check(lua_State *L, int index);

/* What a configuration says is a store, at index: an object; or, which is
 * opened with the options (may be NULL), a URL; nil is "memory:". Pushes the
 * object; *is_new when it was opened. 0, or what mp_store_open says; raises
 * what is none of these. */
int store_take(lua_State *L, int index, const struct mp_store_options *options,
               bool *is_new, struct mp_fault *fault);

/* An engine begins and ends to use what the object has: store->core is good
 * between the two. The object may be closed meanwhile. */
struct store *store_use(struct store_box *box, struct mp_loop *loop);
void store_release(struct store *store);

/* Lets go, as close does, without saving. Twice is fine. */
void store_let_go(struct store_box *box);

/* Where a save runs now, or an engine; NULL for neither. */
struct mp_loop *store_loop(const struct store *store);

/* When nobody needs it any more, closes it; for those who ended to. */
void store_settle(struct store *store);

/* The wall time of what runs; when nothing does, of the engine that uses it:
 * in a world, the world's. */
int64_t store_now(lua_State *L, const struct store *store);

/* core.store(url, options[, backend]) */
int store_lua_open(lua_State *L);

/* The methods, by file; each list ends with a NULL row. */
extern const luaL_Reg store_peer_methods[], store_value_methods[];
void store_open_iterator(lua_State *L);

/* --- backends in Lua: store_backend.c --------------------------------------
 */

/* Opens a store on the table at index: rows (peers, bans, values), apply,
 * close, wants_all. */
int store_open_backend(lua_State *L, int index, struct store *store,
                       const char *name, struct mp_fault *fault);

/* Pushes a field of the backend's table, or nil. */
int store_push_backend(lua_State *L, const struct store *store,
                       const char *name);

void store_open_batch(lua_State *L);

#endif
