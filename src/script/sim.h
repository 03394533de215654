/* sim - simulated worlds in Lua: the part that only C can do. What people call
 * is written in Lua (lua/moonpeer/sim.lua). */
#ifndef SCRIPT_SIM_H
#define SCRIPT_SIM_H

#include <lua.h>

#include "moonpeer/world.h"
#include "script/script.h"

/* The object. It is anchored from the making to the freeing, so that it is
 * collected only when the whole state is closed. */
struct sim {
  struct script *script;
  struct mp_world *world; /* NULL when it is freed */
  struct mp_loop *first;  /* host; NULL while there is none */
  int64_t start;          /* wall time, nanoseconds since 1970 */
  int instructions;       /* that a script may run in one go */
};

void sim_open_type(lua_State *L);

/* core.world(options): the object. */
int sim_lua_new(lua_State *L);

/* How many worlds are open. */
size_t sim_count(lua_State *L);

/* The world at index 1; raises when it is freed. */
struct sim *sim_check(lua_State *L);

/* The host whose ip stands at index, NULL for nil; raises when there is none.
 */
struct mp_loop *sim_host(lua_State *L, struct sim *sim, int index);

/* Why it may not run now, in words; or NULL. */
const char *sim_refusal(const struct sim *sim);

/* sim_run.c: run, stop, and the functions of a world's host. */
int sim_run(lua_State *L);
int sim_stop(lua_State *L);
int sim_at(lua_State *L);

/* sim_weather.c: what the network is like. */
extern const luaL_Reg sim_weather_methods[];

/* sim_end.c: what is left, and the end. */
int sim_is_empty(lua_State *L);
int sim_leftovers(lua_State *L);
int sim_shut(lua_State *L);
bool sim_is_used(struct script *script, const struct mp_loop *loop);

#endif
