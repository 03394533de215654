/* ban - a store's bans in Lua. */
#ifndef SCRIPT_BAN_H
#define SCRIPT_BAN_H

#include <lua.h>

#include "moonpeer/ban.h"
#include "script/store.h"

void ban_open_type(lua_State *L);

/* Pushes the object that stands for the bans of the store at the top of the
 * stack. */
void ban_push_list(lua_State *L, struct store_box *home);

/* Pushes a table: prefix, reason, created, expires (seconds since 1970;
 * math.huge for ever), origin, note. */
void ban_push_table(lua_State *L, const struct mp_ban *ban);

/* A ban from such a table at index; texts live as long as it. 0, MP_ECONFIG;
 * raises wrong types and names. */
int ban_take_table(lua_State *L, int index, struct mp_ban *ban,
                   struct mp_fault *fault);

#endif
