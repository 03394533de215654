/* sim_run - letting time pass in a world, from Lua. */
#include "script/convert.h"
#include "script/sim.h"
#include "script/task.h"

/* What a run needs between any two events. */
struct run {
  lua_State *L;
  struct sim *sim;
  lua_State *main; /* the interpreter hooks it when somebody presses Ctrl-C */
  lua_Hook hook;   /* that it had before */
  int condition;   /* where it stands; 0: there is none */
  bool has_failed; /* the condition has: its error is at the top */
};

/* The condition is no hook, but like one it must not run anything. Its time is
 * the world's, by any host's clock. */
static int ask(struct run *run) {
  struct script *script = run->sim->script;
  lua_State *L = run->L;
  lua_pushcfunction(L, script_traceback);
  lua_pushvalue(L, run->condition);
  script->here = run->sim->first;
  script->depth++;
  script->generation++;
  script_watch(script, L);
  int rc = lua_pcall(L, 0, 1, -2);
  script_unwatch(L);
  script->generation++;
  script->depth--;
  script->here = NULL;
  lua_remove(L, -2);
  return rc;
}

static bool is_over(void *data) {
  struct run *run = data;
  if (lua_gethook(run->main) != run->hook || run->sim->script->is_overrun)
    return true;
  if (!run->condition)
    return false;
  run->has_failed = ask(run) != LUA_OK;
  bool holds = lua_toboolean(run->L, -1);
  if (run->has_failed)
    return true;
  lua_pop(run->L, 1);
  return holds;
}

static struct run run_of(lua_State *L, struct sim *sim) {
  struct run run = {
      .L = L, .sim = sim, .condition = lua_isnoneornil(L, 3) ? 0 : 3};
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  run.main = lua_tothread(L, -1);
  run.hook = lua_gethook(run.main);
  lua_pop(L, 1);
  return run;
}

static int push_end(lua_State *L, const struct run *run, int end) {
  static const char *const names[] = {
      [MP_WORLD_TIME] = "time",   [MP_WORLD_CONDITION] = "condition",
      [MP_WORLD_IDLE] = "idle",   [MP_WORLD_STOPPED] = "stopped",
      [MP_WORLD_STUCK] = "stuck",
  };
  if (run->sim->script->is_overrun) {
    run->sim->script->is_overrun = false;
    lua_pushliteral(L, "failed");
    script_push_overrun(L);
    return 2;
  }
  if (run->has_failed) {
    lua_pushliteral(L, "failed");
    lua_insert(L, -2);
    return 2;
  }
  if (lua_gethook(run->main) != run->hook)
    end = MP_WORLD_STOPPED;
  lua_pushstring(L, names[end]);
  return 1;
}

const char *sim_refusal(const struct sim *sim) {
  const struct script *script = sim->script;
  if (script->in_world)
    return "a world is running; runs do not nest";
  if (script->depth > 0 || (script->loop && mp_loop_is_running(script->loop)))
    return "moonpeer.run is under way; a world runs by itself, outside of "
           "tasks, policies and listeners";
  return NULL;
}

/* run(duration, condition): "time", "condition", "idle", "stopped" or "stuck";
 * "failed" and the condition's error; or "refused" and why. */
int sim_run(lua_State *L) {
  struct sim *sim = sim_check(L);
  struct mp_fault fault;
  const char *why = sim_refusal(sim);
  lua_settop(L, 3);
  int64_t span = convert_duration(L, 2), now = mp_world_now(sim->world);
  if (why) {
    lua_pushliteral(L, "refused");
    lua_pushstring(L, why);
    return 2;
  }
  struct run run = run_of(L, sim);
  sim->script->in_world = true;
  sim->script->is_overrun = false;
  sim->script->instructions = sim->instructions;
  int end = mp_world_run(sim->world, now + span, is_over, &run, &fault);
  sim->script->in_world = false;
  sim->script->instructions = 0;
  return end < 0 ? luaL_error(L, "%s", fault.text) : push_end(L, &run, end);
}

int sim_stop(lua_State *L) {
  mp_world_stop(sim_check(L)->world);
  return 0;
}

/* at(ip, fn, ...): calls fn as if it ran on that host, which is where it
 * listens, spawns and makes engines. */
int sim_at(lua_State *L) {
  struct sim *sim = sim_check(L);
  struct script *script = sim->script;
  struct mp_loop *before = script->here;
  bool was_in_world = script->in_world;
  script->here = sim_host(L, sim, 2);
  script->in_world = true;
  int rc = lua_pcall(L, lua_gettop(L) - 3, LUA_MULTRET, 0);
  script->here = before;
  script->in_world = was_in_world;
  return rc == LUA_OK ? lua_gettop(L) - 2 : lua_error(L);
}
