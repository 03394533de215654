/* rules - declared rules, from Lua to the engine. */
#ifndef SCRIPT_RULES_H
#define SCRIPT_RULES_H

#include <lauxlib.h>

extern const luaL_Reg rules_methods[];

#endif
