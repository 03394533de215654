/* terminal - a person at a terminal, for Lua: `require "moonpeer.terminal"`.
 * What is typed comes from the loop, line by line; nothing waits for a key. */
#ifndef APP_TERMINAL_H
#define APP_TERMINAL_H

#include <lua.h>

struct screen;

/* Makes the module known. screen, which may be NULL when stdin and stdout are
 * no terminals, must outlive the state. */
void terminal_preload(lua_State *L, struct screen *screen);

#endif
