/* decisions - the last decisions of an engine. */
#include "script/decisions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/convert.h"
#include "script/engine.h"
#include "script/guard.h"

void decisions_deinit(struct decisions *decisions) {
  free(decisions->rows);
  *decisions = (struct decisions){0};
}

struct decision_row *decisions_add(struct decisions *decisions,
                                   enum decision decision) {
  if (!decisions->rows)
    decisions->rows = calloc(DECISIONS_KEPT, sizeof *decisions->rows);
  if (!decisions->rows)
    return NULL;
  struct decision_row *row =
      &decisions->rows[decisions->taken++ % DECISIONS_KEPT];
  *row =
      (struct decision_row){.number = decisions->taken, .decision = decision};
  return row;
}

static void copy(char *to, size_t size, const char *from) {
  size_t n = strnlen(from, size - 1);
  memcpy(to, from, n);
  to[n] = '\0';
}

void decision_take_answer(struct decision_row *row,
                          const struct answered *answered) {
  if (!answered->guard)
    return;
  row->generation = answered->guard->actor.generation;
  copy(row->policy, sizeof row->policy, answered->guard->policy);
  copy(row->answer, sizeof row->answer, answered->answer);
  copy(row->reason, sizeof row->reason, answered->reason);
}

static bool has_address(const struct mp_address *address) {
  static const struct mp_address none = {0};
  return memcmp(address, &none, sizeof none) != 0;
}

void decision_describe(const struct decision_row *row, char *text, size_t n) {
  char address[MP_ADDRESS_TEXT] = "";
  if (has_address(&row->address))
    mp_address_format(&row->address, address);
  snprintf(text, n, "%s%s%s%s%s: %s by %s%s%s%s%s",
           decision_name(row->decision), *address ? " " : "", address,
           row->code ? " for " : "", row->code ? mp_error_name(row->code) : "",
           *row->answer ? row->answer : "the safe answer",
           *row->rule     ? "rule "
           : *row->policy ? "policy "
                          : "nobody",
           *row->rule ? row->rule : row->policy, *row->reason ? " (" : "",
           row->reason, *row->reason ? ")" : "");
  for (char *at = text; *at; at++)
    if (*at < ' ' || *at > '~') /* a remote's words may have got in */
      *at = '?';
}

static void set_text(lua_State *L, const char *key, const char *text) {
  if (!*text)
    return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, key);
}

static void set_address(lua_State *L, const char *key,
                        const struct mp_address *address) {
  if (!has_address(address))
    return;
  push_address(L, address);
  lua_setfield(L, -2, key);
}

static void set_inputs(lua_State *L, const struct decision_row *row) {
  lua_createtable(L, 0, 8);
  set_address(L, "address", &row->address);
  set_address(L, "source", &row->source);
  set_text(L, row->decision == DECIDE_VALIDATE ? "user_agent" : "message",
           row->text);
  set_text(L, "code", row->code ? mp_error_name(row->code) : "");
  lua_pushinteger(L, row->count);
  lua_setfield(L, -2, "count");
  lua_pushinteger(L, row->version);
  lua_setfield(L, -2, "version");
  lua_pushboolean(L, row->is_inbound);
  lua_setfield(L, -2, "inbound");
  lua_pushboolean(L, row->is_dropped);
  lua_setfield(L, -2, "dropped");
  lua_setfield(L, -2, "inputs");
}

static void push_row(lua_State *L, const struct decision_row *row) {
  char text[400];
  lua_createtable(L, 0, 12);
  lua_pushinteger(L, (lua_Integer)row->number);
  lua_setfield(L, -2, "number");
  lua_pushnumber(L, (lua_Number)row->time / (lua_Number)MP_SECOND);
  lua_setfield(L, -2, "time");
  lua_pushinteger(L, row->generation);
  lua_setfield(L, -2, "generation");
  set_text(L, "decision", decision_name(row->decision));
  set_text(L, "policy", row->policy);
  set_text(L, "rule", row->rule);
  set_text(L, "verdict", row->answer);
  set_text(L, "reason", row->reason);
  set_address(L, "address", &row->address);
  set_inputs(L, row);
  decision_describe(row, text, sizeof text);
  set_text(L, "text", text);
}

/* decisions(after): those with a number above it. */
static int do_decisions(lua_State *L) {
  const struct decisions *decisions = &engine_check(L, 1)->decisions;
  uint64_t after = (uint64_t)luaL_optinteger(L, 2, 0);
  uint64_t first =
      decisions->taken > DECISIONS_KEPT ? decisions->taken - DECISIONS_KEPT : 0;
  lua_newtable(L);
  if (after > first)
    first = after;
  for (uint64_t i = first; i < decisions->taken; i++) {
    push_row(L, &decisions->rows[i % DECISIONS_KEPT]);
    lua_rawseti(L, -2, (lua_Integer)(i - first) + 1);
  }
  return 1;
}

const luaL_Reg decisions_methods[] = {{"decisions", do_decisions},
                                      {NULL, NULL}};
