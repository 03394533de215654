/* connection - connections in Lua: those of engines, and those that scripts
 * hold a conversation on. */
#include "script/connection.h"

#include <stdlib.h>
#include <string.h>

#include "script/conversation.h"
#include "script/convert.h"
#include "script/message.h"
#include "script/task.h"

static const char *const type_name = "moonpeer.connection";

struct box {
  struct mp_connection *connection; /* NULL when it is gone */
  struct conversation *talk;        /* NULL for an engine's */
  struct mp_address address;        /* what outlives it */
  bool is_inbound;
  int64_t rtt;
};

static struct box *self(lua_State *L) {
  return luaL_checkudata(L, 1, type_name);
}

static struct conversation *own_talk(lua_State *L, const char *what) {
  struct box *box = self(L);
  if (!box->talk)
    luaL_error(L,
               "%s is for connections of moonpeer.connect and "
               "moonpeer.listen; an engine has this one",
               what);
  return box->talk;
}

static struct box *box_new(lua_State *L, struct mp_connection *connection) {
  struct box *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = (struct box){.connection = connection,
                      .address = *mp_connection_address(connection),
                      .is_inbound = mp_connection_is_inbound(connection),
                      .rtt = -1};
  luaL_setmetatable(L, type_name);
  object_remember(L, connection);
  return box;
}

void connection_push(lua_State *L, struct mp_connection *connection) {
  if (!object_find(L, connection))
    box_new(L, connection);
}

void connection_push_talk(lua_State *L, struct conversation *talk) {
  box_new(L, talk->connection)->talk = talk;
  talk->has_object = true;
}

struct mp_connection *connection_check(lua_State *L, int index) {
  struct box *box = luaL_checkudata(L, index, type_name);
  return box->connection;
}

/* What can still be asked of it is kept. */
static void note(lua_State *L, struct box *box) {
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
  struct box *box = lua_touserdata(L, -1);
  note(L, box);
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

static int push_closed(lua_State *L, const struct box *box) {
  if (box->talk && box->talk->code)
    return push_failure(L, box->talk->code, box->talk->text);
  return push_failure(L, MP_ECLOSED, "the connection is closed");
}

static int get_address(lua_State *L, const struct box *box) {
  push_address(L, &box->address);
  return 1;
}

static int get_inbound(lua_State *L, const struct box *box) {
  lua_pushboolean(L, box->is_inbound);
  return 1;
}

static int get_state(lua_State *L, const struct box *box) {
  lua_pushstring(L, mp_state_name(box->connection
                                      ? mp_connection_state(box->connection)
                                      : MP_DISCONNECTED));
  return 1;
}

static int get_rtt(lua_State *L, const struct box *box) {
  int64_t rtt = box->connection ? mp_connection_rtt(box->connection) : box->rtt;
  if (rtt < 0)
    lua_pushnil(L);
  else
    lua_pushnumber(L, (lua_Number)rtt / (lua_Number)MP_SECOND);
  return 1;
}

/* Made once: the remote says it once. */
static int get_version(lua_State *L, const struct box *box) {
  if (lua_getiuservalue(L, 1, 1) != LUA_TNIL || !box->connection ||
      !mp_connection_version(box->connection))
    return 1;
  push_version(L, mp_connection_version(box->connection));
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, 1);
  return 1;
}

static const struct {
  const char *name;
  int (*get)(lua_State *L, const struct box *box);
} fields[] = {
    {"address", get_address}, {"inbound", get_inbound}, {"state", get_state},
    {"rtt", get_rtt},         {"version", get_version},
};

static int do_index(lua_State *L) {
  const struct box *box = self(L);
  const char *name = luaL_checkstring(L, 2);
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
    if (strcmp(fields[i].name, name) == 0)
      return fields[i].get(L, box);
  return object_method(L);
}

static int do_name(lua_State *L) {
  const struct box *box = self(L);
  char text[MP_ADDRESS_TEXT];
  lua_pushfstring(
      L, "%s: %s %s (%s)", type_name, mp_address_format(&box->address, text),
      box->is_inbound ? "inbound" : "outbound",
      mp_state_name(box->connection ? mp_connection_state(box->connection)
                                    : MP_DISCONNECTED));
  return 1;
}

/* --- saying ----------------------------------------------------------------
 */

static int do_send(lua_State *L) {
  struct box *box = self(L);
  const char *command = luaL_checkstring(L, 2);
  struct mp_fault fault;
  size_t n;
  if (strlen(command) > MP_COMMAND_SIZE)
    return luaL_argerror(L, 2, "expected a command of at most 12 bytes");
  message_encode(L, command, 3);
  const char *payload = lua_tolstring(L, -1, &n);
  if (!box->connection)
    return push_closed(L, box);
  return push_result(
      L, mp_connection_send(box->connection, command, payload, n, &fault),
      &fault);
}

static int do_send_raw(lua_State *L) {
  struct box *box = self(L);
  struct mp_fault fault;
  size_t n;
  const char *bytes = luaL_checklstring(L, 2, &n);
  if (!box->connection)
    return push_closed(L, box);
  return push_result(
      L, mp_connection_send_raw(box->connection, bytes, n, &fault), &fault);
}

static int do_close(lua_State *L) {
  struct box *box = self(L);
  /* as __close the second argument is the error on its way, or nil */
  const char *reason = lua_type(L, 2) == LUA_TSTRING && lua_gettop(L) == 2
                           ? lua_tostring(L, 2)
                           : NULL;
  if (box->connection)
    mp_connection_close(box->connection, MP_ECLOSED, reason);
  return 0;
}

static int do_closing(lua_State *L) {
  lua_settop(L, 1);
  return do_close(L);
}

static int do_reset(lua_State *L) {
  struct box *box = self(L);
  if (box->connection)
    mp_connection_reset(box->connection);
  return 0;
}

/* An engine's connection lives on without its object. */
static int do_gc(lua_State *L) {
  struct box *box = self(L);
  struct conversation *talk = box->talk;
  box->talk = NULL;
  box->connection = NULL;
  if (talk)
    conversation_let_go(talk);
  return 0;
}

/* --- waiting ---------------------------------------------------------------
 */

static int connect_on(lua_State *L, int status, lua_KContext context) {
  struct box *box = luaL_checkudata(L, -1, type_name);
  struct conversation *talk = box->talk;
  (void)status, (void)context;
  if (talk->is_established && !talk->is_over)
    return 1;
  if (talk->is_over)
    return push_closed(L, box);
  return task_wait(L, task_check(L, "connect"), &talk->waiters, connect_on);
}

/* Options of connect and listen: the session's part of a configuration. */
void connection_options(lua_State *L, int index, struct mp_config *config) {
  static const char *const known[] = {"network", "keepalive", NULL};
  struct mp_network network;
  lua_settop(L, index);
  if (lua_isnil(L, index)) {
    lua_newtable(L);
    lua_replace(L, index);
  }
  luaL_checktype(L, index, LUA_TTABLE);
  lua_getfield(L, index, "network");
  convert_network(L, -1, &network);
  mp_config_init(config, &network);
  config->session.ping_interval = 0; /* a script pings when it wants to */
  convert_config(L, index, config, known);
  if (lua_getfield(L, index, "keepalive") != LUA_TNIL)
    config->session.keepalive = lua_toboolean(L, -1);
  lua_pop(L, 2);
}

int connection_lua_connect(lua_State *L) {
  struct task *task = task_check(L, "connect");
  struct mp_config config;
  struct mp_address to;
  connection_options(L, 2, &config);
  convert_address(L, 1, config.network.port, &to);
  task_deadline(task, MP_FOREVER); /* connect_timeout holds */
  const struct conversation_setup setup = {script_of(L), task_loop(L),
                                           &config.network, &config.session};
  connection_push_talk(L, conversation_dial(&setup, &to));
  return connect_on(L, LUA_OK, 0);
}

static int handshake_on(lua_State *L, int status, lua_KContext context) {
  struct conversation *talk = own_talk(L, "handshake");
  (void)status, (void)context;
  if (talk->is_complete)
    return get_version(L, self(L));
  if (talk->is_over)
    return push_closed(L, self(L));
  return task_wait(L, task_check(L, "handshake"), &talk->waiters, handshake_on);
}

static int do_handshake(lua_State *L) {
  struct conversation *talk = own_talk(L, "handshake");
  struct task *task = task_check(L, "handshake");
  struct mp_version own;
  struct mp_fault fault;
  if (!talk->connection)
    return push_closed(L, self(L));
  mp_connection_own_version(talk->connection, &own);
  if (!lua_isnoneornil(L, 2))
    convert_version(L, 2, &own);
  if (mp_connection_handshake(talk->connection, &own, &fault) != 0)
    return push_fault(L, &fault);
  task_deadline(task, MP_FOREVER); /* handshake_timeout holds */
  return handshake_on(L, LUA_OK, 0);
}

/* Whether the command is the one, or one of those, at index 2. */
static bool is_awaited(lua_State *L, const char *command) {
  if (lua_isnil(L, 2))
    return true;
  if (lua_type(L, 2) == LUA_TSTRING)
    return strcmp(lua_tostring(L, 2), command) == 0;
  bool found = false;
  lua_Integer n = luaL_len(L, 2);
  for (lua_Integer i = 1; i <= n && !found; i++) {
    lua_geti(L, 2, i);
    found = lua_type(L, -1) == LUA_TSTRING &&
            strcmp(lua_tostring(L, -1), command) == 0;
    lua_pop(L, 1);
  }
  return found;
}

static int push_letter(lua_State *L) {
  struct letter *letter = lua_touserdata(L, 1);
  message_push_copy(L, letter->command, letter->payload, letter->size);
  return 1;
}

/* The letter is freed whatever happens on the way into Lua. */
static int give(lua_State *L, struct letter *letter) {
  lua_pushcfunction(L, push_letter);
  lua_pushlightuserdata(L, letter);
  int rc = lua_pcall(L, 1, 1, 0);
  free(letter);
  return rc == LUA_OK ? 1 : lua_error(L);
}

static int receive_on(lua_State *L, int status, lua_KContext context) {
  struct conversation *talk = own_talk(L, "receive");
  struct task *task = task_check(L, "receive");
  struct letter *letter;
  (void)status, (void)context;
  while ((letter = conversation_next(talk))) {
    if (is_awaited(L, letter->command))
      return give(L, letter);
    free(letter);
  }
  if (talk->is_over)
    return push_closed(L, self(L));
  if (task_is_late(task))
    return task_push_late(L, task,
                          lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2)
                                                        : "a message");
  return task_wait(L, task, &talk->waiters, receive_on);
}

static int do_receive(lua_State *L) {
  struct conversation *talk = own_talk(L, "receive");
  struct task *task = task_check(L, "receive");
  lua_settop(L, 3);
  if (!lua_isnil(L, 2) && !lua_istable(L, 2))
    luaL_checkstring(L, 2);
  task_deadline(task, convert_duration_or(L, 3, MP_FOREVER));
  if (talk->connection)
    mp_connection_pause(talk->connection, false);
  return receive_on(L, LUA_OK, 0);
}

void connection_open_type(lua_State *L) {
  static const luaL_Reg methods[] = {{"close", do_close},
                                     {"handshake", do_handshake},
                                     {"receive", do_receive},
                                     {"reset", do_reset},
                                     {"send", do_send},
                                     {"send_raw", do_send_raw},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__close", do_closing},
                                         {"__gc", do_gc},
                                         {"__tostring", do_name},
                                         {NULL, NULL}};
  object_type(L, type_name, methods, metamethods, do_index);
}
