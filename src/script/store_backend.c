/* store_backend - stores whose backend is written in Lua: its rows come in when
 * the store is opened, batches go out in a task. */
#include <stdlib.h>

#include "base/fault.h"
#include "base/mem.h"
#include "script/actor.h"
#include "script/ban.h"
#include "script/peer.h"
#include "script/store.h"
#include "script/task.h"

static const char *const type_name = "moonpeer.store.batch";

int store_push_backend(lua_State *L, const struct store *store,
                       const char *name) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, store) == LUA_TTABLE)
    lua_getfield(L, -1, name);
  else
    lua_pushnil(L);
  lua_remove(L, -2);
  return lua_type(L, -1);
}

/* --- loading ---------------------------------------------------------------
 */

/* What the load function of the core's backend is given. */
struct source {
  struct store *store; /* lives as long as anybody saves it */
  lua_State *L;
  int index;          /* of the backend's table */
  struct actor actor; /* who opened it: apply is held to the same */
};

struct reading {
  struct mp_loader *loader;
  struct mp_fault fault;
};

static void check(lua_State *L, const struct reading *reading, int rc) {
  if (rc)
    luaL_error(L, "%s", reading->fault.text);
}

static uint32_t take_row(lua_State *L, const char *what) {
  int is_integer;
  lua_Integer row = lua_tointegerx(L, -2, &is_integer);
  if (!is_integer || row < 1 || row > UINT32_MAX)
    luaL_error(L, "%s: expected rows by number, got %s", what,
               luaL_tolstring(L, -2, NULL));
  if (!lua_istable(L, -1))
    luaL_error(L, "%s[%I]: expected a table, got %s", what, row,
               luaL_typename(L, -1));
  return (uint32_t)row;
}

static void load_peer(lua_State *L, struct reading *reading) {
  struct peer_form form;
  uint32_t row = take_row(L, "peers");
  int top = lua_gettop(L);
  check(L, reading, peer_form_read(L, -1, PEER_ROW, &form, &reading->fault));
  if (!form.has_id || !form.has_ip || !form.has_port)
    luaL_error(L, "peers[%I]: expected the fields id, ip and port",
               (lua_Integer)row);
  check(L, reading,
        mp_load_peer(reading->loader, row,
                     &(struct mp_peer_new){.id = form.id,
                                           .address = &form.address,
                                           .change = &form.change},
                     &reading->fault));
  lua_settop(L, top);
}

static void load_ban(lua_State *L, struct reading *reading) {
  struct mp_ban ban;
  uint32_t row = take_row(L, "bans");
  check(L, reading, ban_take_table(L, -1, &ban, &reading->fault));
  check(L, reading, mp_load_ban(reading->loader, row, &ban, &reading->fault));
}

static void load_value(lua_State *L, struct reading *reading) {
  size_t n;
  if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
    luaL_error(L, "values: expected texts by name, got %s",
               luaL_typename(L, -1));
  const char *bytes = lua_tolstring(L, -1, &n);
  check(L, reading,
        mp_load_value(reading->loader, lua_tostring(L, -2), bytes, n,
                      &reading->fault));
}

static void load_list(lua_State *L, struct reading *reading, const char *name,
                      void (*load)(lua_State *L, struct reading *reading)) {
  if (lua_getfield(L, 1, name) != LUA_TNIL) {
    if (!lua_istable(L, -1))
      luaL_error(L, "%s: expected a table, got %s", name, luaL_typename(L, -1));
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
      load(L, reading);
  }
  lua_pop(L, 1);
}

static int load_rows(lua_State *L) {
  struct reading *reading = lua_touserdata(L, 2);
  load_list(L, reading, "peers", load_peer);
  load_list(L, reading, "bans", load_ban);
  load_list(L, reading, "values", load_value);
  return 0;
}

/* Within mp_store_open, which was called from Lua: nothing may be raised
 * through it. No function of the script's is called. */
static int load(void *data, struct mp_loader *loader, struct mp_fault *fault) {
  const struct source *source = data;
  lua_State *L = source->L;
  struct reading reading = {.loader = loader};
  lua_pushcfunction(L, load_rows);
  lua_getfield(L, source->index, "rows");
  lua_pushlightuserdata(L, &reading);
  int rc = lua_pcall(L, 2, 0, 0);
  if (rc != LUA_OK) {
    const char *text = lua_tostring(L, -1);
    fault_set(fault, MP_ESTORE, "%.200s", text ? text : "no message");
    lua_pop(L, 1);
  }
  return rc == LUA_OK ? 0 : MP_ESTORE;
}

static int apply(void *data, const struct mp_batch *batch,
                 struct mp_fault *fault) {
  (void)data, (void)batch;
  return fault_set(fault, MP_ESTORE,
                   "expected store:save() in a task: the backend is written "
                   "in Lua");
}

static void close_source(void *data) {
  free(data);
}

/* --- applying --------------------------------------------------------------
 */

/* One batch on its way through a task. */
struct applying {
  struct closable closable;
  struct script *script;
  struct mp_loop *loop;
  struct mp_save *save;
  struct task *task;     /* NULL: it has ended */
  struct box *box;       /* the task's, or NULL */
  struct mp_later later; /* posted: the task has finished */
  struct mp_fault fault;
  int rc;
  bool is_finished;
};

/* A userdata. */
struct box {
  struct applying *applying; /* NULL: it is over */
};

static const struct mp_batch *check_batch(lua_State *L) {
  const struct box *box = luaL_checkudata(L, 1, type_name);
  if (!box->applying) {
    luaL_error(L, "the save is over");
    return NULL;
  }
  return mp_save_batch(box->applying->save);
}

/* Sets the row at index i (from 0) of all that the batch has, peers first, in
 * the tables at index 2, 3, 4: false for what was deleted. False at the end. */
static bool set_row(lua_State *L, const struct mp_batch *batch, uint32_t i) {
  uint32_t row, peers = mp_batch_peer_count(batch);
  uint32_t bans = mp_batch_ban_count(batch);
  struct mp_ban ban;
  if (i < peers) {
    const struct mp_peer *peer = mp_batch_peer(batch, i, &row);
    if (peer)
      peer_push_table(L, peer);
    else
      lua_pushboolean(L, false);
    lua_rawseti(L, 2, row);
  } else if (i - peers < bans) {
    if (mp_batch_ban(batch, i - peers, &row, &ban))
      ban_push_table(L, &ban);
    else
      lua_pushboolean(L, false);
    lua_rawseti(L, 3, row);
  } else if (i - peers - bans < mp_batch_value_count(batch)) {
    const void *bytes;
    size_t n;
    lua_pushstring(L, mp_batch_value(batch, i - peers - bans, &bytes, &n));
    if (bytes)
      lua_pushlstring(L, bytes, n);
    else
      lua_pushboolean(L, false);
    lua_rawset(L, 4);
  } else {
    return false;
  }
  return true;
}

/* batch:read(peers, bans, values, from, n): where to go on, nil at the end. */
static int do_read(lua_State *L) {
  const struct mp_batch *batch = check_batch(L);
  uint32_t from = (uint32_t)luaL_checkinteger(L, 5);
  uint32_t end = from + (uint32_t)luaL_checkinteger(L, 6);
  for (int i = 2; i <= 4; i++)
    luaL_checktype(L, i, LUA_TTABLE);
  while (from < end && set_row(L, batch, from))
    from++;
  if (from < end)
    lua_pushnil(L);
  else
    lua_pushinteger(L, from);
  return 1;
}

static int do_has_all(lua_State *L) {
  lua_pushboolean(L, mp_batch_has_all(check_batch(L)));
  return 1;
}

/* From the loop's top; frees it. */
static void end(void *data) {
  struct applying *applying = data;
  struct mp_loop *loop = applying->loop;
  script_closed(applying->script, &applying->closable);
  mp_later_cancel(&applying->later);
  if (applying->box)
    applying->box->applying = NULL;
  if (applying->task)
    applying->task->ended = NULL;
  mp_save_done(applying->save, applying->rc, &applying->fault);
  mp_loop_release(loop);
  free(applying);
}

/* What the task says; its own end is not the place to go on. */
static void finish(struct applying *applying, int rc, const char *text) {
  if (applying->is_finished)
    return;
  applying->rc = rc ? fault_set(&applying->fault, rc, "%.200s", text) : 0;
  applying->is_finished = true;
  mp_later_post(applying->loop, &applying->later);
}

/* A signal cancels the task, which then says so. */
static void close_applying(struct closable *closable) {
  struct applying *applying = (struct applying *)closable;
  const struct script *script = applying->script;
  if (!script->is_closing && applying->loop == script->loop)
    return;
  applying->rc =
      fault_set(&applying->fault, MP_ECANCELLED, "the loop is closed");
  end(applying);
}

/* The task has ended; it had no memory to say how, or was cancelled. */
static void on_ended(void *data) {
  struct applying *applying = data;
  applying->task = NULL;
  finish(applying, MP_ESTORE, "the backend's apply came to no end");
}

/* batch:finish(nil, or what went wrong); needs no memory. */
static int do_finish(lua_State *L) {
  struct box *box = luaL_checkudata(L, 1, type_name);
  const char *text = lua_type(L, 2) == LUA_TSTRING
                         ? lua_tostring(L, 2)
                         : "the backend's apply failed";
  check_batch(L);
  finish(box->applying, lua_isnil(L, 2) ? 0 : MP_ESTORE, text);
  return 0;
}

static int on_gc(lua_State *L) {
  struct box *box = luaL_checkudata(L, 1, type_name);
  if (box->applying)
    box->applying->box = NULL;
  return 0;
}

struct start {
  const struct source *source;
  struct applying *applying;
};

/* Starts apply(batch) as a task. */
static int start_apply(lua_State *L) {
  const struct start *start = lua_touserdata(L, 1);
  lua_settop(L, 0);
  store_push_backend(L, start->source->store, "apply");
  struct box *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->applying = NULL;
  luaL_setmetatable(L, type_name);
  struct task *task = task_spawn(L, start->applying->loop);
  task->actor = start->source->actor;
  task->ended = on_ended;
  task->data = start->applying;
  box->applying = start->applying;
  start->applying->box = box;
  start->applying->task = task;
  return 0;
}

static void begin(void *data, struct mp_save *save) {
  const struct source *source = data;
  struct script *script = source->store->script;
  struct mp_loop *loop = store_loop(source->store);
  struct mp_fault fault;
  if (!loop) {
    mp_save_done(save, fault_set(&fault, MP_ESTORE, "no loop runs the backend"),
                 &fault);
    return;
  }
  struct applying *applying = mem_new(sizeof *applying);
  *applying = (struct applying){
      .closable = {.close = close_applying, .loop = loop, .kind = "save"},
      .script = script,
      .loop = loop,
      .save = save};
  mp_later_init(&applying->later, end, applying);
  mp_loop_hold(loop);
  script_opened(script, &applying->closable);
  struct start start = {source, applying};
  if (script_enter(script, loop, start_apply, &start) == LUA_OK)
    return;
  applying->rc = fault_set(&applying->fault, MP_ESTORE,
                           "the backend's apply could not be started");
  end(applying);
}

int store_open_backend(lua_State *L, int index, struct store *store,
                       const char *name, struct mp_fault *fault) {
  struct mp_backend backend = {
      .load = load, .apply = apply, .close = close_source, .begin = begin};
  struct mp_store_options options = store->options;
  lua_getfield(L, index, "wants_all");
  backend.wants_all = lua_toboolean(L, -1);
  lua_pop(L, 1);
  lua_pushvalue(L, index);
  lua_rawsetp(L, LUA_REGISTRYINDEX, store);
  store->has_backend = true;
  struct source *source = mem_new(sizeof *source);
  *source = (struct source){store, L, index, actor_now(store->script)};
  options.backend = &backend;
  options.backend_data = source;
  return mp_store_open(&store->core, name, &options, fault);
}

void store_open_batch(lua_State *L) {
  static const luaL_Reg methods[] = {{"read", do_read},
                                     {"has_all", do_has_all},
                                     {"finish", do_finish},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", on_gc}, {NULL, NULL}};
  object_type(L, type_name, methods, metamethods, NULL);
}
