/* hashes - a set of 32-byte hashes in Lua that forgets the oldest. */
#include "script/hashes.h"

#include <string.h>

#include <lauxlib.h>

#include "base/hex.h"
#include "base/map.h"
#include "script/script.h"
#include "script/task.h"

static const char *const type_name = "moonpeer.hashes";

enum { HASH = 32, KEY_WORDS = 5, MOST = 1 << 28, DEFAULT = 1 << 16 };

/* A ring of the hashes in the order in which they came, and a map from the
 * first twenty bytes of each to its place in there. Two that begin alike (who
 * makes hashes up has such) take turns. */
struct hashes {
  struct map map;
  uint8_t (*ring)[HASH];
  uint32_t capacity, room; /* of the set; of the ring for now */
  uint32_t first, count;   /* the oldest; how many */
};

static const uint32_t *key_of(const uint8_t hash[HASH],
                              uint32_t key[KEY_WORDS]) {
  memcpy(key, hash, KEY_WORDS * sizeof *key);
  return key;
}

/* The place of a hash in the ring, or -1. */
static int64_t place_of(const struct hashes *set, const uint8_t *hash) {
  uint32_t key[KEY_WORDS];
  uint32_t value = map_find(&set->map, key_of(hash, key));
  if (!value || memcmp(set->ring[value - 1], hash, HASH) != 0)
    return -1;
  return value - 1;
}

bool hashes_has(const struct hashes *set, const uint8_t hash[HASH]) {
  return place_of(set, hash) >= 0;
}

/* --- changing -------------------------------------------------------------
 */

/* The ring grows by doubling, before it has ever gone round. */
static void grow(lua_State *L, struct hashes *set) {
  uint32_t room = set->room ? set->room * 2 : 256;
  if (room > set->capacity)
    room = set->capacity;
  void *block = memory_resize(&memory_default, set->ring,
                              (size_t)set->room * HASH, (size_t)room * HASH);
  if (!block)
    luaL_error(L, "not enough memory");
  set->ring = block;
  set->room = room;
}

static void forget_oldest(struct hashes *set) {
  uint32_t key[KEY_WORDS];
  const uint8_t *hash = set->ring[set->first];
  if (map_find(&set->map, key_of(hash, key)) == set->first + 1)
    map_remove(&set->map, key);
  set->first = (set->first + 1) % set->capacity;
  set->count--;
}

int hashes_add(lua_State *L, struct hashes *set, const uint8_t hash[HASH]) {
  uint32_t key[KEY_WORDS];
  if (hashes_has(set, hash))
    return 0;
  if (set->count == set->capacity)
    forget_oldest(set);
  if (set->count == set->room)
    grow(L, set);
  if (map_reserve(&set->map, 1) != 0)
    luaL_error(L, "not enough memory");
  uint32_t place = (set->first + set->count) % set->capacity;
  map_remove(&set->map, key_of(hash, key));
  memcpy(set->ring[place], hash, HASH);
  map_put(&set->map, key, place + 1);
  set->count++;
  return 1;
}

/* --- Lua ------------------------------------------------------------------
 */

struct hashes *hashes_test(lua_State *L, int index) {
  return luaL_testudata(L, index, type_name);
}

static struct hashes *self(lua_State *L) {
  return luaL_checkudata(L, 1, type_name);
}

/* 32 bytes, or 64 digits as hashes are displayed. */
static void take_hash(lua_State *L, int index, uint8_t hash[HASH]) {
  size_t n;
  uint8_t shown[HASH];
  const char *text = luaL_checklstring(L, index, &n);
  if (n == HASH) {
    memcpy(hash, text, HASH);
    return;
  }
  if (n != (size_t)2 * HASH || !hex_parse(shown, text, n)) {
    luaL_argerror(L, index, "expected 32 bytes or 64 hex digits");
    return;
  }
  for (size_t i = 0; i < HASH; i++)
    hash[i] = shown[HASH - 1 - i];
}

static int do_add(lua_State *L) {
  struct hashes *set = self(L);
  uint8_t hash[HASH];
  take_hash(L, 2, hash);
  lua_pushboolean(L, hashes_add(L, set, hash));
  return 1;
}

static int do_has(lua_State *L) {
  uint8_t hash[HASH];
  take_hash(L, 2, hash);
  lua_pushboolean(L, hashes_has(self(L), hash));
  return 1;
}

static int do_length(lua_State *L) {
  lua_pushinteger(L, self(L)->count);
  return 1;
}

static int do_name(lua_State *L) {
  const struct hashes *set = self(L);
  lua_pushfstring(L, "%s: %I of at most %I", type_name, (lua_Integer)set->count,
                  (lua_Integer)set->capacity);
  return 1;
}

static int do_gc(lua_State *L) {
  struct hashes *set = self(L);
  map_deinit(&set->map);
  memory_put(&memory_default, set->ring, (size_t)set->room * HASH);
  set->ring = NULL;
  set->count = set->room = 0;
  return 0;
}

int hashes_lua_new(lua_State *L) {
  uint64_t secret[2];
  lua_Integer capacity = luaL_optinteger(L, 1, DEFAULT);
  if (capacity < 1 || capacity > MOST)
    return luaL_argerror(L, 1, "expected 1 to 268435456 hashes");
  struct mp_loop *loop = task_loop(L);
  secret[0] = mp_loop_random_u64(loop);
  secret[1] = mp_loop_random_u64(loop);
  struct hashes *set = lua_newuserdatauv(L, sizeof *set, 0);
  *set = (struct hashes){.capacity = (uint32_t)capacity};
  map_init(&set->map, &memory_default, secret, KEY_WORDS, (uint32_t)capacity);
  luaL_setmetatable(L, type_name);
  return 1;
}

void hashes_open_type(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"add", do_add}, {"has", do_has}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__len", do_length},
                                         {"__tostring", do_name},
                                         {"__gc", do_gc},
                                         {NULL, NULL}};
  object_type(L, type_name, methods, metamethods, NULL);
}
