/* module - the engine as a Lua module. */
#include "script/module.h"

#include <lauxlib.h>

#include "script/embed.h"

static void preload(lua_State *L, const char *name, lua_CFunction open) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, open);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

int luaopen_moonpeer_core(lua_State *L) {
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, MOONPEER_VERSION);
  lua_setfield(L, -2, "version");
  return 1;
}

int luaopen_moonpeer(lua_State *L) {
  preload(L, "moonpeer.core", luaopen_moonpeer_core);
  embed_install(L);
  embed_load(L, "moonpeer");
  lua_pushliteral(L, "moonpeer");
  lua_insert(L, -2);
  lua_call(L, 2, 1);
  return 1;
}

void module_preload(lua_State *L) {
  preload(L, "moonpeer", luaopen_moonpeer);
  preload(L, "moonpeer.core", luaopen_moonpeer_core);
  embed_install(L);
}
