/* jobs - what an engine's schedule needs of C. */
#ifndef SCRIPT_JOBS_H
#define SCRIPT_JOBS_H

#include <lauxlib.h>

extern const luaL_Reg jobs_methods[];

#endif
