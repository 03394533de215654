/* memory_cap - how much a Lua state may hold while policies run. */
#ifndef SCRIPT_MEMORY_CAP_H
#define SCRIPT_MEMORY_CAP_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

enum { MEMORY_CAP = 512 << 20 }; /* bytes, until set */

struct memory_cap;

/* Counts what the state holds from now on, until its very end. NULL when there
 * is no memory for it. Small blocks that Lua frees it keeps for later, up to
 * 1 MiB, which do not count. */
struct memory_cap *memory_cap_new(lua_State *L);

/* Bytes; while on, Lua that would hold more gets "not enough memory". What the
 * program holds that made the state counts, but is refused nothing. */
void memory_cap_set(struct memory_cap *cap, size_t limit);
size_t memory_cap_limit(const struct memory_cap *cap);
size_t memory_cap_used(const struct memory_cap *cap);

/* Whether it holds now; gives what it was. */
bool memory_cap_switch(struct memory_cap *cap, bool on);

#endif
