/* terminal_lua - a person at a terminal, for Lua: `require
 * "moonpeer.terminal"`. */
#ifndef APP_TERMINAL_LUA_H
#define APP_TERMINAL_LUA_H

#include <lua.h>

struct screen;

/* Makes the module known. screen, which may be NULL when stdin and stdout are
 * no terminals, must outlive the state. */
void terminal_preload(lua_State *L, struct screen *screen);

#endif
