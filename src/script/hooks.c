/* hooks - what an engine tells and asks, on its way into Lua. */
#include "script/audience.h"
#include "script/connection.h"
#include "script/hook_call.h"
#include "script/message.h"

int hook_decide(lua_CFunction body, struct hook_call *call, enum decision what,
                struct decision_row **row) {
  struct engine_box *box = call->box;
  struct script *script = box->script;
  *row = NULL;
  if (script->is_closing)
    return LUA_ERRRUN;
  script->answered = (struct answered){0};
  int rc = script_enter(script, box->closable.loop, body, call);
  if (script->is_overrun) /* the world ends: this decides nothing any more */
    return rc;
  *row = decisions_add(&box->decisions, what);
  if (!*row)
    return rc;
  (*row)->time = mp_loop_time(box->closable.loop);
  if (rc == LUA_OK)
    decision_take_answer(*row, &script->answered);
  if (call->address)
    (*row)->address = *call->address;
  if (call->source)
    (*row)->source = *call->source;
  return rc;
}

void hook_told(const struct hook_call *call, const struct decision_row *row) {
  const struct engine_box *box = call->box;
  char text[MP_FAULT_TEXT];
  if (!row || !(box->hooks.wants & UINT64_C(1) << MP_DECISION) || !box->engine)
    return;
  decision_describe(row, text, sizeof text);
  mp_engine_note(box->engine, MP_DECISION, &row->address, text);
}

void hook_push(lua_State *L, const struct hook_call *call, const char *name) {
  engine_push(L, call->box);
  lua_getiuservalue(L, -1, 1);
  lua_getfield(L, -1, name);
  lua_replace(L, -2);
  lua_insert(L, -2);
}

static void on_event(void *data, const struct mp_event *event) {
  audience_tell(data, event);
}

/* --- the table -------------------------------------------------------------
 */

static void on_closed(void *data, struct mp_connection *connection) {
  struct engine_box *box = data;
  connection_gone(box->script, box->closable.loop, connection);
}

static const struct mp_message_type *on_declared(void *data,
                                                 const char *command) {
  const struct engine_box *box = data;
  return declared_find(box->script, command);
}

void hooks_init(struct engine_box *box) {
  box->hooks = (struct mp_hooks){
      .event = on_event,
      .declared = on_declared,
      .closed = on_closed,
  };
  hooks_init_judge(&box->hooks);
  hooks_init_choice(&box->hooks);
}
