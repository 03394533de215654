/* confined - what a policy from a file gets instead of parts of Lua that
 * nobody could stop. */
#include "script/confined.h"

#include <lauxlib.h>

#include "script/bounded.h"
#include "script/script.h"
#include "script/watchdog.h"

/* Keys in the registry: the two tables that strings look their methods up in.
 */
static const char bounded_key = 0, usual_key = 0;

/* And of a string, which has their metatable: to push it allocates nothing. */
static const char string_key = 0;

void confined_swap_strings(struct script *script, bool are_bounded) {
  lua_State *L = script->hooks;
  const char *key = are_bounded ? &bounded_key : &usual_key;
  script->has_bounded_strings = are_bounded;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &string_key);
  if (lua_getmetatable(L, -1)) {
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE)
      lua_setfield(L, -2, "__index");
    else
      lua_pop(L, 1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* Once, while strings have their usual methods: puts both tables where the swap
 * finds them. The bounded one is nobody's: what a policy does to its `string`
 * changes no methods. */
static void keep_strings(lua_State *L) {
  bool is_kept = lua_rawgetp(L, LUA_REGISTRYINDEX, &bounded_key) == LUA_TTABLE;
  lua_pop(L, 1);
  if (is_kept)
    return;
  bounded_push_strings(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &bounded_key);
  lua_pushliteral(L, "");
  if (lua_getmetatable(L, -1)) {
    lua_getfield(L, -1, "__index");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &usual_key);
    lua_pop(L, 1);
  }
  lua_rawsetp(L, LUA_REGISTRYINDEX, &string_key);
}

/* --- coroutines ------------------------------------------------------------
 * As Lua's, but the watchdog and Ctrl-C know which one runs. */

/* Resumes with what is above index `first`; on the thread are the results, or
 * the error. */
static int resume(lua_State *L, lua_State *thread, int arguments,
                  int *results) {
  struct script *script = script_of(L);
  struct watchdog *dog = script->watchdog;
  if (!lua_checkstack(thread, arguments)) {
    lua_pushliteral(thread, "too many arguments to resume");
    return LUA_ERRRUN;
  }
  lua_xmove(L, thread, arguments);
  lua_State *before = watchdog_switch(dog, thread);
  lua_State *outer = script->computing;
  script->computing = thread;
  int rc = lua_resume(thread, L, arguments, results);
  script->computing = outer;
  watchdog_switch(dog, before);
  return rc;
}

static bool may_resume(lua_State *thread) {
  lua_Debug frame;
  if (lua_status(thread) == LUA_YIELD)
    return true;
  return lua_status(thread) == LUA_OK && !lua_getstack(thread, 0, &frame) &&
         lua_gettop(thread) > 0;
}

static int do_resume(lua_State *L) {
  lua_State *thread = lua_tothread(L, 1);
  int results;
  luaL_argexpected(L, thread, 1, "coroutine");
  if (!may_resume(thread)) {
    lua_pushboolean(L, false);
    lua_pushliteral(L, "cannot resume a coroutine that runs or is dead");
    return 2;
  }
  int rc = resume(L, thread, lua_gettop(L) - 1, &results);
  bool is_good = rc == LUA_OK || rc == LUA_YIELD;
  lua_pushboolean(L, is_good);
  luaL_checkstack(L, is_good ? results : 1, "too many results to resume");
  lua_xmove(thread, L, is_good ? results : 1);
  return is_good ? results + 1 : 2;
}

static int close_thread(lua_State *L, lua_State *thread) {
  struct watchdog *dog = script_of(L)->watchdog;
  lua_State *before = watchdog_switch(dog, thread);
  int rc = lua_resetthread(thread);
  watchdog_switch(dog, before);
  return rc;
}

static int wrapped(lua_State *L) {
  lua_State *thread = lua_tothread(L, lua_upvalueindex(1));
  int results;
  if (!may_resume(thread))
    return luaL_error(L, "cannot resume a coroutine that runs or is dead");
  int rc = resume(L, thread, lua_gettop(L), &results);
  if (rc == LUA_OK || rc == LUA_YIELD) {
    luaL_checkstack(L, results, "too many results to resume");
    lua_xmove(thread, L, results);
    return results;
  }
  close_thread(L, thread);
  lua_xmove(thread, L, 1);
  return lua_error(L);
}

static int do_create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *thread = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, thread, 1);
  return 1;
}

static int do_wrap(lua_State *L) {
  do_create(L);
  lua_pushcclosure(L, wrapped, 1);
  return 1;
}

static int do_close(lua_State *L) {
  lua_State *thread = lua_tothread(L, 1);
  lua_Debug frame;
  luaL_argexpected(L, thread, 1, "coroutine");
  if (thread == L ||
      (lua_status(thread) == LUA_OK && lua_getstack(thread, 0, &frame)))
    return luaL_error(L, "cannot close a running coroutine");
  int rc = close_thread(L, thread);
  lua_pushboolean(L, rc == LUA_OK);
  if (rc == LUA_OK)
    return 1;
  lua_xmove(thread, L, 1);
  return 2;
}

/* --- protected calls -------------------------------------------------------
 */

static int after_xpcall(lua_State *L, int status, lua_KContext context) {
  (void)context;
  if (status == LUA_OK || status == LUA_YIELD)
    return lua_gettop(L) - 1; /* true and the results; the handler stays */
  lua_remove(L, 2);           /* handler, error */
  lua_pushvalue(L, 1);
  lua_insert(L, -2);
  lua_call(L, 1, LUA_MULTRET);
  lua_pushboolean(L, false);
  lua_replace(L, 1);
  return lua_gettop(L);
}

/* xpcall(fn, handler, ...): the handler is called when the error has been
 * caught, not below it, where nothing could stop it. */
static int do_xpcall(lua_State *L) {
  int n = lua_gettop(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 2); /* handler, true, fn, arguments */
  lua_pushboolean(L, true);
  lua_pushvalue(L, 1);
  lua_rotate(L, 1, 3);
  lua_remove(L, 4);
  lua_remove(L, 4);
  int rc = lua_pcallk(L, n - 2, LUA_MULTRET, 0, 0, after_xpcall);
  return after_xpcall(L, rc, 0);
}

/* Nothing can stop a finaliser: there are none. */
static int do_setmetatable(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
  lua_settop(L, 2);
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
    return luaL_error(L, "cannot change a protected metatable");
  if (lua_istable(L, 2)) {
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, 2) != LUA_TNIL)
      return luaL_error(L, "objects made here cannot have __gc");
    lua_pop(L, 1);
  }
  lua_setmetatable(L, 1);
  return 1;
}

/* The metatable of strings is everybody's. */
static int do_getmetatable(lua_State *L) {
  luaL_checkany(L, 1);
  if (lua_type(L, 1) == LUA_TSTRING) {
    lua_pushliteral(L, "protected");
  } else if (!lua_getmetatable(L, 1)) {
    lua_pushnil(L);
  } else {
    luaL_getmetafield(L, 1, "__metatable");
  }
  return 1; /* what is named __metatable, else the metatable */
}

int confined_lua_new(lua_State *L) {
  static const luaL_Reg coroutines[] = {{"create", do_create},
                                        {"resume", do_resume},
                                        {"wrap", do_wrap},
                                        {"close", do_close},
                                        {NULL, NULL}};
  static const char *const kept[] = {"isyieldable", "running", "status",
                                     "yield"};
  keep_strings(L);
  lua_createtable(L, 0, 5);
  bounded_push_strings(L);
  lua_setfield(L, -2, "string");
  luaL_newlib(L, coroutines);
  lua_getglobal(L, "coroutine");
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
    lua_getfield(L, -1, kept[i]);
    lua_setfield(L, -3, kept[i]);
  }
  lua_pop(L, 1);
  lua_setfield(L, -2, "coroutine");
  lua_pushcfunction(L, do_xpcall);
  lua_setfield(L, -2, "xpcall");
  lua_pushcfunction(L, do_setmetatable);
  lua_setfield(L, -2, "setmetatable");
  lua_pushcfunction(L, do_getmetatable);
  lua_setfield(L, -2, "getmetatable");
  return 1;
}
