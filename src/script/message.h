/* message - views on messages in Lua, and payloads from Lua tables. */
#ifndef SCRIPT_MESSAGE_H
#define SCRIPT_MESSAGE_H

#include <lua.h>

#include "moonpeer/message.h"

void message_open(lua_State *L);

/* Pushes a view on a borrowed message. It is stale, and raises when it is
 * used, when the present entry into Lua is over. */
void message_push_view(lua_State *L, const struct mp_message *message);

/* Pushes a message that owns a copy of the payload. Raises what
 * mp_message_open refuses. */
void message_push_copy(lua_State *L, const char *command, const void *payload,
                       size_t n);

/* Makes the payload of a command from the value at index: a table of fields,
 * a string as it is, or nil for an empty table. Pushes a string; raises what
 * does not fit. */
void message_encode(lua_State *L, const char *command, int index);

#endif
