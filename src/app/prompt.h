/* prompt - the interactive mode: read, run, print, again. */
#ifndef APP_PROMPT_H
#define APP_PROMPT_H

#include <lua.h>

/* Until the end of input. Errors are printed and forgotten. */
void prompt_run(lua_State *L);

#endif
