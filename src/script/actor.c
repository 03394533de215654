/* actor - what is called for somebody later is held to what he is held to
 * now. */
#include "script/actor.h"

#include "script/guard.h"

struct actor actor_now(const struct script *script) {
  return script->active ? *script->active : (struct actor){0};
}

bool actor_is_held(const struct actor *actor) {
  return actor->budget || actor->generation || actor->is_confined;
}

/* Upvalues: the function, the actor. */
static int call_held(lua_State *L) {
  struct script *script = script_of(L);
  struct confinement outer;
  int arguments = lua_gettop(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  guard_enter(script, &outer, L, lua_touserdata(L, lua_upvalueindex(2)));
  int rc = lua_pcall(L, arguments, LUA_MULTRET, 0);
  guard_leave(script, L, &outer);
  return rc == LUA_OK ? lua_gettop(L) : lua_error(L);
}

void actor_bind(lua_State *L, int index) {
  struct actor now = actor_now(script_of(L));
  if (!actor_is_held(&now))
    return;
  index = lua_absindex(L, index);
  lua_pushvalue(L, index);
  struct actor *actor = lua_newuserdatauv(L, sizeof *actor, 0);
  *actor = now;
  lua_pushcclosure(L, call_held, 2);
  lua_replace(L, index);
}

int actor_lua_bind(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  actor_bind(L, 1);
  return 1;
}
