/* connection_chunk - payloads that are too large to be held, in Lua: received
 * chunk by chunk, sent from a file or a function. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/actor.h"
#include "script/connection.h"
#include "script/conversation.h"
#include "script/convert.h"
#include "script/task.h"

/* --- receiving ------------------------------------------------------------
 */

/* The command, or those, at index 2; nil: all. */
static void expect(lua_State *L, struct conversation *talk) {
  if (lua_isnoneornil(L, 2)) {
    talk->hooks.chunks = UINT64_MAX;
    return;
  }
  if (lua_type(L, 2) == LUA_TSTRING) {
    talk->hooks.chunks |= mp_command_bit(lua_tostring(L, 2));
    return;
  }
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_Integer n = luaL_len(L, 2);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_geti(L, 2, i);
    talk->hooks.chunks |= mp_command_bit(luaL_checkstring(L, -1));
    lua_pop(L, 1);
  }
}

static int do_expect(lua_State *L) {
  expect(L, connection_talk(L, "expect_chunks"));
  return 0;
}

static int push_chunk(lua_State *L) {
  const struct letter *letter = lua_touserdata(L, 1);
  lua_createtable(L, 0, 6);
  lua_pushstring(L, letter->command);
  lua_setfield(L, -2, "command");
  lua_pushinteger(L, (lua_Integer)letter->offset);
  lua_setfield(L, -2, "offset");
  lua_pushinteger(L, (lua_Integer)letter->total);
  lua_setfield(L, -2, "total");
  lua_pushlstring(L, (const char *)letter->payload, letter->size);
  lua_setfield(L, -2, "bytes");
  lua_pushboolean(L, letter->is_last);
  lua_setfield(L, -2, "last");
  if (letter->code) {
    lua_pushstring(L, mp_error_name(letter->code));
    lua_setfield(L, -2, "code");
  }
  return 1;
}

static int receive_on(lua_State *L, int status, lua_KContext context) {
  struct conversation *talk = connection_talk(L, "receive_chunk");
  struct task *task = task_check(L, "receive_chunk");
  struct letter *letter;
  (void)status, (void)context;
  while ((letter = conversation_next(talk))) {
    if (letter->is_chunk && connection_is_awaited(L, letter->command))
      return connection_give(L, letter, push_chunk);
    free(letter);
  }
  if (talk->is_over)
    return connection_push_closed(L, luaL_checkudata(L, 1, connection_type));
  if (task_is_late(task))
    return task_push_late(L, task, "a chunk");
  return task_wait(L, task, &talk->waiters, receive_on);
}

static int do_receive(lua_State *L) {
  struct conversation *talk = connection_talk(L, "receive_chunk");
  struct task *task = task_check(L, "receive_chunk");
  lua_settop(L, 3);
  expect(L, talk);
  task_deadline(task, convert_duration_or(L, 3, MP_FOREVER));
  conversation_listen(talk);
  return receive_on(L, LUA_OK, 0);
}

/* --- sending --------------------------------------------------------------
 */

/* A payload under way; anchored by its address until it is done. User value 1:
 * the file or function it comes from. */
struct sender {
  struct script *script;
  struct mp_loop *loop;
  struct waiters waiters;
  luaL_Stream *file; /* NULL: a function */
  off_t start, at;   /* of the payload in the file; where the file stands */
  char words[200];   /* why its function failed */
  int rc;
  bool is_done;
};

/* One call of a function. */
struct asking {
  struct sender *sender;
  uint64_t offset;
  void *bytes;
  size_t n;
  ptrdiff_t got;
};

/* function(offset, n), with its result checked; raises. */
static int ask(lua_State *L) {
  struct asking *asking = lua_touserdata(L, 1);
  size_t n;
  lua_rawgetp(L, LUA_REGISTRYINDEX, asking->sender);
  lua_getiuservalue(L, -1, 1);
  lua_pushinteger(L, (lua_Integer)asking->offset);
  lua_pushinteger(L, (lua_Integer)asking->n);
  lua_call(L, 2, 1);
  const char *bytes = lua_tolstring(L, -1, &n);
  if (!bytes || n == 0 || n > asking->n)
    return luaL_error(L, "expected 1 to %d bytes at %I, got %s", (int)asking->n,
                      (lua_Integer)asking->offset, luaL_tolstring(L, -1, NULL));
  memcpy(asking->bytes, bytes, n);
  asking->got = (ptrdiff_t)n;
  return 0;
}

/* Its errors are the waiting task's. */
static int ask_safely(lua_State *L) {
  struct asking *asking = lua_touserdata(L, 1);
  lua_pushcfunction(L, ask);
  lua_pushlightuserdata(L, asking);
  if (lua_pcall(L, 1, 0, 0) == LUA_OK)
    return 0;
  struct sender *sender = asking->sender;
  snprintf(sender->words, sizeof sender->words, "%s",
           luaL_tolstring(L, -1, NULL));
  return 0;
}

static ptrdiff_t read_function(void *data, uint64_t offset, void *bytes,
                               size_t n) {
  struct sender *sender = data;
  struct asking asking = {sender, offset, bytes, n, MP_EIO};
  script_enter(sender->script, sender->loop, ask_safely, &asking);
  return asking.got;
}

static ptrdiff_t read_file(void *data, uint64_t offset, void *bytes, size_t n) {
  struct sender *sender = data;
  off_t want = sender->start + (off_t)offset;
  if (!sender->file->closef) /* the script has closed it */
    return MP_EIO;
  if (want != sender->at && fseeko(sender->file->f, want, SEEK_SET) != 0)
    return MP_EIO;
  size_t got = fread(bytes, 1, n, sender->file->f);
  sender->at = want + (off_t)got;
  return got ? (ptrdiff_t)got : MP_EIO;
}

static int forget(lua_State *L) {
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, lua_touserdata(L, 1));
  return 0;
}

/* The waiting task, if there is one, keeps the sender on its stack. */
static void on_done(void *data, int rc) {
  struct sender *sender = data;
  sender->rc = rc;
  sender->is_done = true;
  waiters_wake(&sender->waiters);
  script_enter(sender->script, sender->loop, forget, sender);
}

static int send_on(lua_State *L, int status, lua_KContext context) {
  struct sender *sender = lua_touserdata(L, -1);
  struct mp_fault fault;
  (void)status, (void)context;
  snprintf(fault.text, sizeof fault.text, "send_from: %s",
           sender->words[0] ? sender->words
                            : "the source failed, or the connection is over");
  if (sender->is_done)
    return push_result(L, sender->rc, &fault);
  return task_wait(L, task_check(L, "send_from"), &sender->waiters, send_on);
}

/* Bytes from where the file stands to its end. */
static uint64_t file_size(lua_State *L, struct sender *sender) {
  FILE *f = sender->file->f;
  sender->start = sender->file->closef ? ftello(f) : -1;
  if (sender->start < 0 || fseeko(f, 0, SEEK_END) != 0)
    luaL_argerror(L, 3, "expected a file that is open and has a size");
  off_t end = ftello(f);
  sender->at = end;
  return end > sender->start ? (uint64_t)(end - sender->start) : 0;
}

static void take_source(lua_State *L, struct sender *sender,
                        struct mp_payload *payload) {
  sender->file = luaL_testudata(L, 3, LUA_FILEHANDLE);
  if (!sender->file && !lua_isfunction(L, 3))
    luaL_typeerror(L, 3, "file or function");
  payload->read = sender->file ? read_file : read_function;
  if (sender->file)
    payload->size = file_size(L, sender);
  if (sender->file && lua_isnoneornil(L, 4))
    return;
  lua_Integer size = luaL_checkinteger(L, 4);
  if (size < 0 || (sender->file && (uint64_t)size > payload->size))
    luaL_argerror(L, 4, "expected a size that the source has");
  payload->size = (uint64_t)size;
}

/* send_from(command, file or function(offset, n), size): waits until all is
 * with the system. */
int connection_lua_send_from(lua_State *L) {
  struct mp_connection *c = connection_check(L, 1);
  const char *command = luaL_checkstring(L, 2);
  struct task *task = task_check(L, "send_from");
  struct mp_payload payload = {.done = on_done};
  struct mp_fault fault;
  lua_settop(L, 4);
  struct sender *sender = lua_newuserdatauv(L, sizeof *sender, 1);
  *sender = (struct sender){.script = script_of(L), .loop = task_loop(L)};
  take_source(L, sender, &payload);
  if (!sender->file)
    actor_bind(L, 3);
  payload.data = sender;
  if (!c)
    return push_failure(L, MP_ECLOSED, "the connection is closed");
  if (mp_connection_send_from(c, command, &payload, &fault) != 0)
    return push_fault(L, &fault);
  lua_pushvalue(L, 3);
  lua_setiuservalue(L, -2, 1);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, sender);
  task_deadline(task, MP_FOREVER);
  return send_on(L, LUA_OK, 0);
}

const luaL_Reg connection_chunk_methods[] = {
    {"expect_chunks", do_expect}, {"receive_chunk", do_receive}, {NULL, NULL}};
