/* listener - moonpeer.listen: each accepted connection becomes a task, or
 * waits until it is asked for. */
#include <string.h>

#include "moonpeer/stream.h"
#include "script/actor.h"
#include "script/connection.h"
#include "script/conversation.h"
#include "script/convert.h"

static const char *const type_name = "moonpeer.listener";

enum { BACKLOG = 128 }; /* connections that wait; more are closed */

/* User value 1 is the function, or the list of those that wait. The object is
 * anchored while it listens. */
struct box {
  struct closable closable;
  struct script *script;
  struct mp_loop *loop;
  struct mp_listener *listener; /* NULL when it is closed */
  struct mp_address address;
  struct mp_network network;
  struct mp_session_options options;
  struct waiters waiters;
  lua_Integer first, last; /* of those that wait */
  struct actor actor; /* who listens: what comes of it is held to the same */
  bool is_queue, is_metered;
};

struct arrival {
  struct box *box;
  struct mp_stream *stream;
};

static void set_anchor(lua_State *L, struct box *box, bool on) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, type_name);
  if (on)
    lua_pushvalue(L, -2);
  else
    lua_pushnil(L);
  lua_rawsetp(L, -2, box);
  lua_pop(L, 1);
}

/* The function or list at 1, the connection at 2. */
static int pass_on(lua_State *L, struct box *box) {
  if (!box->is_queue) {
    struct task *task = task_spawn(L, box->loop);
    task->actor = box->actor;
    task->is_metered = box->is_metered;
    return 0;
  }
  lua_rawseti(L, 1, ++box->last);
  waiters_wake(&box->waiters);
  return 0;
}

static int welcome(lua_State *L) {
  struct arrival *arrival = lua_touserdata(L, 1);
  struct box *box = arrival->box;
  const struct conversation_setup setup = {box->script, box->loop,
                                           &box->network, &box->options};
  lua_settop(L, 0);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, type_name);
  lua_rawgetp(L, -1, box);
  lua_getiuservalue(L, -1, 1);
  lua_replace(L, 1);
  lua_settop(L, 1);
  struct mp_stream *stream = arrival->stream;
  arrival->stream = NULL;
  connection_push_talk(L, conversation_accept(&setup, stream));
  return pass_on(L, box);
}

static void on_accepted(void *owner, struct mp_stream *stream) {
  struct arrival arrival = {owner, stream};
  if (arrival.box->last - arrival.box->first >= BACKLOG) {
    mp_stream_close(stream);
    return;
  }
  script_enter(arrival.box->script, arrival.box->loop, welcome, &arrival);
  mp_stream_close(arrival.stream); /* when nobody took it */
}

static void on_failed(void *owner, int rc) {
  (void)owner, (void)rc; /* the descriptor limit: the next may be taken */
}

/* Those that nobody asked for are closed now, not with the garbage. */
static void close_waiting(lua_State *L, struct box *box) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, type_name);
  lua_rawgetp(L, -1, box);
  lua_getiuservalue(L, -1, 1);
  while (box->first < box->last) {
    lua_rawgeti(L, -1, ++box->first);
    struct mp_connection *connection = connection_check(L, -1);
    if (connection)
      mp_connection_close(connection, MP_ECLOSED, "nobody asked for it");
    lua_pop(L, 1);
  }
  lua_pop(L, 3);
}

static int forget(lua_State *L) {
  struct box *box = lua_touserdata(L, 1);
  if (box->is_queue)
    close_waiting(L, box);
  set_anchor(L, box, false);
  return 0;
}

static void on_closed(void *owner) {
  struct box *box = owner;
  waiters_wake(&box->waiters);
  script_closed(box->script, &box->closable);
  mp_loop_release(box->loop);
  script_enter(box->script, box->loop, forget, box);
}

static const struct mp_listener_events events = {
    .accepted = on_accepted, .failed = on_failed, .closed = on_closed};

static void close_box(struct closable *closable) {
  struct box *box = (struct box *)closable;
  mp_listener_close(box->listener);
  box->listener = NULL;
}

static struct box *self(lua_State *L) {
  return luaL_checkudata(L, 1, type_name);
}

static int do_close(lua_State *L) {
  close_box(&self(L)->closable);
  return 0;
}

static int do_index(lua_State *L) {
  const struct box *box = self(L);
  if (strcmp(luaL_checkstring(L, 2), "address") != 0)
    return object_method(L);
  push_address(L, &box->address);
  return 1;
}

static int do_name(lua_State *L) {
  const struct box *box = self(L);
  char text[MP_ADDRESS_TEXT];
  lua_pushfstring(L, "%s: %s (%s)", type_name,
                  mp_address_format(&box->address, text),
                  box->listener ? "open" : "closed");
  return 1;
}

/* --- accept ----------------------------------------------------------------
 */

static int accept_on(lua_State *L, int status, lua_KContext context) {
  struct box *box = self(L);
  struct task *task = task_check(L, "accept");
  (void)status, (void)context;
  if (box->first < box->last) {
    lua_getiuservalue(L, 1, 1);
    lua_rawgeti(L, -1, ++box->first);
    lua_pushnil(L);
    lua_rawseti(L, -3, box->first);
    return 1;
  }
  if (!box->listener)
    return push_failure(L, MP_ECLOSED, "the listener is closed");
  if (task_is_late(task))
    return task_push_late(L, task, "somebody to dial");
  return task_wait(L, task, &box->waiters, accept_on);
}

/* accept(timeout): the next connection. */
static int do_accept(lua_State *L) {
  const struct box *box = self(L);
  struct task *task = task_check(L, "accept");
  if (!box->is_queue)
    return luaL_error(L, "accept is for listeners without a function");
  task_deadline(task, convert_duration_or(L, 2, MP_FOREVER));
  lua_settop(L, 1);
  return accept_on(L, LUA_OK, 0);
}

int listener_lua_listen(lua_State *L) {
  struct mp_config config;
  struct mp_address address;
  struct mp_fault fault;
  if (!lua_isnoneornil(L, 2))
    luaL_checktype(L, 2, LUA_TFUNCTION);
  connection_options(L, 3, &config);
  convert_address(L, 1, config.network.port, &address);
  struct box *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = (struct box){.closable = {.close = close_box,
                                   .loop = task_loop(L),
                                   .kind = "listener"},
                      .script = script_of(L),
                      .loop = task_loop(L),
                      .actor = actor_now(script_of(L)),
                      .is_queue = lua_isnil(L, 2),
                      .is_metered = script_of(L)->consoles.is_running,
                      .network = config.network,
                      .options = config.session};
  luaL_setmetatable(L, type_name);
  if (box->is_queue)
    lua_newtable(L);
  else
    lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, 1);
  int rc = mp_listener_open(&box->listener, box->loop, &address, &events, box,
                            &fault);
  if (rc != 0)
    return push_fault(L, &fault);
  mp_listener_address(box->listener, &box->address);
  mp_loop_hold(box->loop);
  script_opened(box->script, &box->closable);
  set_anchor(L, box, true);
  return 1;
}

void listener_open_type(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"accept", do_accept}, {"close", do_close}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__close", do_close}, {"__tostring", do_name}, {NULL, NULL}};
  object_type(L, type_name, methods, metamethods, do_index);
}
