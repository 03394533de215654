/* json - Lua values as JSON text and back. Whole numbers of 64 bits survive
 * both ways; a list that is empty is told from an empty object by its
 * metatable, and null is a light userdata. */
#ifndef SCRIPT_JSON_H
#define SCRIPT_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "moonpeer/error.h"

enum {
  JSON_DEPTH = 64,      /* tables in tables, both ways */
  JSON_SIZE = 16 << 20, /* bytes of a text, when nobody says otherwise */
};

struct json_options {
  size_t most;   /* bytes of the text; 0 is JSON_SIZE */
  bool is_lossy; /* bytes that are no UTF-8 become U+FFFD instead of raising */
};

/* Pushes the value at index as text, names in order. Raises what JSON has no
 * words for: functions, numbers that are not finite, tables with names and
 * numbers for keys, lists with holes, texts that are no UTF-8; and what is too
 * deep or too long. options may be NULL. */
void json_write(lua_State *L, int index, const struct json_options *options);

/* Pushes the value of a text of n bytes with a zero behind them. 0, or
 * MP_ECONFIG and nothing pushed: no JSON, too deep, too long, or with a number
 * out of range or a \u0000 in it. */
int json_read(lua_State *L, const char *text, size_t n, struct mp_fault *fault);

void json_open_type(lua_State *L);

/* json_encode(value[, { lossy = true, most = bytes }]), json_decode(text),
 * json_list(table): marks a table as a list, even an empty one. */
int json_lua_encode(lua_State *L);
int json_lua_decode(lua_State *L);
int json_lua_list(lua_State *L);

/* json_write.c: makes the type of what it keeps on the stack. */
void json_open_writer(lua_State *L);

/* Whether the value at index was marked as a list. */
bool json_is_list(lua_State *L, int index);

#endif
