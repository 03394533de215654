/* audience - who listens to an event of an engine, and telling them. */
#ifndef SCRIPT_AUDIENCE_H
#define SCRIPT_AUDIENCE_H

#include <lua.h>

#include "moonpeer/hooks.h"

struct engine_box;

/* Lays down at the bottom of the hook thread what telling needs. */
void audience_open(lua_State *L);

/* Pops a list of guards and puts it where the engine's events of a type find
 * it: in the table at the top. A list is never changed: who joins or leaves
 * while an event is told makes another. */
void audience_set(lua_State *L, enum mp_event_type type);

/* Calls each who listens, one after the other and each by itself. */
void audience_tell(struct engine_box *box, const struct mp_event *event);

#endif
