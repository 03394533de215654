/* sim_weather - what a world's network is like, from Lua: weather, limits,
 * partitions, names. The tables have been checked for unknown keys. */
#include <string.h>

#include "moonpeer/text.h"
#include "script/convert.h"
#include "script/sim.h"

enum { HOSTS_MAX = 100000 };

/* --- fields ----------------------------------------------------------------
 */

/* What is at the top in words, texts in quotes. */
static const char *shown(lua_State *L) {
  if (lua_type(L, -1) == LUA_TSTRING)
    return lua_pushfstring(L, "\"%s\"", lua_tostring(L, -1));
  return luaL_tolstring(L, -1, NULL);
}

/* The duration at the top, or "never". */
static int64_t to_duration(lua_State *L, const char *name) {
  int64_t value = MP_FOREVER;
  const char *text =
      lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  if (text && strcmp(text, "never") == 0)
    return MP_FOREVER;
  bool good = text ? mp_duration_parse(&value, text)
                   : lua_type(L, -1) == LUA_TNUMBER &&
                         mp_duration_of_seconds(&value, lua_tonumber(L, -1));
  if (!good)
    luaL_error(L, "%s: expected seconds or a text such as \"250ms\", got %s",
               name, shown(L));
  return value;
}

static void take_duration(lua_State *L, const char *name, int64_t *value) {
  if (lua_getfield(L, -1, name) != LUA_TNIL)
    *value = to_duration(L, name);
  lua_pop(L, 1);
}

static void take_number(lua_State *L, const char *name, double *value) {
  if (lua_getfield(L, -1, name) != LUA_TNIL) {
    if (lua_type(L, -1) != LUA_TNUMBER)
      luaL_error(L, "%s: expected a number, got %s", name, shown(L));
    *value = lua_tonumber(L, -1);
  }
  lua_pop(L, 1);
}

static lua_Integer to_integer(lua_State *L, const char *name) {
  int is_integer = 0;
  lua_Integer value = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || lua_type(L, -1) != LUA_TNUMBER)
    luaL_error(L, "%s: expected an integer, got %s", name, shown(L));
  if (value < 0)
    luaL_error(L, "%s: expected none below 0, got %s", name, shown(L));
  return value;
}

/* The world says what it can be. */
static void take_count(lua_State *L, const char *name, uint32_t *value) {
  if (lua_getfield(L, -1, name) != LUA_TNIL) {
    lua_Integer given = to_integer(L, name);
    if (given > UINT32_MAX)
      luaL_error(L, "%s: expected at most %I, got %s", name,
                 (LUAI_UACINT)UINT32_MAX, shown(L));
    *value = (uint32_t)given;
  }
  lua_pop(L, 1);
}

/* --- weather ---------------------------------------------------------------
 */

static void take_bandwidth(lua_State *L, uint64_t *value) {
  if (lua_getfield(L, -1, "bandwidth") != LUA_TNIL)
    *value = (uint64_t)to_integer(L, "bandwidth");
  lua_pop(L, 1);
}

static void take_weather(lua_State *L, struct mp_weather *weather) {
  mp_weather_init(weather);
  take_duration(L, "latency", &weather->latency);
  take_duration(L, "jitter", &weather->jitter);
  take_bandwidth(L, &weather->bandwidth);
  take_count(L, "segment", &weather->segment);
  take_number(L, "split", &weather->split);
  take_number(L, "merge", &weather->merge);
  take_number(L, "loss", &weather->loss);
  take_number(L, "refuse", &weather->refuse);
  take_number(L, "silence", &weather->silence);
  take_duration(L, "lifetime", &weather->lifetime);
}

/* weather(from, to, table): one way; nil for any host; no table takes it back.
 */
static int do_weather(lua_State *L) {
  struct sim *sim = sim_check(L);
  struct mp_fault fault = {0};
  struct mp_weather weather;
  struct mp_loop *from = sim_host(L, sim, 2), *to = sim_host(L, sim, 3);
  lua_settop(L, 4);
  if (!lua_isnil(L, 4))
    take_weather(L, &weather);
  return push_result(L,
                     mp_world_link(sim->world, from, to,
                                   lua_isnil(L, 4) ? NULL : &weather, &fault),
                     &fault);
}

/* limits(host, table); nil for hosts that are made later. */
static int do_limits(lua_State *L) {
  struct sim *sim = sim_check(L);
  struct mp_fault fault = {0};
  struct mp_host_limits limits;
  lua_settop(L, 3);
  mp_host_limits_init(&limits);
  take_count(L, "descriptors", &limits.descriptors);
  take_count(L, "window", &limits.window);
  take_count(L, "send_buffer", &limits.send_buffer);
  return push_result(
      L, mp_world_limit(sim->world, sim_host(L, sim, 2), &limits, &fault),
      &fault);
}

/* --- partitions ------------------------------------------------------------
 */

/* The list lives in a userdata that the stack keeps. */
static struct mp_hosts take_hosts(lua_State *L, struct sim *sim, int index) {
  struct mp_hosts hosts = {0};
  if (lua_isnoneornil(L, index))
    return hosts;
  hosts.n = (size_t)luaL_len(L, index);
  if (hosts.n > HOSTS_MAX)
    luaL_error(L, "expected at most %d hosts", HOSTS_MAX);
  struct mp_loop **list =
      lua_newuserdatauv(L, (hosts.n + 1) * sizeof(struct mp_loop *), 0);
  for (size_t i = 0; i < hosts.n; i++) {
    lua_geti(L, index, (lua_Integer)i + 1);
    list[i] = sim_host(L, sim, lua_gettop(L));
    lua_pop(L, 1);
  }
  hosts.list = list;
  return hosts;
}

/* cut(list, list or nil): the number to heal it with. */
static int do_cut(lua_State *L) {
  struct sim *sim = sim_check(L);
  struct mp_fault fault;
  lua_settop(L, 3);
  struct mp_hosts a = take_hosts(L, sim, 2), b = take_hosts(L, sim, 3);
  int number = mp_world_partition(sim->world, a, b, &fault);
  if (number < 0)
    return push_fault(L, &fault);
  lua_pushinteger(L, number);
  return 1;
}

static int do_heal(lua_State *L) {
  mp_world_heal(sim_check(L)->world, (int)luaL_optinteger(L, 2, 0));
  return 0;
}

/* sever(a, b): resets every stream between the two; how many. */
static int do_sever(lua_State *L) {
  struct sim *sim = sim_check(L);
  size_t n =
      mp_world_break(sim->world, sim_host(L, sim, 2), sim_host(L, sim, 3));
  lua_pushinteger(L, (lua_Integer)n);
  return 1;
}

/* --- names -----------------------------------------------------------------
 */

/* name(name, list of ips, delay or "never"). */
static int do_name(lua_State *L) {
  struct sim *sim = sim_check(L);
  struct mp_fault fault = {0};
  struct mp_address answers[MP_RESOLVE_MAX];
  struct mp_world_name name = {.name = luaL_checkstring(L, 2),
                               .answers = answers};
  lua_settop(L, 4);
  name.n = (size_t)luaL_len(L, 3);
  for (size_t i = 0; i < name.n && i < MP_RESOLVE_MAX; i++) {
    lua_geti(L, 3, (lua_Integer)i + 1);
    convert_address(L, -1, 0, &answers[i]);
    lua_pop(L, 1);
  }
  name.delay = lua_isnil(L, 4) ? 10 * MP_MILLISECOND : to_duration(L, "delay");
  return push_result(L, mp_world_name(sim->world, &name, &fault), &fault);
}

const luaL_Reg sim_weather_methods[] = {{"weather", do_weather},
                                        {"limits", do_limits},
                                        {"cut", do_cut},
                                        {"heal", do_heal},
                                        {"sever", do_sever},
                                        {"name", do_name},
                                        {NULL, NULL}};
