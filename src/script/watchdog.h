/* watchdog - stops Lua that runs for longer than it may. A thread of its own
 * looks now and then at what runs; only what has run too long is told, by a
 * signal. What ends in time costs a few stores. */
#ifndef SCRIPT_WATCHDOG_H
#define SCRIPT_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

struct watchdog;

/* What was watched before; storage of whoever enters. */
struct watch {
  uint64_t call;
  int64_t budget;
  lua_State *running;
};

/* For the thread that calls this. NULL when no thread or signal can be had:
 * then nothing is stopped, and the functions below do nothing. */
struct watchdog *watchdog_new(void);
void watchdog_free(struct watchdog *dog);

/* Lua on L may compute for `budget` nanoseconds from now on; more,
 * and every instruction raises until watchdog_leave, so that no pcall keeps
 * it going. Pairs nest. */
void watchdog_enter(struct watchdog *dog, struct watch *outer, lua_State *L,
                    int64_t budget);

/* True when it was stopped. */
bool watchdog_leave(struct watchdog *dog, lua_State *L,
                    const struct watch *outer);

/* From now on another coroutine runs; gives the one that did. Nothing is
 * watched while outer->call is 0. */
lua_State *watchdog_switch(struct watchdog *dog, lua_State *to);

#endif
