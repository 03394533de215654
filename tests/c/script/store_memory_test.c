/* store_memory_test - the stores' Lua face when Lua has no memory left: at
 * every single allocation of every call. */
#include <limits.h>
#include <stdlib.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "script/module.h"
#include "test.h"

/* How many blocks may still be had or grown, -1: any number; and how many are
 * refused then, before it is any number again. */
struct budget {
  long left, refusals;
};

static void *allocate(void *data, void *block, size_t before, size_t after) {
  struct budget *budget = data;
  if (after == 0) {
    free(block);
    return NULL;
  }
  if (budget->left >= 0 && (!block || after > before)) {
    if (budget->left > 0) {
      budget->left--;
    } else {
      if (--budget->refusals == 0)
        budget->left = -1;
      return NULL;
    }
  }
  return realloc(block, after);
}

/* arm(n, most): the n-th from now on fails, and those after it. */
static int do_arm(lua_State *L) {
  void *data;
  lua_getallocf(L, &data);
  *(struct budget *)data =
      (struct budget){luaL_checkinteger(L, 1), luaL_optinteger(L, 2, LONG_MAX)};
  return 0;
}

static int do_disarm(lua_State *L) {
  void *data;
  lua_getallocf(L, &data);
  ((struct budget *)data)->left = -1;
  return 0;
}

static void check(lua_State *L, int rc) {
  if (rc != LUA_OK)
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
  CHECK(rc == LUA_OK);
}

static void every_call_raises_or_succeeds_and_loses_nothing(void) {
  struct budget budget = {-1, 0};
  lua_State *L = lua_newstate(allocate, &budget);
  CHECK(L);
  luaL_openlibs(L);
  module_preload(L);
  lua_register(L, "arm", do_arm);
  lua_register(L, "disarm", do_disarm);
  check(L, luaL_dofile(L, TEST_LUA "/support/store_memory.lua"));
  CHECK(lua_tointeger(L, -1) > 1000); /* failures there were */
  lua_close(L);
}

TEST_MAIN({"every_call_raises_or_succeeds_and_loses_nothing",
           every_call_raises_or_succeeds_and_loses_nothing})
