/* engine - engines in Lua. */
#include "script/engine.h"

#include <string.h>

#include "script/audience.h"
#include "script/connection.h"
#include "script/control.h"
#include "script/convert.h"
#include "script/jobs.h"
#include "script/peer.h"
#include "script/rules.h"
#include "script/store.h"
#include "script/task.h"

static const char *const type_name = "moonpeer.engine";

static struct engine_box *self(lua_State *L) {
  return luaL_checkudata(L, 1, type_name);
}

static struct mp_engine *live(lua_State *L) {
  struct engine_box *box = self(L);
  if (!box->engine)
    luaL_error(L, "the engine is closed");
  return box->engine;
}

/* --- anchor ----------------------------------------------------------------
 */

/* Keeps the object while it is started, and its handlers where events find them
 * at once; nil at index lets both go. */
static void set_anchor(lua_State *L, int index, struct engine_box *box) {
  index = lua_absindex(L, index);
  if (box->handlers)
    luaL_unref(L, LUA_REGISTRYINDEX, box->handlers);
  box->handlers = 0;
  if (!lua_isnil(L, index)) {
    lua_getiuservalue(L, index, 1);
    box->handlers = luaL_ref(L, LUA_REGISTRYINDEX);
  }
  luaL_getsubtable(L, LUA_REGISTRYINDEX, type_name);
  luaL_getsubtable(L, -1, "anchors");
  lua_pushvalue(L, index);
  lua_rawsetp(L, -2, box);
  lua_pop(L, 2);
}

void engine_push(lua_State *L, const struct engine_box *box) {
  if (!object_find(L, box))
    luaL_error(L, "the engine's object is gone");
}

void engine_push_peer(lua_State *L, const struct engine_box *box,
                      const struct mp_peer *peer) {
  if (peer && box->store && box->store->box)
    peer_push(L, box->store->box, peer);
  else
    lua_pushnil(L);
}

/* Tasks that read its events learn that there will be no more. */
static int forget(lua_State *L) {
  struct engine_box *box = lua_touserdata(L, 1);
  engine_push(L, box);
  object_forget(L, box);
  lua_pushnil(L);
  set_anchor(L, -1, box);
  lua_getiuservalue(L, 2, 1);
  lua_getfield(L, -1, "gone");
  lua_pushvalue(L, 2);
  lua_call(L, 1, 0);
  return 0;
}

static void drop_store(struct engine_box *box) {
  struct store *store = box->store;
  if (store && box->owns_store && store->box)
    store_let_go(store->box);
  if (store)
    store_release(store);
  box->store = NULL;
}

static void on_gone(void *data) {
  struct engine_box *box = data;
  box->engine = NULL;
  tasks_cancel_of(box->script, box, 0);
  drop_store(box);
  script_closed(box->script, &box->closable);
  if (box->is_started) /* else this is within a call from Lua */
    script_enter(box->script, box->closable.loop, forget, box);
}

static void close_box(struct closable *closable) {
  struct engine_box *box = (struct engine_box *)closable;
  if (box->engine)
    mp_engine_close(box->engine, -1);
}

/* --- making --- */

/* Pushes the store's object. */
static int take_store(lua_State *L, struct engine_box *box,
                      const struct mp_config *config, struct mp_fault *fault) {
  const struct mp_store_options options = {
      .capacity = (uint32_t)config->max_peers,
      .max_bans = (uint32_t)config->max_bans,
      .inaccessible_time = config->inaccessible_time,
      .ban_time = config->ban_time};
  lua_getfield(L, 1, "store");
  int rc = store_take(L, -1, &options, &box->owns_store, fault);
  if (rc == 0)
    box->store = store_use(store_check(L, -1), box->closable.loop);
  return rc;
}

int engine_lua_new(lua_State *L) {
  struct mp_config config;
  struct mp_network network;
  struct mp_fault fault;
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  lua_getfield(L, 1, "network");
  convert_network(L, -1, &network);
  mp_config_init(&config, &network);
  engine_take_config(L, 1, &config);
  struct engine_box *box = lua_newuserdatauv(L, sizeof *box, 3);
  *box = (struct engine_box){
      .closable = {.close = close_box, .loop = task_loop(L), .kind = "engine"},
      .script = script_of(L)};
  luaL_setmetatable(L, type_name);
  int object = lua_gettop(L); /* above what the configuration points to */
  hooks_init(box);
  if (take_store(L, box, &config, &fault) != 0)
    return push_fault(L, &fault);
  lua_setiuservalue(L, object, 3);
  lua_settop(L, object);
  const struct mp_engine_setup setup = {.loop = box->closable.loop,
                                        .config = &config,
                                        .store = box->store->core,
                                        .tunes_store = box->owns_store,
                                        .hooks = &box->hooks,
                                        .data = box,
                                        .gone = on_gone};
  if (mp_engine_open(&box->engine, &setup, &fault) != 0) {
    drop_store(box);
    return push_fault(L, &fault);
  }
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 2);
  object_remember(L, box);
  script_opened(box->script, &box->closable);
  return 1;
}

/* --- methods ---------------------------------------------------------------
 */

static int do_start(lua_State *L) {
  struct engine_box *box = self(L);
  struct mp_fault fault;
  if (!box->engine)
    return push_failure(L, MP_ECLOSED, "the engine is closed");
  int rc = mp_engine_start(box->engine, &fault);
  if (rc == 0) {
    box->is_started = true;
    set_anchor(L, 1, box);
  }
  return push_result(L, rc, &fault);
}

/* A started one is anchored: it comes here only when the whole state is
 * closed, and then the script closes it. */
static int do_gc(lua_State *L) {
  struct engine_box *box = self(L);
  if (!box->is_started)
    close_box(&box->closable);
  if (!box->engine)
    drop_store(box); /* when making it has failed halfway */
  decisions_deinit(&box->decisions);
  return 0;
}

static int do_address(lua_State *L) {
  struct engine_box *box = self(L);
  struct mp_address address;
  if (!box->engine || !mp_engine_address(box->engine, &address))
    return push_failure(L, MP_ELISTEN, "the engine does not listen");
  push_address(L, &address);
  return 1;
}

/* What is known of the network it speaks. */
static int do_network(lua_State *L) {
  const struct mp_network *network = &mp_engine_config(live(L))->network;
  push_network(L, network);
  return 1;
}

/* core: listeners(event, list of guards), commands(event, set of commands or
 * nil). */
static int do_listeners(lua_State *L) {
  struct engine_box *box = self(L);
  int type = mp_event_type(luaL_checkstring(L, 2));
  if (type < 0)
    return luaL_error(L, "unknown event");
  luaL_checktype(L, 3, LUA_TTABLE);
  uint64_t bit = UINT64_C(1) << type;
  bool is_heard = luaL_len(L, 3) > 0;
  lua_getiuservalue(L, 1, 1);
  lua_pushvalue(L, 3);
  audience_set(L, (enum mp_event_type)type);
  box->hooks.wants =
      is_heard ? box->hooks.wants | bit : box->hooks.wants & ~bit;
  if (box->engine)
    mp_engine_hooks_changed(box->engine);
  return 0;
}

static int do_commands(lua_State *L) {
  struct engine_box *box = self(L);
  bool is_chunk = strcmp(luaL_checkstring(L, 2), "chunk") == 0;
  uint64_t commands = 0;
  if (lua_isnil(L, 3))
    commands = UINT64_MAX;
  else
    for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1))
      commands |= mp_command_bit(luaL_checkstring(L, -2));
  *(is_chunk ? &box->hooks.chunks : &box->hooks.commands) = commands;
  if (box->engine)
    mp_engine_hooks_changed(box->engine);
  return 0;
}

/* Whom a text means: an address with its port, or all of a prefix. */
struct place {
  struct mp_prefix prefix;
  uint16_t port; /* 0: any */
};

static void take_place(lua_State *L, int index, struct place *place) {
  struct mp_fault fault;
  struct mp_address address;
  const char *text = luaL_optstring(L, index, "::/0");
  place->port = 0;
  if (mp_prefix_parse(&place->prefix, text, &fault) == 0)
    return;
  if (mp_address_parse(&address, text, 0, NULL) != 0)
    luaL_error(L, "%s", fault.text);
  place->prefix = mp_prefix_of(&address);
  place->port = address.port;
}

static bool is_at(const struct mp_connection *c, const struct place *place) {
  const struct mp_address *address = mp_connection_address(c);
  return mp_prefix_contains(&place->prefix, address) &&
         (place->port == 0 || place->port == address->port);
}

/* list(where): a list of all connections, or of those there: closing them while
 * it is walked is safe. */
static int do_list(lua_State *L) {
  struct engine_box *box = self(L);
  struct mp_connection *c = box->engine ? mp_engine_first(box->engine) : NULL;
  struct place place;
  take_place(L, 2, &place);
  lua_newtable(L);
  for (lua_Integer i = 1; c; c = mp_engine_next(c)) {
    if (mp_connection_is_closing(c) || !is_at(c, &place))
      continue;
    connection_push(L, c);
    lua_rawseti(L, -2, i++);
  }
  return 1;
}

/* The field `store`, and methods. */
static int do_index(lua_State *L) {
  self(L);
  if (strcmp(luaL_checkstring(L, 2), "store") != 0)
    return object_method(L);
  lua_getiuservalue(L, 1, 3);
  return 1;
}

static int do_name(lua_State *L) {
  struct engine_box *box = self(L);
  lua_pushfstring(L, "%s: %s (%s)", type_name,
                  box->engine ? mp_engine_config(box->engine)->network.name
                              : "none",
                  !box->engine                        ? "closed"
                  : mp_engine_is_closing(box->engine) ? "closing"
                  : box->is_started                   ? "running"
                                                      : "not started");
  return 1;
}

struct engine_box *engine_check(lua_State *L, int index) {
  return luaL_checkudata(L, index, type_name);
}

struct engine_box *engine_live(lua_State *L) {
  live(L);
  return self(L);
}

static int do_closing(lua_State *L) {
  close_box(&self(L)->closable);
  return 0;
}

void engine_open_type(lua_State *L) {
  static const luaL_Reg methods[] = {{"start", do_start},
                                     {"address", do_address},
                                     {"set_listeners", do_listeners},
                                     {"wants_commands", do_commands},
                                     {"list", do_list},
                                     {"network", do_network},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__close", do_closing},
                                         {"__gc", do_gc},
                                         {"__tostring", do_name},
                                         {NULL, NULL}};
  object_type(L, type_name, methods, metamethods, do_index);
  object_methods(L, type_name);
  luaL_setfuncs(L, control_methods, 0);
  luaL_setfuncs(L, jobs_methods, 0);
  luaL_setfuncs(L, rules_methods, 0);
  luaL_setfuncs(L, decisions_methods, 0);
  lua_pop(L, 1);
}
