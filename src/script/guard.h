/* guard - one function of somebody's script, called so that it cannot hurt:
 * in protected mode, within a budget of time and memory, counted, and not any
 * more for a while when it keeps failing. */
#ifndef SCRIPT_GUARD_H
#define SCRIPT_GUARD_H

#include "script/answer.h"
#include "script/script.h"
#include "script/watchdog.h"

struct engine_box;

enum { GUARD_NAME = 48, GUARD_WINDOW = 200 };

enum guard_state { GUARD_WORKS, GUARD_PARKED, GUARD_PROBED, GUARD_DISABLED };

/* A userdata. User values: 1 the function; 2 what it said when it last failed.
 */
struct guard {
  struct script *script;
  char policy[GUARD_NAME]; /* or the listener's name */
  char function[GUARD_NAME];
  char command[13]; /* of the messages a listener wants; "" is all */
  int decision;     /* -1: its results do not matter */
  struct actor actor;

  uint64_t calls, errors, kills;
  uint64_t samples, time, worst; /* calls timed, and their nanoseconds */

  enum guard_state state;
  int64_t until;                    /* parked; in the loop's time */
  int64_t parked;                   /* when last */
  unsigned parks;                   /* so far; the third is the last */
  unsigned row;                     /* errors without a good call in between */
  unsigned repeats;                 /* errors since the last report */
  uint8_t recent[GUARD_WINDOW / 8]; /* a bit for each of the last calls */
  unsigned at, failed;              /* the next bit; how many are set */
};

/* What somebody may do from here to guard_leave: budget, memory, strings. */
struct confinement {
  struct watch watch;
  struct watchdog *dog; /* NULL: there is no limit */
  const struct actor *active;
  bool had_cap, had_strings;
};

/* May be nested. leave is true when it was stopped. */
void guard_enter(struct script *script, struct confinement *outer, lua_State *L,
                 const struct actor *actor);
bool guard_leave(struct script *script, lua_State *L,
                 const struct confinement *outer);

/* One protected call: what it needs, and how it went. */
struct attempt {
  int arguments, results, handler;
  int rc; /* LUA_OK or LUA_ERR* */
  bool was_stopped;
};

/* At the bottom of the hook thread, where nothing protects: calls the function
 * below its arguments at the top in the guard's name. Pops them and pushes the
 * results; or gives false and pushes the error, for guard_blame. Raises
 * nothing. */
bool guard_try(lua_State *L, struct guard *guard, struct engine_box *box,
               struct attempt *attempt);

/* Pops the guard's object and the error that an attempt has left, and says
 * what is to be said. */
void guard_blame(lua_State *L, struct engine_box *box, struct attempt *attempt);

/* Whether it may be called now. */
bool guard_is_open(struct guard *guard);

void guard_open_type(lua_State *L);

/* core.guard{ fn, policy, name, decision, command, budget, generation,
 * confined }: the object. */
int guard_lua_new(lua_State *L);

/* The guard at index; raises for what is none. */
struct guard *guard_check(lua_State *L, int index);

/* core.chain(decision, list of guards): a function that asks each; what the
 * first says that has an opinion. Its first argument is the engine. */
int guard_lua_chain(lua_State *L);

int guard_lua_active(lua_State *L);

#endif
