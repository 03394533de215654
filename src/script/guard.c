/* guard - one function of somebody's script, called so that it cannot hurt. */
#include "script/guard.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "script/breaker.h"
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

enum { MESSAGE_TEXT = 2000 }; /* bytes of an error before its traceback */

/* Pushes what an error that is no text says of itself: its own words may fail,
 * too. */
static int words_of(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

static int explain(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING) {
    size_t n;
    const char *text = lua_tolstring(L, 1, &n);
    lua_pushlstring(L, text, n < MESSAGE_TEXT ? n : MESSAGE_TEXT);
    luaL_traceback(L, L, lua_tostring(L, -1), 1);
    return 1;
  }
  lua_pushcfunction(L, words_of);
  lua_pushvalue(L, 1);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK)
    lua_pushfstring(L, "(a %s without words)", luaL_typename(L, 1));
  return 1;
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

/* The function and its n arguments are at the top, the handler below. */
static int protected_call(lua_State *L, struct guard *guard, int n,
                          bool *was_stopped) {
  struct script *script = guard->script;
  struct confinement outer;
  bool is_timed = guard->calls++ % SAMPLE == 0 && !script->in_world;
  int handler = lua_gettop(L) - n - 1;
  int64_t before = is_timed ? clock_now() : 0;
  guard_enter(script, &outer, L, &guard->actor);
  int rc = lua_pcall(L, n, guard->decision < 0 ? 0 : 3, handler);
  *was_stopped = guard_leave(script, L, &outer);
  if (is_timed)
    note_time(guard, clock_now() - before);
  return rc;
}

enum { ERROR_TEXT = 4000 }; /* bytes of an error and its traceback */

/* Makes the error at the top a text for people: what came from a remote may be
 * in it, and does nothing to their terminals. */
static void make_plain(lua_State *L) {
  char text[ERROR_TEXT + 1];
  size_t n = 0;
  const char *from = "(an error that is no text)";
  if (lua_type(L, -1) == LUA_TSTRING)
    from = lua_tolstring(L, -1, &n);
  else
    n = strlen(from);
  bool is_long = n > ERROR_TEXT - 3;
  n = is_long ? ERROR_TEXT - 3 : n;
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)from[i];
    text[i] = (char)((c < ' ' && c != '\n' && c != '\t') || c == 127 ? '?' : c);
  }
  lua_pushlstring(L, text, n);
  if (is_long) {
    lua_pushliteral(L, "...");
    lua_concat(L, 2);
  }
  lua_replace(L, -2);
}

/* The error is at the top, and is popped. */
static void fail(lua_State *L, int index, struct engine_box *box, int rc,
                 bool was_stopped) {
  struct guard *guard = lua_touserdata(L, index);
  if (guard->script->is_overrun)
    lua_error(L); /* the world ends; nobody decides anything any more */
  guard->errors++;
  guard->kills += was_stopped;
  if (rc == LUA_ERRMEM)
    lua_gc(L, LUA_GCCOLLECT);
  make_plain(L);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, index, 2);
  breaker_failed(guard, box, rc == LUA_ERRMEM, lua_tostring(L, -1));
  lua_pop(L, 1);
}

bool guard_call(lua_State *L, int index, struct engine_box *box, int first,
                int n) {
  struct guard *guard = lua_touserdata(L, index);
  bool was_stopped = false;
  if (guard->state != GUARD_WORKS && !breaker_allows(guard))
    return false;
  if (!lua_checkstack(L, n + 8))
    return false;
  int handler = lua_gettop(L) + 1;
  lua_pushcfunction(L, explain);
  if (guard->decision >= 0) { /* else nobody looks at what it answers */
    lua_pushcfunction(L, ask);
    lua_pushlightuserdata(L, guard);
  }
  lua_getiuservalue(L, index, 1);
  for (int i = 0; i < n; i++)
    lua_pushvalue(L, first + i);
  int rc = protected_call(L, guard, lua_gettop(L) - handler - 1, &was_stopped);
  if (rc != LUA_OK) {
    lua_remove(L, handler);
    fail(L, index, box, rc, was_stopped);
    return false;
  }
  breaker_succeeded(guard, box);
  if (guard->decision < 0) {
    lua_settop(L, handler - 1);
    return true;
  }
  lua_remove(L, handler);
  if (!lua_isnil(L, -3))
    return true;
  lua_pop(L, 3);
  return false;
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
    if (guard_call(L, n + 1, box, 1, n)) {
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
  if (guard_call(L, 1, box, 3, n))
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
}
