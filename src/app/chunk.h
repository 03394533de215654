/* chunk - running pieces of Lua as an interpreter does: with a traceback, and
 * stopped by Ctrl-C. */
#ifndef APP_CHUNK_H
#define APP_CHUNK_H

#include <lua.h>

/* Calls the function below its n arguments. LUA_OK with `results` results, or
 * the error with its traceback on the stack. */
int chunk_call(lua_State *L, int n, int results);

/* Takes the message of a failed call from the stack and prints it, after
 * "moonpeer: " unless it is bare. Returns rc. */
int chunk_report(lua_State *L, int rc, int is_bare);

/* Both: runs the text, the file (NULL: stdin), or the module's `require`, and
 * reports. LUA_OK or the error. */
int chunk_run_text(lua_State *L, const char *text, const char *name);
int chunk_run_file(lua_State *L, const char *path);

/* "name", or "global=name". */
int chunk_require(lua_State *L, const char *what);

#endif
