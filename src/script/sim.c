/* sim - simulated worlds in Lua: making them, their hosts, clock and chance.
 */
#include "script/sim.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "script/convert.h"
#include "script/task.h"

static const char *const type_name = "moonpeer.world";

static struct sim *self(lua_State *L) {
  return luaL_checkudata(L, 1, type_name);
}

struct sim *sim_check(lua_State *L) {
  struct sim *sim = self(L);
  if (!sim->world)
    luaL_error(L, "the world is closed");
  return sim;
}

/* --- making ----------------------------------------------------------------
 */

static void set_anchor(lua_State *L, const struct sim *sim, bool on) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, type_name);
  if (on)
    lua_pushvalue(L, -2);
  else
    lua_pushnil(L);
  lua_rawsetp(L, -2, sim);
  lua_pop(L, 1);
}

size_t sim_count(lua_State *L) {
  size_t n = 0;
  luaL_getsubtable(L, LUA_REGISTRYINDEX, type_name);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
    n += lua_type(L, -2) == LUA_TLIGHTUSERDATA;
  lua_pop(L, 1);
  return n;
}

static lua_Integer take_integer(lua_State *L, const char *name,
                                lua_Integer otherwise) {
  lua_Integer value = otherwise;
  if (lua_getfield(L, 1, name) != LUA_TNIL)
    value = luaL_checkinteger(L, -1);
  lua_pop(L, 1);
  return value;
}

/* Seconds since 1970 as nanoseconds; what does not fit is for the world to
 * refuse. */
static int64_t take_time(lua_State *L, const char *name) {
  lua_Integer value = take_integer(L, name, 0);
  if (value < 0)
    return -1;
  return value > INT64_MAX / MP_SECOND ? INT64_MAX : value * MP_SECOND;
}

static int64_t take_duration(lua_State *L, const char *name) {
  lua_getfield(L, 1, name);
  int64_t value = convert_duration_or(L, lua_gettop(L), 0);
  lua_pop(L, 1);
  return value;
}

static enum mp_trace take_trace(lua_State *L) {
  static const char *const names[] = {"hash", "off", "text", NULL};
  lua_getfield(L, 1, "trace");
  int found = luaL_checkoption(L, -1, "text", names);
  lua_pop(L, 1);
  return (enum mp_trace)found;
}

int sim_lua_new(lua_State *L) {
  struct mp_fault fault;
  luaL_checktype(L, 1, LUA_TTABLE);
  const struct mp_world_options options = {
      .seed = (uint64_t)take_integer(L, "seed", 0),
      .start = take_time(L, "start"),
      .work_time = take_duration(L, "work_time"),
      .trace = take_trace(L),
      .trace_limit = (size_t)take_integer(L, "trace_limit", 0),
  };
  struct sim *sim = lua_newuserdatauv(L, sizeof *sim, 0);
  *sim = (struct sim){.script = script_of(L)};
  sim->instructions = (int)take_integer(L, "instructions", 100000000);
  luaL_setmetatable(L, type_name);
  if (mp_world_new(&sim->world, &options, &fault) != 0)
    return push_fault(L, &fault);
  sim->start = mp_world_time(sim->world);
  set_anchor(L, sim, true);
  return 1;
}

static int free_world(lua_State *L) {
  struct sim *sim = sim_check(L);
  struct mp_world *world = sim->world;
  if (mp_world_is_running(world))
    return luaL_error(L, "the world is running; its hooks cannot close it");
  sim->world = NULL;
  mp_world_free(world);
  set_anchor(L, sim, false);
  return 0;
}

/* Only with the whole state: whatever is in there is told no more. */
static bool is_ours(const void *data, const struct mp_loop *loop) {
  return mp_world_of(loop) == data;
}

/* Also inside a run: a hook may end the process. */
static int do_gc(lua_State *L) {
  struct sim *sim = self(L);
  struct script *script = sim->script;
  if (!sim->world)
    return 0;
  script->is_closing = true;
  tasks_abandon(script);
  script_close_those(script, is_ours, sim->world);
  mp_world_free(sim->world);
  sim->world = NULL;
  return 0;
}

/* --- hosts -----------------------------------------------------------------
 */

struct mp_loop *sim_host(lua_State *L, struct sim *sim, int index) {
  struct mp_address ip;
  if (lua_isnoneornil(L, index))
    return NULL;
  convert_address(L, index, 0, &ip);
  struct mp_loop *loop = mp_world_find(sim->world, &ip);
  if (!loop)
    luaL_error(L, "there is no host at %s", lua_tostring(L, index));
  return loop;
}

/* host(ip): makes one; one that nothing of ours is on is taken again. */
static int do_host(lua_State *L) {
  struct sim *sim = sim_check(L);
  struct mp_loop *loop;
  struct mp_address ip;
  struct mp_fault fault = {0};
  convert_address(L, 2, 0, &ip);
  loop = mp_world_find(sim->world, &ip);
  if (loop && !sim_is_used(sim->script, loop))
    return push_result(L, 0, NULL);
  int rc = mp_world_host(&loop, sim->world, &ip, &fault);
  if (!sim->first)
    sim->first = loop;
  return push_result(L, rc, &fault);
}

/* ip("10.0.0.1:8333"): "10.0.0.1" and the port, 0 when there is none. */
static int do_ip(lua_State *L) {
  struct mp_address address;
  char text[MP_ADDRESS_TEXT];
  convert_address(L, 1, 0, &address);
  lua_pushstring(L, mp_address_format_ip(&address, text));
  lua_pushinteger(L, address.port);
  return 2;
}

/* --- clock and chance ------------------------------------------------------
 */

static int do_now(lua_State *L) {
  lua_pushnumber(L, (lua_Number)mp_world_now(sim_check(L)->world) /
                        (lua_Number)MP_SECOND);
  return 1;
}

/* jump(seconds): the wall clocks, forward or back. */
static int do_jump(lua_State *L) {
  struct mp_fault fault;
  struct sim *sim = sim_check(L);
  double by = luaL_checknumber(L, 2) * (double)MP_SECOND;
  luaL_argcheck(L, by > -9e18 && by < 9e18, 2, "expected seconds");
  return push_result(L, mp_world_jump(sim->world, (int64_t)by, &fault), &fault);
}

/* A float in [0, 1), or an integer in a range: as math.random. */
static int do_random(lua_State *L) {
  struct mp_world *world = sim_check(L)->world;
  lua_Integer low = 1, high;
  uint64_t value = mp_world_random_u64(world);
  if (lua_gettop(L) == 1) {
    lua_pushnumber(L, (lua_Number)(value >> 11) * 0x1p-53);
    return 1;
  }
  high = luaL_checkinteger(L, 2);
  if (lua_gettop(L) == 2 && high == 0) {
    lua_pushinteger(L, (lua_Integer)value);
    return 1;
  }
  if (lua_gettop(L) > 2) {
    low = high;
    high = luaL_checkinteger(L, 3);
  }
  luaL_argcheck(L, low <= high, lua_gettop(L), "interval is empty");
  uint64_t range = (uint64_t)high - (uint64_t)low + 1;
  while (range && value >= UINT64_MAX - UINT64_MAX % range)
    value = mp_world_random_u64(world);
  uint64_t drawn = (range ? value % range : value) + (uint64_t)low;
  lua_pushinteger(L, (lua_Integer)drawn);
  return 1;
}

enum { PART_MAX = 1000000000 };

static int get_part(lua_State *L, const char *name, int otherwise) {
  int is_integer, value = otherwise;
  if (lua_getfield(L, 1, name) != LUA_TNIL) {
    lua_Integer given = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer)
      luaL_error(L, "field '%s' is not an integer", name);
    if (given < -PART_MAX || given > PART_MAX)
      luaL_error(L, "field '%s' is out-of-bound", name);
    value = (int)given;
  } else if (otherwise < 0) {
    luaL_error(L, "field '%s' missing in date table", name);
  }
  lua_pop(L, 1);
  return value;
}

/* utc{ year, month, day, ... }: as os.time{...} where the clock is UTC. */
static int do_utc(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  struct tm parts = {.tm_year = get_part(L, "year", -1) - 1900,
                     .tm_mon = get_part(L, "month", -1) - 1,
                     .tm_mday = get_part(L, "day", -1),
                     .tm_hour = get_part(L, "hour", 12),
                     .tm_min = get_part(L, "min", 0),
                     .tm_sec = get_part(L, "sec", 0)};
  lua_pushinteger(L, (lua_Integer)timegm(&parts));
  return 1;
}

/* --- what happened ---------------------------------------------------------
 */

static int do_trace(lua_State *L) {
  size_t n;
  const char *text = mp_world_trace(sim_check(L)->world, &n);
  lua_pushlstring(L, text, n);
  return 1;
}

static int do_hash(lua_State *L) {
  uint8_t hash[32];
  char text[65];
  mp_world_hash(sim_check(L)->world, hash);
  for (int i = 0; i < 32; i++)
    snprintf(text + 2 * (size_t)i, 3, "%02x", hash[i]);
  lua_pushstring(L, text);
  return 1;
}

/* note(ip, text) */
static int do_note(lua_State *L) {
  struct sim *sim = sim_check(L);
  mp_world_note(sim->world, sim_host(L, sim, 2), luaL_checkstring(L, 3));
  return 0;
}

static int do_count(lua_State *L) {
  struct mp_world_count count;
  mp_world_count(sim_check(L)->world, &count);
  const struct {
    const char *name;
    uint64_t value;
  } rows[] = {
      {"hosts", count.hosts},         {"streams", count.streams},
      {"listeners", count.listeners}, {"lookups", count.lookups},
      {"works", count.works},         {"bytes", count.bytes},
      {"memory", count.memory},       {"events", count.events},
      {"messages", count.messages},
  };
  lua_createtable(L, 0, sizeof rows / sizeof *rows);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    lua_pushinteger(L, (lua_Integer)rows[i].value);
    lua_setfield(L, -2, rows[i].name);
  }
  return 1;
}

static int do_name(lua_State *L) {
  const struct sim *sim = self(L);
  if (sim->world)
    lua_pushfstring(L, "%s (at %f s)", type_name,
                    (lua_Number)mp_world_now(sim->world) /
                        (lua_Number)MP_SECOND);
  else
    lua_pushfstring(L, "%s (closed)", type_name);
  return 1;
}

/* start(): seconds since 1970 when the world began. */
static int do_start(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)(sim_check(L)->start / MP_SECOND));
  return 1;
}

/* is_running(): itself; is_busy(): this world cannot run now. */
static int do_is_running(lua_State *L) {
  lua_pushboolean(L, mp_world_is_running(sim_check(L)->world));
  return 1;
}

static int do_is_busy(lua_State *L) {
  lua_pushboolean(L, sim_refusal(sim_check(L)) != NULL);
  return 1;
}

static int do_is_closed(lua_State *L) {
  lua_pushboolean(L, !self(L)->world);
  return 1;
}

void sim_open_type(lua_State *L) {
  static const luaL_Reg methods[] = {{"at", sim_at},
                                     {"count", do_count},
                                     {"free", free_world},
                                     {"hash", do_hash},
                                     {"host", do_host},
                                     {"is_busy", do_is_busy},
                                     {"is_closed", do_is_closed},
                                     {"is_running", do_is_running},
                                     {"is_empty", sim_is_empty},
                                     {"jump", do_jump},
                                     {"leftovers", sim_leftovers},
                                     {"note", do_note},
                                     {"now", do_now},
                                     {"random", do_random},
                                     {"run", sim_run},
                                     {"shut", sim_shut},
                                     {"start", do_start},
                                     {"stop", sim_stop},
                                     {"trace", do_trace},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__gc", do_gc}, {"__tostring", do_name}, {NULL, NULL}};
  object_type(L, type_name, methods, metamethods, NULL);
  object_methods(L, type_name);
  luaL_setfuncs(L, sim_weather_methods, 0);
  lua_pushcfunction(L, do_ip);
  lua_setfield(L, -2, "ip");
  lua_pushcfunction(L, do_utc);
  lua_setfield(L, -2, "utc");
  lua_pop(L, 1);
}
