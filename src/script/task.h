/* task - coroutines that wait on a loop. */
#ifndef SCRIPT_TASK_H
#define SCRIPT_TASK_H

#include "script/script.h"

/* The tasks that wait for one thing. {0} is empty. */
struct waiters {
  struct task *first;
};

extern const char task_type[];

/* A userdata; its second user value is what came of it. */
struct task {
  struct task *next, *previous; /* all that live */
  struct script *script;
  struct mp_loop *loop;
  lua_State *thread;
  int arguments;         /* on the thread's stack, until it has started */
  struct mp_later wake;  /* posted: it will be resumed */
  struct mp_timer timer; /* for its deadline */
  struct mp_timer rest;  /* others have the loop until then */
  int64_t deadline;
  struct waiters joiners, *waiters; /* who waits for it; for what it waits */
  struct task *next_waiter, *previous_waiter;
  void (*ended)(void *data); /* told once, however it ends; or NULL */
  void *data;                /* for ended */
  struct actor actor;        /* who started it; budget 0: the program */
  const void *owner;         /* whose end is its end; or NULL */
  bool is_entered;           /* it has run since it was woken last */
  bool is_started, is_waiting, is_late, is_done, has_failed;
  bool is_cancelled, is_told; /* asked to end; and has been told so */
  bool is_metered;            /* a console started it */
  bool is_background;         /* does not keep the loop running */
  bool is_joined; /* somebody takes its results, so its error is theirs */
};

/* Wakes all of them at the end of this turn: each looks again at what it
 * waits for. */
void waiters_wake(struct waiters *waiters);

/* What they waited for goes away with the whole state: nobody waits for it any
 * more. */
void waiters_forget(struct waiters *waiters);

/* Raises unless L is the coroutine of a task; what is the word in the message:
 * "connect waits; call it inside ...". */
struct task *task_check(lua_State *L, const char *what);
bool task_is_here(lua_State *L);

/* The loop of the task, hook or listener that runs, or the real loop. */
struct mp_loop *task_loop(lua_State *L);

/* Sets when the waits that follow are late: now plus delay, MP_FOREVER for
 * never. */
void task_deadline(struct task *task, int64_t delay);

/* Whether the deadline has passed. A function that
 * waits looks, in this order: is it there? did it fail? task_is_late? Then it
 * waits on. */
bool task_is_late(const struct task *task);

/* nil, "expected ... within ...", "timeout". */
int task_push_late(lua_State *L, struct task *task, const char *what);

/* Waits: `return task_wait(L, task, &waiters, again)`. again(L, LUA_YIELD, 0)
 * runs with the same stack when the task was woken. waiters may be NULL. Raises
 * once when the task was cancelled, and where nothing can wait. */
int task_wait(lua_State *L, struct task *task, struct waiters *waiters,
              lua_KFunction again);

/* Starts the function at index 1 with the arguments above it as a task on a
 * loop; pushes the task. It runs from the next turn on. */
struct task *task_spawn(lua_State *L, struct mp_loop *loop);

/* What becomes of a task. Whoever joins it takes its results, or its error,
 * which then is not reported. A cancelled one has not failed. */
void task_join(struct task *task);
bool task_is_done(const struct task *task);
bool task_has_failed(const struct task *task);

/* Pushes what the task at index 1 returned; or its error, as a failure. */
int task_push_outcome(lua_State *L, struct task *task);

/* moonpeer.spawn and sleep. */
int task_lua_spawn(lua_State *L);
int task_lua_sleep(lua_State *L);
void task_open(lua_State *L);

/* Where it waits, an error is raised. */
void task_cancel(struct task *task);

/* Cancels all of a loop that wait: where they do, an error is raised. */
void tasks_cancel(struct script *script, struct mp_loop *loop);

/* Cancels all that belong to an owner and, unless it is 0, a generation. */
void tasks_cancel_of(struct script *script, const void *owner,
                     unsigned generation);

/* The state is being closed: stops their timers, without Lua. */
void tasks_abandon(struct script *script);

/* Its loop is being closed: it never goes on. */
void task_abandon(lua_State *L, struct task *task);

/* All that live: the first, and the one after. */
struct task *tasks_first(const struct script *script);
struct task *tasks_next(const struct task *task);
struct mp_loop *task_home(const struct task *task);
lua_State *task_thread(const struct task *task);

/* Whether its next wait will raise; what it waits for may be given up. */
bool task_is_cancelled(const struct task *task);

#endif
