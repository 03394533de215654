/* convert_version - version messages as tables, and back. */
#include <stdio.h>
#include <string.h>

#include "script/convert.h"

static void set_integer(lua_State *L, const char *name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

static void push_place(lua_State *L, uint64_t services,
                       const struct mp_address *address) {
  char text[MP_ADDRESS_TEXT];
  lua_createtable(L, 0, 3);
  set_integer(L, "services", (lua_Integer)services);
  lua_pushstring(L, mp_address_format_ip(address, text));
  lua_setfield(L, -2, "ip");
  set_integer(L, "port", address->port);
}

void push_version(lua_State *L, const struct mp_version *v) {
  lua_createtable(L, 0, 10);
  set_integer(L, "version", v->version);
  set_integer(L, "services", (lua_Integer)v->services);
  set_integer(L, "timestamp", v->timestamp);
  push_place(L, v->recv_services, &v->addr_recv);
  lua_setfield(L, -2, "addr_recv");
  push_place(L, v->from_services, &v->addr_from);
  lua_setfield(L, -2, "addr_from");
  set_integer(L, "nonce", (lua_Integer)v->nonce);
  lua_pushlstring(L, v->user_agent, v->user_agent_size);
  lua_setfield(L, -2, "user_agent");
  set_integer(L, "start_height", v->start_height);
  lua_pushboolean(L, v->relay);
  lua_setfield(L, -2, "relay");
  if (v->has_association_id) {
    lua_pushlstring(L, (const char *)v->association_id, v->association_id_size);
    lua_setfield(L, -2, "association_id");
  }
}

/* Fields that are whole numbers, with their width. */
static const struct {
  const char *name;
  size_t offset, size;
} numbers[] = {
    {"version", offsetof(struct mp_version, version), 4},
    {"services", offsetof(struct mp_version, services), 8},
    {"timestamp", offsetof(struct mp_version, timestamp), 8},
    {"nonce", offsetof(struct mp_version, nonce), 8},
    {"start_height", offsetof(struct mp_version, start_height), 4},
};

static bool take_number(lua_State *L, const char *name,
                        struct mp_version *version) {
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    if (strcmp(numbers[i].name, name) != 0)
      continue;
    int is_integer;
    lua_Integer value = lua_tointegerx(L, -1, &is_integer);
    int32_t narrow = (int32_t)value;
    if (!is_integer || (numbers[i].size == 4 && narrow != value))
      luaL_error(L, "%s: expected a whole number of %d bytes, got %s", name,
                 (int)numbers[i].size, luaL_tolstring(L, -1, NULL));
    char *place = (char *)version + numbers[i].offset;
    if (numbers[i].size == 4)
      memcpy(place, &narrow, sizeof narrow);
    else
      memcpy(place, &value, sizeof value);
    return true;
  }
  return false;
}

static size_t take_bytes(lua_State *L, const char *name, void *to,
                         size_t most) {
  size_t n;
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_error(L, "%s: expected a string, got %s", name, luaL_typename(L, -1));
  const char *bytes = lua_tolstring(L, -1, &n);
  if (n > most)
    luaL_error(L, "%s: expected at most %d bytes, got %d", name, (int)most,
               (int)n);
  memcpy(to, bytes, n);
  return n;
}

static lua_Integer take_integer(lua_State *L, const char *name,
                                lua_Integer otherwise) {
  int is_integer;
  lua_Integer value = otherwise;
  if (lua_getfield(L, -1, name) != LUA_TNIL) {
    value = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer)
      luaL_error(L, "%s: expected a whole number, got %s", name,
                 luaL_tolstring(L, -1, NULL));
  }
  lua_pop(L, 1);
  return value;
}

/* "1.2.3.4:8333", or { services =, ip =, port = }, each if it is to be. */
static void take_place(lua_State *L, const char *name, uint64_t *services,
                       struct mp_address *address) {
  if (!lua_istable(L, -1)) {
    convert_address(L, -1, 0, address);
    return;
  }
  *services = (uint64_t)take_integer(L, "services", (lua_Integer)*services);
  lua_Integer port = take_integer(L, "port", address->port);
  if (port < 0 || port > 65535)
    luaL_error(L, "%s: expected a port of 0 to 65535, got %I", name, port);
  if (lua_getfield(L, -1, "ip") != LUA_TNIL)
    convert_address(L, -1, 0, address);
  lua_pop(L, 1);
  address->port = (uint16_t)port;
}

void convert_version(lua_State *L, int index, struct mp_version *v) {
  static const char *const names[] = {
      "version", "services",     "timestamp", "nonce",     "user_agent",
      "relay",   "start_height", "addr_recv", "addr_from", "association_id",
      NULL};
  luaL_checktype(L, index, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    const char *name =
        lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    if (take_number(L, name, v))
      continue;
    if (strcmp(name, "user_agent") == 0) {
      v->user_agent_size = take_bytes(L, name, v->user_agent, MP_USER_AGENT);
      v->user_agent[v->user_agent_size] = '\0';
    } else if (strcmp(name, "association_id") == 0) {
      v->association_id_size =
          take_bytes(L, name, v->association_id, MP_ASSOCIATION_ID);
      v->has_association_id = true;
    } else if (strcmp(name, "relay") == 0) {
      v->relay = lua_toboolean(L, -1);
    } else if (strcmp(name, "addr_recv") == 0) {
      take_place(L, name, &v->recv_services, &v->addr_recv);
    } else if (strcmp(name, "addr_from") == 0) {
      take_place(L, name, &v->from_services, &v->addr_from);
    } else {
      convert_unknown(L, "field of version", name, names);
    }
  }
}
