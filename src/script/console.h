/* console - what the console and the commands need of the process. */
#ifndef SCRIPT_CONSOLE_H
#define SCRIPT_CONSOLE_H

#include <lua.h>

/* Adds their functions to the table on top: console_*, line_*, ticker,
 * background, engines, finish, process, sockets, is_terminal. */
void console_open(lua_State *L);

#endif
