/* engine_config - an engine's configuration as a Lua table. */
#include <string.h>

#include "script/convert.h"
#include "script/engine.h"

static void take_listen(lua_State *L, int index, struct mp_config *config) {
  int type = lua_getfield(L, index, "listen");
  if (type == LUA_TBOOLEAN) {
    config->has_listen = lua_toboolean(L, -1);
    lua_pushliteral(L, "0.0.0.0");
    convert_address(L, -1, config->network.port, &config->listen);
    lua_pop(L, 1);
  } else if (type != LUA_TNIL) {
    config->has_listen = true;
    convert_address(L, -1, config->network.port, &config->listen);
  }
  lua_pop(L, 1);
}

/* Pushes room for as many things of a size as the list at the top has, below
 * it: it lives as long as the stack keeps it. */
static void *push_room(lua_State *L, const char *what, size_t size, size_t *n) {
  if (!lua_istable(L, -1))
    luaL_error(L, "%s: expected a list, got %s", what, luaL_typename(L, -1));
  *n = (size_t)luaL_len(L, -1);
  void *room = lua_newuserdatauv(L, (*n + 1) * size, 0);
  lua_insert(L, -2);
  return room;
}

static void take_peers(lua_State *L, int index, struct mp_config *config) {
  size_t n;
  if (lua_getfield(L, index, "peers") == LUA_TNIL) {
    lua_pop(L, 1);
    return;
  }
  struct mp_address *list = push_room(L, "peers", sizeof *list, &n);
  for (size_t i = 0; i < n; i++) {
    lua_geti(L, -1, (lua_Integer)i + 1);
    convert_address(L, -1, config->network.port, &list[i]);
    lua_pop(L, 1);
  }
  config->peers = list;
  config->peer_count = n;
  config->is_fixed = true;
  lua_pop(L, 1);
}

static void take_trusted(lua_State *L, int index, struct mp_config *config) {
  struct mp_fault fault;
  size_t n;
  if (lua_getfield(L, index, "trusted") == LUA_TNIL) {
    lua_pop(L, 1);
    return;
  }
  struct mp_prefix *list = push_room(L, "trusted", sizeof *list, &n);
  for (size_t i = 0; i < n; i++) {
    lua_geti(L, -1, (lua_Integer)i + 1);
    if (mp_prefix_parse(&list[i], luaL_checkstring(L, -1), &fault) != 0)
      luaL_error(L, "trusted: %s", fault.text);
    lua_pop(L, 1);
  }
  config->trusted = list;
  config->trusted_count = n;
  lua_pop(L, 1);
}

static void take_mode(lua_State *L, int index, struct mp_config *config) {
  static const char *const modes[] = {"normal", "fixed", NULL};
  if (lua_getfield(L, index, "mode") != LUA_TNIL) {
    const char *mode = luaL_checkstring(L, -1);
    if (strcmp(mode, "normal") != 0 && strcmp(mode, "fixed") != 0)
      convert_unknown(L, "mode", mode, modes);
    config->is_fixed = strcmp(mode, "fixed") == 0;
  }
  lua_pop(L, 1);
}

void engine_take_config(lua_State *L, int index, struct mp_config *config) {
  static const char *const known[] = {
      "network",  "listen",  "peers",  "mode",   "store", "policies",
      "schedule", "trusted", "budget", "shadow", NULL};
  convert_config(L, index, config, known);
  take_listen(L, index, config);
  take_peers(L, index, config);
  take_trusted(L, index, config);
  take_mode(L, index, config);
}
