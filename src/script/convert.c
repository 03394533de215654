/* convert - between Lua values and the structs of the public face. */
#include "script/convert.h"

#include <string.h>

#include "moonpeer/loop.h"
#include "moonpeer/text.h"

/* What is at the index as nanoseconds; false with what is wrong on the top. */
static bool to_duration(lua_State *L, int index, int64_t *ns) {
  if (lua_type(L, index) == LUA_TNUMBER
          ? mp_duration_of_seconds(ns, lua_tonumber(L, index))
          : lua_type(L, index) == LUA_TSTRING &&
                mp_duration_parse(ns, lua_tostring(L, index)))
    return true;
  luaL_tolstring(L, index, NULL);
  lua_pushfstring(L, "expected seconds or a text such as \"250ms\", got %s",
                  lua_tostring(L, -1));
  return false;
}

int64_t convert_duration(lua_State *L, int index) {
  int64_t ns = 0;
  if (to_duration(L, index, &ns))
    return ns;
  return luaL_argerror(L, index, lua_tostring(L, -1));
}

int64_t convert_duration_field(lua_State *L, const char *name) {
  int64_t ns = 0;
  if (to_duration(L, lua_gettop(L), &ns))
    return ns;
  return luaL_error(L, "%s: %s", name, lua_tostring(L, -1));
}

int64_t convert_duration_or(lua_State *L, int index, int64_t otherwise) {
  return lua_isnoneornil(L, index) ? otherwise : convert_duration(L, index);
}

/* --- names -----------------------------------------------------------------
 */

static const char *name_of(void *data, size_t i) {
  return ((const char *const *)data)[i];
}

int convert_unknown(lua_State *L, const char *what, const char *key,
                    const char *const *names) {
  union {
    const char *const *in;
    void *out;
  } list = {names};
  size_t n = 0;
  while (names[n])
    n++;
  const char *nearest = mp_nearest(key, name_of, list.out, n);
  if (nearest)
    return luaL_error(L, "unknown %s \"%s\"; the nearest known is \"%s\"", what,
                      key, nearest);
  return luaL_error(L, "unknown %s \"%s\"", what, key);
}

void convert_known(lua_State *L, int index, const char *what,
                   const char *const *names) {
  luaL_checktype(L, index, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    size_t i = 0;
    while (names[i] && strcmp(names[i], key) != 0)
      i++;
    if (!names[i])
      convert_unknown(L, what, key, names);
  }
}

/* --- networks --------------------------------------------------------------
 */

static const char *network_name(void *data, size_t i) {
  return ((const struct mp_network *)data)[i].name;
}

static void named_network(lua_State *L, const char *name,
                          struct mp_network *network) {
  const struct mp_network *found = mp_network_find(name);
  size_t n;
  union {
    const struct mp_network *in;
    void *out;
  } list = {mp_network_list(&n)};
  if (!found) {
    const char *nearest = mp_nearest(name, network_name, list.out, n);
    luaL_error(L, "unknown network \"%s\"; the nearest known is \"%s\"", name,
               nearest ? nearest : "mainnet");
    return;
  }
  *network = *found;
}

static int digit(char c) {
  static const char digits[] = "0123456789abcdef";
  const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : 0;
  return found ? (int)(found - digits) : -1;
}

/* Four bytes as such, or as eight hex digits. */
static bool parse_magic(uint8_t magic[4], const char *text, size_t n) {
  if (n == 4) {
    memcpy(magic, text, 4);
    return true;
  }
  for (size_t i = 0; i < 4 && n == 8; i++) {
    int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0)
      return false;
    magic[i] = (uint8_t)(high << 4 | low);
  }
  return n == 8;
}

static void take_magic(lua_State *L, int index, struct mp_network *network) {
  size_t n = 0;
  lua_getfield(L, index, "magic");
  const char *text = lua_tolstring(L, -1, &n);
  if (!text || !parse_magic(network->magic, text, n))
    luaL_error(L,
               "network.magic: expected 4 bytes or 8 hex digits in the "
               "order of the wire, got %s",
               luaL_tolstring(L, -1, NULL));
  lua_pop(L, 1);
}

static void take_port(lua_State *L, int index, struct mp_network *network) {
  if (lua_getfield(L, index, "port") != LUA_TNIL) {
    int is_integer;
    lua_Integer port = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || port < 1 || port > 65535)
      luaL_error(L, "network.port: expected 1 to 65535, got %s",
                 luaL_tolstring(L, -1, NULL));
    network->port = (uint16_t)port;
  }
  lua_pop(L, 1);
}

static void take_seeds(lua_State *L, int index, struct mp_network *network) {
  if (lua_getfield(L, index, "seeds") == LUA_TTABLE) {
    lua_Integer n = luaL_len(L, -1);
    if (n > MP_NETWORK_SEEDS)
      luaL_error(L, "network.seeds: expected at most %d, got %I",
                 MP_NETWORK_SEEDS, n);
    for (lua_Integer i = 1; i <= n; i++) {
      lua_geti(L, -1, i);
      network->seeds[i - 1] = luaL_checkstring(L, -1);
      lua_pop(L, 1); /* the table keeps it */
    }
  }
  lua_pop(L, 1);
}

static void custom_network(lua_State *L, int index,
                           struct mp_network *network) {
  static const char *const names[] = {
      "name",   "magic",       "port", "seeds", "genesis", "checks_user_agent",
      "limits", "max_payload", NULL};
  *network = *mp_network_find("regtest");
  memset(network->genesis, 0, sizeof network->genesis);
  network->checks_user_agent = false;
  convert_known(L, index, "key of network", names);
  lua_getfield(L, index, "name");
  const char *name = luaL_optstring(L, -1, "custom");
  if (strlen(name) >= sizeof network->name)
    luaL_error(L, "network.name: expected at most %d bytes, got %d",
               (int)sizeof network->name - 1, (int)strlen(name));
  memset(network->name, 0, sizeof network->name);
  memcpy(network->name, name, strlen(name));
  lua_pop(L, 1);
  take_magic(L, index, network);
  take_port(L, index, network);
  take_seeds(L, index, network);
  convert_limits(L, index, network);
}

void convert_network(lua_State *L, int index, struct mp_network *network) {
  index = lua_absindex(L, index);
  if (lua_isnoneornil(L, index))
    *network = *mp_network_find("mainnet");
  else if (lua_istable(L, index))
    custom_network(L, index, network);
  else if (lua_type(L, index) == LUA_TSTRING)
    named_network(L, lua_tostring(L, index), network);
  else
    luaL_error(L, "network: expected a name or a table, got %s",
               luaL_typename(L, index));
}

void push_network(lua_State *L, const struct mp_network *network) {
  lua_createtable(L, 0, 6);
  lua_pushstring(L, network->name);
  lua_setfield(L, -2, "name");
  lua_pushlstring(L, (const char *)network->magic, sizeof network->magic);
  lua_setfield(L, -2, "magic");
  lua_pushinteger(L, network->port);
  lua_setfield(L, -2, "port");
  lua_pushlstring(L, (const char *)network->genesis, sizeof network->genesis);
  lua_setfield(L, -2, "genesis");
  lua_pushboolean(L, network->checks_user_agent);
  lua_setfield(L, -2, "checks_user_agent");
  lua_newtable(L);
  for (int i = 0; i < MP_NETWORK_SEEDS && network->seeds[i]; i++) {
    lua_pushstring(L, network->seeds[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "seeds");
  push_limits(L, network);
}

/* --- addresses -------------------------------------------------------------
 */

void convert_address(lua_State *L, int index, uint16_t default_port,
                     struct mp_address *address) {
  struct mp_fault fault;
  const char *text = luaL_tolstring(L, index, NULL);
  if (lua_type(L, index) != LUA_TSTRING)
    luaL_error(L, "expected an address such as \"1.2.3.4:8333\", got %s", text);
  else if (mp_address_parse(address, text, default_port, &fault) != 0)
    luaL_error(L, "%s", fault.text);
  lua_pop(L, 1);
}

void push_address(lua_State *L, const struct mp_address *address) {
  char text[MP_ADDRESS_TEXT];
  lua_pushstring(L, mp_address_format(address, text));
}

/* --- configuration ---------------------------------------------------------
 */

static bool is_known(const char *key, const char *const *known) {
  for (; *known; known++)
    if (strcmp(*known, key) == 0)
      return true;
  return false;
}

/* All names there are, for the one that was meant. */
static void unknown_option(lua_State *L, const char *key,
                           const char *const *known) {
  size_t n, at = 0;
  const char *names[64];
  const struct mp_config_key *keys = mp_config_keys(&n);
  for (size_t i = 0; i < n && at < 48; i++)
    names[at++] = keys[i].name;
  for (; *known && at < 63; known++)
    names[at++] = *known;
  names[at] = NULL;
  convert_unknown(L, "option", key, names);
}

static int set_key(lua_State *L, struct mp_config *config,
                   const struct mp_config_key *key, struct mp_fault *fault) {
  switch (lua_type(L, -1)) {
  case LUA_TNUMBER:
    return mp_config_set_number(config, key, lua_tonumber(L, -1), fault);
  case LUA_TBOOLEAN:
    return mp_config_set_flag(config, key, lua_toboolean(L, -1), fault);
  case LUA_TSTRING:
    return mp_config_set_text(config, key, lua_tostring(L, -1), fault);
  default:
    return luaL_error(L, "%s: expected a number, a text or a flag, got %s",
                      key->name, luaL_typename(L, -1));
  }
}

void convert_config(lua_State *L, int index, struct mp_config *config,
                    const char *const *known) {
  struct mp_fault fault;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      luaL_error(L, "expected option names, got the %s key %s",
                 luaL_typename(L, -2), luaL_tolstring(L, -2, NULL));
    const char *name = lua_tostring(L, -2);
    const struct mp_config_key *key = mp_config_key(name);
    if (is_known(name, known))
      continue;
    if (!key)
      unknown_option(L, name, known);
    else if (set_key(L, config, key, &fault) != 0)
      luaL_error(L, "%s", fault.text);
  }
}
