/* connection - connections in Lua: those of engines, and those that scripts
 * hold a conversation on. */
#include "script/connection.h"

#include <stdlib.h>
#include <string.h>

#include "script/conversation.h"
#include "script/convert.h"
#include "script/engine.h"
#include "script/message.h"
#include "script/task.h"

const char connection_type[] = "moonpeer.connection";

static struct connection_box *self(lua_State *L) {
  return luaL_checkudata(L, 1, connection_type);
}

struct conversation *connection_talk(lua_State *L, const char *what) {
  struct connection_box *box = self(L);
  if (!box->talk)
    luaL_error(L,
               "%s is for connections of moonpeer.connect and "
               "moonpeer.listen; an engine has this one",
               what);
  return box->talk;
}

static struct connection_box *box_new(lua_State *L,
                                      struct mp_connection *connection) {
  struct connection_box *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = (struct connection_box){.connection = connection,
                                 .address = *mp_connection_address(connection),
                                 .is_inbound =
                                     mp_connection_is_inbound(connection),
                                 .rtt = -1};
  luaL_setmetatable(L, connection_type);
  object_remember(L, connection);
  return box;
}

void connection_push(lua_State *L, struct mp_connection *connection) {
  if (!object_find(L, connection))
    box_new(L, connection);
}

/* On sockets a connection that nobody refers to is closed with the garbage.
 * In a world nothing may happen because of that: it stays until its end. */
static void keep(lua_State *L, const struct mp_connection *connection,
                 bool on) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, connection_type);
  luaL_getsubtable(L, -1, "kept");
  if (on)
    lua_pushvalue(L, -3);
  else
    lua_pushnil(L);
  lua_rawsetp(L, -2, connection);
  lua_pop(L, 2);
}

void connection_push_talk(lua_State *L, struct conversation *talk) {
  box_new(L, talk->connection)->talk = talk;
  talk->has_object = true;
  if (talk->script->in_world)
    keep(L, talk->connection, true);
}

struct mp_connection *connection_check(lua_State *L, int index) {
  struct connection_box *box = luaL_checkudata(L, index, connection_type);
  return box->connection;
}

/* What can still be asked of it is kept. */
static void note(lua_State *L, struct connection_box *box) {
  struct mp_connection *c = box->connection;
  box->rtt = mp_connection_rtt(c);
  if (mp_connection_version(c) && lua_getiuservalue(L, -1, 1) == LUA_TNIL) {
    push_version(L, mp_connection_version(c));
    lua_setiuservalue(L, -3, 1);
    lua_pop(L, 1);
  }
}

/* Runs inside script_enter. */
static int forget(lua_State *L) {
  struct mp_connection *c = lua_touserdata(L, 1);
  if (!object_find(L, c))
    return 0;
  struct connection_box *box = lua_touserdata(L, -1);
  note(L, box);
  if (box->talk)
    keep(L, c, false);
  box->connection = NULL;
  object_forget(L, c);
  return 0;
}

void connection_gone(struct script *script, struct mp_loop *loop,
                     struct mp_connection *connection) {
  script_enter(script, loop, forget, connection);
}

/* --- fields ----------------------------------------------------------------
 */

int connection_push_closed(lua_State *L, const struct connection_box *box) {
  if (box->talk && box->talk->code)
    return push_failure(L, box->talk->code, box->talk->text);
  return push_failure(L, MP_ECLOSED, "the connection is closed");
}

static int get_address(lua_State *L, const struct connection_box *box) {
  push_address(L, &box->address);
  return 1;
}

static int get_inbound(lua_State *L, const struct connection_box *box) {
  lua_pushboolean(L, box->is_inbound);
  return 1;
}

static int get_state(lua_State *L, const struct connection_box *box) {
  lua_pushstring(L, mp_state_name(box->connection
                                      ? mp_connection_state(box->connection)
                                      : MP_DISCONNECTED));
  return 1;
}

static int get_rtt(lua_State *L, const struct connection_box *box) {
  int64_t rtt = box->connection ? mp_connection_rtt(box->connection) : box->rtt;
  if (rtt < 0)
    lua_pushnil(L);
  else
    lua_pushnumber(L, (lua_Number)rtt / (lua_Number)MP_SECOND);
  return 1;
}

/* Made once: the remote says it once. */
int connection_push_version(lua_State *L, const struct connection_box *box) {
  if (lua_getiuservalue(L, 1, 1) != LUA_TNIL || !box->connection ||
      !mp_connection_version(box->connection))
    return 1;
  push_version(L, mp_connection_version(box->connection));
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, 1);
  return 1;
}

/* As the store has it now: the object of a connection knows no engine. */
static int get_peer(lua_State *L, const struct connection_box *box) {
  struct mp_engine *engine =
      box->connection ? mp_engine_of(box->connection) : NULL;
  if (engine)
    engine_push_peer(L, mp_engine_data(engine),
                     mp_engine_peer(engine, box->connection));
  else
    lua_pushnil(L);
  return 1;
}

static const struct {
  const char *name;
  int (*get)(lua_State *L, const struct connection_box *box);
} fields[] = {
    {"address", get_address}, {"inbound", get_inbound},
    {"state", get_state},     {"rtt", get_rtt},
    {"peer", get_peer},       {"version", connection_push_version},
};

static int do_index(lua_State *L) {
  const struct connection_box *box = self(L);
  const char *name = luaL_checkstring(L, 2);
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
    if (strcmp(fields[i].name, name) == 0)
      return fields[i].get(L, box);
  return object_method(L);
}

static int do_name(lua_State *L) {
  const struct connection_box *box = self(L);
  char text[MP_ADDRESS_TEXT];
  lua_pushfstring(L, "%s: %s %s (%s)", connection_type,
                  mp_address_format(&box->address, text),
                  box->is_inbound ? "inbound" : "outbound",
                  mp_state_name(box->connection
                                    ? mp_connection_state(box->connection)
                                    : MP_DISCONNECTED));
  return 1;
}

/* --- saying ----------------------------------------------------------------
 */

static int do_send(lua_State *L) {
  struct connection_box *box = self(L);
  luaL_checktype(L, 2, LUA_TSTRING);
  const char *command = lua_tostring(L, 2);
  struct mp_fault fault;
  size_t n;
  if (strlen(command) > MP_COMMAND_SIZE)
    return luaL_argerror(L, 2, "expected a command of at most 12 bytes");
  message_encode(L, command, 3);
  const char *payload = lua_tolstring(L, -1, &n);
  if (!box->connection)
    return connection_push_closed(L, box);
  return push_result(
      L, mp_connection_send(box->connection, command, payload, n, &fault),
      &fault);
}

static int do_send_raw(lua_State *L) {
  struct connection_box *box = self(L);
  struct mp_fault fault;
  size_t n;
  const char *bytes = luaL_checklstring(L, 2, &n);
  if (!box->connection)
    return connection_push_closed(L, box);
  return push_result(
      L, mp_connection_send_raw(box->connection, bytes, n, &fault), &fault);
}

static int do_close(lua_State *L) {
  struct connection_box *box = self(L);
  /* as __close the second argument is the error on its way, or nil */
  const char *reason = lua_type(L, 2) == LUA_TSTRING && lua_gettop(L) == 2
                           ? lua_tostring(L, 2)
                           : NULL;
  if (box->talk && box->connection)
    box->talk->is_left = true;
  if (box->connection)
    mp_connection_close(box->connection, MP_ECLOSED, reason);
  return 0;
}

static int do_closing(lua_State *L) {
  lua_settop(L, 1);
  return do_close(L);
}

static int do_reset(lua_State *L) {
  struct connection_box *box = self(L);
  if (box->talk)
    box->talk->is_left = true;
  if (box->connection)
    mp_connection_reset(box->connection);
  return 0;
}

/* An engine's connection lives on without its object. */
static int do_gc(lua_State *L) {
  struct connection_box *box = self(L);
  struct conversation *talk = box->talk;
  box->talk = NULL;
  box->connection = NULL;
  if (talk)
    conversation_let_go(talk);
  return 0;
}

void connection_open_type(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"close", do_close},       {"reset", do_reset},
      {"send", do_send},         {"send_from", connection_lua_send_from},
      {"send_raw", do_send_raw}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__close", do_closing},
                                         {"__gc", do_gc},
                                         {"__tostring", do_name},
                                         {NULL, NULL}};
  object_type(L, connection_type, methods, metamethods, do_index);
  object_methods(L, connection_type);
  luaL_setfuncs(L, connection_talk_methods, 0);
  luaL_setfuncs(L, connection_chunk_methods, 0);
  lua_pop(L, 1);
}
