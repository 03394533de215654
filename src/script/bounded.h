/* bounded - the string library for policies from files: the work of one call
 * is bounded, however a text and a pattern meet. */
#ifndef SCRIPT_BOUNDED_H
#define SCRIPT_BOUNDED_H

#include <lua.h>

/* Pushes a new table: what string has, without dump, and with bounded find,
 * match, gmatch, gsub and rep. */
void bounded_push_strings(lua_State *L);

#endif
