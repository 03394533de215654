/* guard - one function of somebody's script, called so that it cannot hurt. */
#include "script/guard.h"

#include <stdio.h>
#include <time.h>

#include "script/breaker.h"
#include "script/complaint.h"
#include "script/confined.h"
#include "script/convert.h"
#include "script/engine.h"
#include "script/memory_cap.h"
#include "script/task.h"

static const char *const type_name = "moonpeer.guard";

enum { SAMPLE = 16 }; /* one call of so many is timed */

/* In a world nothing reads the real clock but this, and it decides nothing:
 * the run ends with an error. */
static const int64_t world_budget = 10 * MP_SECOND;

struct guard *guard_check(lua_State *L, int index) {
  return luaL_checkudata(L, index, type_name);
}

/* --- confinement -----------------------------------------------------------
 */

void guard_enter(struct script *script, struct confinement *outer, lua_State *L,
                 const struct actor *actor) {
  outer->active = script->active;
  script->active = actor;
  outer->had_strings = script->has_bounded_strings;
  if (outer->had_strings != actor->is_confined)
    confined_swap_strings(script, actor->is_confined);
  outer->had_cap = memory_cap_switch(script->cap, true);
  int64_t budget = script->in_world ? world_budget : actor->budget;
  outer->dog = budget ? script->watchdog : NULL;
  watchdog_enter(outer->dog, &outer->watch, L, budget);
}

bool guard_leave(struct script *script, lua_State *L,
                 const struct confinement *outer) {
  bool was_stopped = watchdog_leave(outer->dog, L, &outer->watch);
  memory_cap_switch(script->cap, outer->had_cap);
  if (outer->had_strings != script->has_bounded_strings)
    confined_swap_strings(script, outer->had_strings);
  script->active = outer->active;
  if (was_stopped && script->in_world)
    script->is_overrun = true;
  return was_stopped;
}

/* --- calling ---------------------------------------------------------------
 */

/* Which to evict: one of those that were to choose from. */
static int ask_whom(lua_State *L) {
  enum { CANDIDATES = 2, ANSWER };
  lua_pushvalue(L, 4); /* the second argument */
  lua_insert(L, CANDIDATES);
  lua_call(L, lua_gettop(L) - ANSWER, 3);
  if (lua_isnil(L, ANSWER))
    return 3;
  answer_check(L, DECIDE_EVICT, ANSWER);
  if (!lua_isboolean(L, ANSWER) && !answer_is_candidate(L, CANDIDATES, ANSWER))
    return luaL_error(L, "nonsense answer: the connection is no candidate");
  return 3;
}

/* Guard, function, arguments; the check is within the protection, as what it
 * looks at may have metamethods. */
static int ask(lua_State *L) {
  const struct guard *guard = lua_touserdata(L, 1);
  int results = guard->decision < 0 ? 0 : 3;
  if (guard->decision == DECIDE_EVICT && lua_gettop(L) >= 4)
    return ask_whom(L);
  lua_call(L, lua_gettop(L) - 2, results);
  if (results && !lua_isnil(L, 2))
    answer_check(L, (enum decision)guard->decision, 2);
  return results;
}

static int64_t clock_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * MP_SECOND + time.tv_nsec;
}

static void note_time(struct guard *guard, int64_t spent) {
  guard->samples++;
  guard->time += (uint64_t)spent;
  if ((uint64_t)spent > guard->worst)
    guard->worst = (uint64_t)spent;
}

/* The function and its arguments are at the top, the handler below. */
static bool protected_call(lua_State *L, struct guard *guard,
                           struct attempt *attempt) {
  struct script *script = guard->script;
  struct confinement outer;
  bool is_timed = guard->calls++ % SAMPLE == 0 && !script->in_world;
  int64_t before = is_timed ? clock_now() : 0;
  guard_enter(script, &outer, L, &guard->actor);
  attempt->rc =
      lua_pcall(L, attempt->arguments, attempt->results, attempt->handler);
  attempt->was_stopped = guard_leave(script, L, &outer);
  if (is_timed)
    note_time(guard, clock_now() - before);
  return attempt->rc == LUA_OK;
}

/* The error is at the top, and is popped. */
static void fail(lua_State *L, int index, struct engine_box *box,
                 const struct attempt *attempt) {
  struct guard *guard = lua_touserdata(L, index);
  bool is_full = attempt->rc == LUA_ERRMEM;
  if (guard->script->is_overrun) { /* the world ends: nobody decides any more */
    script_keep_overrun(L);
    lua_error(L);
  }
  guard->errors++;
  guard->kills += attempt->was_stopped;
  if (is_full)
    lua_gc(L, LUA_GCCOLLECT);
  complaint_make_plain(L);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, index, 2);
  breaker_failed(guard, box, is_full, lua_tostring(L, -1));
  lua_pop(L, 1);
}

bool guard_is_open(struct guard *guard) {
  return guard->state == GUARD_WORKS || breaker_allows(guard);
}

/* Calls its function with copies of the n values from index `first` on. 3
 * results are pushed and true; or false, and nothing: it is parked, it failed,
 * or it has no opinion. box may be NULL. */
static bool call(lua_State *L, int index, struct engine_box *box, int first,
                 int n) {
  struct guard *guard = lua_touserdata(L, index);
  bool decides = guard->decision >= 0; /* else nobody looks at what it says */
  if (!guard_is_open(guard) || !lua_checkstack(L, n + 8))
    return false;
  struct attempt attempt = {.handler = lua_gettop(L) + 1,
                            .results = decides ? 3 : 0};
  lua_pushcfunction(L, complaint_explain);
  if (decides) {
    lua_pushcfunction(L, ask);
    lua_pushlightuserdata(L, guard);
  }
  lua_getiuservalue(L, index, 1);
  for (int i = 0; i < n; i++)
    lua_pushvalue(L, first + i);
  attempt.arguments = lua_gettop(L) - attempt.handler - 1;
  bool is_good = protected_call(L, guard, &attempt);
  lua_remove(L, attempt.handler);
  if (!is_good) {
    fail(L, index, box, &attempt);
    return false;
  }
  breaker_succeeded(guard, box);
  if (!decides || !lua_isnil(L, -3))
    return true;
  lua_pop(L, 3);
  return false;
}

bool guard_try(lua_State *L, struct guard *guard, struct engine_box *box,
               struct attempt *attempt) {
  bool is_good = protected_call(L, guard, attempt);
  if (is_good)
    breaker_succeeded(guard, box);
  return is_good;
}

/* Guard, error, attempt, box. */
static int blame(lua_State *L) {
  const struct attempt *attempt = lua_touserdata(L, 3);
  struct engine_box *box = lua_touserdata(L, 4);
  lua_settop(L, 2);
  fail(L, 1, box, attempt);
  return 0;
}

void guard_blame(lua_State *L, struct engine_box *box,
                 struct attempt *attempt) {
  lua_pushcfunction(L, blame);
  lua_insert(L, -3);
  lua_pushlightuserdata(L, attempt);
  lua_pushlightuserdata(L, box);
  if (lua_pcall(L, 4, 0, 0) != LUA_OK)
    script_report(L, "a hook");
}

/* --- chains ----------------------------------------------------------------
 */

/* Whose object this is, before anything is asked. */
static struct engine_box *box_at(lua_State *L, int index) {
  return lua_isuserdata(L, index) ? engine_check(L, index) : NULL;
}

static void note_answer(lua_State *L, struct script *script,
                        const struct guard *guard) {
  struct answered *answered = &script->answered;
  char *text = answered->answer;
  size_t size = sizeof answered->answer;
  answered->guard = guard;
  if (lua_isboolean(L, -3))
    snprintf(text, size, "%s", lua_toboolean(L, -3) ? "true" : "false");
  else if (lua_type(L, -3) == LUA_TNUMBER)
    snprintf(text, size, "%g s", lua_tonumber(L, -3));
  else if (lua_type(L, -3) == LUA_TSTRING)
    snprintf(text, size, "%s", lua_tostring(L, -3));
  else if (lua_istable(L, -3))
    snprintf(text, size, "%d peers", (int)lua_rawlen(L, -3));
  else
    snprintf(text, size, "%s", luaL_typename(L, -3));
  snprintf(answered->reason, sizeof answered->reason, "%s",
           lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "");
}

static int run_chain(lua_State *L) {
  int n = lua_gettop(L);
  struct engine_box *box = box_at(L, 1);
  script_of(L)->answered.guard = NULL;
  lua_Integer count = lua_tointeger(L, lua_upvalueindex(2));
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, lua_upvalueindex(1), i);
    struct guard *guard = lua_touserdata(L, n + 1);
    if (call(L, n + 1, box, 1, n)) {
      note_answer(L, guard->script, guard);
      return 3;
    }
    lua_settop(L, n);
  }
  return 0;
}

int guard_lua_chain(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_Integer count = luaL_len(L, 1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, i);
    guard_check(L, -1);
    lua_pop(L, 1);
  }
  lua_pushinteger(L, count);
  lua_pushcclosure(L, run_chain, 2);
  return 1;
}

/* --- objects ---------------------------------------------------------------
 */

static void take_text(lua_State *L, const char *key, char *text, size_t size) {
  if (lua_getfield(L, 1, key) != LUA_TNIL)
    snprintf(text, size, "%s", luaL_checkstring(L, -1));
  lua_pop(L, 1);
}

static void take_decision(lua_State *L, struct guard *guard) {
  guard->decision = -1;
  if (lua_getfield(L, 1, "decision") != LUA_TNIL)
    guard->decision = decision_of(luaL_checkstring(L, -1));
  lua_pop(L, 1);
}

int guard_lua_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  struct guard *guard = lua_newuserdatauv(L, sizeof *guard, 2);
  *guard = (struct guard){.script = script_of(L)};
  luaL_setmetatable(L, type_name);
  script_protect(L);
  take_text(L, "policy", guard->policy, sizeof guard->policy);
  take_text(L, "name", guard->function, sizeof guard->function);
  take_text(L, "command", guard->command, sizeof guard->command);
  take_decision(L, guard);
  lua_getfield(L, 1, "budget");
  guard->actor.budget =
      convert_duration_or(L, lua_gettop(L), 10 * MP_MILLISECOND);
  lua_getfield(L, 1, "generation");
  guard->actor.generation = (unsigned)lua_tointeger(L, -1);
  lua_getfield(L, 1, "confined");
  guard->actor.is_confined = lua_toboolean(L, -1);
  lua_pop(L, 3);
  lua_getfield(L, 1, "fn");
  luaL_checktype(L, -1, LUA_TFUNCTION);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

/* core.active(): of the policy whose function or task runs, its generation and
 * whether it is from a file; or nothing. */
int guard_lua_active(lua_State *L) {
  const struct actor *active = script_of(L)->active;
  if (!active || !active->generation)
    return 0;
  lua_pushinteger(L, active->generation);
  lua_pushboolean(L, active->is_confined);
  return 2;
}

/* guard:call(engine, ...): true and three results; or false. */
static int do_call(lua_State *L) {
  struct guard *guard = guard_check(L, 1);
  int n = lua_gettop(L) - 2;
  struct engine_box *box = box_at(L, 2);
  if (n < 0)
    return luaL_argerror(L, 2, "expected the engine, or nil");
  lua_pushboolean(L, true);
  if (call(L, 1, box, 3, n))
    return guard->decision < 0 ? 1 : 4;
  lua_pushboolean(L, false);
  return 1;
}

static void set_count(lua_State *L, const char *name, uint64_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

static int do_counts(lua_State *L) {
  static const char *const names[] = {"works", "parked", "probed", "disabled"};
  struct guard *guard = guard_check(L, 1);
  lua_createtable(L, 0, 12);
  set_count(L, "calls", guard->calls);
  set_count(L, "errors", guard->errors);
  set_count(L, "kills", guard->kills);
  set_count(L, "samples", guard->samples);
  set_count(L, "parks", guard->parks);
  set_count(L, "generation", guard->actor.generation);
  lua_pushnumber(L, (lua_Number)guard->time / (lua_Number)MP_SECOND);
  lua_setfield(L, -2, "time");
  lua_pushnumber(L, (lua_Number)guard->worst / (lua_Number)MP_SECOND);
  lua_setfield(L, -2, "worst");
  lua_pushstring(L, guard->policy);
  lua_setfield(L, -2, "policy");
  lua_pushstring(L, guard->function);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, names[guard->state]);
  lua_setfield(L, -2, "state");
  lua_getiuservalue(L, 1, 2);
  lua_setfield(L, -2, "last_error");
  return 1;
}

void guard_open_type(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"call", do_call}, {"counts", do_counts}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{NULL, NULL}};
  object_type(L, type_name, methods, metamethods, NULL);
  lua_State *hooks = script_of(L)->hooks;
  lua_pushcfunction(hooks, complaint_explain);
  lua_replace(hooks, HOOK_EXPLAIN);
}
