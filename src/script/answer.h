/* answer - the decisions, and whether what a policy answers makes sense. */
#ifndef SCRIPT_ANSWER_H
#define SCRIPT_ANSWER_H

#include <stdbool.h>

#include <lua.h>

enum decision {
  DECIDE_ACCEPT,
  DECIDE_EVICT,
  DECIDE_JUDGE,
  DECIDE_KEEP,
  DECIDE_RETRY,
  DECIDE_SELECT,
  DECIDE_VALIDATE,
  DECISIONS
};

const char *decision_name(enum decision decision);

/* The decision of a name, -1 for a name that none has. */
int decision_of(const char *name);

/* Raises "nonsense answer ..." unless the three values from index on are an
 * answer, its reason and options; the first is not nil. */
void answer_check(lua_State *L, enum decision decision, int index);

/* Whether the value at index is the connection of one of the candidates that
 * the list at index `list` has. */
bool answer_is_candidate(lua_State *L, int list, int index);

#endif
