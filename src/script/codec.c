/* codec - frames and messages in Lua without an engine. */
#include <string.h>

#include "script/convert.h"
#include "script/message.h"
#include "script/script.h"

/* --- options --------------------------------------------------------------
 */

/* { network = ..., and so on } at index, or nothing. */
static void take_network(lua_State *L, int index, const char *const *known,
                         struct mp_network *network) {
  if (lua_isnoneornil(L, index)) {
    *network = *mp_network_find("mainnet");
    return;
  }
  luaL_checktype(L, index, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    size_t i = 0;
    while (known[i] && strcmp(known[i], key) != 0)
      i++;
    if (!known[i])
      convert_unknown(L, "option", key, known);
  }
  lua_getfield(L, index, "network");
  convert_network(L, -1, network);
  lua_pop(L, 1);
}

static lua_Integer take_position(lua_State *L, int index) {
  lua_Integer position = 1;
  if (lua_istable(L, index)) {
    lua_getfield(L, index, "position");
    position = luaL_optinteger(L, -1, 1);
    lua_pop(L, 1);
  }
  if (position < 1)
    luaL_error(L, "position: expected 1 or more, got %I", position);
  return position;
}

static enum value_form take_form(lua_State *L, int index) {
  bool is_text = false;
  if (lua_istable(L, index)) {
    lua_getfield(L, index, "text");
    is_text = lua_toboolean(L, -1);
    lua_pop(L, 1);
  }
  return is_text ? VALUE_TEXT : VALUE_RAW;
}

/* --- encode ---------------------------------------------------------------
 */

static int too_large(lua_State *L, const char *command, size_t n,
                     uint64_t most) {
  lua_pushnil(L);
  lua_pushfstring(L, "%s: expected at most %I bytes of payload, got %I",
                  command, (lua_Integer)most, (lua_Integer)n);
  lua_pushstring(L, mp_error_name(MP_EOVERSIZE));
  return 3;
}

/* The limit of a declared message counts instead of the network's. */
static bool take_limit(lua_State *L, const char *command,
                       struct mp_network *network) {
  const struct mp_message_type *type = declared_find(script_of(L), command);
  if (!type || !type->limit)
    return false;
  network->max_payload = type->limit;
  network->limits = NULL;
  return true;
}

/* Raises. */
static int refuse_command(lua_State *L, const char *command) {
  enum { SHOWN = 40 };
  lua_pushlstring(L, command, strnlen(command, SHOWN));
  lua_pushfstring(L,
                  "expected a command of at most 12 printable ASCII characters "
                  "that does not begin with extmsg, got \"%s\"",
                  lua_tostring(L, -1));
  return luaL_argerror(L, 1, lua_tostring(L, -1));
}

/* encode(command, fields, { network =, text = }) */
int codec_lua_encode(lua_State *L) {
  static const char *const known[] = {"network", "text", NULL};
  uint8_t header[MP_HEADER_MAX];
  struct mp_network network;
  size_t n;
  const char *command = luaL_checkstring(L, 1);
  lua_settop(L, 3);
  take_network(L, 3, known, &network);
  message_encode_as(L, command, 2, take_form(L, 3));
  const char *payload = lua_tolstring(L, -1, &n);
  take_limit(L, command, &network);
  uint64_t most = mp_network_limit(&network, command);
  if (n > most)
    return too_large(L, command, n, most);
  size_t size = mp_message_header(header, &network, command, payload, n,
                                  script_hasher(L));
  if (!size)
    return refuse_command(L, command);
  lua_pushlstring(L, (const char *)header, size);
  lua_insert(L, -2);
  lua_concat(L, 2);
  return 1;
}

/* --- decode ---------------------------------------------------------------
 */

/* nil, why, its code, the position behind the frame (nil when it is not
 * known), and the place of what is wrong. */
static int push_bad(lua_State *L, const struct mp_fault *fault,
                    lua_Integer next, lua_Integer at) {
  push_fault(L, fault);
  if (next)
    lua_pushinteger(L, next);
  else
    lua_pushnil(L);
  lua_pushinteger(L, at);
  return 5;
}

/* A frame that is not all there: the fourth value is how many bytes of it
 * are missing at least. */
static int push_short(lua_State *L, const struct mp_cut *cut, size_t n,
                      lua_Integer at) {
  uint64_t whole = cut->header_size + cut->payload_size;
  if (!cut->header_size) /* the rest of the shorter header, then more */
    whole = n < 24 ? 24 : MP_HEADER_MAX;
  lua_pushnil(L);
  lua_pushfstring(L, "frame: expected %I bytes, got %I", (lua_Integer)whole,
                  (lua_Integer)n);
  lua_pushstring(L, mp_error_name(MP_EWOULD_BLOCK));
  lua_pushinteger(L, (lua_Integer)(whole - n));
  lua_pushinteger(L, at + (lua_Integer)n);
  return 5;
}

/* Where in a frame the mistake is that was found while cutting it. */
static size_t wrong_at(int rc, const struct mp_cut *cut) {
  switch (rc) {
  case MP_EPROTOCOL: return cut->is_extended ? 24 : 4;
  case MP_EOVERSIZE: return cut->is_extended ? 36 : 16;
  case MP_ECHECKSUM: return 20;
  default: return 0;
  }
}

/* decode(bytes, { network =, position = }): the message, the next position. */
int codec_lua_decode(lua_State *L) {
  static const char *const known[] = {"network", "position", NULL};
  struct mp_network network;
  struct mp_fault fault = {0};
  struct mp_cut cut;
  uint64_t at;
  size_t n;
  const char *bytes = luaL_checklstring(L, 1, &n);
  lua_settop(L, 2);
  take_network(L, 2, known, &network);
  lua_Integer start = take_position(L, 2);
  size_t skip = (size_t)start - 1 < n ? (size_t)start - 1 : n;
  int rc = mp_message_cut(&cut, &network, bytes + skip, n - skip,
                          script_hasher(L), &fault);
  if (cut.header_size && take_limit(L, cut.command, &network))
    rc = mp_message_cut(&cut, &network, bytes + skip, n - skip,
                        script_hasher(L), &fault);
  if (rc == 0)
    return push_short(L, &cut, n - skip, start);
  lua_Integer next = start + (lua_Integer)(cut.header_size + cut.payload_size);
  if (rc < 0)
    return push_bad(L, &fault,
                    rc == MP_ENETWORK || rc == MP_EOVERSIZE ? 0 : next,
                    start + (lua_Integer)wrong_at(rc, &cut));
  if (message_push_checked(L, &cut, &at, &fault) != 0)
    return push_bad(L, &fault, next,
                    start + (lua_Integer)(cut.header_size + at));
  lua_pushinteger(L, next);
  return 2;
}
