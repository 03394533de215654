/* jobs - what an engine's schedule needs of C. */
#include "script/jobs.h"

#include "script/convert.h"
#include "script/engine.h"
#include "script/guard.h"
#include "script/task.h"

/* spawn_on({ budget, confined, generation, owned }, fn, ...): a task on the
 * engine's loop. One that is owned is the engine's and ends with it: it takes
 * nothing over from the policy that happens to run. */
static int do_spawn(lua_State *L) {
  struct engine_box *box = engine_live(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_getfield(L, 2, "budget");
  int64_t budget = convert_duration_or(L, lua_gettop(L), 0);
  lua_getfield(L, 2, "confined");
  bool is_confined = lua_toboolean(L, -1);
  lua_getfield(L, 2, "generation");
  unsigned generation = (unsigned)lua_tointeger(L, -1);
  lua_getfield(L, 2, "owned");
  const void *owner = lua_toboolean(L, -1) ? box : NULL;
  lua_pop(L, 4);
  lua_remove(L, 1);
  lua_remove(L, 1);
  struct task *task = task_spawn(L, box->closable.loop);
  if (owner || budget)
    task->actor.budget = budget;
  if (owner || is_confined)
    task->actor.is_confined = is_confined;
  if (owner || generation)
    task->actor.generation = generation;
  if (owner || task->actor.generation)
    task->owner = box;
  return 1;
}

/* end_tasks(generation): of a policy that is replaced. */
static int do_end(lua_State *L) {
  struct engine_box *box = engine_check(L, 1);
  tasks_cancel_of(box->script, box, (unsigned)luaL_checkinteger(L, 2));
  return 0;
}

static int do_discover(lua_State *L) {
  struct engine_box *box = engine_check(L, 1);
  if (box->engine)
    mp_engine_discover(box->engine);
  return 0;
}

/* complain(text): as an event, from the next turn on. */
static int do_complain(lua_State *L) {
  struct engine_box *box = engine_check(L, 1);
  if (box->engine)
    mp_engine_note(box->engine, MP_POLICY_FAILED, NULL, luaL_checkstring(L, 2));
  return 0;
}

const luaL_Reg jobs_methods[] = {
    {"complain", do_complain},
    {"discover", do_discover},
    {"end_tasks", do_end},
    {"spawn_on", do_spawn},
    {NULL, NULL},
};
