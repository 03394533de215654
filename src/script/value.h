/* value - fields of messages as Lua values and back. */
#ifndef SCRIPT_VALUE_H
#define SCRIPT_VALUE_H

#include <stdbool.h>

#include <lua.h>

#include "moonpeer/address.h"
#include "moonpeer/message.h"

/* Integers, booleans, strings of raw bytes (hashes in wire order), IPs as
 * text; records and lists as tables; nil for what is absent. A table holds
 * only what is there, no defaults. */
void value_push(lua_State *L, const struct mp_value *value);
void value_push_record(lua_State *L, const struct mp_record *record);

/* The text of an MP_VALUE_IP. Where the length of an address is free, one of 16
 * bytes that means IPv4 is "::ffff:1.2.3.4", so that the same comes back. */
const char *value_ip_text(const struct mp_value *value,
                          char text[MP_ADDRESS_TEXT]);

/* Whether an entry of the layout is handed to Lua as the values of its
 * fields: when none of them has to be computed or built. */
bool value_is_flat(const struct mp_layout *item);

/* The present entry of a list of such: returns how many were pushed. */
int value_push_entry(lua_State *L, const struct mp_list *list);

/* How the values of a table of fields are written. A hash may in both forms be
 * given as 64 hex digits, as it is displayed. */
enum value_form {
  VALUE_RAW,  /* as value_push pushes them */
  VALUE_TEXT, /* as people and JSON write them: numbers also as "0x21", bytes
               * and whole records as hex digits */
};

/* Pushes the payload made from the fields in the table at index (or none).
 * Raises what does not fit. */
void value_encode(lua_State *L, const struct mp_message_type *type, int index,
                  enum value_form form);

#endif
