/* task - coroutines that wait on a loop. */
#include "script/task.h"

#include <string.h>

#include "script/actor.h"
#include "script/convert.h"
#include "script/guard.h"

static const char tasks_key = 0; /* registry: coroutine -> its live task */
const char task_type[] = "moonpeer.task";

/* --- waiters ---------------------------------------------------------------
 */

static void leave(struct task *task) {
  struct waiters *waiters = task->waiters;
  if (!waiters)
    return;
  if (task->previous_waiter)
    task->previous_waiter->next_waiter = task->next_waiter;
  else
    waiters->first = task->next_waiter;
  if (task->next_waiter)
    task->next_waiter->previous_waiter = task->previous_waiter;
  task->waiters = NULL;
}

static void join(struct task *task, struct waiters *waiters) {
  task->waiters = waiters;
  task->previous_waiter = NULL;
  task->next_waiter = waiters->first;
  if (waiters->first)
    waiters->first->previous_waiter = task;
  waiters->first = task;
}

void waiters_wake(struct waiters *waiters) {
  struct task *task;
  for (task = waiters->first; task; task = task->next_waiter)
    mp_later_post(task->loop, &task->wake);
}

void waiters_forget(struct waiters *waiters) {
  while (waiters->first)
    leave(waiters->first);
}

/* --- life ------------------------------------------------------------------
 */

static void on_wake(void *data);
static void on_late(void *data);

static void push_tasks(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &tasks_key) == LUA_TTABLE)
    return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &tasks_key);
}

/* registry[thread] = what is at the top, which is popped. */
static void anchor(lua_State *L, lua_State *thread) {
  push_tasks(L);
  lua_pushthread(thread);
  if (thread != L)
    lua_xmove(thread, L, 1);
  lua_pushvalue(L, -3);
  lua_rawset(L, -3);
  lua_pop(L, 2);
}

static struct task *find(lua_State *L) {
  push_tasks(L);
  lua_pushthread(L);
  lua_rawget(L, -2);
  struct task *task = lua_touserdata(L, -1);
  lua_pop(L, 2);
  return task;
}

struct task *task_spawn(lua_State *L, struct mp_loop *loop) {
  int arguments = lua_gettop(L) - 1;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  struct script *script = script_of(L);
  struct task *task = lua_newuserdatauv(L, sizeof *task, 2);
  *task = (struct task){.script = script,
                        .loop = loop,
                        .arguments = arguments,
                        .is_metered = script->consoles.is_running,
                        .actor = actor_now(script),
                        .deadline = MP_FOREVER};
  luaL_setmetatable(L, task_type);
  task->thread = lua_newthread(L);
  lua_setiuservalue(L, -2, 1);
  lua_insert(L, 1);
  luaL_checkstack(task->thread, arguments + 2, "too many arguments");
  lua_xmove(L, task->thread, arguments + 1);
  lua_pushvalue(L, 1);
  anchor(L, task->thread);
  task->next = script->tasks;
  if (task->next)
    task->next->previous = task;
  script->tasks = task;
  mp_later_init(&task->wake, on_wake, task);
  mp_timer_init(&task->timer, on_late, task);
  mp_timer_init(&task->rest, on_wake, task);
  mp_loop_hold(loop);
  mp_later_post(loop, &task->wake);
  return task;
}

/* Stops everything that could still call us, and tells; no Lua. */
static void detach(struct task *task) {
  struct script *script = task->script;
  leave(task);
  mp_later_cancel(&task->wake);
  mp_timer_stop(&task->timer);
  mp_timer_stop(&task->rest);
  if (!task->is_background)
    mp_loop_release(task->loop);
  if (task->previous)
    task->previous->next = task->next;
  else
    script->tasks = task->next;
  if (task->next)
    task->next->previous = task->previous;
  if (task->ended)
    task->ended(task->data);
  task->ended = NULL;
}

static void abandon(struct task *task) {
  detach(task);
  task->is_done = task->has_failed = task->is_cancelled = true;
}

void tasks_abandon(struct script *script) {
  while (script->tasks)
    abandon(script->tasks);
}

void task_abandon(lua_State *L, struct task *task) {
  abandon(task);
  lua_pushnil(L);
  anchor(L, task->thread);
}

/* Pushes what the thread left on its stack as a table. */
static void push_results(lua_State *L, struct task *task, int results) {
  luaL_checkstack(L, results + 2, "too many results");
  lua_createtable(L, results, 1);
  lua_pushinteger(L, results);
  lua_setfield(L, -2, "n");
  lua_xmove(task->thread, L, results);
  for (int i = results; i >= 1; i--)
    lua_rawseti(L, -i - 1, i);
}

/* Somebody else than the program has started it. */
static bool is_held(const struct task *task) {
  return actor_is_held(&task->actor);
}

/* Text, whatever it is: its own words may be a script's. */
static int words_of(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* The error of what somebody else has started is made a text, and what is left
 * to be closed is closed, as what somebody else's code does is done. */
static void close_held(lua_State *L, struct task *task) {
  struct confinement outer;
  if (lua_type(L, -1) != LUA_TSTRING) {
    lua_pushcfunction(L, words_of);
    lua_insert(L, -2);
    guard_enter(task->script, &outer, L, &task->actor);
    int rc = lua_pcall(L, 1, 1, 0);
    guard_leave(task->script, L, &outer);
    if (rc != LUA_OK) {
      lua_pop(L, 1);
      lua_pushliteral(L, "(an error without words)");
    }
  }
  guard_enter(task->script, &outer, task->thread, &task->actor);
  lua_resetthread(task->thread);
  guard_leave(task->script, task->thread, &outer);
}

/* Pushes the error, texts with their traceback; then closes what the task
 * has left to be closed: Lua does that only when it is told to. */
static void push_error(lua_State *L, struct task *task) {
  lua_State *thread = task->thread;
  if (lua_type(thread, -1) == LUA_TSTRING) {
    luaL_traceback(L, thread, lua_tostring(thread, -1), 0);
  } else {
    lua_pushvalue(thread, -1);
    lua_xmove(thread, L, 1);
  }
  if (is_held(task))
    close_held(L, task);
  else
    lua_resetthread(thread);
}

/* It has ended: nobody waits for it, or keeps it, any more. */
static void settle(lua_State *L, struct task *task) {
  task->is_done = true;
  lua_pushnil(L);
  anchor(L, task->thread);
  waiters_wake(&task->joiners);
  if (task->script->main == task)
    mp_loop_stop(task->loop);
  detach(task);
}

static void finish(lua_State *L, struct task *task, int rc, int results) {
  push_tasks(L);
  lua_pushthread(task->thread);
  lua_xmove(task->thread, L, 1);
  lua_rawget(L, -2); /* the task */
  task->has_failed = rc != LUA_OK;
  if (rc == LUA_OK)
    push_results(L, task, results);
  else
    push_error(L, task);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, -3, 2);
  settle(L, task);
  if (task->has_failed && !task->is_joined && !task->is_cancelled) {
    luaL_tolstring(L, -1, NULL); /* may raise: everything else is done */
    script_report(L, "a task");
  }
}

/* What a policy has started is held to what the policy is. */
static int proceed(lua_State *L, struct task *task, int arguments,
                   int *results) {
  struct script *script = task->script;
  struct confinement outer;
  if (!is_held(task))
    return lua_resume(task->thread, L, arguments, results);
  guard_enter(script, &outer, task->thread, &task->actor);
  int rc = lua_resume(task->thread, L, arguments, results);
  guard_leave(script, task->thread, &outer);
  return rc;
}

/* What consoles start is measured, and so is what that starts. */
static int run(lua_State *L, struct task *task, int arguments, int *results) {
  struct meter *meter = &task->script->consoles;
  lua_State *before = task->script->computing;
  if (task->is_metered)
    meter_begin(meter);
  task->script->computing = task->thread;
  int rc = proceed(L, task, arguments, results);
  task->script->computing = before;
  meter_end(meter);
  return rc;
}

/* A task that yields by itself just lets the others run. */
static int resume(lua_State *L) {
  struct task *task = lua_touserdata(L, 1);
  int results, arguments = task->is_started ? 0 : task->arguments;
  task->is_started = true;
  task->is_waiting = false;
  task->is_entered = true;
  script_watch(task->script, task->thread);
  int rc = run(L, task, arguments, &results);
  if (rc != LUA_YIELD) {
    finish(L, task, rc, results);
    return 0;
  }
  lua_pop(task->thread, results);
  if (!task->is_waiting)
    mp_later_post(task->loop, &task->wake);
  return 0;
}

static void on_wake(void *data) {
  struct task *task = data;
  if (task->is_metered && !meter_may(&task->script->consoles)) {
    mp_timer_start(task->loop, &task->rest,
                   meter_pause(&task->script->consoles));
    return;
  }
  leave(task);
  task->is_entered = false;
  if (script_enter(task->script, task->loop, resume, task) == LUA_OK ||
      task->is_done || task->script->is_closing)
    return;
  if (!task->is_entered) { /* no memory even to call it: again, next turn */
    mp_later_post(task->loop, &task->wake);
    return;
  }
  waiters_wake(&task->joiners); /* none to keep what it has returned */
  if (task->script->main == task)
    mp_loop_stop(task->loop);
  abandon(task);
}

static void on_late(void *data) {
  struct task *task = data;
  task->is_late = true;
  mp_later_post(task->loop, &task->wake);
}

/* --- waiting ---------------------------------------------------------------
 */

struct task *task_check(lua_State *L, const char *what) {
  struct task *task = find(L);
  if (!task)
    luaL_error(L, "%s waits; call it inside moonpeer.spawn or moonpeer.run",
               what);
  return task;
}

bool task_is_here(lua_State *L) {
  return find(L) != NULL;
}

struct mp_loop *task_loop(lua_State *L) {
  struct mp_loop *here = script_of(L)->here;
  return here ? here : script_loop(L);
}

void task_deadline(struct task *task, int64_t delay) {
  task->is_late = false;
  mp_timer_stop(&task->timer);
  if (delay != MP_FOREVER)
    mp_timer_start(task->loop, &task->timer, delay);
  task->deadline = delay;
}

bool task_is_late(const struct task *task) {
  return task->is_late;
}

int task_push_late(lua_State *L, struct task *task, const char *what) {
  lua_pushnil(L);
  lua_pushfstring(L, "expected %s within %f s, got none", what,
                  (double)task->deadline / (double)MP_SECOND);
  lua_pushstring(L, mp_error_name(MP_ETIMEOUT));
  return 3;
}

int task_wait(lua_State *L, struct task *task, struct waiters *waiters,
              lua_KFunction again) {
  if (task_is_cancelled(task)) {
    task->is_told = true; /* once: what cleans up may wait */
    return luaL_error(L, "the task was cancelled");
  }
  if (!lua_isyieldable(L))
    return luaL_error(L, "expected to be called where a task can wait, not "
                         "inside a sort, gsub or __close of an error");
  leave(task); /* who resumes a task by hand finds it waiting already */
  if (waiters)
    join(task, waiters);
  task->is_waiting = true;
  return lua_yieldk(L, 0, 0, again);
}
