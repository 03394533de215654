/* memory_cap_test - blocks that are kept for later: of their exact size, few,
 * and all given back. */
#include "script/memory_cap.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/mem.h"
#include "test.h"

/* What the cap has of the allocator below it. */
struct below {
  size_t held, limit;
  long wrong; /* blocks that came back with another size */
};

union head {
  size_t size;
  max_align_t align;
};

static void *allocate(void *data, void *block, size_t before, size_t size) {
  struct below *below = data;
  union head *head = block ? (union head *)block - 1 : NULL;
  size_t old = head ? head->size : 0;
  if (head && before != old)
    below->wrong++;
  if (size == 0) {
    below->held -= old;
    free(head);
    return NULL;
  }
  if (size > old && below->held + (size - old) > below->limit)
    return NULL;
  head = realloc(head, sizeof *head + size);
  if (!head)
    return NULL;
  head->size = size;
  below->held += size - old;
  return head + 1;
}

static void run(lua_State *L, const char *text) {
  if (luaL_dostring(L, text) != LUA_OK)
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
  CHECK(lua_gettop(L) == 0);
  lua_settop(L, 0);
}

static const char make[] = "many = {}\n"
                           "for i = 1, 40000 do\n"
                           "  many[i] = i % 3 == 0 and {i} or\n"
                           "    ('x'):rep(i % 300) .. i\n"
                           "end\n";
static const char drop[] = "many = nil collectgarbage() collectgarbage()";

static size_t counted(lua_State *L) {
  return (size_t)lua_gc(L, LUA_GCCOUNT) * 1024 +
         (size_t)lua_gc(L, LUA_GCCOUNTB);
}

static void check_kept(const struct below *below, lua_State *L,
                       const struct memory_cap *cap) {
  CHECK(memory_cap_used(cap) == counted(L));
  CHECK(below->held >= memory_cap_used(cap));
  size_t kept = below->held - memory_cap_used(cap);
  CHECK(kept <= 1 << 20);
  CHECK((kept > 0) == !mem_is_checked());
}

/* Blocks of before the cap, and of after it, of every small size. */
static void blocks_of_every_origin_are_kept_and_returned(void) {
  struct below below = {.limit = SIZE_MAX};
  lua_State *L = lua_newstate(allocate, &below);
  luaL_openlibs(L);
  run(L, make);
  struct memory_cap *cap = memory_cap_new(L);
  for (int i = 0; i < 3; i++) {
    run(L, drop);
    check_kept(&below, L, cap);
    run(L, make);
  }
  lua_close(L);
  CHECK(below.held == 0);
  CHECK(below.wrong == 0);
}

/* What is kept is given back before anybody goes without. */
static void what_is_kept_is_given_back_in_need(void) {
  struct below below = {.limit = SIZE_MAX};
  lua_State *L = lua_newstate(allocate, &below);
  luaL_openlibs(L);
  struct memory_cap *cap = memory_cap_new(L);
  run(L, make);
  run(L, drop);
  check_kept(&below, L, cap);
  below.limit = memory_cap_used(cap) + 900000;
  run(L, "large = ('x'):rep(400000)");
  below.limit = SIZE_MAX;
  lua_close(L);
  CHECK(below.held == 0);
  CHECK(below.wrong == 0);
}

TEST_MAIN({"blocks_of_every_origin_are_kept_and_returned",
           blocks_of_every_origin_are_kept_and_returned},
          {"what_is_kept_is_given_back_in_need",
           what_is_kept_is_given_back_in_need})
