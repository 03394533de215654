/* control - what an engine can be told and asked, in Lua. */
#ifndef SCRIPT_CONTROL_H
#define SCRIPT_CONTROL_H

#include <lauxlib.h>

/* Methods of engines, ends with a NULL row. */
extern const luaL_Reg control_methods[];

#endif
