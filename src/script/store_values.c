/* store_values - peer stores in Lua: named values, discouragement, groups. */
#include <string.h>

#include "moonpeer/ban.h"
#include "script/peer.h"
#include "script/store.h"

/* --- named values ----------------------------------------------------------
 */

/* value(name): the bytes, or nil. */
static int do_value(lua_State *L) {
  struct mp_store *core = store_check(L, 1)->store->core;
  size_t n;
  const void *bytes = mp_store_value(core, luaL_checkstring(L, 2), &n);
  if (bytes)
    lua_pushlstring(L, bytes, n);
  else
    lua_pushnil(L);
  return 1;
}

/* set_value(name, bytes or nil) */
static int do_set_value(lua_State *L) {
  struct mp_store *core = store_check(L, 1)->store->core;
  struct mp_fault fault;
  size_t n = 0;
  const char *name = luaL_checkstring(L, 2);
  const char *bytes = luaL_optlstring(L, 3, NULL, &n);
  return push_result(L, mp_store_set_value(core, name, bytes, n, &fault),
                     &fault);
}

/* The name is what the loop goes on from: values may come and go meanwhile. */
static int next_value(lua_State *L) {
  struct mp_store *core = store_check(L, 1)->store->core;
  size_t n;
  const char *name = mp_store_next_value(core, luaL_optstring(L, 2, NULL));
  if (!name) {
    lua_pushnil(L);
    return 1;
  }
  const void *bytes = mp_store_value(core, name, &n);
  lua_pushstring(L, name);
  lua_pushlstring(L, bytes, n);
  return 2;
}

/* for name, bytes in store:values() do */
static int do_values(lua_State *L) {
  store_check(L, 1);
  lua_pushcfunction(L, next_value);
  lua_pushvalue(L, 1);
  return 2;
}

/* --- discouragement --------------------------------------------------------
 */

static int do_discourage(lua_State *L) {
  struct mp_store *core = store_check(L, 1)->store->core;
  struct mp_address address;
  struct mp_fault fault = {MP_ELIMIT, "no memory to discourage another"};
  int rc = peer_take_address(L, 2, 0, &address, &fault);
  if (rc == 0)
    rc = mp_discourage(core, &address);
  return push_result(L, rc, &fault);
}

static int do_encourage(lua_State *L) {
  struct mp_store *core = store_check(L, 1)->store->core;
  struct mp_address address;
  struct mp_fault fault;
  int rc = peer_take_address(L, 2, 0, &address, &fault);
  if (rc == 0)
    mp_encourage(core, &address);
  return push_result(L, rc, &fault);
}

static int do_is_discouraged(lua_State *L) {
  struct mp_store *core = store_check(L, 1)->store->core;
  struct mp_address address;
  struct mp_fault fault;
  if (peer_take_address(L, 2, 0, &address, &fault) != 0)
    return push_fault(L, &fault);
  lua_pushboolean(L, mp_is_discouraged(core, &address));
  return 1;
}

/* --- groups ----------------------------------------------------------------
 */

/* group(address): hex digits, the same for all of a network group. */
static int do_group(lua_State *L) {
  static const char digits[] = "0123456789abcdef";
  struct mp_store *core = store_check(L, 1)->store->core;
  struct mp_address address;
  struct mp_group group;
  struct mp_fault fault;
  char text[2 * MP_GROUP_SIZE];
  if (peer_take_address(L, 2, 0, &address, &fault) != 0)
    return push_fault(L, &fault);
  mp_store_group(core, &address, &group);
  for (size_t i = 0; i < group.size; i++) {
    text[2 * i] = digits[group.bytes[i] >> 4];
    text[2 * i + 1] = digits[group.bytes[i] & 15];
  }
  lua_pushlstring(L, text, (size_t)2 * group.size);
  return 1;
}

const luaL_Reg store_value_methods[] = {
    {"value", do_value},         {"set_value", do_set_value},
    {"values", do_values},       {"discourage", do_discourage},
    {"encourage", do_encourage}, {"is_discouraged", do_is_discouraged},
    {"group", do_group},         {NULL, NULL},
};
