/* answer - the decisions, and whether what a policy answers makes sense. */
#include "script/answer.h"

#include <stdbool.h>
#include <string.h>

#include "moonpeer/hooks.h"
#include "moonpeer/text.h"
#include "script/convert.h"

static bool is_duration(lua_State *L, int index) {
  int64_t span;
  if (lua_type(L, index) == LUA_TNUMBER)
    return mp_duration_of_seconds(&span, lua_tonumber(L, index));
  return lua_type(L, index) == LUA_TSTRING &&
         mp_duration_parse(&span, lua_tostring(L, index));
}

static const char *check_yes(lua_State *L, int index) {
  return lua_isboolean(L, index) ? NULL : "expected true or false";
}

static const char *check_retry(lua_State *L, int index) {
  if (lua_isboolean(L, index) && !lua_toboolean(L, index))
    return NULL;
  return is_duration(L, index) ? NULL : "expected a duration, or false";
}

static const char *check_evict(lua_State *L, int index) {
  if (lua_isboolean(L, index))
    return lua_toboolean(L, index) ? "expected a connection, or false" : NULL;
  return lua_isuserdata(L, index) || lua_istable(L, index)
             ? NULL
             : "expected the connection of a candidate, or false";
}

bool answer_is_candidate(lua_State *L, int list, int index) {
  bool found = false;
  if (!lua_istable(L, list))
    return false;
  lua_Unsigned n = lua_rawlen(L, list);
  for (lua_Unsigned i = 1; i <= n && !found; i++) {
    if (lua_rawgeti(L, list, (lua_Integer)i) == LUA_TTABLE) {
      lua_pushliteral(L, "connection");
      lua_rawget(L, -2);
      found = lua_rawequal(L, -1, index);
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
  return found;
}

static const char *check_validate(lua_State *L, int index) {
  const char *answer =
      lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
  if (strcmp(answer, "ok") == 0)
    return NULL;
  if (strcmp(answer, "offence") != 0)
    return "expected \"ok\", or \"offence\" and its code";
  int code = lua_type(L, index + 1) == LUA_TSTRING
                 ? mp_error_code(lua_tostring(L, index + 1))
                 : 0;
  return code <= MP_ENETWORK && code >= MP_EFLOOD
             ? NULL
             : "expected the code of an offence, as its second value";
}

/* "address", "group" or a prefix. */
static bool is_scope(lua_State *L, int index) {
  struct mp_prefix prefix;
  if (lua_type(L, index) != LUA_TSTRING)
    return false;
  const char *scope = lua_tostring(L, index);
  return strcmp(scope, "address") == 0 || strcmp(scope, "group") == 0 ||
         mp_prefix_parse(&prefix, scope, NULL) == 0;
}

static bool is_ban_time(lua_State *L, int index) {
  return is_duration(L, index) ||
         (lua_type(L, index) == LUA_TSTRING &&
          strcmp(lua_tostring(L, index), "forever") == 0);
}

/* The option at the top. */
static const char *check_option(lua_State *L, const char *key) {
  if (strcmp(key, "time") == 0)
    return is_ban_time(L, -1) ? NULL
                              : "expected a duration or \"forever\" as time";
  if (strcmp(key, "scope") == 0)
    return is_scope(L, -1)
               ? NULL
               : "expected \"address\", \"group\" or a prefix as scope";
  return strcmp(key, "rule") == 0 && lua_type(L, -1) == LUA_TSTRING
             ? NULL
             : "expected no options but time and scope";
}

/* A table that is what it holds: it is read again when nothing can stop what
 * its metamethods do. */
static bool is_plain_table(lua_State *L, int index) {
  if (!lua_istable(L, index))
    return false;
  if (!lua_getmetatable(L, index))
    return true;
  lua_pop(L, 1);
  return false;
}

static const char *check_options(lua_State *L, int index) {
  const char *wrong = NULL;
  if (lua_isnil(L, index))
    return NULL;
  if (!is_plain_table(L, index))
    return "expected a plain table of options, as its third value";
  lua_pushnil(L);
  for (; !wrong && lua_next(L, index); lua_pop(L, 1)) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    wrong = check_option(L, key);
  }
  return wrong;
}

static const char *check_judge(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TSTRING ||
      mp_answer_of(lua_tostring(L, index)) < 0)
    return "expected \"observe\", \"throttle\", \"disconnect\", "
           "\"discourage\" or \"ban\"";
  return check_options(L, index + 2);
}

/* A text, or something with ip and port: a plain table, or an object of ours,
 * as scripts make no userdata. */
static bool is_peer(lua_State *L, int index) {
  struct mp_address address;
  if (lua_type(L, index) == LUA_TSTRING)
    return mp_address_parse(&address, lua_tostring(L, index), 1, NULL) == 0;
  if (!is_plain_table(L, index) && lua_type(L, index) != LUA_TUSERDATA)
    return false;
  lua_getfield(L, index, "ip");
  lua_getfield(L, index - 1, "port");
  lua_Integer port = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
  bool is_good = lua_type(L, -2) == LUA_TSTRING && port > 0 && port <= 65535 &&
                 mp_address_parse(&address, lua_tostring(L, -2), 1, NULL) == 0;
  lua_pop(L, 2);
  return is_good;
}

enum { PEERS_MAX = 4096 };

static const char *check_select(lua_State *L, int index) {
  if (!is_plain_table(L, index))
    return "expected a list of peers, a plain table";
  lua_Integer n = luaL_len(L, index);
  if (n > PEERS_MAX)
    return "expected a list of at most 4096 peers";
  for (lua_Integer i = 1; i <= n; i++) {
    lua_geti(L, index, i);
    if (!is_peer(L, -1))
      return "expected a list of peers, or of addresses as texts";
    lua_pop(L, 1);
  }
  return NULL;
}

static const struct {
  const char *name;
  /* Why an answer makes no sense, or NULL. */
  const char *(*check)(lua_State *L, int index);
} decisions[] = {
    [DECIDE_ACCEPT] = {"accept", check_yes},
    [DECIDE_EVICT] = {"evict", check_evict},
    [DECIDE_JUDGE] = {"judge", check_judge},
    [DECIDE_KEEP] = {"keep", check_yes},
    [DECIDE_RETRY] = {"retry", check_retry},
    [DECIDE_SELECT] = {"select", check_select},
    [DECIDE_VALIDATE] = {"validate", check_validate},
};

const char *decision_name(enum decision decision) {
  return decisions[decision].name;
}

int decision_of(const char *name) {
  for (int i = 0; i < DECISIONS; i++)
    if (strcmp(decisions[i].name, name) == 0)
      return i;
  return -1;
}

void answer_check(lua_State *L, enum decision decision, int index) {
  const char *wrong = decisions[decision].check(L, index);
  int reason = lua_type(L, index + 1);
  if (!wrong && reason != LUA_TNIL && reason != LUA_TSTRING)
    wrong = "expected a text as the reason, its second value";
  if (!wrong)
    return;
  luaL_tolstring(L, index, NULL);
  luaL_tolstring(L, index + 1, NULL);
  lua_pushfstring(L, "nonsense answer %s, %s: %s", lua_tostring(L, -2),
                  lua_tostring(L, -1), wrong);
  lua_error(L);
}
