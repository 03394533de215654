/* hooks - what an engine tells and asks, on its way into Lua. */
#include <stdio.h>
#include <string.h>

#include "moonpeer/ban.h"
#include "moonpeer/peer.h"
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

static int enter(lua_CFunction body, struct call *call) {
  return script_enter(call->box->script, call->box->closable.loop, body, call);
}

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

/* Places on the stack of dispatch, and in a row. */
enum { LISTENERS = 2, ROWS, TRACEBACK, EVENT, ROW };
enum { ROW_FN = 1, ROW_COMMAND };

static void push_handlers(lua_State *L, const struct engine_box *box) {
  engine_push(L, box);
  lua_getiuservalue(L, -1, 1);
  lua_replace(L, -2);
}

/* A started engine has them in the registry. */
static void push_listeners(lua_State *L, const struct engine_box *box) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &box->hooks) == LUA_TTABLE)
    return;
  lua_pop(L, 1);
  push_handlers(L, box);
  lua_getfield(L, -1, "listeners");
  lua_replace(L, -2);
}

/* What a listener may be for. */
static const char *command_of(const struct mp_event *event) {
  if (event->message)
    return event->message->command;
  return event->chunk ? event->chunk->command : NULL;
}

/* The row has no command, or this one. */
static bool is_for(lua_State *L, const char *command) {
  const char *own = NULL;
  if (command && lua_rawgeti(L, ROW, ROW_COMMAND) == LUA_TSTRING)
    own = lua_tostring(L, -1);
  bool is = !own || strcmp(own, command) == 0;
  lua_settop(L, ROW);
  return is;
}

/* handlers.report(row, name of the event, message at the top) */
static void report(lua_State *L, const struct call *call) {
  push_handlers(L, call->box);
  lua_getfield(L, -1, "report");
  lua_pushvalue(L, ROW);
  lua_pushstring(L, mp_event_name(call->event->type));
  lua_pushvalue(L, ROW + 1);
  lua_call(L, 3, 0);
}

/* The list of rows does not change while it is walked: a change makes a new
 * one. */
static int dispatch(lua_State *L) {
  const struct call *call = lua_touserdata(L, 1);
  const char *command = command_of(call->event);
  push_listeners(L, call->box);
  if (lua_rawgeti(L, LISTENERS, call->event->type + 1) != LUA_TTABLE)
    return 0;
  lua_pushcfunction(L, script_traceback);
  event_push(L, call->event);
  lua_Integer n = (lua_Integer)lua_rawlen(L, ROWS);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, ROWS, i);
    if (is_for(L, command)) {
      lua_rawgeti(L, ROW, ROW_FN);
      lua_pushvalue(L, EVENT);
      if (lua_pcall(L, 1, 0, TRACEBACK) != LUA_OK)
        report(L, call);
    }
    lua_settop(L, EVENT);
  }
  return 0;
}

static void on_event(void *data, const struct mp_event *event) {
  struct call call = {.box = data, .event = event};
  enter(dispatch, &call);
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
  int rc = enter(validate, &call);
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

/* The network around an address, as mp_group_of sees it. */
static void take_group(struct mp_prefix *scope,
                       const struct mp_address *address) {
  *scope = mp_prefix_of(address);
  if (!mp_address_is_routable(address))
    return;
  scope->bits = mp_address_is_ipv4(address) ? 96 + 16 : 32;
  memset(scope->ip + scope->bits / 8, 0,
         sizeof scope->ip - (size_t)(scope->bits / 8));
}

/* Options of a verdict: { time =, scope = "address", "group" or a prefix }. */
static void take_options(lua_State *L, const struct call *call,
                         struct mp_verdict *verdict) {
  struct mp_fault fault;
  if (!lua_istable(L, -1))
    return;
  if (lua_getfield(L, -1, "time") != LUA_TNIL)
    verdict->ban_time = convert_duration(L, lua_gettop(L));
  lua_pop(L, 1);
  lua_getfield(L, -1, "scope");
  const char *scope = lua_tostring(L, -1);
  if (scope && strcmp(scope, "group") == 0)
    take_group(&verdict->scope, mp_connection_address(call->connection));
  else if (scope && strcmp(scope, "address") != 0 &&
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
  take_options(L, call, &verdict);
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
  enter(judge, &call);
}

/* --- accept and keep -------------------------------------------------------
 */

static int accept(lua_State *L) {
  struct call *call = lua_touserdata(L, 1);
  push_handler(L, call, "accept");
  push_address(L, call->address);
  lua_call(L, 2, 1);
  call->yes = lua_toboolean(L, -1);
  return 0;
}

static bool on_accept(void *data, const struct mp_address *address) {
  struct call call = {.box = data, .address = address};
  return enter(accept, &call) == LUA_OK && call.yes;
}

static int keep(lua_State *L) {
  struct call *call = lua_touserdata(L, 1);
  push_handler(L, call, "keep");
  push_address(L, call->address);
  push_address(L, call->source);
  lua_call(L, 3, 1);
  call->yes = lua_toboolean(L, -1);
  return 0;
}

static bool on_keep(void *data, const struct mp_address *address,
                    const struct mp_address *source) {
  struct call call = {.box = data, .address = address, .source = source};
  return enter(keep, &call) == LUA_OK && call.yes;
}

/* --- select ----------------------------------------------------------------
 */

/* A peer of the store, or an address as a text. */
static void take_peer(lua_State *L, struct call *call) {
  uint16_t port = mp_engine_config(call->box->engine)->network.port;
  char text[MP_ADDRESS_TEXT];
  if (lua_type(L, -1) == LUA_TSTRING) {
    convert_address(L, -1, port, &call->list[call->n]);
  } else {
    lua_getfield(L, -1, "ip");
    lua_getfield(L, -2, "port");
    const char *ip = luaL_checkstring(L, -2);
    snprintf(text, sizeof text, strchr(ip, ':') ? "[%.45s]" : "%.45s", ip);
    lua_pushstring(L, text);
    convert_address(L, -1, (uint16_t)luaL_checkinteger(L, -2),
                    &call->list[call->n]);
    lua_pop(L, 3);
  }
  call->n++;
}

static int select(lua_State *L) {
  struct call *call = lua_touserdata(L, 1);
  size_t most = call->room;
  push_handler(L, call, "select");
  lua_pushinteger(L, (lua_Integer)call->n);
  call->n = 0;
  lua_call(L, 2, 1);
  lua_Integer n = lua_istable(L, -1) ? luaL_len(L, -1) : 0;
  for (lua_Integer i = 1; i <= n && call->n < most; i++) {
    lua_geti(L, -1, i);
    take_peer(L, call);
    lua_pop(L, 1);
  }
  return 0;
}

static size_t on_select(void *data, struct mp_address *list, size_t room,
                        size_t n) {
  struct call call = {.box = data, .list = list, .room = room, .n = n};
  return enter(select, &call) == LUA_OK ? call.n : 0;
}

/* --- retry -----------------------------------------------------------------
 */

static int retry(lua_State *L) {
  struct call *call = lua_touserdata(L, 1);
  push_handler(L, call, "retry");
  push_address(L, call->address);
  lua_createtable(L, 0, 2);
  lua_pushstring(L, mp_error_name(call->failure->code));
  lua_setfield(L, -2, "code");
  lua_pushinteger(L, call->failure->attempts);
  lua_setfield(L, -2, "attempts");
  lua_call(L, 3, 1);
  if (lua_isboolean(L, -1))
    call->wait = -1;
  else if (!lua_isnil(L, -1))
    call->wait = convert_duration(L, lua_gettop(L));
  return 0;
}

static int64_t on_retry(void *data, const struct mp_address *address,
                        const struct mp_failure *failure) {
  struct engine_box *box = data;
  int64_t safe = mp_engine_config(box->engine)->max_backoff;
  struct call call = {
      .box = box, .address = address, .failure = failure, .wait = safe};
  return enter(retry, &call) == LUA_OK ? call.wait : safe;
}

/* --- evict -----------------------------------------------------------------
 */

static void push_candidate(lua_State *L, const struct mp_candidate *candidate) {
  lua_createtable(L, 0, 5);
  connection_push(L, candidate->connection);
  lua_setfield(L, -2, "connection");
  lua_pushlstring(L, (const char *)candidate->group->bytes,
                  candidate->group->size);
  lua_setfield(L, -2, "group");
  if (candidate->rtt >= 0) {
    lua_pushnumber(L, (lua_Number)candidate->rtt / (lua_Number)MP_SECOND);
    lua_setfield(L, -2, "rtt");
  }
  lua_pushnumber(L, (lua_Number)candidate->age / (lua_Number)MP_SECOND);
  lua_setfield(L, -2, "age");
  lua_pushboolean(L, candidate->is_protected);
  lua_setfield(L, -2, "protected");
}

static int evict(lua_State *L) {
  struct call *call = lua_touserdata(L, 1);
  push_handler(L, call, "evict");
  lua_createtable(L, (int)call->n, 0);
  for (size_t i = 0; i < call->n; i++) {
    push_candidate(L, &call->candidates[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  push_address(L, call->address);
  lua_call(L, 3, 1);
  struct mp_connection *chosen =
      lua_isuserdata(L, -1) ? connection_check(L, -1) : NULL;
  for (size_t i = 0; i < call->n; i++)
    if (chosen && call->candidates[i].connection == chosen)
      call->chosen = (ptrdiff_t)i;
  return 0;
}

static ptrdiff_t on_evict(void *data, const struct mp_candidate *list, size_t n,
                          const struct mp_address *newcomer) {
  struct call call = {.box = data,
                      .candidates = list,
                      .n = n,
                      .address = newcomer,
                      .chosen = -1};
  return enter(evict, &call) == LUA_OK ? call.chosen : -1;
}

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
      .validate = on_validate,
      .judge = on_judge,
      .accept = on_accept,
      .select = on_select,
      .retry = on_retry,
      .evict = on_evict,
      .keep = on_keep,
      .closed = on_closed,
  };
}
