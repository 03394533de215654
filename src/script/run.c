/* run - moonpeer.run: the loop, until it has nothing left to do. */
#include "script/run.h"

#include <signal.h>

#include "script/task.h"

/* --- run -------------------------------------------------------------------
 */

/* The first signal ends everything in order, the second at once. */
static void on_signal(void *data) {
  struct script *script = data;
  if (script->is_interrupted)
    mp_loop_stop(script->loop);
  script->is_interrupted = true;
  tasks_cancel(script, script->loop);
  script_close_all(script, script->loop);
}

/* A terminal that is closed says so several times: through its shell, too. */
static void on_hangup(void *data) {
  const struct script *script = data;
  if (!script->is_interrupted)
    on_signal(data);
}

/* What nohup has told us to overlook is overlooked. */
static bool is_ignored(int number) {
  struct sigaction there;
  return sigaction(number, NULL, &there) == 0 && there.sa_handler == SIG_IGN;
}

static void run_loop(struct script *script) {
  struct mp_signal *interrupt = NULL, *terminate = NULL, *hangup = NULL;
  script->is_interrupted = false;
  mp_signal_open(&interrupt, script->loop, SIGINT, on_signal, script);
  mp_signal_open(&terminate, script->loop, SIGTERM, on_signal, script);
  if (!is_ignored(SIGHUP))
    mp_signal_open(&hangup, script->loop, SIGHUP, on_hangup, script);
  mp_loop_run(script->loop);
  mp_signal_close(interrupt);
  mp_signal_close(terminate);
  mp_signal_close(hangup);
}

/* Runs until the task at index 1 is done. */
static int run_task(lua_State *L, struct task *task) {
  struct script *script = script_of(L);
  task_join(task);
  script->main = task;
  run_loop(script);
  script->main = NULL;
  if (!task_is_done(task))
    return push_failure(L, MP_ECANCELLED, "interrupted by a signal");
  if (task_has_failed(task)) {
    lua_getiuservalue(L, 1, 2); /* the error, with its traceback */
    return lua_error(L);
  }
  return task_push_outcome(L, task);
}

int run_lua_run(lua_State *L) {
  struct script *script = script_of(L);
  struct mp_loop *loop = script_loop(L);
  if (script->depth > 0 || script->in_world || mp_loop_is_running(loop))
    return luaL_error(L, "run is under way; it cannot be called inside a "
                         "task, a policy or a listener");
  if (!lua_isnoneornil(L, 1))
    return run_task(L, task_spawn(L, loop));
  run_loop(script);
  if (script->is_interrupted)
    return push_failure(L, MP_ECANCELLED, "interrupted by a signal");
  lua_pushboolean(L, true);
  return 1;
}

int run_lua_finish(lua_State *L) {
  struct script *script = script_of(L);
  if (!script->loop || mp_loop_is_running(script->loop))
    return 0;
  tasks_cancel(script, script->loop);
  script_close_all(script, script->loop);
  run_loop(script);
  return 0;
}
