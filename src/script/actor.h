/* actor - what is called for somebody later is held to what he is held to
 * now. */
#ifndef SCRIPT_ACTOR_H
#define SCRIPT_ACTOR_H

#include "script/script.h"

/* On whose behalf Lua runs: all zero for the program. */
struct actor actor_now(const struct script *script);

/* Whether anything is asked of him. */
bool actor_is_held(const struct actor *actor);

/* Replaces the function at index by one that does the same held to the actor
 * that runs now. It may not wait. For the program nothing changes. */
void actor_bind(lua_State *L, int index);

/* core.bind(fn): that function. */
int actor_lua_bind(lua_State *L);

#endif
