/* run - moonpeer.run: the loop, until it has nothing left to do. */
#ifndef SCRIPT_RUN_H
#define SCRIPT_RUN_H

#include <lua.h>

/* run(): until no engine, task or connection is left; run(fn, ...): until fn,
 * a task, has ended; its results. SIGINT and SIGTERM end a run in order, the
 * second one at once; the handlers of before are put back. */
int run_lua_run(lua_State *L);

/* finish(): asks all tasks and whatever is open to end, and waits for it. */
int run_lua_finish(lua_State *L);

#endif
