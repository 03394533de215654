/* module - the engine as a Lua module. */
#ifndef SCRIPT_MODULE_H
#define SCRIPT_MODULE_H

#include <lua.h>

/* What `require "moonpeer"` calls when it finds moonpeer.so: makes the
 * embedded files known and runs moonpeer/init.lua. */
__attribute__((visibility("default"))) int luaopen_moonpeer(lua_State *L);

/* The part written in C, `require "moonpeer.core"`: for moonpeer/init.lua,
 * also when that is found in a folder before moonpeer.so is. */
__attribute__((visibility("default"))) int luaopen_moonpeer_core(lua_State *L);

/* Makes both known to require in an interpreter that has them inside. */
void module_preload(lua_State *L);

#endif
