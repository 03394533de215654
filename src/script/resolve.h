/* resolve - moonpeer.resolve: names to addresses. */
#ifndef SCRIPT_RESOLVE_H
#define SCRIPT_RESOLVE_H

#include <lua.h>

int resolve_lua_resolve(lua_State *L);
void resolve_open_type(lua_State *L);

#endif
