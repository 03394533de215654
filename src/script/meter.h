/* meter - what consoles take of the loop: how long an evaluation may hold it,
 * and how much of it all of them may have while others wait. */
#ifndef SCRIPT_METER_H
#define SCRIPT_METER_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

struct script;

/* All in nanoseconds. {0} has seen nothing. */
struct meter {
  int64_t wall, busy; /* the clocks when last looked at: of the world, without
                         what this thread waited for a processor; and of what
                         it had of one */
  int64_t spent;      /* by consoles since then */
  int64_t credit;     /* what they may still take */
  int64_t start;      /* of what is a console's and runs now */
  bool is_running;
};

/* Consoles may take all time in which the loop had nothing to do, and 5 % of
 * the rest: whether some of it is left. */
bool meter_may(struct meter *meter);

/* When to ask again after a no: from now, in nanoseconds. */
int64_t meter_pause(const struct meter *meter);

/* What runs between the two is a console's; end without begin is fine. */
void meter_begin(struct meter *meter);
void meter_end(struct meter *meter);

/* core: console_share(), called in a task: from now on what it and its children
 * run is metered; console_task(seconds): it is limited to so many seconds, too,
 * and, once it has yielded, confined as a policy from a file is;
 * console_ready(): waits until the credit allows for another evaluation. */
int meter_lua_share(lua_State *L);
int meter_lua_task(lua_State *L);
int meter_lua_ready(lua_State *L);

#endif
