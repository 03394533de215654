/* rules - declared rules, from Lua to the engine. What people write has been
 * checked and made regular by lua/moonpeer/policy/rules.lua. */
#include "moonpeer/rules.h"

#include <stdio.h>
#include <string.h>

#include "script/convert.h"
#include "script/engine.h"
#include "script/rules.h"

static void take_text(lua_State *L, const char *key, char *text, size_t size) {
  lua_getfield(L, -1, key);
  snprintf(text, size, "%s", luaL_optstring(L, -1, ""));
  lua_pop(L, 1);
}

static int64_t take_duration(lua_State *L, const char *key) {
  int64_t span = 0;
  if (lua_getfield(L, -1, key) == LUA_TSTRING &&
      strcmp(lua_tostring(L, -1), "forever") == 0)
    span = MP_FOREVER;
  else
    span = convert_duration_or(L, lua_gettop(L), 0);
  lua_pop(L, 1);
  return span;
}

static bool take_flag(lua_State *L, const char *key) {
  lua_getfield(L, -1, key);
  bool is_set = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return is_set;
}

static void take_steps(lua_State *L, struct mp_rule *rule) {
  lua_getfield(L, -1, "steps");
  lua_Integer n = luaL_len(L, -1);
  for (lua_Integer i = 1; i <= n && i <= MP_RULE_STEPS; i++) {
    char answer[24];
    struct mp_rule_step *step = &rule->steps[rule->step_count++];
    lua_geti(L, -1, i);
    take_text(L, "answer", answer, sizeof answer);
    int found = mp_answer_of(answer);
    if (found < 0)
      luaL_error(L, "unknown verdict \"%s\"", answer);
    step->answer = (enum mp_answer)found;
    lua_getfield(L, -1, "count");
    step->count = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    step->ban_time = take_duration(L, "time");
    step->bans_group = take_flag(L, "group");
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void take_exempt(lua_State *L, struct mp_rule *rule) {
  struct mp_fault fault;
  lua_getfield(L, -1, "exempt");
  lua_Integer n = luaL_len(L, -1);
  for (lua_Integer i = 1; i <= n && i <= MP_RULE_EXEMPT; i++) {
    lua_geti(L, -1, i);
    if (mp_prefix_parse(&rule->exempt[rule->exempt_count++],
                        luaL_checkstring(L, -1), &fault) != 0)
      luaL_error(L, "%s", fault.text);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* The rule at the top. */
static void take_rule(lua_State *L, struct mp_rule *rule) {
  static const char *const keys[] = {"peer", "address", "group"};
  char key[16], offence[32];
  take_text(L, "name", rule->name, sizeof rule->name);
  take_text(L, "command", rule->command, sizeof rule->command);
  take_text(L, "offence", offence, sizeof offence);
  take_text(L, "key", key, sizeof key);
  rule->offence = *offence ? mp_error_code(offence) : 0;
  for (int i = 0; i < 3; i++)
    if (strcmp(key, keys[i]) == 0)
      rule->key = (enum mp_rule_key)i;
  rule->window = take_duration(L, "window");
  rule->exempts_trusted = take_flag(L, "trusted");
  take_steps(L, rule);
  take_exempt(L, rule);
}

/* set_rules(list): true, or nil, message, code. */
static int do_set(lua_State *L) {
  struct engine_box *box = engine_check(L, 1);
  struct mp_fault fault;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  lua_Integer n = luaL_len(L, 2);
  if (!box->engine)
    return push_failure(L, MP_ECLOSED, "the engine is closed");
  if (n > MP_RULES)
    n = MP_RULES + 1; /* which is refused below */
  struct mp_rule *list =
      lua_newuserdatauv(L, ((size_t)n + 1) * sizeof *list, 0);
  memset(list, 0, ((size_t)n + 1) * sizeof *list);
  for (lua_Integer i = 0; i < n && i < MP_RULES; i++) {
    lua_geti(L, 2, i + 1);
    take_rule(L, &list[i]);
    lua_settop(L, 3);
  }
  int rc = mp_engine_set_rules(box->engine, list, (size_t)n, &fault);
  return push_result(L, rc, &fault);
}

/* rule_counts(i): counted, exempted, reached. */
static int do_counts(lua_State *L) {
  struct engine_box *box = engine_check(L, 1);
  lua_Integer i = luaL_checkinteger(L, 2);
  struct mp_rule_counts counts = {0};
  if (box->engine && i > 0)
    mp_engine_rule_counts(box->engine, (size_t)i - 1, &counts);
  lua_pushinteger(L, (lua_Integer)counts.counted);
  lua_pushinteger(L, (lua_Integer)counts.exempted);
  lua_pushinteger(L, (lua_Integer)counts.reached);
  return 3;
}

const luaL_Reg rules_methods[] = {
    {"rule_counts", do_counts}, {"set_rules", do_set}, {NULL, NULL}};
