/* console - what the console and the commands need of the process. */
#ifndef SCRIPT_CONSOLE_H
#define SCRIPT_CONSOLE_H

#include <lua.h>

void console_open_type(lua_State *L);

/* ticker(period, fn): calls fn every so often while the loop runs, and does
 * not keep it running; an object with close(). */
int console_lua_ticker(lua_State *L);

/* background(): the task that calls it no longer keeps the loop running. */
int console_lua_background(lua_State *L);

/* process(): its id; and the folder where sockets are put. */
int console_lua_process(lua_State *L);

/* sockets(pattern): paths of the sockets that match a shell's pattern and
 * belong to this user. */
int console_lua_sockets(lua_State *L);

/* is_terminal(0, 1 or 2) */
int console_lua_is_terminal(lua_State *L);

#endif
