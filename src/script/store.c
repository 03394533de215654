/* store - peer stores in Lua: opening, closing, and who needs one. */
#include "script/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "moonpeer/loop.h"
#include "script/ban.h"
#include "script/convert.h"
#include "script/peer.h"
#include "script/task.h"

static const char *const type_name = "moonpeer.store";

static const int64_t ban_time_max = INT64_C(36500) * 86400 * MP_SECOND;

/* --- who needs it ----------------------------------------------------------
 */

static void close_core(struct store *store) {
  lua_State *L = store->script->hooks;
  telling_deinit(&store->telling);
  mp_store_unlisten(&store->listener);
  mp_store_close(store->core);
  if (store->has_backend) { /* the key is there: nothing is allocated */
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, store);
  }
  free(store);
}

void store_settle(struct store *store) {
  if (!store->box && !store->users && !store_saver_is_busy(&store->saver))
    close_core(store);
}

struct store *store_use(struct store_box *box, struct mp_loop *loop) {
  box->store->users++;
  box->store->loop = loop;
  return box->store;
}

void store_release(struct store *store) {
  store->users--;
  if (!store->users)
    store->loop = NULL;
  store_settle(store);
}

struct mp_loop *store_loop(const struct store *store) {
  return store->saver.state == SAVER_WORKING ? store->saver.loop : store->loop;
}

void store_let_go(struct store_box *box) {
  struct store *store = box->store;
  box->store = NULL;
  if (!store)
    return;
  store->box = NULL;
  store_settle(store);
}

/* --- options ---------------------------------------------------------------
 */

static const char *const option_names[] = {
    "capacity", "max_bans", "ttl",       "inaccessible_time",
    "ban_time", "asmap",    "read_only", NULL};

/* A duration above 0; "forever" and math.huge are MP_FOREVER. */
static void take_duration(lua_State *L, int index, const char *name,
                          int64_t *time) {
  if (lua_getfield(L, index, name) != LUA_TNIL) {
    bool is_forever = lua_type(L, -1) == LUA_TNUMBER
                          ? lua_tonumber(L, -1) == HUGE_VAL
                          : lua_type(L, -1) == LUA_TSTRING &&
                                strcmp(lua_tostring(L, -1), "forever") == 0;
    *time = is_forever ? MP_FOREVER : convert_duration_field(L, name);
    if (*time == 0)
      luaL_error(L, "%s: expected a duration above 0", name);
  }
  lua_pop(L, 1);
}

static void take_count(lua_State *L, int index, const char *name,
                       uint32_t *count) {
  int is_integer;
  if (lua_getfield(L, index, name) != LUA_TNIL) {
    lua_Integer n = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || n < 1 || n > MP_STORE_CAPACITY_MAX)
      luaL_error(L, "%s: expected 1 to %d, got %s", name, MP_STORE_CAPACITY_MAX,
                 luaL_tolstring(L, -1, NULL));
    *count = (uint32_t)n;
  }
  lua_pop(L, 1);
}

static void take_ttl(lua_State *L, int index,
                     struct mp_store_options *options) {
  static const char *const names[] = {"unknown", "valid", "inaccessible", NULL};
  if (lua_getfield(L, index, "ttl") != LUA_TNIL) {
    int ttl = lua_gettop(L);
    convert_known(L, ttl, "status of ttl", names);
    for (int i = 0; names[i]; i++)
      take_duration(L, ttl, names[i], &options->ttl[mp_status_value(names[i])]);
  }
  lua_pop(L, 1);
}

/* From the table at index, over what is there. */
static void take_options(lua_State *L, int index,
                         struct mp_store_options *options) {
  if (lua_isnoneornil(L, index))
    return;
  convert_known(L, index, "option of a store", option_names);
  take_count(L, index, "capacity", &options->capacity);
  take_count(L, index, "max_bans", &options->max_bans);
  take_ttl(L, index, options);
  take_duration(L, index, "inaccessible_time", &options->inaccessible_time);
  take_duration(L, index, "ban_time", &options->ban_time);
  if (options->ban_time > ban_time_max)
    luaL_error(L, "ban_time: expected 100 years at most; a ban for ever says "
                  "so itself");
  if (lua_getfield(L, index, "asmap") != LUA_TNIL)
    options->asmap = luaL_checkstring(L, -1);
  lua_pop(L, 1); /* the table keeps it */
  if (lua_getfield(L, index, "read_only") != LUA_TNIL)
    options->read_only = lua_toboolean(L, -1);
  lua_pop(L, 1);
}

/* --- opening ---------------------------------------------------------------
 */

static void on_event(void *data, const struct mp_store_event *event) {
  struct store *store = data;
  if (event->kind == MP_STORE_PEER_DELETED)
    store->deletions++;
  telling_note(&store->telling, event);
}

/* Pushes an object without a store, and the list of its peers' objects. */
static struct store_box *push_box(lua_State *L) {
  struct store_box *box = lua_newuserdatauv(L, sizeof *box, 2);
  box->store = NULL;
  luaL_setmetatable(L, type_name);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, box);
  ban_push_list(L, box);
  lua_setiuservalue(L, -2, 1);
  object_remember(L, box);
  return box;
}

static struct store *new_store(lua_State *L,
                               const struct mp_store_options *options) {
  struct store *store = mem_new(sizeof *store);
  store->script = script_of(L);
  store->options = *options;
  store->listener = (struct mp_store_listener){.fn = on_event, .data = store};
  store_saver_init(&store->saver, store);
  telling_init(&store->telling, store);
  return store;
}

/* Opens the URL at index, or the backend at `backend` under that name, and
 * pushes the object. */
static int open_store(lua_State *L, int index, int backend,
                      const struct mp_store_options *options,
                      struct mp_fault *fault) {
  struct mp_loop *loop = task_loop(L);
  const char *url = luaL_checkstring(L, index);
  struct store_box *box = push_box(L);
  struct store *store = new_store(L, options);
  box->store = store; /* from here on the collector undoes what raises */
  store->box = box;
  mp_loop_random(loop, store->options.seed, sizeof store->options.seed);
  int rc = backend ? store_open_backend(L, backend, store, url, fault)
                   : mp_store_open(&store->core, url, &store->options, fault);
  store->options.asmap = NULL; /* read by now */
  if (rc == 0)
    mp_store_listen(store->core, &store->listener);
  else
    store_let_go(box);
  return rc;
}

int store_lua_open(lua_State *L) {
  struct mp_store_options options = {0};
  struct mp_fault fault;
  luaL_checkstring(L, 1);
  lua_settop(L, 3);
  take_options(L, 2, &options);
  int backend = lua_isnil(L, 3) ? 0 : 3;
  return open_store(L, 1, backend, &options, &fault) == 0
             ? 1
             : push_fault(L, &fault);
}

int store_take(lua_State *L, int index, const struct mp_store_options *options,
               bool *is_new, struct mp_fault *fault) {
  const struct mp_store_options none = {0};
  index = lua_absindex(L, index);
  *is_new = false;
  if (luaL_testudata(L, index, type_name)) {
    store_check(L, index);
    lua_pushvalue(L, index);
    return 0;
  }
  if (lua_isnoneornil(L, index))
    lua_pushliteral(L, "memory:");
  else if (lua_type(L, index) == LUA_TSTRING)
    lua_pushvalue(L, index);
  else
    return luaL_error(L, "store: expected a URL or a store, got %s",
                      luaL_typename(L, index));
  *is_new = true;
  int rc = open_store(L, lua_gettop(L), 0, options ? options : &none, fault);
  if (rc == 0)
    lua_remove(L, -2);
  return rc;
}

struct store_box *store_check(lua_State *L, int index) {
  struct store_box *box = luaL_checkudata(L, index, type_name);
  if (!box->store)
    luaL_error(L, "the store is closed");
  return box;
}

int64_t store_now(lua_State *L, const struct store *store) {
  bool runs = script_of(L)->here != NULL;
  return mp_loop_time(!runs && store->loop ? store->loop : task_loop(L));
}

/* --- the object ------------------------------------------------------------
 */

static void push_number(lua_State *L, uint32_t n) {
  lua_pushinteger(L, n);
}

static void push_warning(lua_State *L, const char *text) {
  if (*text)
    lua_pushstring(L, text);
  else
    lua_pushnil(L);
}

static int do_index(lua_State *L) {
  const struct store_box *box = luaL_checkudata(L, 1, type_name);
  const char *name = luaL_checkstring(L, 2);
  if (strcmp(name, "bans") == 0) {
    lua_getiuservalue(L, 1, 1);
    return 1;
  }
  if (object_method(L) && !lua_isnil(L, -1))
    return 1;
  if (strcmp(name, "is_open") == 0)
    lua_pushboolean(L, box->store != NULL);
  else if (strcmp(name, "url") == 0)
    lua_pushstring(L, mp_store_url(store_check(L, 1)->store->core));
  else if (strcmp(name, "warning") == 0)
    push_warning(L, mp_store_warning(store_check(L, 1)->store->core));
  else if (strcmp(name, "capacity") == 0)
    push_number(L, mp_store_capacity(store_check(L, 1)->store->core));
  else if (strcmp(name, "is_changed") == 0)
    lua_pushboolean(L, mp_store_is_changed(store_check(L, 1)->store->core));
  else
    lua_pushnil(L);
  return 1;
}

static int do_length(lua_State *L) {
  push_number(L, mp_store_count(store_check(L, 1)->store->core));
  return 1;
}

/* Collected, not closed: what was not saved is lost, and that is said. */
static int do_gc(lua_State *L) {
  struct store_box *box = luaL_checkudata(L, 1, type_name);
  struct store *store = box->store;
  if (store && store->core && !store->users &&
      !store_saver_is_busy(&store->saver) && mp_store_is_changed(store->core))
    fprintf(stderr,
            "moonpeer: %s was dropped with changes that were not saved; call "
            "its save or close\n",
            mp_store_url(store->core));
  store_let_go(box);
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, box);
  return 0;
}

static int do_name(lua_State *L) {
  const struct store_box *box = luaL_checkudata(L, 1, type_name);
  if (!box->store)
    lua_pushfstring(L, "%s: closed", type_name);
  else
    lua_pushfstring(L, "%s: %s (%I peers)", type_name,
                    mp_store_url(box->store->core),
                    (lua_Integer)mp_store_count(box->store->core));
  return 1;
}

static int do_configure(lua_State *L) {
  struct store *store = store_check(L, 1)->store;
  struct mp_store_options options = store->options;
  struct mp_fault fault;
  luaL_checktype(L, 2, LUA_TTABLE);
  take_options(L, 2, &options);
  if (options.asmap || options.read_only != store->options.read_only)
    return luaL_error(L, "asmap and read_only are for opening only");
  int rc = mp_store_configure(store->core, &options, &fault);
  if (rc == 0)
    store->options = options;
  return push_result(L, rc, &fault);
}

/* expire([budget]): true while there is more to do now. */
static int do_expire(lua_State *L) {
  struct mp_store *core = store_check(L, 1)->store->core;
  lua_Integer budget = luaL_optinteger(L, 2, 1000);
  luaL_argcheck(L, budget > 0 && budget <= INT32_MAX, 2,
                "expected how many peers to look at, 1 at least");
  lua_pushboolean(L,
                  mp_store_expire(core, store_now(L, store_check(L, 1)->store),
                                  (unsigned)budget));
  return 1;
}

void store_open_type(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"close", save_lua_close},  {"configure", do_configure},
      {"expire", do_expire},      {"save", save_lua_save},
      {"tell", telling_lua_tell}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__close", save_lua_on_close},
                                         {"__gc", do_gc},
                                         {"__len", do_length},
                                         {"__tostring", do_name},
                                         {NULL, NULL}};
  object_type(L, type_name, methods, metamethods, do_index);
  object_methods(L, type_name);
  luaL_setfuncs(L, store_peer_methods, 0);
  luaL_setfuncs(L, store_value_methods, 0);
  lua_pop(L, 1);
  store_open_iterator(L);
  save_open_type(L);
  store_open_batch(L);
  ban_open_type(L);
  peer_open_type(L);
}
