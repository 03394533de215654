/* hooks_choice - what an engine asks about peers: whom to let in, keep, dial,
 * dial again and evict. */
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "moonpeer/store.h"
#include "script/connection.h"
#include "script/convert.h"
#include "script/hook_call.h"

/* --- accept and keep -------------------------------------------------------
 */

static int accept(lua_State *L) {
  struct hook_call *call = lua_touserdata(L, 1);
  hook_push(L, call, "accept");
  push_address(L, call->address);
  lua_call(L, 2, 1);
  call->yes = lua_toboolean(L, -1);
  return 0;
}

static bool on_accept(void *data, const struct mp_address *address) {
  struct hook_call call = {.box = data, .address = address};
  struct decision_row *row;
  bool yes =
      hook_decide(accept, &call, DECIDE_ACCEPT, &row) == LUA_OK && call.yes;
  hook_told(&call, row);
  return yes;
}

static int keep(lua_State *L) {
  struct hook_call *call = lua_touserdata(L, 1);
  hook_push(L, call, "keep");
  push_address(L, call->address);
  push_address(L, call->source);
  lua_call(L, 3, 1);
  call->yes = lua_toboolean(L, -1);
  return 0;
}

static bool on_keep(void *data, const struct mp_address *address,
                    const struct mp_address *source) {
  struct hook_call call = {.box = data, .address = address, .source = source};
  struct decision_row *row;
  bool yes = hook_decide(keep, &call, DECIDE_KEEP, &row) == LUA_OK && call.yes;
  hook_told(&call, row);
  return yes;
}

/* --- select ----------------------------------------------------------------
 */

/* A peer of the store, or an address as a text. */
static void take_peer(lua_State *L, struct hook_call *call) {
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
  struct hook_call *call = lua_touserdata(L, 1);
  size_t most = call->room;
  hook_push(L, call, "select");
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
  struct hook_call call = {.box = data, .list = list, .room = room, .n = n};
  struct decision_row *row;
  int rc = hook_decide(select, &call, DECIDE_SELECT, &row);
  if (row)
    row->count = (unsigned)n;
  hook_told(&call, row);
  return rc == LUA_OK ? call.n : 0;
}

/* --- retry -----------------------------------------------------------------
 */

static void push_failed(lua_State *L, const struct hook_call *call) {
  struct mp_store *store = mp_engine_store(call->box->engine);
  engine_push_peer(L, call->box, mp_store_find(store, call->address));
}

static int retry(lua_State *L) {
  struct hook_call *call = lua_touserdata(L, 1);
  hook_push(L, call, "retry");
  push_failed(L, call);
  lua_createtable(L, 0, 3);
  push_address(L, call->address);
  lua_setfield(L, -2, "address");
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
  struct hook_call call = {
      .box = box, .address = address, .failure = failure, .wait = safe};
  struct decision_row *row;
  int rc = hook_decide(retry, &call, DECIDE_RETRY, &row);
  if (row) {
    row->code = failure->code;
    row->count = failure->attempts;
  }
  hook_told(&call, row);
  return rc == LUA_OK ? call.wait : safe;
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
  struct hook_call *call = lua_touserdata(L, 1);
  hook_push(L, call, "evict");
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

/* Whom: a connection says nothing in words. */
static void note_chosen(struct decision_row *row,
                        const struct hook_call *call) {
  char text[MP_ADDRESS_TEXT];
  if (call->chosen < 0)
    return;
  const struct mp_candidate *chosen = &call->candidates[call->chosen];
  snprintf(row->answer, sizeof row->answer, "%s",
           mp_address_format(mp_connection_address(chosen->connection), text));
}

static ptrdiff_t on_evict(void *data, const struct mp_candidate *list, size_t n,
                          const struct mp_address *newcomer) {
  struct hook_call call = {.box = data,
                           .candidates = list,
                           .n = n,
                           .address = newcomer,
                           .chosen = -1};
  struct decision_row *row;
  int rc = hook_decide(evict, &call, DECIDE_EVICT, &row);
  if (row) {
    row->count = (unsigned)n;
    note_chosen(row, &call);
  }
  hook_told(&call, row);
  return rc == LUA_OK ? call.chosen : -1;
}

void hooks_init_choice(struct mp_hooks *hooks) {
  hooks->accept = on_accept;
  hooks->keep = on_keep;
  hooks->select = on_select;
  hooks->retry = on_retry;
  hooks->evict = on_evict;
}
