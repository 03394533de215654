/* convert_limits - what a network allows, from Lua and to Lua. */
#include <string.h>

#include "script/convert.h"

/* Registry: text of a list of limits -> the list. */
static const char lists_key = 0;

static uint64_t take_bytes(lua_State *L, const char *what) {
  int is_integer;
  lua_Integer bytes = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || bytes < 0)
    luaL_error(L, "network.%s: expected bytes, got %s", what,
               luaL_tolstring(L, -1, NULL));
  return (uint64_t)bytes;
}

static void push_lists(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &lists_key) == LUA_TTABLE)
    return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lists_key);
}

/* Pushes a text that only a list with the same limits has: of the table at the
 * top, which stays; *n is how many. */
static void push_key(lua_State *L, size_t *n) {
  int list = lua_gettop(L);
  *n = 0;
  lua_pushliteral(L, "");
  for (lua_pushnil(L); lua_next(L, list); (*n)++) {
    if (lua_type(L, -2) != LUA_TSTRING || lua_rawlen(L, -2) > MP_COMMAND_SIZE)
      luaL_error(L, "network.limits: expected commands for keys");
    take_bytes(L, "limits");
    lua_pushvalue(L, list + 1);
    lua_pushfstring(L, "%s=%I;", lua_tostring(L, -3), lua_tointeger(L, -2));
    lua_concat(L, 2);
    lua_replace(L, list + 1);
    lua_pop(L, 1);
  }
}

/* Of the table at `list`, kept in a userdata that is pushed. Its commands are
 * Lua's strings, which user value 1 keeps. */
static void push_list(lua_State *L, int list, size_t n) {
  struct mp_network_limit *limits =
      lua_newuserdatauv(L, (n + 1) * sizeof *limits, 1);
  size_t at = 0;
  for (lua_pushnil(L); lua_next(L, list); lua_pop(L, 1)) {
    limits[at].command = lua_tostring(L, -2);
    limits[at++].bytes = (uint64_t)lua_tointeger(L, -1);
  }
  limits[at] = (struct mp_network_limit){0};
  lua_newtable(L);
  for (size_t i = 0; i < n; i++) {
    lua_pushstring(L, limits[i].command);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setiuservalue(L, -2, 1);
}

/* Networks are copied about, and nobody says when the last copy is gone: so
 * lists stay as long as the state, and the same limits are one list. */
static void take_list(lua_State *L, struct mp_network *network) {
  size_t n;
  int list = lua_gettop(L);
  luaL_checkstack(L, 8, "network");
  push_key(L, &n);
  push_lists(L);
  lua_pushvalue(L, list + 1);
  if (lua_rawget(L, -2) != LUA_TUSERDATA) {
    lua_pop(L, 1);
    push_list(L, list, n);
    lua_pushvalue(L, list + 1);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);
  }
  network->limits = lua_touserdata(L, -1);
  lua_settop(L, list);
}

static void take_genesis(lua_State *L, struct mp_network *network) {
  size_t n = 0;
  const char *genesis = lua_tolstring(L, -1, &n);
  if (!genesis || n != sizeof network->genesis)
    luaL_error(L, "network.genesis: expected the 32 bytes of a hash");
  else
    memcpy(network->genesis, genesis, n);
}

void convert_limits(lua_State *L, int index, struct mp_network *network) {
  if (lua_getfield(L, index, "genesis") != LUA_TNIL)
    take_genesis(L, network);
  if (lua_getfield(L, index, "checks_user_agent") != LUA_TNIL)
    network->checks_user_agent = lua_toboolean(L, -1);
  if (lua_getfield(L, index, "max_payload") != LUA_TNIL)
    network->max_payload = take_bytes(L, "max_payload");
  int type = lua_getfield(L, index, "limits");
  if (type == LUA_TTABLE)
    take_list(L, network);
  else if (type != LUA_TNIL)
    luaL_error(L, "network.limits: expected a table, got %s",
               lua_typename(L, type));
  lua_pop(L, 4);
}

void push_limits(lua_State *L, const struct mp_network *network) {
  const struct mp_network_limit *limit = network->limits;
  lua_pushinteger(L, (lua_Integer)network->max_payload);
  lua_setfield(L, -2, "max_payload");
  lua_newtable(L);
  for (; limit && limit->command; limit++) {
    lua_pushinteger(L, (lua_Integer)limit->bytes);
    lua_setfield(L, -2, limit->command);
  }
  lua_setfield(L, -2, "limits");
}
