/* convert - between Lua values and the structs of the public face. Functions
 * named convert_ raise on what is no such value. */
#ifndef SCRIPT_CONVERT_H
#define SCRIPT_CONVERT_H

#include <stdint.h>

#include <lauxlib.h>
#include <lua.h>

#include "moonpeer/address.h"
#include "moonpeer/config.h"
#include "moonpeer/network.h"
#include "moonpeer/version.h"

/* Seconds, or a text such as "250ms": nanoseconds. _or takes nil for the
 * given default. */
int64_t convert_duration(lua_State *L, int index);
int64_t convert_duration_field(lua_State *L, const char *name); /* the top */
int64_t convert_duration_or(lua_State *L, int index, int64_t otherwise);

/* A network's name or a table { name, magic, port, seeds, genesis,
 * checks_user_agent, max_payload, limits }; nil is mainnet. Seeds' texts must
 * stay where they are as long as the network is used. */
void convert_network(lua_State *L, int index, struct mp_network *network);

/* As a table: the same keys. */
void push_network(lua_State *L, const struct mp_network *network);

/* convert_limits.c: takes genesis, checks_user_agent, max_payload and limits
 * from the table of a network; sets the last two in the one at the top. */
void convert_limits(lua_State *L, int index, struct mp_network *network);
void push_limits(lua_State *L, const struct mp_network *network);

/* An address with an IP. */
void convert_address(lua_State *L, int index, uint16_t default_port,
                     struct mp_address *address);
void push_address(lua_State *L, const struct mp_address *address);

/* Sets the keys of the schema that the table at index has; those of `known`
 * (ends with NULL) are left to the caller, every other raises and names the
 * nearest. */
void convert_config(lua_State *L, int index, struct mp_config *config,
                    const char *const *known);

/* A version as a table, and the fields of a table over a version. */
void push_version(lua_State *L, const struct mp_version *version);
void convert_version(lua_State *L, int index, struct mp_version *version);

/* Raises unless all keys of the table at index are among the names. */
void convert_known(lua_State *L, int index, const char *what,
                   const char *const *names);

/* Raises: unknown key, the nearest of names (ends with NULL) is ... */
int convert_unknown(lua_State *L, const char *what, const char *key,
                    const char *const *names);

#endif
