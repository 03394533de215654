/* engine - engines in Lua. */
#include "script/engine.h"

#include <string.h>

#include "script/connection.h"
#include "script/convert.h"
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

/* Keeps the object while it is started; nil at index lets it go. */
static void set_anchor(lua_State *L, int index, const struct engine_box *box) {
  index = lua_absindex(L, index);
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

static int forget(lua_State *L) {
  struct engine_box *box = lua_touserdata(L, 1);
  object_forget(L, box);
  lua_pushnil(L);
  set_anchor(L, -1, box);
  return 0;
}

static void on_gone(void *data) {
  struct engine_box *box = data;
  box->engine = NULL;
  script_closed(box->script, &box->closable);
  if (box->is_started) /* else this is within a call from Lua */
    script_enter(box->script, box->closable.loop, forget, box);
}

static void close_box(struct closable *closable) {
  struct engine_box *box = (struct engine_box *)closable;
  if (box->engine)
    mp_engine_close(box->engine);
}

/* --- configuration ---------------------------------------------------------
 */

static void take_listen(lua_State *L, struct mp_config *config) {
  int type = lua_getfield(L, 1, "listen");
  if (type == LUA_TBOOLEAN && lua_toboolean(L, -1)) {
    config->has_listen = true;
    lua_pushliteral(L, "0.0.0.0");
    convert_address(L, -1, config->network.port, &config->listen);
    lua_pop(L, 1);
  } else if (type != LUA_TNIL && type != LUA_TBOOLEAN) {
    config->has_listen = true;
    convert_address(L, -1, config->network.port, &config->listen);
  }
  lua_pop(L, 1);
}

/* The list lives in a userdata that the stack keeps. */
static void take_peers(lua_State *L, struct mp_config *config) {
  if (lua_getfield(L, 1, "peers") == LUA_TNIL) {
    lua_pop(L, 1);
    return;
  }
  if (!lua_istable(L, -1))
    luaL_error(L, "peers: expected a list of addresses, got %s",
               luaL_typename(L, -1));
  size_t n = (size_t)luaL_len(L, -1);
  struct mp_address *list = lua_newuserdatauv(L, (n ? n : 1) * sizeof *list, 0);
  lua_insert(L, -2);
  for (size_t i = 0; i < n; i++) {
    lua_geti(L, -1, (lua_Integer)i + 1);
    convert_address(L, -1, config->network.port, &list[i]);
    lua_pop(L, 1);
  }
  config->peers = list;
  config->peer_count = n;
  config->is_fixed = true;
  lua_pop(L, 1);
}

static void take_mode(lua_State *L, struct mp_config *config) {
  static const char *const modes[] = {"normal", "fixed", NULL};
  if (lua_getfield(L, 1, "mode") != LUA_TNIL) {
    const char *mode = luaL_checkstring(L, -1);
    if (strcmp(mode, "normal") != 0 && strcmp(mode, "fixed") != 0)
      convert_unknown(L, "mode", mode, modes);
    config->is_fixed = strcmp(mode, "fixed") == 0;
  }
  lua_pop(L, 1);
}

static void take_config(lua_State *L, struct mp_config *config) {
  static const char *const known[] = {"network",  "listen",  "peers",
                                      "mode",     "store",   "policies",
                                      "schedule", "trusted", NULL};
  struct mp_network network;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_getfield(L, 1, "network");
  convert_network(L, -1, &network);
  mp_config_init(config, &network);
  convert_config(L, 1, config, known);
  take_listen(L, config);
  take_peers(L, config);
  take_mode(L, config);
}

int engine_lua_new(lua_State *L) {
  struct mp_config config;
  struct mp_fault fault;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  take_config(L, &config);
  struct engine_box *box = lua_newuserdatauv(L, sizeof *box, 2);
  *box = (struct engine_box){
      .closable = {.close = close_box, .loop = task_loop(L), .kind = "engine"},
      .script = script_of(L)};
  luaL_setmetatable(L, type_name);
  hooks_init(box);
  const struct mp_engine_setup setup = {.loop = box->closable.loop,
                                        .config = &config,
                                        .hooks = &box->hooks,
                                        .data = box,
                                        .gone = on_gone};
  if (mp_engine_open(&box->engine, &setup, &fault) != 0)
    return push_fault(L, &fault);
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

static int do_close(lua_State *L) {
  close_box(&self(L)->closable);
  return 0;
}

/* A started one is anchored: it comes here only when the whole state is
 * closed, and then the script closes it. */
static int do_gc(lua_State *L) {
  struct engine_box *box = self(L);
  if (!box->is_started)
    close_box(&box->closable);
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

static int do_dial(lua_State *L) {
  struct mp_engine *engine = live(L);
  struct mp_address to;
  struct mp_fault fault;
  convert_address(L, 2, mp_engine_config(engine)->network.port, &to);
  return push_result(L, mp_engine_dial(engine, &to, &fault), &fault);
}

/* What is known of the network it speaks. */
static int do_network(lua_State *L) {
  const struct mp_network *network = &mp_engine_config(live(L))->network;
  push_network(L, network);
  return 1;
}

/* core: wants(event, on), commands(list of commands). */
static int do_wants(lua_State *L) {
  struct engine_box *box = self(L);
  int type = mp_event_type(luaL_checkstring(L, 2));
  if (type < 0)
    return luaL_error(L, "unknown event");
  uint64_t bit = UINT64_C(1) << type;
  box->hooks.wants =
      lua_toboolean(L, 3) ? box->hooks.wants | bit : box->hooks.wants & ~bit;
  if (box->engine)
    mp_engine_hooks_changed(box->engine);
  return 0;
}

static int do_commands(lua_State *L) {
  struct engine_box *box = self(L);
  uint64_t commands = 0;
  if (lua_isnil(L, 2))
    commands = UINT64_MAX;
  else
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1))
      commands |= mp_command_bit(luaL_checkstring(L, -2));
  box->hooks.commands = commands;
  if (box->engine)
    mp_engine_hooks_changed(box->engine);
  return 0;
}

/* A list of all connections: closing them while it is walked is safe. */
static int do_list(lua_State *L) {
  struct engine_box *box = self(L);
  struct mp_connection *c = box->engine ? mp_engine_first(box->engine) : NULL;
  lua_newtable(L);
  for (lua_Integer i = 1; c; c = mp_engine_next(c)) {
    if (mp_connection_is_closing(c))
      continue;
    connection_push(L, c);
    lua_rawseti(L, -2, i++);
  }
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

void engine_open_type(lua_State *L) {
  static const luaL_Reg methods[] = {{"start", do_start},
                                     {"close", do_close},
                                     {"address", do_address},
                                     {"dial", do_dial},
                                     {"wants_event", do_wants},
                                     {"wants_commands", do_commands},
                                     {"list", do_list},
                                     {"network", do_network},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__close", do_close},
                                         {"__gc", do_gc},
                                         {"__tostring", do_name},
                                         {NULL, NULL}};
  object_type(L, type_name, methods, metamethods, NULL);
}
