/* json_write - Lua values as JSON text: writing. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/buf.h"
#include "script/json.h"

static const char *const type_name = "moonpeer.json.writer";

/* The text so far. It lives in a userdata, so that nothing is lost when Lua
 * raises. */
struct writer {
  struct buf buf;
  size_t most;
  int depth;
  bool is_lossy;
};

static void put(lua_State *L, struct writer *writer, const char *bytes,
                size_t n) {
  if (buf_length(&writer->buf) + n > writer->most)
    luaL_error(L, "expected a value of %d bytes of JSON at most",
               (int)writer->most);
  else if (buf_put(&writer->buf, bytes, n) != 0)
    luaL_error(L, "not enough memory");
}

/* --- texts -----------------------------------------------------------------
 */

/* The length of the UTF-8 sequence at the start, 0 for none. */
static size_t sequence(const unsigned char *at, size_t n) {
  static const struct {
    unsigned char mask, lead;
    uint32_t least;
  } forms[] = {{0x80, 0, 0},
               {0xe0, 0xc0, 0x80},
               {0xf0, 0xe0, 0x800},
               {0xf8, 0xf0, 0x10000}};
  for (size_t size = 1; size <= 4 && size <= n; size++) {
    if ((at[0] & forms[size - 1].mask) != forms[size - 1].lead)
      continue;
    uint32_t code = at[0] & (unsigned)~forms[size - 1].mask & 0xff;
    for (size_t i = 1; i < size; i++) {
      if ((at[i] & 0xc0) != 0x80)
        return 0;
      code = code << 6 | (at[i] & 0x3fu);
    }
    bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < forms[size - 1].least || code > 0x10ffff || is_surrogate
               ? 0
               : size;
  }
  return 0;
}

/* Puts what stands at the start of a text; returns how much that was. */
static size_t put_character(lua_State *L, struct writer *writer,
                            const char *text, size_t n) {
  unsigned char first = (unsigned char)*text;
  size_t size = sequence((const unsigned char *)text, n);
  char escaped[8];
  if (size == 0 && !writer->is_lossy)
    luaL_error(L, "expected a text in UTF-8, got the byte %d", (int)first);
  if (size == 0) {
    put(L, writer, "\\ufffd", 6);
    return 1;
  }
  if (first == '"' || first == '\\') {
    put(L, writer, "\\", 1);
  } else if (first < ' ' || first == 0x7f) {
    int length = snprintf(escaped, sizeof escaped, "\\u%04x", first);
    put(L, writer, escaped, (size_t)length);
    return 1;
  }
  put(L, writer, text, size);
  return size;
}

static bool is_plain(char c) {
  return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

static void put_text(lua_State *L, struct writer *writer, const char *text,
                     size_t n) {
  put(L, writer, "\"", 1);
  for (size_t plain; n; text += plain, n -= plain) {
    for (plain = 0; plain < n && is_plain(text[plain]); plain++)
      continue;
    if (plain)
      put(L, writer, text, plain);
    else
      plain = put_character(L, writer, text, n);
  }
  put(L, writer, "\"", 1);
}

/* --- numbers ---------------------------------------------------------------
 */

/* The fewest digits that mean the same; 1.0 stays no whole number. */
static void put_number(lua_State *L, struct writer *writer, int index) {
  char text[40];
  int n = 0;
  if (lua_isinteger(L, index)) {
    n = snprintf(text, sizeof text, "%" PRId64,
                 (int64_t)lua_tointeger(L, index));
    put(L, writer, text, (size_t)n);
    return;
  }
  double value = lua_tonumber(L, index);
  if (!isfinite(value))
    luaL_error(L, "expected a finite number, got %f", value);
  for (int digits = 15; digits <= 17; digits++) {
    n = snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value)
      break;
  }
  put(L, writer, text, (size_t)n);
  if (!strpbrk(text, ".e"))
    put(L, writer, ".0", 2);
}

/* --- tables ----------------------------------------------------------------
 */

static void put_value(lua_State *L, struct writer *writer, int index);

struct key {
  const char *text;
  size_t n;
};

static int compare(const void *a, const void *b) {
  const struct key *one = a, *other = b;
  size_t n = one->n < other->n ? one->n : other->n;
  int rc = memcmp(one->text, other->text, n);
  return rc ? rc : (one->n > other->n) - (one->n < other->n);
}

/* The number of names; -1 for a list. */
static lua_Integer count_keys(lua_State *L, int index) {
  lua_Integer names = 0, places = 0;
  lua_Integer n = (lua_Integer)lua_rawlen(L, index);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    int is_integer = lua_isinteger(L, -2);
    lua_Integer place = is_integer ? lua_tointeger(L, -2) : 0;
    if (lua_type(L, -2) == LUA_TSTRING)
      names++;
    else if (place >= 1 && place <= n)
      places++;
    else
      luaL_error(L, "expected names or 1, 2, 3 ... as keys, got %s",
                 luaL_tolstring(L, -2, NULL));
  }
  if (names && places)
    luaL_error(L, "expected a table with names or a list, got both in one");
  if (!names && (places || json_is_list(L, index))) {
    if (places != n)
      luaL_error(L, "expected a list without holes");
    return -1;
  }
  return names;
}

static void put_list(lua_State *L, struct writer *writer, int index) {
  lua_Integer n = (lua_Integer)lua_rawlen(L, index);
  put(L, writer, "[", 1);
  for (lua_Integer i = 1; i <= n; i++) {
    if (i > 1)
      put(L, writer, ",", 1);
    lua_rawgeti(L, index, i);
    put_value(L, writer, lua_gettop(L));
    lua_pop(L, 1);
  }
  put(L, writer, "]", 1);
}

/* In the order of names, so that the same value is the same text. */
static void put_object(lua_State *L, struct writer *writer, int index,
                       size_t n) {
  size_t at = 0;
  struct key *keys = lua_newuserdatauv(L, (n + 1) * sizeof *keys, 0);
  for (lua_pushnil(L); lua_next(L, index) && at < n; lua_pop(L, 1), at++)
    keys[at].text = lua_tolstring(L, -2, &keys[at].n);
  qsort(keys, n, sizeof *keys, compare);
  put(L, writer, "{", 1);
  for (at = 0; at < n; at++) {
    if (at)
      put(L, writer, ",", 1);
    put_text(L, writer, keys[at].text, keys[at].n);
    put(L, writer, ":", 1);
    lua_pushlstring(L, keys[at].text, keys[at].n);
    lua_rawget(L, index);
    put_value(L, writer, lua_gettop(L));
    lua_pop(L, 1);
  }
  put(L, writer, "}", 1);
  lua_pop(L, 1);
}

static void put_table(lua_State *L, struct writer *writer, int index) {
  if (++writer->depth > JSON_DEPTH)
    luaL_error(L, "expected tables in tables %d deep at most", JSON_DEPTH);
  luaL_checkstack(L, 8, "JSON");
  lua_Integer n = count_keys(L, index);
  if (n < 0)
    put_list(L, writer, index);
  else
    put_object(L, writer, index, (size_t)n);
  writer->depth--;
}

static void put_value(lua_State *L, struct writer *writer, int index) {
  size_t n;
  const char *text;
  switch (lua_type(L, index)) {
  case LUA_TSTRING:
    text = lua_tolstring(L, index, &n);
    put_text(L, writer, text, n);
    return;
  case LUA_TNUMBER: put_number(L, writer, index); return;
  case LUA_TBOOLEAN:
    text = lua_toboolean(L, index) ? "true" : "false";
    put(L, writer, text, strlen(text));
    return;
  case LUA_TTABLE: put_table(L, writer, index); return;
  case LUA_TLIGHTUSERDATA:
    if (!lua_touserdata(L, index)) {
      put(L, writer, "null", 4);
      return;
    }
    break;
  default: break;
  }
  luaL_error(L, "JSON has no words for a %s", luaL_typename(L, index));
}

void json_write(lua_State *L, int index, const struct json_options *options) {
  index = lua_absindex(L, index);
  struct writer *writer = lua_newuserdatauv(L, sizeof *writer, 0);
  *writer = (struct writer){.most = JSON_SIZE};
  luaL_setmetatable(L, type_name);
  if (options) {
    writer->is_lossy = options->is_lossy;
    writer->most = options->most ? options->most : JSON_SIZE;
  }
  put_value(L, writer, index);
  lua_pushlstring(L, (const char *)buf_head(&writer->buf),
                  buf_length(&writer->buf));
  buf_deinit(&writer->buf);
  lua_remove(L, -2);
}

static int do_gc(lua_State *L) {
  struct writer *writer = lua_touserdata(L, 1);
  buf_deinit(&writer->buf);
  return 0;
}

void json_open_writer(lua_State *L) {
  luaL_newmetatable(L, type_name);
  lua_pushcfunction(L, do_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
