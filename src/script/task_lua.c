/* task_lua - tasks as Lua sees them. */
#include <string.h>

#include "script/convert.h"
#include "script/task.h"

int task_lua_spawn(lua_State *L) {
  task_spawn(L, task_loop(L));
  return 1;
}

static int sleep_on(lua_State *L, int status, lua_KContext context) {
  struct task *task = task_check(L, "sleep");
  (void)status, (void)context;
  if (!task_is_late(task))
    return task_wait(L, task, NULL, sleep_on);
  lua_pushboolean(L, true);
  return 1;
}

int task_lua_sleep(lua_State *L) {
  struct task *task = task_check(L, "sleep");
  task_deadline(task, convert_duration(L, 1));
  return sleep_on(L, LUA_OK, 0);
}

static struct task *self(lua_State *L) {
  return luaL_checkudata(L, 1, task_type);
}

void task_cancel(struct task *task) {
  if (task->is_done)
    return;
  task->is_cancelled = true;
  mp_later_post(task->loop, &task->wake);
}

void tasks_cancel(struct script *script, struct mp_loop *loop) {
  for (struct task *task = script->tasks; task; task = task->next)
    if (task->loop == loop)
      task_cancel(task);
}

void tasks_cancel_of(struct script *script, const void *owner,
                     unsigned generation) {
  for (struct task *task = script->tasks; task; task = task->next)
    if (task->owner == owner &&
        (!generation || task->actor.generation == generation))
      task_cancel(task);
}

struct task *tasks_first(const struct script *script) {
  return script->tasks;
}

struct task *tasks_next(const struct task *task) {
  return task->next;
}

struct mp_loop *task_home(const struct task *task) {
  return task->loop;
}

lua_State *task_thread(const struct task *task) {
  return task->thread;
}

bool task_is_cancelled(const struct task *task) {
  return task->is_cancelled && !task->is_told;
}

static int do_cancel(lua_State *L) {
  task_cancel(self(L));
  return 0;
}

int task_push_outcome(lua_State *L, struct task *task) {
  lua_getiuservalue(L, 1, 2);
  if (task->has_failed) {
    lua_pushnil(L);
    lua_insert(L, -2);
    luaL_tolstring(L, -1, NULL);
    lua_replace(L, -2);
    lua_pushstring(L,
                   mp_error_name(task->is_cancelled ? MP_ECANCELLED : MP_EIO));
    return 3;
  }
  lua_getfield(L, -1, "n");
  int n = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  luaL_checkstack(L, n, "too many results");
  for (int i = 1; i <= n; i++)
    lua_rawgeti(L, -i, i);
  return n;
}

static int join_on(lua_State *L, int status, lua_KContext context) {
  struct task *task = self(L), *waiting = task_check(L, "task:wait");
  (void)status, (void)context;
  if (task->is_done)
    return task_push_outcome(L, task);
  if (task_is_late(waiting))
    return task_push_late(L, waiting, "the task to end");
  return task_wait(L, waiting, &task->joiners, join_on);
}

static int do_join(lua_State *L) {
  struct task *task = self(L), *waiting = task_check(L, "task:wait");
  if (task == waiting)
    return luaL_error(L, "a task cannot wait for itself");
  task->is_joined = true;
  task_deadline(waiting, convert_duration_or(L, 2, MP_FOREVER));
  return join_on(L, LUA_OK, 0);
}

static const char *state_of(const struct task *task) {
  return task->has_failed   ? "failed"
         : task->is_done    ? "done"
         : task->is_waiting ? "waiting"
                            : "ready";
}

static int do_name(lua_State *L) {
  struct task *task = self(L);
  lua_pushfstring(L, "%s (%s)", task_type, state_of(task));
  return 1;
}

static int index_field(lua_State *L) {
  struct task *task = self(L);
  if (lua_type(L, 2) == LUA_TSTRING &&
      strcmp(lua_tostring(L, 2), "state") == 0) {
    lua_pushstring(L, state_of(task));
    return 1;
  }
  return object_method(L);
}

bool task_is_done(const struct task *task) {
  return task->is_done;
}

bool task_has_failed(const struct task *task) {
  return task->has_failed && !task->is_cancelled;
}

void task_join(struct task *task) {
  task->is_joined = true;
}

void task_open(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"cancel", do_cancel}, {"wait", do_join}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__tostring", do_name}, {"__close", do_cancel}, {NULL, NULL}};
  object_type(L, task_type, methods, metamethods, index_field);
}
