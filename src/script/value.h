/* value - fields of messages as Lua values and back. */
#ifndef SCRIPT_VALUE_H
#define SCRIPT_VALUE_H

#include <lua.h>

#include "moonpeer/message.h"

/* Integers, booleans, strings of raw bytes (hashes in wire order), IPs as
 * text; records and lists as tables; nil for what is absent. */
void value_push(lua_State *L, const struct mp_value *value);
void value_push_record(lua_State *L, const struct mp_record *record);

/* The present entry of a list: the values of its fields, or its one value.
 * Returns how many. */
int value_push_entry(lua_State *L, const struct mp_list *list);

/* Pushes the payload made from the fields in the table at index (or none).
 * Raises what does not fit. */
void value_encode(lua_State *L, const struct mp_message_type *type, int index);

#endif
