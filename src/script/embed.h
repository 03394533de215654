/* embed - the Lua files that are compiled in, and how require finds them. */
#ifndef SCRIPT_EMBED_H
#define SCRIPT_EMBED_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

struct embed {
  const char *module; /* "moonpeer.cli" */
  const char *chunk;  /* "@moonpeer/cli/init.lua" */
  const unsigned char *text;
  size_t size;
};

/* All files; the last row is zero. Written by the build. */
extern const struct embed embed_list[];

/* Makes require look here first: in the folder that the environment names in
 * MOONPEER_LUA, then among the embedded files. Once for a state; further calls
 * do nothing. */
void embed_install(lua_State *L);

/* Is there such a module? */
bool embed_has(lua_State *L, const char *module);

/* Pushes the module's chunk and where it came from. Raises when there is no
 * such module, or it does not compile. */
void embed_load(lua_State *L, const char *module);

#endif
