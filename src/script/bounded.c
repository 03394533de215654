/* bounded - the string library for policies from files. */
#include "script/bounded.h"

#include <string.h>

#include <lauxlib.h>

#include "script/pattern.h"

enum { REP_MAX = 1 << 20 }; /* bytes that one call may make */

static int too_long(lua_State *L) {
  return luaL_error(L, "a text made here may have %d bytes at most", REP_MAX);
}

/* A search under way: the pattern without its ^. */
struct search {
  struct pattern m;
  const char *first;
  bool is_anchored;
};

/* Text and pattern are at index 1 and 2. */
static void search_init(lua_State *L, struct search *search) {
  size_t n, size;
  const char *text = luaL_checklstring(L, 1, &n);
  const char *first = luaL_checklstring(L, 2, &size);
  search->m = (struct pattern){.text = text,
                               .text_end = text + n,
                               .end = first + size,
                               .steps = PATTERN_STEPS};
  search->is_anchored = size && *first == '^';
  search->first = first + search->is_anchored;
}

/* The next match from *at on, which is moved to where it begins; its end. */
static const char *search_next(lua_State *L, struct search *search,
                               const char **at) {
  struct pattern *m = &search->m;
  do {
    const char *end = pattern_match(m, *at, search->first);
    if (m->error)
      luaL_error(L, "%s", m->error);
    if (end)
      return end;
  } while (!search->is_anchored && ++*at <= m->text_end);
  return NULL;
}

/* Pushes a capture; 0 is the first, or the whole match when there is none. */
static void push_capture(lua_State *L, const struct search *search, int i,
                         const char *begin, const char *end) {
  const struct pattern *m = &search->m;
  if (i >= m->count) {
    if (i > 0)
      luaL_error(L, "invalid capture index %%%d", i + 1);
    lua_pushlstring(L, begin, (size_t)(end - begin));
    return;
  }
  const struct capture *capture = &m->captures[i];
  if (capture->length == CAPTURE_OPEN)
    luaL_error(L, "unfinished capture");
  if (capture->length == CAPTURE_POSITION)
    lua_pushinteger(L, capture->begin - m->text + 1);
  else
    lua_pushlstring(L, capture->begin, (size_t)capture->length);
}

static int push_captures(lua_State *L, const struct search *search,
                         const char *begin, const char *end) {
  int n = search->m.count || !begin ? search->m.count : 1;
  luaL_checkstack(L, n, "too many captures");
  for (int i = 0; i < n; i++)
    push_capture(L, search, i, begin, end);
  return n;
}

/* The place of an index that may count from the end; beyond it: NULL. */
static const char *place(const struct pattern *m, lua_Integer i) {
  lua_Integer n = m->text_end - m->text;
  if (i < 0)
    i = i < -n ? 1 : n + i + 1;
  else if (i == 0)
    i = 1;
  return i > n + 1 ? NULL : m->text + i - 1;
}

static bool is_plain(const struct search *search) {
  const char *p = search->first;
  if (search->is_anchored)
    return false;
  while (p < search->m.end && !strchr("^$*+?.([%-", *p))
    p++;
  return p == search->m.end;
}

static int find_plain(lua_State *L, const struct search *search,
                      const char *at) {
  const char *first = search->first - search->is_anchored;
  size_t size = (size_t)(search->m.end - first);
  const char *found =
      memmem(at, (size_t)(search->m.text_end - at), first, size);
  if (!found) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushinteger(L, found - search->m.text + 1);
  lua_pushinteger(L, found - search->m.text + (lua_Integer)size);
  return 2;
}

static int do_find(lua_State *L) {
  struct search search;
  search_init(L, &search);
  const char *at = place(&search.m, luaL_optinteger(L, 3, 1)), *end = NULL;
  if (at && (lua_toboolean(L, 4) || is_plain(&search)))
    return find_plain(L, &search, at);
  if (at)
    end = search_next(L, &search, &at);
  if (!end) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushinteger(L, at - search.m.text + 1);
  lua_pushinteger(L, end - search.m.text);
  return 2 + push_captures(L, &search, NULL, NULL);
}

static int do_match(lua_State *L) {
  struct search search;
  search_init(L, &search);
  const char *at = place(&search.m, luaL_optinteger(L, 3, 1)), *end = NULL;
  if (at)
    end = search_next(L, &search, &at);
  if (end)
    return push_captures(L, &search, at, end);
  lua_pushnil(L);
  return 1;
}

/* Upvalues: text, pattern, where to go on (0-based), where the last match
 * ended. A ^ means itself here. */
static int gmatch_next(lua_State *L) {
  struct search search;
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, lua_upvalueindex(2));
  search_init(L, &search);
  search.first -= search.is_anchored;
  search.is_anchored = false;
  const char *at = search.m.text + lua_tointeger(L, lua_upvalueindex(3));
  const char *last = search.m.text + lua_tointeger(L, lua_upvalueindex(4));
  while (at <= search.m.text_end) {
    const char *end = search_next(L, &search, &at);
    if (!end)
      return 0;
    if (end != last) {
      lua_pushinteger(L, end - search.m.text);
      lua_pushvalue(L, -1);
      lua_replace(L, lua_upvalueindex(3));
      lua_replace(L, lua_upvalueindex(4));
      return push_captures(L, &search, at, end);
    }
    at++;
  }
  return 0;
}

static int do_gmatch(lua_State *L) {
  struct search search;
  search_init(L, &search);
  const char *at = place(&search.m, luaL_optinteger(L, 3, 1));
  lua_settop(L, 2);
  lua_pushinteger(L, at ? at - search.m.text
                        : search.m.text_end - search.m.text + 1);
  lua_pushinteger(L, -1);
  lua_pushcclosure(L, gmatch_next, 4);
  return 1;
}

/* --- gsub ------------------------------------------------------------------
 */

static void add_text(lua_State *L, luaL_Buffer *buffer,
                     const struct search *search, const char *begin,
                     const char *end) {
  size_t n;
  const char *text = lua_tolstring(L, 3, &n);
  for (size_t i = 0; i < n; i++) {
    if (text[i] != '%') {
      luaL_addchar(buffer, text[i]);
      continue;
    }
    i++;
    char next = '\0';
    if (i < n)
      next = text[i];
    if (next == '%') {
      luaL_addchar(buffer, '%');
    } else if (next == '0') {
      luaL_addlstring(buffer, begin, (size_t)(end - begin));
    } else if (next >= '1' && next <= '9') {
      push_capture(L, search, next - '1', begin, end);
      luaL_tolstring(L, -1, NULL);
      lua_remove(L, -2);
      luaL_addvalue(buffer);
    } else {
      luaL_error(L, "invalid use of '%%' in replacement string");
    }
  }
}

/* What a table or a function says; false or nil keeps what is there. */
static void add_value(lua_State *L, luaL_Buffer *buffer,
                      const struct search *search, const char *begin,
                      const char *end) {
  if (lua_type(L, 3) == LUA_TTABLE) {
    push_capture(L, search, 0, begin, end);
    lua_gettable(L, 3);
  } else {
    lua_pushvalue(L, 3);
    lua_call(L, push_captures(L, search, begin, end), 1);
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    luaL_addlstring(buffer, begin, (size_t)(end - begin));
  } else if (lua_isstring(L, -1)) {
    luaL_addvalue(buffer);
  } else {
    luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  }
}

static void check_replacement(lua_State *L) {
  int type = lua_type(L, 3);
  luaL_argexpected(L,
                   type == LUA_TNUMBER || type == LUA_TSTRING ||
                       type == LUA_TFUNCTION || type == LUA_TTABLE,
                   3, "string/function/table");
}

static int do_gsub(lua_State *L) {
  struct search search;
  luaL_Buffer buffer;
  search_init(L, &search);
  check_replacement(L);
  const char *rest = search.m.text, *at = rest, *last = NULL;
  lua_Integer most = luaL_optinteger(L, 4, LUA_MAXINTEGER), n = 0;
  bool is_text = lua_isstring(L, 3);
  luaL_buffinit(L, &buffer);
  while (n < most && at <= search.m.text_end) {
    const char *end = search_next(L, &search, &at);
    if (!end)
      break;
    if (end == at && end == last) { /* nothing, right behind a match */
      at++;
      continue;
    }
    luaL_addlstring(&buffer, rest, (size_t)(at - rest));
    (is_text ? add_text : add_value)(L, &buffer, &search, at, end);
    if (luaL_bufflen(&buffer) > REP_MAX)
      return too_long(L);
    n++;
    rest = last = end;
    at = end > at ? end : at;
    if (search.is_anchored)
      break;
  }
  luaL_addlstring(&buffer, rest, (size_t)(search.m.text_end - rest));
  luaL_pushresult(&buffer);
  lua_pushinteger(L, n);
  return 2;
}

static int do_rep(lua_State *L) {
  size_t n, gap;
  luaL_checklstring(L, 1, &n);
  lua_Integer times = luaL_checkinteger(L, 2);
  luaL_optlstring(L, 3, "", &gap);
  if (n + gap == 0) { /* Lua counts to the end all the same */
    lua_pushliteral(L, "");
    return 1;
  }
  if (times > 0 && (lua_Unsigned)times > REP_MAX / (n + gap))
    return too_long(L);
  int top = lua_gettop(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, top, 1);
  return 1;
}

/* The sizes in a format say how much is padded. */
static int do_pack(lua_State *L) {
  size_t sum = 0, size = 0;
  for (const char *at = luaL_checkstring(L, 1); *at && sum <= REP_MAX; at++) {
    bool is_digit = *at >= '0' && *at <= '9';
    size = is_digit ? size * 10 + (size_t)(*at - '0') : 0;
    sum += size;
  }
  if (sum > REP_MAX)
    return too_long(L);
  int top = lua_gettop(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, top, 1);
  return 1;
}

/* One of string's own, with another function before it. */
static void wrap(lua_State *L, const char *name, lua_CFunction before) {
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, before, 1);
  lua_setfield(L, -3, name);
}

void bounded_push_strings(lua_State *L) {
  static const char *const kept[] = {"byte",   "char",     "format",  "len",
                                     "lower",  "packsize", "reverse", "sub",
                                     "unpack", "upper"};
  static const luaL_Reg own[] = {{"find", do_find},
                                 {"match", do_match},
                                 {"gmatch", do_gmatch},
                                 {"gsub", do_gsub},
                                 {NULL, NULL}};
  luaL_newlib(L, own);
  lua_getglobal(L, "string");
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
    lua_getfield(L, -1, kept[i]);
    lua_setfield(L, -3, kept[i]);
  }
  wrap(L, "rep", do_rep);
  wrap(L, "pack", do_pack);
  lua_pop(L, 1);
}
