/* peer - peers in Lua: objects with read-only fields. */
#include "script/peer.h"

#include <string.h>

#include "base/fault.h"
#include "moonpeer/loop.h"
#include "script/json.h"

static const char *const type_name = "moonpeer.peer";

/* User value 1 is the store's object. */
struct box {
  struct store_box *home;
  const struct mp_peer *peer; /* as of so many deletions */
  uint64_t deletions;
  uint8_t id[MP_UUID_SIZE];
};

/* --- objects ---------------------------------------------------------------
 */

static bool is_peer(const struct mp_peer *peer, const uint8_t *id) {
  return memcmp(mp_peer_id(peer), id, MP_UUID_SIZE) == 0;
}

/* Whether an object is of the peer that is now at its place; most often that
 * can be told without a look at the peer. */
static bool is_of(const struct box *box, const struct mp_peer *peer) {
  bool is_fresh = box->deletions == box->home->store->deletions;
  return (is_fresh && box->peer == peer) || is_peer(peer, box->id);
}

static void push_new(lua_State *L, struct store_box *home,
                     const struct mp_peer *peer) {
  struct box *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = (struct box){home, peer, home->store->deletions, {0}};
  memcpy(box->id, mp_peer_id(peer), sizeof box->id);
  luaL_setmetatable(L, type_name);
  if (!object_find(L, home))
    luaL_error(L, "the store's object is gone");
  lua_setiuservalue(L, -2, 1);
}

/* registry[store] holds the objects of its peers, weakly, by their place; the
 * one that stands there may be of a peer that was deleted. */
void peer_push(lua_State *L, struct store_box *home,
               const struct mp_peer *peer) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, home);
  if (lua_rawgetp(L, -1, peer) == LUA_TUSERDATA) {
    const struct box *box = lua_touserdata(L, -1);
    if (is_of(box, peer)) {
      lua_replace(L, -2);
      return;
    }
  }
  lua_pop(L, 1);
  push_new(L, home, peer);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, -3, peer);
  lua_replace(L, -2);
}

/* NULL when it was deleted, or the store is closed. */
static const struct mp_peer *find(struct box *box) {
  const struct store *store = box->home->store;
  if (!store)
    return NULL;
  if (box->deletions != store->deletions) {
    box->peer = mp_store_read(store->core, box->id);
    box->deletions = store->deletions;
  }
  return box->peer;
}

static const struct mp_peer *live(lua_State *L, struct box *box) {
  char text[MP_UUID_TEXT];
  const struct mp_peer *peer = find(box);
  if (!peer)
    luaL_error(L, "the peer %s %s", mp_uuid_format(box->id, text),
               box->home->store ? "was deleted"
                                : "is of a store that is "
                                  "closed");
  return peer;
}

static const struct mp_peer *self(lua_State *L) {
  return live(L, luaL_checkudata(L, 1, type_name));
}

bool peer_is(lua_State *L, int index) {
  return luaL_testudata(L, index, type_name) != NULL;
}

const struct mp_peer *peer_get(lua_State *L, int index) {
  return find(luaL_checkudata(L, index, type_name));
}

int peer_take_id(lua_State *L, int index, uint8_t id[MP_UUID_SIZE],
                 struct mp_fault *fault) {
  const struct box *box = luaL_testudata(L, index, type_name);
  if (box) {
    memcpy(id, box->id, MP_UUID_SIZE);
    return 0;
  }
  if (lua_type(L, index) != LUA_TSTRING)
    return luaL_error(L, "expected a peer or its id, got %s",
                      luaL_typename(L, index));
  if (mp_uuid_parse(id, lua_tostring(L, index)))
    return 0;
  return fault_set(fault, MP_ENOT_FOUND,
                   "expected the id of a peer, a UUID, got \"%.60s\"",
                   lua_tostring(L, index));
}

/* --- fields ----------------------------------------------------------------
 */

/* Times: seconds, to the whole one; nil is pushed for never. */
static void push_seconds(lua_State *L, int64_t time) {
  if (time)
    lua_pushinteger(L, time / MP_SECOND);
  else
    lua_pushnil(L);
}

static void push_name(lua_State *L, const char *name) {
  if (name[0])
    lua_pushstring(L, name);
  else
    lua_pushnil(L);
}

static void get_id(lua_State *L, const struct mp_peer *peer) {
  char text[MP_UUID_TEXT];
  lua_pushstring(L, mp_uuid_format(mp_peer_id(peer), text));
}

static void get_ip(lua_State *L, const struct mp_peer *peer) {
  char text[MP_ADDRESS_TEXT];
  struct mp_address address;
  mp_peer_address(peer, &address);
  lua_pushstring(L, mp_address_format_ip(&address, text));
}

static void get_port(lua_State *L, const struct mp_peer *peer) {
  struct mp_address address;
  mp_peer_address(peer, &address);
  lua_pushinteger(L, address.port);
}

static void get_address(lua_State *L, const struct mp_peer *peer) {
  char text[MP_ADDRESS_TEXT];
  struct mp_address address;
  mp_peer_address(peer, &address);
  lua_pushstring(L, mp_address_format(&address, text));
}

static void get_status(lua_State *L, const struct mp_peer *peer) {
  lua_pushstring(L, mp_status_name(mp_peer_status(peer)));
}

static void get_status_time(lua_State *L, const struct mp_peer *peer) {
  push_seconds(L, mp_peer_status_time(peer));
}

static void get_ban_reason(lua_State *L, const struct mp_peer *peer) {
  push_name(L, mp_ban_reason_name(mp_peer_ban_reason(peer)));
}

static void get_source(lua_State *L, const struct mp_peer *peer) {
  struct mp_source source;
  mp_peer_source(peer, &source);
  push_name(L, mp_source_kind_name(source.kind));
}

static void get_source_address(lua_State *L, const struct mp_peer *peer) {
  static const struct mp_address none;
  char text[MP_ADDRESS_TEXT];
  struct mp_source source;
  mp_peer_source(peer, &source);
  if (mp_address_equal(&source.address, &none))
    lua_pushnil(L);
  else
    lua_pushstring(L, source.address.port
                          ? mp_address_format(&source.address, text)
                          : mp_address_format_ip(&source.address, text));
}

static void get_services(lua_State *L, const struct mp_peer *peer) {
  lua_pushinteger(L, (lua_Integer)mp_peer_services(peer));
}

static void get_user_agent(lua_State *L, const struct mp_peer *peer) {
  size_t n;
  const char *text = mp_peer_user_agent(peer, &n);
  lua_pushlstring(L, text, n);
}

static void get_protocol_version(lua_State *L, const struct mp_peer *peer) {
  lua_pushinteger(L, mp_peer_protocol_version(peer));
}

static void get_start_height(lua_State *L, const struct mp_peer *peer) {
  lua_pushinteger(L, mp_peer_start_height(peer));
}

static void get_first_seen(lua_State *L, const struct mp_peer *peer) {
  push_seconds(L, mp_peer_first_seen(peer));
}

static void get_last_seen(lua_State *L, const struct mp_peer *peer) {
  push_seconds(L, mp_peer_last_seen(peer));
}

static void get_last_tried(lua_State *L, const struct mp_peer *peer) {
  push_seconds(L, mp_peer_last_tried(peer));
}

static void get_failures(lua_State *L, const struct mp_peer *peer) {
  lua_pushinteger(L, mp_peer_failures(peer));
}

static void get_rtt(lua_State *L, const struct mp_peer *peer) {
  int64_t rtt = mp_peer_rtt(peer);
  if (rtt)
    lua_pushnumber(L, (lua_Number)rtt / (lua_Number)MP_SECOND);
  else
    lua_pushnil(L);
}

/* A new table each time: changing it changes nothing until it is given to
 * update. */
static void get_data(lua_State *L, const struct mp_peer *peer) {
  struct mp_fault fault;
  const char *text = mp_peer_data(peer);
  if (!text[0])
    lua_newtable(L);
  else if (json_read(L, text, strlen(text), &fault) != 0)
    luaL_error(L, "data: %s", fault.text);
}

static const struct {
  const char *name;
  void (*get)(lua_State *L, const struct mp_peer *peer);
} fields[] = {
    {"id", get_id},
    {"ip", get_ip},
    {"port", get_port},
    {"address", get_address},
    {"status", get_status},
    {"status_time", get_status_time},
    {"ban_reason", get_ban_reason},
    {"source", get_source},
    {"source_address", get_source_address},
    {"services", get_services},
    {"user_agent", get_user_agent},
    {"protocol_version", get_protocol_version},
    {"start_height", get_start_height},
    {"first_seen", get_first_seen},
    {"last_seen", get_last_seen},
    {"last_tried", get_last_tried},
    {"failures", get_failures},
    {"rtt", get_rtt},
    {"data", get_data},
};

enum { FIELDS = sizeof fields / sizeof *fields, DATA = FIELDS - 1 };

/* Fields are numbers among the methods. */
static int do_index(lua_State *L) {
  struct box *box = luaL_checkudata(L, 1, type_name);
  char text[MP_UUID_TEXT];
  object_method(L);
  if (!lua_isinteger(L, -1))
    return 1;
  size_t i = (size_t)lua_tointeger(L, -1);
  if (i == 0) /* the id of a deleted one can be asked for */
    lua_pushstring(L, mp_uuid_format(box->id, text));
  else
    fields[i].get(L, live(L, box));
  return 1;
}

static int do_newindex(lua_State *L) {
  return luaL_error(L,
                    "expected no assignment to peer.%s: fields are changed "
                    "with store:update(peer, { %s = ... })",
                    luaL_tolstring(L, 2, NULL), luaL_tolstring(L, 2, NULL));
}

/* --- methods ---------------------------------------------------------------
 */

static int do_is_valid(lua_State *L) {
  lua_pushboolean(L, mp_peer_is_valid(self(L)));
  return 1;
}

static int do_is_inaccessible(lua_State *L) {
  lua_pushboolean(L, mp_peer_is_inaccessible(self(L)));
  return 1;
}

static int do_is_banned(lua_State *L) {
  lua_pushboolean(L, mp_peer_is_banned(self(L)));
  return 1;
}

static int do_is_stored(lua_State *L) {
  lua_pushboolean(L, find(luaL_checkudata(L, 1, type_name)) != NULL);
  return 1;
}

void peer_push_table(lua_State *L, const struct mp_peer *peer) {
  const char *unknown = mp_peer_unknown(peer);
  lua_createtable(L, 0, FIELDS);
  luaL_checkstack(L, 4, "peer");
  for (size_t i = 0; i < FIELDS; i++) {
    if (i == DATA && !mp_peer_data(peer)[0])
      continue;
    fields[i].get(L, peer);
    lua_setfield(L, -2, fields[i].name);
  }
  if (unknown[0]) {
    lua_pushstring(L, unknown);
    lua_setfield(L, -2, "unknown");
  }
}

static int do_table(lua_State *L) {
  peer_push_table(L, self(L));
  return 1;
}

static int do_name(lua_State *L) {
  struct box *box = luaL_checkudata(L, 1, type_name);
  const struct mp_peer *peer = find(box);
  char text[MP_ADDRESS_TEXT];
  struct mp_address address;
  if (!peer) {
    lua_pushfstring(L, "%s: %s (%s)", type_name, mp_uuid_format(box->id, text),
                    box->home->store ? "deleted" : "store closed");
    return 1;
  }
  mp_peer_address(peer, &address);
  lua_pushfstring(L, "%s: %s (%s)", type_name,
                  mp_address_format(&address, text),
                  mp_status_name(mp_peer_status(peer)));
  return 1;
}

void peer_open_type(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"is_banned", do_is_banned}, {"is_inaccessible", do_is_inaccessible},
      {"is_stored", do_is_stored}, {"is_valid", do_is_valid},
      {"table", do_table},         {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__newindex", do_newindex}, {"__tostring", do_name}, {NULL, NULL}};
  object_type(L, type_name, methods, metamethods, do_index);
  object_methods(L, type_name);
  for (size_t i = 0; i < FIELDS; i++) {
    lua_pushinteger(L, (lua_Integer)i);
    lua_setfield(L, -2, fields[i].name);
  }
  lua_pop(L, 1);
}
