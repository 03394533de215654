/* hashes - a set of 32-byte hashes in Lua that forgets the oldest. */
#ifndef SCRIPT_HASHES_H
#define SCRIPT_HASHES_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

struct hashes;

void hashes_open_type(lua_State *L);

/* message.hashes(capacity): an empty set of at most so many. */
int hashes_lua_new(lua_State *L);

/* The set at index, or NULL when it is something else. */
struct hashes *hashes_test(lua_State *L, int index);

bool hashes_has(const struct hashes *set, const uint8_t hash[32]);

/* 1 when it is new, 0 when it was there; then it is none the younger. Raises
 * when there is no memory. */
int hashes_add(lua_State *L, struct hashes *set, const uint8_t hash[32]);

#endif
