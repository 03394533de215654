/* engine - engines in Lua. */
#ifndef SCRIPT_ENGINE_H
#define SCRIPT_ENGINE_H

#include <lua.h>

#include "moonpeer/engine.h"
#include "script/decisions.h"
#include "script/script.h"

struct store;

/* The object of an engine. Its user values: 1 the handlers, a table with the
 * listeners and the functions that hooks call (validate, judge ...); 2 whatever
 * the configuration points to; 3 its store's object. It is anchored from start
 * until it is gone. */
struct engine_box {
  struct closable closable;
  struct script *script;
  struct mp_engine *engine; /* NULL when it is gone */
  struct mp_hooks hooks;
  int handlers; /* in the registry while it is started; 0 */
  struct decisions decisions;
  struct store *store; /* used until the engine is gone */
  bool owns_store;     /* opened for it: closed with it */
  bool is_started;
};

void engine_open_type(lua_State *L);

/* core.engine(configuration, handlers): the object, not started. */
int engine_lua_new(lua_State *L);

/* The box at index; raises for what is no engine. */
struct engine_box *engine_check(lua_State *L, int index);

/* The box at 1, whose loop is there; raises for one that is gone, whose loop
 * may be freed. */
struct engine_box *engine_live(lua_State *L);

/* engine_config.c: takes what the table at index says over config, whose lists
 * then point into userdata on the stack. */
void engine_take_config(lua_State *L, int index, struct mp_config *config);

/* hooks.c: the hooks of a box; and pushing its object and its handler of a
 * name inside one. */
void hooks_init(struct engine_box *box);
void engine_push(lua_State *L, const struct engine_box *box);

/* Pushes the object of a peer of its store; nil for NULL, or when that store's
 * object was closed. */
void engine_push_peer(lua_State *L, const struct engine_box *box,
                      const struct mp_peer *peer);

/* An event on its way into Lua, and the entry that it is told in. */
struct told {
  const struct mp_event *event;
  const struct script *script;
  uint64_t generation;
};

/* event.c: its type, which is pushed, and an event as an object of it that
 * lives as long as the entry; type is where that lies. */
void event_open_type(lua_State *L);
void event_push(lua_State *L, int type, const struct told *told);

#endif
