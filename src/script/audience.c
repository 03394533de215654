/* audience - who listens to an event of an engine, and telling them. The way
 * every message takes: one protected call for each who listens, and nothing
 * outside of it that can raise. */
#include "script/audience.h"

#include "base/text.h"
#include "script/engine.h"
#include "script/guard.h"

/* A userdata; user values: each guard's object and, behind it, its function. */
struct audience {
  size_t n;
  struct guard *guards[];
};

/* Where things lie while an event is told: on the hook thread. */
enum { HANDLERS = HOOK_BOTTOM + 1, LIST, EVENT };

enum { MOST = 10000 }; /* an object has no more than 65535 user values */

/* --- the list --------------------------------------------------------------
 */

void audience_set(lua_State *L, enum mp_event_type type) {
  size_t n = (size_t)luaL_len(L, -1);
  if (n > MOST)
    luaL_error(L, "too many listeners");
  struct audience *list =
      lua_newuserdatauv(L, sizeof *list + n * sizeof(void *), (int)(2 * n));
  list->n = n;
  for (size_t i = 0; i < n; i++) {
    lua_rawgeti(L, -2, (lua_Integer)i + 1);
    list->guards[i] = guard_check(L, -1);
    lua_getiuservalue(L, -1, 1);
    lua_setiuservalue(L, -3, (int)(2 * i + 2));
    lua_setiuservalue(L, -2, (int)(2 * i + 1));
  }
  lua_rawseti(L, -3, (lua_Integer)type + 1);
  lua_pop(L, 1);
}

/* Until an engine is started its handlers are where its object is. */
static int find_handlers(lua_State *L) {
  const struct engine_box *box = lua_touserdata(L, 1);
  engine_push(L, box);
  lua_getiuservalue(L, -1, 1);
  return 1;
}

static bool push_handlers(lua_State *L, struct engine_box *box) {
  if (box->handlers) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, box->handlers);
    return true;
  }
  lua_pushcfunction(L, find_handlers);
  lua_pushlightuserdata(L, box);
  return lua_pcall(L, 1, 1, 0) == LUA_OK;
}

/* --- telling ---------------------------------------------------------------
 */

/* What a listener may be for. */
static const char *command_of(const struct mp_event *event) {
  if (event->message)
    return event->message->command;
  return event->chunk ? event->chunk->command : NULL;
}

static bool is_for(const struct guard *guard, const char *command) {
  return !command || !*guard->command || text_is(guard->command, command);
}

/* An event on its way to those who listen. */
struct telling {
  struct told told;
  bool is_made;   /* as an object, at EVENT */
  bool is_shared; /* that others wait for, too */
};

/* What is told, the function, and the event as an object if that has been made
 * before: gives the object when others wait for it. */
static int tell(lua_State *L) {
  enum { TELLING = 1, FN, OBJECT };
  const struct telling *telling = lua_touserdata(L, TELLING);
  if (!telling->is_made)
    event_push(L, lua_upvalueindex(1), &telling->told);
  if (telling->is_shared) {
    lua_pushvalue(L, OBJECT);
    lua_replace(L, TELLING);
  }
  lua_call(L, 1, 0);
  return 1;
}

void audience_open(lua_State *L) {
  lua_State *hooks = script_of(L)->hooks;
  event_open_type(L);
  lua_pushcclosure(L, tell, 1);
  lua_xmove(L, hooks, 1);
  lua_replace(hooks, HOOK_TELL);
}

/* The object that the first one makes stays for those who follow. */
static void tell_one(struct engine_box *box, const struct audience *list,
                     size_t i, struct telling *telling) {
  lua_State *L = box->script->hooks;
  struct guard *guard = list->guards[i];
  if (!guard_is_open(guard))
    return;
  telling->is_shared = !telling->is_made && i + 1 < list->n;
  lua_pushvalue(L, HOOK_TELL);
  lua_pushlightuserdata(L, telling);
  lua_getiuservalue(L, LIST, (int)(2 * i + 2));
  if (telling->is_made)
    lua_pushvalue(L, EVENT);
  struct attempt attempt = {.arguments = telling->is_made ? 3 : 2,
                            .results = telling->is_shared,
                            .handler = HOOK_EXPLAIN};
  if (guard_try(L, guard, box, &attempt)) {
    telling->is_made = telling->is_made || telling->is_shared;
    return;
  }
  lua_getiuservalue(L, LIST, (int)(2 * i + 1));
  lua_insert(L, -2);
  guard_blame(L, box, &attempt);
}

static void tell_all(struct engine_box *box, const struct mp_event *event) {
  struct script *script = box->script;
  struct telling telling = {.told = {event, script, script->generation}};
  const char *command = command_of(event);
  const struct audience *list = lua_touserdata(script->hooks, LIST);
  for (size_t i = 0; i < list->n && !script->is_overrun; i++)
    if (is_for(list->guards[i], command))
      tell_one(box, list, i, &telling);
}

void audience_tell(struct engine_box *box, const struct mp_event *event) {
  struct script *script = box->script;
  lua_State *L = script->hooks;
  struct mp_loop *before;
  if (!script_begin(script, box->closable.loop, &before))
    return;
  if (!push_handlers(L, box))
    script_report(L, "a hook");
  else if (lua_rawgeti(L, HANDLERS, (lua_Integer)event->type + 1) ==
           LUA_TUSERDATA)
    tell_all(box, event);
  lua_settop(L, HOOK_BOTTOM);
  script_end(script, before);
}
