/* gate - something tasks wait at until somebody opens it: for what is written
 * in Lua and waits. */
#ifndef SCRIPT_GATE_H
#define SCRIPT_GATE_H

#include <lua.h>

/* core.gate(): an object with open(), which wakes all who wait there now, and
 * wait(timeout): true, or nil, message, "timeout". */
int gate_lua_new(lua_State *L);
void gate_open_type(lua_State *L);

#endif
