/* hooks_judge - what an engine asks about a connection: whether its version
 * will do, and what becomes of an offence. */
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "script/connection.h"
#include "script/convert.h"
#include "script/hook_call.h"

/* --- validate --------------------------------------------------------------
 */

/* "ok", or "offence" and its code; the chain lets nothing else through. */
static int validate(lua_State *L) {
  struct hook_call *call = lua_touserdata(L, 1);
  hook_push(L, call, "validate");
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

static void note_connection(struct decision_row *row,
                            const struct mp_connection *connection) {
  if (!row)
    return;
  row->address = *mp_connection_address(connection);
  row->is_inbound = mp_connection_is_inbound(connection);
}

static int on_validate(void *data, struct mp_connection *connection,
                       struct mp_fault *fault) {
  struct hook_call call = {
      .box = data, .connection = connection, .fault = fault};
  struct decision_row *row;
  int rc = hook_decide(validate, &call, DECIDE_VALIDATE, &row);
  const struct mp_version *version = mp_connection_version(connection);
  note_connection(row, connection);
  if (row && version) {
    row->version = version->version;
    snprintf(
        row->text, sizeof row->text, "%.*s",
        (int)(version->user_agent_size < 95 ? version->user_agent_size : 95),
        version->user_agent);
  }
  if (row && call.code)
    row->code = call.code;
  hook_told(&call, row);
  return rc == LUA_OK ? call.code : 0;
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
static void take_options(lua_State *L, const struct hook_call *call,
                         struct mp_verdict *verdict) {
  struct mp_fault fault;
  if (!lua_istable(L, -1))
    return;
  if (lua_getfield(L, -1, "time") == LUA_TSTRING &&
      strcmp(lua_tostring(L, -1), "forever") == 0)
    verdict->ban_time = MP_FOREVER;
  else if (!lua_isnil(L, -1))
    verdict->ban_time = convert_duration_field(L, "time");
  lua_pop(L, 1);
  lua_getfield(L, -1, "scope");
  const char *scope = lua_tostring(L, -1);
  if (scope && strcmp(scope, "group") == 0)
    verdict->scope =
        mp_prefix_of_group(mp_connection_address(call->connection));
  else if (scope && strcmp(scope, "address") != 0 &&
           mp_prefix_parse(&verdict->scope, scope, &fault) != 0)
    luaL_error(L, "scope: %s", fault.text);
  lua_pop(L, 1);
}

static int judge(lua_State *L) {
  struct hook_call *call = lua_touserdata(L, 1);
  struct mp_verdict verdict = *call->verdict;
  hook_push(L, call, "judge");
  connection_push(L, call->connection);
  push_offence(L, call->offence);
  lua_call(L, 3, 3);
  const char *answer = lua_tostring(L, -3), *reason = lua_tostring(L, -2);
  int found = answer ? mp_answer_of(answer) : -1;
  if (found < 0)
    return 0;
  verdict.answer = (enum mp_answer)found;
  snprintf(verdict.reason, sizeof verdict.reason, "%s", reason ? reason : "");
  take_options(L, call, &verdict);
  *call->verdict = verdict;
  return 0;
}

static void note_offence(struct decision_row *row,
                         const struct hook_call *call) {
  if (!row)
    return;
  note_connection(row, call->connection);
  row->code = call->offence->code;
  row->count = call->offence->count;
  row->is_dropped = call->offence->is_dropped;
  snprintf(row->text, sizeof row->text, "%s", call->offence->text);
  hook_told(call, row);
}

static void on_judge(void *data, struct mp_connection *connection,
                     const struct mp_offence *offence,
                     struct mp_verdict *verdict) {
  struct hook_call call = {.box = data,
                           .connection = connection,
                           .offence = offence,
                           .verdict = verdict};
  struct decision_row *row;
  hook_decide(judge, &call, DECIDE_JUDGE, &row);
  note_offence(row, &call);
}

static void on_ruled(void *data, struct mp_connection *connection,
                     const struct mp_offence *offence,
                     const struct mp_verdict *verdict) {
  struct hook_call call = {
      .box = data, .connection = connection, .offence = offence};
  if (call.box->script->is_closing)
    return;
  struct decision_row *row = decisions_add(&call.box->decisions, DECIDE_JUDGE);
  if (!row)
    return;
  row->time = mp_loop_time(call.box->closable.loop);
  snprintf(row->rule, sizeof row->rule, "%s", verdict->rule);
  snprintf(row->answer, sizeof row->answer, "%s",
           mp_answer_name(verdict->answer));
  snprintf(row->reason, sizeof row->reason, "%s", verdict->reason);
  note_offence(row, &call);
}

void hooks_init_judge(struct mp_hooks *hooks) {
  hooks->validate = on_validate;
  hooks->judge = on_judge;
  hooks->ruled = on_ruled;
}
