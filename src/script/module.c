/* module - the engine as a Lua module. */
#include "script/module.h"

#include <string.h>

#include <lauxlib.h>

#include "base/hex.h"
#include "moonpeer/text.h"
#include "script/actor.h"
#include "script/audience.h"
#include "script/confined.h"
#include "script/connection.h"
#include "script/console.h"
#include "script/convert.h"
#include "script/embed.h"
#include "script/engine.h"
#include "script/gate.h"
#include "script/guard.h"
#include "script/hashes.h"
#include "script/input.h"
#include "script/json.h"
#include "script/memory_cap.h"
#include "script/message.h"
#include "script/resolve.h"
#include "script/run.h"
#include "script/sim.h"
#include "script/store.h"
#include "script/task.h"

/* --- small functions -------------------------------------------------------
 */

enum { GLOB_STEPS = 1 << 24 }; /* at most: nothing stops it meanwhile */

static int do_glob(lua_State *L) {
  size_t text_size, pattern_size;
  const char *text = luaL_checklstring(L, 1, &text_size);
  const char *pattern = luaL_checklstring(L, 2, &pattern_size);
  if (pattern_size && text_size > GLOB_STEPS / pattern_size)
    return luaL_error(L, "the glob takes too long on this text");
  lua_pushboolean(L, mp_glob(text, text_size, pattern, pattern_size));
  return 1;
}

/* Bytes as hex digits; a hash (32 bytes) as it is displayed, reversed. */
static int do_hex(lua_State *L) {
  static const char digits[] = "0123456789abcdef";
  size_t n;
  luaL_Buffer buffer;
  const unsigned char *bytes =
      (const unsigned char *)luaL_checklstring(L, 1, &n);
  char *out = luaL_buffinitsize(L, &buffer, 2 * n);
  for (size_t i = 0; i < n; i++) {
    unsigned char byte = bytes[n == 32 ? n - 1 - i : i];
    out[2 * i] = digits[byte >> 4];
    out[2 * i + 1] = digits[byte & 15];
  }
  luaL_pushresultsize(&buffer, 2 * n);
  return 1;
}

/* Bytes as hex digits in their order, whatever they are. */
static int do_hex_of(lua_State *L) {
  size_t n;
  luaL_Buffer buffer;
  const char *bytes = luaL_checklstring(L, 1, &n);
  hex_put(luaL_buffinitsize(L, &buffer, 2 * n), (const uint8_t *)bytes, n);
  luaL_pushresultsize(&buffer, 2 * n);
  return 1;
}

/* The bytes of hex digits as they stand; nil for what is none. */
static int do_unhex(lua_State *L) {
  size_t n;
  luaL_Buffer buffer;
  const char *text = luaL_checklstring(L, 1, &n);
  char *out = luaL_buffinitsize(L, &buffer, n / 2);
  if (!hex_parse((uint8_t *)out, text, n)) {
    lua_pushnil(L);
    return 1;
  }
  luaL_pushresultsize(&buffer, n / 2);
  return 1;
}

static int do_now(lua_State *L) {
  lua_pushnumber(L,
                 (lua_Number)mp_loop_now(task_loop(L)) / (lua_Number)MP_SECOND);
  return 1;
}

static int do_time(lua_State *L) {
  lua_pushnumber(L, (lua_Number)mp_loop_time(task_loop(L)) /
                        (lua_Number)MP_SECOND);
  return 1;
}

static int do_in_task(lua_State *L) {
  lua_pushboolean(L, task_is_here(L));
  return 1;
}

static int do_duration(lua_State *L) {
  lua_pushnumber(L, (lua_Number)convert_duration(L, 1) / (lua_Number)MP_SECOND);
  return 1;
}

static const char *name_at(void *data, size_t i) {
  lua_State *L = data;
  lua_rawgeti(L, 2, (lua_Integer)i + 1);
  const char *name = lua_tostring(L, -1);
  lua_pop(L, 1); /* the list keeps it */
  return name ? name : "";
}

/* nearest(word, names): the one that was probably meant, or nil. */
static int do_nearest(lua_State *L) {
  const char *word = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_pushstring(L, mp_nearest(word, name_at, L, (size_t)luaL_len(L, 2)));
  return 1;
}

/* methods(type): its table, or nil when there is no such type. */
static int do_methods(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  if (luaL_getmetatable(L, name) == LUA_TTABLE)
    object_methods(L, name);
  return 1;
}

/* Is it the code of something that a remote can do wrong? */
static int do_is_error(lua_State *L) {
  lua_pushboolean(L, mp_error_code(luaL_checkstring(L, 1)) != 0);
  return 1;
}

static int do_is_offence(lua_State *L) {
  int code = mp_error_code(luaL_checkstring(L, 1));
  lua_pushboolean(L, code <= MP_ENETWORK && code >= MP_EFLOOD);
  return 1;
}

static int do_is_scope(lua_State *L) {
  const char *scope = luaL_checkstring(L, 1);
  struct mp_prefix prefix;
  lua_pushboolean(L, strcmp(scope, "address") == 0 ||
                         strcmp(scope, "group") == 0 ||
                         mp_prefix_parse(&prefix, scope, NULL) == 0);
  return 1;
}

static int do_is_answer(lua_State *L) {
  lua_pushboolean(L, mp_answer_of(luaL_checkstring(L, 1)) >= 0);
  return 1;
}

/* collects(on): a full collection before and after every entry into Lua from
 * now on; whether there was one until now. */
static int do_collects(lua_State *L) {
  struct script *script = script_of(L);
  lua_pushboolean(L, script->collects);
  script->collects = lua_toboolean(L, 1);
  return 1;
}

/* memory_limit(bytes): what the state may hold while policies run; the limit
 * until now, and what it holds. */
static int do_memory_limit(lua_State *L) {
  script_protect(L);
  struct memory_cap *cap = script_of(L)->cap;
  lua_Integer limit = luaL_optinteger(L, 1, 0);
  lua_pushinteger(L, (lua_Integer)memory_cap_limit(cap));
  lua_pushinteger(L, (lua_Integer)memory_cap_used(cap));
  if (limit > 0)
    memory_cap_set(cap, (size_t)limit);
  return 2;
}

static void count_one(lua_State *L, const char *kind) {
  lua_getfield(L, -1, kind);
  lua_pushinteger(L, lua_tointeger(L, -1) + 1);
  lua_setfield(L, -3, kind);
  lua_pop(L, 1);
}

/* open(): how many of each kind are open on all loops. */
static int do_open(lua_State *L) {
  const struct script *script = script_of(L);
  lua_newtable(L);
  for (struct closable *c = script->open; c; c = c->next)
    count_one(L, c->kind);
  for (struct task *task = tasks_first(script); task; task = tasks_next(task))
    count_one(L, "task");
  for (size_t i = sim_count(L); i > 0; i--)
    count_one(L, "world");
  return 1;
}

/* Raises what connect and listen would. */
static int do_check_options(lua_State *L) {
  struct mp_config config;
  connection_options(L, 1, &config);
  return 0;
}

/* --- tables ----------------------------------------------------------------
 */

static void push_networks(lua_State *L) {
  size_t n;
  const struct mp_network *list = mp_network_list(&n);
  lua_createtable(L, 0, (int)n);
  for (size_t i = 0; i < n; i++) {
    push_network(L, &list[i]);
    lua_setfield(L, -2, list[i].name);
  }
}

static void push_events(lua_State *L) {
  lua_createtable(L, MP_EVENT_TYPES, 0);
  for (int i = 0; i < MP_EVENT_TYPES; i++) {
    lua_pushstring(L, mp_event_name((enum mp_event_type)i));
    lua_rawseti(L, -2, i + 1);
  }
}

static const luaL_Reg functions[] = {
    {"active", guard_lua_active},
    {"bind", actor_lua_bind},
    {"chain", guard_lua_chain},
    {"check_options", do_check_options},
    {"collects", do_collects},
    {"confined", confined_lua_new},
    {"connect", connection_lua_connect},
    {"decode", codec_lua_decode},
    {"define", declare_lua_define},
    {"duration", do_duration},
    {"encode", codec_lua_encode},
    {"engine", engine_lua_new},
    {"gate", gate_lua_new},
    {"glob", do_glob},
    {"guard", guard_lua_new},
    {"hashes", hashes_lua_new},
    {"hex", do_hex},
    {"hex_of", do_hex_of},
    {"in_task", do_in_task},
    {"is_answer", do_is_answer},
    {"is_error", do_is_error},
    {"is_offence", do_is_offence},
    {"is_scope", do_is_scope},
    {"json_decode", json_lua_decode},
    {"json_encode", json_lua_encode},
    {"json_list", json_lua_list},
    {"listen", listener_lua_listen},
    {"memory_limit", do_memory_limit},
    {"methods", do_methods},
    {"nearest", do_nearest},
    {"now", do_now},
    {"open", do_open},
    {"read_some", input_lua_read_some},
    {"resolve", resolve_lua_resolve},
    {"run", run_lua_run},
    {"sleep", task_lua_sleep},
    {"spawn", task_lua_spawn},
    {"store", store_lua_open},
    {"time", do_time},
    {"types", codec_lua_types},
    {"unhex", do_unhex},
    {"world", sim_lua_new},
    {NULL, NULL},
};

int luaopen_moonpeer_core(lua_State *L) {
  task_open(L);
  message_open(L);
  hashes_open_type(L);
  connection_open_type(L);
  listener_open_type(L);
  engine_open_type(L);
  audience_open(L);
  gate_open_type(L);
  guard_open_type(L);
  resolve_open_type(L);
  sim_open_type(L);
  json_open_type(L);
  store_open_type(L);
  luaL_newlib(L, functions);
  console_open(L);
  lua_pushstring(L, mp_version_text());
  lua_setfield(L, -2, "version");
  push_networks(L);
  lua_setfield(L, -2, "network");
  push_events(L);
  lua_setfield(L, -2, "events");
  telling_push_names(L);
  lua_setfield(L, -2, "store_events");
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  return 1;
}

static void preload(lua_State *L, const char *name, lua_CFunction open) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, open);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

int luaopen_moonpeer(lua_State *L) {
  preload(L, "moonpeer.core", luaopen_moonpeer_core);
  embed_install(L);
  embed_load(L, "moonpeer");
  lua_pushliteral(L, "moonpeer");
  lua_insert(L, -2);
  lua_call(L, 2, 1);
  return 1;
}

void module_preload(lua_State *L) {
  preload(L, "moonpeer", luaopen_moonpeer);
  preload(L, "moonpeer.core", luaopen_moonpeer_core);
  embed_install(L);
}
