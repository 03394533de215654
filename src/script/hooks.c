/* hooks - what an engine tells and asks, on its way into Lua. */
#include <stdio.h>
#include <string.h>

#include "moonpeer/text.h"
#include "script/connection.h"
#include "script/convert.h"
#include "script/engine.h"
#include "script/message.h"

/* What a hook carries in, and its answer out. */
struct call {
  struct engine_box *box;
  const struct mp_event *event;
  struct mp_connection *connection;
  const struct mp_offence *offence;
  struct mp_verdict *verdict;
  struct mp_fault *fault;
  int code;
};

/* Pushes the handler of a name and the engine. */
static void push_handler(lua_State *L, const struct call *call,
                         const char *name) {
  engine_push(L, call->box);
  lua_getiuservalue(L, -1, 1);
  lua_getfield(L, -1, name);
  lua_replace(L, -2);
  lua_insert(L, -2);
}

/* --- events ----------------------------------------------------------------
 */

static int dispatch(lua_State *L) {
  struct call *call = lua_touserdata(L, 1);
  push_handler(L, call, "dispatch");
  lua_pushstring(L, mp_event_name(call->event->type));
  event_push(L, call->event);
  if (call->event->message)
    lua_pushstring(L, call->event->message->command);
  else
    lua_pushnil(L);
  lua_call(L, 4, 0);
  return 0;
}

static void on_event(void *data, const struct mp_event *event) {
  struct call call = {.box = data, .event = event};
  script_enter(call.box->script, dispatch, &call);
}

/* --- validate --------------------------------------------------------------
 */

/* "ok", or "offence" and its code; the chain lets nothing else through. */
static int validate(lua_State *L) {
  struct call *call = lua_touserdata(L, 1);
  push_handler(L, call, "validate");
  connection_push(L, call->connection);
  lua_getfield(L, -1, "version");
  lua_call(L, 3, 3);
  const char *answer = lua_tostring(L, -3), *code = lua_tostring(L, -2);
  if (!answer || strcmp(answer, "offence") != 0 || !code)
    return 0;
  const char *words = lua_tostring(L, -1);
  snprintf(call->fault->text, sizeof call->fault->text, "%s",
           words ? words : code);
  call->code = mp_error_code(code);
  return 0;
}

static int on_validate(void *data, struct mp_connection *connection,
                       struct mp_fault *fault) {
  struct call call = {.box = data, .connection = connection, .fault = fault};
  return script_enter(call.box->script, validate, &call) == LUA_OK ? call.code
                                                                   : 0;
}

/* --- judge -----------------------------------------------------------------
 */

static void push_offence(lua_State *L, const struct mp_offence *offence) {
  lua_createtable(L, 0, 4);
  lua_pushstring(L, mp_error_name(offence->code));
  lua_setfield(L, -2, "code");
  lua_pushstring(L, offence->text);
  lua_setfield(L, -2, "message");
  lua_pushinteger(L, offence->count);
  lua_setfield(L, -2, "count");
  lua_pushboolean(L, offence->is_dropped);
  lua_setfield(L, -2, "dropped");
}

/* Options of a verdict: { time =, scope = "address", "group" or a prefix }. */
static void take_options(lua_State *L, struct mp_verdict *verdict) {
  struct mp_fault fault;
  if (!lua_istable(L, -1))
    return;
  if (lua_getfield(L, -1, "time") != LUA_TNIL)
    verdict->ban_time = convert_duration(L, lua_gettop(L));
  lua_pop(L, 1);
  lua_getfield(L, -1, "scope");
  const char *scope = lua_tostring(L, -1);
  if (scope && strcmp(scope, "address") != 0 &&
      mp_prefix_parse(&verdict->scope, scope, &fault) != 0)
    luaL_error(L, "scope: %s", fault.text);
  lua_pop(L, 1);
}

static int judge(lua_State *L) {
  struct call *call = lua_touserdata(L, 1);
  struct mp_verdict verdict = *call->verdict;
  push_handler(L, call, "judge");
  connection_push(L, call->connection);
  push_offence(L, call->offence);
  lua_call(L, 3, 3);
  const char *answer = lua_tostring(L, -3), *reason = lua_tostring(L, -2);
  int found = answer ? mp_answer_of(answer) : -1;
  if (found < 0)
    return 0;
  verdict.answer = (enum mp_answer)found;
  snprintf(verdict.reason, sizeof verdict.reason, "%s", reason ? reason : "");
  take_options(L, &verdict);
  *call->verdict = verdict;
  return 0;
}

static void on_judge(void *data, struct mp_connection *connection,
                     const struct mp_offence *offence,
                     struct mp_verdict *verdict) {
  struct call call = {.box = data,
                      .connection = connection,
                      .offence = offence,
                      .verdict = verdict};
  script_enter(call.box->script, judge, &call);
}

static void on_closed(void *data, struct mp_connection *connection) {
  struct engine_box *box = data;
  connection_gone(box->script, connection);
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
      .validate = on_validate,
      .judge = on_judge,
      .closed = on_closed,
  };
}
