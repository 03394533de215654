/* unwanted_test - what an event costs that nobody wants: no call into Lua, no
 * block of memory. */
#include <stdlib.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "script/module.h"
#include "test.h"

enum { MESSAGES = 10000, FEW = 100 }; /* FEW: of sending and waiting once */

static struct {
  long blocks;  /* had or grown, by the engine and by Lua */
  long entries; /* functions called in Lua's main state */
} count;

/* The linker puts these in the place of the C library's, for all of ours. */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);

void *__wrap_malloc(size_t size) {
  count.blocks++;
  return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
  count.blocks++;
  return __real_calloc(n, size);
}

void *__wrap_realloc(void *block, size_t size) {
  count.blocks++;
  return __real_realloc(block, size);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static void *allocate(void *data, void *block, size_t before, size_t after) {
  (void)data, (void)before;
  if (after > 0)
    return realloc(block, after); /* counted */
  free(block);
  return NULL;
}

static void on_call(lua_State *L, lua_Debug *what) {
  (void)L, (void)what;
  count.entries++;
}

static int do_counters(lua_State *L) {
  lua_pushinteger(L, count.blocks);
  lua_pushinteger(L, count.entries);
  return 2;
}

/* Of results[what][name]. */
static long result(lua_State *L, const char *what, const char *name) {
  lua_getfield(L, -1, what);
  lua_getfield(L, -1, name);
  long n = (long)lua_tointeger(L, -1);
  lua_pop(L, 2);
  return n;
}

static void ten_thousand_cost_nothing_each(void) {
  lua_State *L = lua_newstate(allocate, NULL);
  CHECK(L);
  luaL_openlibs(L);
  module_preload(L);
  lua_pushcfunction(L, do_counters);
  lua_setglobal(L, "counters");
  lua_sethook(L, on_call, LUA_MASKCALL, 0);
  int rc =
      luaL_dostring(L, "package.path = '" TEST_LUA "/?.lua;' .. package.path "
                       "return dofile '" TEST_LUA "/support/unwanted.lua'");
  if (rc != LUA_OK)
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
  CHECK(rc == LUA_OK);
  long blocks = result(L, "unwanted", "blocks");
  long entries = result(L, "unwanted", "entries");
  long wanted = result(L, "wanted", "entries");
  printf("%d unwanted messages: %ld blocks, %ld calls in Lua; wanted: %ld "
         "blocks, %ld calls\n",
         MESSAGES, blocks, entries, result(L, "wanted", "blocks"), wanted);
  CHECK(result(L, "unwanted", "got") >= MESSAGES);
  CHECK(blocks < FEW);
  CHECK(entries < FEW);
  CHECK(wanted >= MESSAGES); /* so this counts what it says */
  CHECK(result(L, "wanted", "heard") >= MESSAGES);
  lua_close(L);
}

TEST_MAIN({"ten_thousand_cost_nothing_each", ten_thousand_cost_nothing_each})
