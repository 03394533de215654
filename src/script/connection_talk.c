/* connection_talk - conversations in Lua: connect, and what waits. */
#include <stdlib.h>
#include <string.h>

#include "script/connection.h"
#include "script/conversation.h"
#include "script/convert.h"
#include "script/message.h"
#include "script/task.h"

static struct connection_box *self(lua_State *L) {
  return luaL_checkudata(L, 1, connection_type);
}

static int connect_on(lua_State *L, int status, lua_KContext context) {
  struct connection_box *box = luaL_checkudata(L, -1, connection_type);
  struct conversation *talk = box->talk;
  struct task *task = task_check(L, "connect");
  (void)status, (void)context;
  if (talk->is_established && !talk->is_over)
    return 1;
  if (talk->is_over)
    return connection_push_closed(L, box);
  if (task_is_cancelled(task)) /* not when the garbage is collected */
    mp_connection_close(talk->connection, MP_ECANCELLED, "cancelled");
  return task_wait(L, task, &talk->waiters, connect_on);
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
  if (lua_getfield(L, index, "keepalive") != LUA_TNIL) {
    if (!lua_isboolean(L, -1))
      luaL_error(L, "keepalive: expected true or false, got %s",
                 luaL_typename(L, -1));
    config->session.keepalive = lua_toboolean(L, -1);
  }
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
  struct conversation *talk = connection_talk(L, "handshake");
  (void)status, (void)context;
  if (talk->is_complete)
    return connection_push_version(L, self(L));
  if (talk->is_over)
    return connection_push_closed(L, self(L));
  return task_wait(L, task_check(L, "handshake"), &talk->waiters, handshake_on);
}

static int do_handshake(lua_State *L) {
  struct conversation *talk = connection_talk(L, "handshake");
  struct task *task = task_check(L, "handshake");
  struct mp_version own;
  struct mp_fault fault;
  if (!talk->connection)
    return connection_push_closed(L, self(L));
  mp_connection_own_version(talk->connection, &own);
  if (!lua_isnoneornil(L, 2))
    convert_version(L, 2, &own);
  if (mp_connection_handshake(talk->connection, &own, &fault) != 0)
    return push_fault(L, &fault);
  task_deadline(task, MP_FOREVER); /* handshake_timeout holds */
  return handshake_on(L, LUA_OK, 0);
}

/* Whether the command is the one, or one of those, at index 2. */
bool connection_is_awaited(lua_State *L, const char *command) {
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

int connection_give(lua_State *L, struct letter *letter, lua_CFunction push) {
  lua_pushcfunction(L, push);
  lua_pushlightuserdata(L, letter);
  int rc = lua_pcall(L, 1, 1, 0);
  free(letter);
  return rc == LUA_OK ? 1 : lua_error(L);
}

static int receive_on(lua_State *L, int status, lua_KContext context) {
  struct conversation *talk = connection_talk(L, "receive");
  struct task *task = task_check(L, "receive");
  struct letter *letter;
  (void)status, (void)context;
  while ((letter = conversation_next(talk))) {
    if (!letter->is_chunk && connection_is_awaited(L, letter->command))
      return connection_give(L, letter, push_letter);
    free(letter);
  }
  if (talk->is_over)
    return connection_push_closed(L, self(L));
  if (task_is_late(task))
    return task_push_late(L, task,
                          lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2)
                                                        : "a message");
  return task_wait(L, task, &talk->waiters, receive_on);
}

static int do_receive(lua_State *L) {
  struct conversation *talk = connection_talk(L, "receive");
  struct task *task = task_check(L, "receive");
  lua_settop(L, 3);
  if (!lua_isnil(L, 2) && !lua_istable(L, 2))
    luaL_checktype(L, 2, LUA_TSTRING);
  task_deadline(task, convert_duration_or(L, 3, MP_FOREVER));
  conversation_listen(talk);
  return receive_on(L, LUA_OK, 0);
}

/* --- what peers that play a part need --------------------------------------
 */

/* pause(on): does not read, or reads again. */
static int do_pause(lua_State *L) {
  struct conversation *talk = connection_talk(L, "pause");
  if (talk->connection)
    mp_connection_pause(talk->connection, lua_toboolean(L, 2));
  return 0;
}

static int over_on(lua_State *L, int status, lua_KContext context) {
  struct conversation *talk = connection_talk(L, "expect_closed");
  struct task *task = task_check(L, "expect_closed");
  struct letter *letter;
  (void)status, (void)context;
  while ((letter = conversation_next(talk)))
    free(letter);
  if (!talk->is_over && !task_is_late(task))
    return task_wait(L, task, &talk->waiters, over_on);
  return talk->is_over ? connection_push_closed(L, self(L)) : 0;
}

/* wait_closed(timeout): nil, why, code; or nothing when it is late. What
 * comes meanwhile is dropped. */
static int do_wait_closed(lua_State *L) {
  struct conversation *talk = connection_talk(L, "expect_closed");
  task_deadline(task_check(L, "expect_closed"),
                convert_duration_or(L, 2, MP_FOREVER));
  conversation_listen(talk);
  return over_on(L, LUA_OK, 0);
}

/* record(path, first line, name of us, name of the remote) */
static int do_record(lua_State *L) {
  struct conversation *talk = connection_talk(L, "record");
  struct mp_fault fault;
  const struct record_setup setup = {.path = luaL_checkstring(L, 2),
                                     .title = luaL_checkstring(L, 3),
                                     .us = luaL_checkstring(L, 4),
                                     .remote = luaL_checkstring(L, 5)};
  if (!talk->connection)
    return connection_push_closed(L, self(L));
  return push_result(L, conversation_record(talk, &setup, &fault), &fault);
}

const luaL_Reg connection_talk_methods[] = {
    {"handshake", do_handshake},     {"pause", do_pause},
    {"receive", do_receive},         {"record_to", do_record},
    {"wait_closed", do_wait_closed}, {NULL, NULL}};
