/* hook_call - a question of an engine on its way into Lua, for the files that
 * ask. */
#ifndef SCRIPT_HOOK_CALL_H
#define SCRIPT_HOOK_CALL_H

#include "moonpeer/ban.h"
#include "moonpeer/peer.h"
#include "script/engine.h"

/* What a hook carries in, and its answer out. */
struct hook_call {
  struct engine_box *box;
  const struct mp_event *event;
  struct mp_connection *connection;
  const struct mp_offence *offence;
  struct mp_verdict *verdict;
  struct mp_fault *fault;
  const struct mp_address *address, *source;
  const struct mp_failure *failure;
  const struct mp_candidate *candidates;
  struct mp_address *list;
  size_t n, room;
  int64_t wait;
  ptrdiff_t chosen;
  int code;
  bool yes;
};

/* Calls body in Lua, with call as its light userdata, for a decision, which is
 * written down; *row is NULL without memory for that. */
int hook_decide(lua_CFunction body, struct hook_call *call, enum decision what,
                struct decision_row **row);

/* Tells of a decision when somebody wants it. */
void hook_told(const struct hook_call *call, const struct decision_row *row);

/* Pushes the handler of a name and the engine. */
void hook_push(lua_State *L, const struct hook_call *call, const char *name);

/* Fills in what asks about connections and peers. */
void hooks_init_judge(struct mp_hooks *hooks);
void hooks_init_choice(struct mp_hooks *hooks);

#endif
