/* confined - what a policy from a file gets instead of parts of Lua that
 * nobody could stop. */
#ifndef SCRIPT_CONFINED_H
#define SCRIPT_CONFINED_H

#include <stdbool.h>

#include <lua.h>

struct script;

/* core.confined(): a table with string, coroutine, xpcall and setmetatable. */
int confined_lua_new(lua_State *L);

/* Makes s:find() and the like the bounded functions, or Lua's again. */
void confined_swap_strings(struct script *script, bool are_bounded);

#endif
