/* json - Lua values as JSON text and back: reading. */
#include "script/json.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <lauxlib.h>

#include "base/fault.h"
#include "script/convert.h"
#include "script/script.h"

static const char *const tree_name = "moonpeer.json.tree";
static const char *const list_name = "moonpeer.json.list";

/* A text that is being read. cJSON makes numbers doubles; so their digits are
 * read once more, from the text, where they stand in the order of the tree. */
struct reader {
  cJSON *tree;
  const char *at;
  int depth;
  struct mp_fault *fault;
};

/* --- numbers ---------------------------------------------------------------
 */

static const char *behind_string(const char *at) {
  for (at++; *at && *at != '"'; at++)
    if (*at == '\\' && at[1])
      at++;
  return *at ? at + 1 : at;
}

/* The next number of the text and its length; it is there. */
static const char *next_number(struct reader *reader, size_t *n) {
  const char *at = reader->at;
  while (*at && *at != '-' && (*at < '0' || *at > '9'))
    at = *at == '"' ? behind_string(at) : at + 1;
  *n = strspn(at, "+-.eE0123456789");
  reader->at = at + *n;
  return at;
}

static size_t digits(const char *at) {
  return strspn(at, "0123456789");
}

/* The form that JSON wants; cJSON takes more. */
static bool is_number(const char *at, size_t n) {
  const char *end = at + n;
  at += *at == '-';
  size_t whole = digits(at);
  if (whole == 0 || (whole > 1 && *at == '0'))
    return false;
  at += whole;
  if (*at == '.') {
    size_t part = digits(++at);
    if (part == 0)
      return false;
    at += part;
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    at += at[1] == '+' || at[1] == '-' ? 2 : 1;
    if (digits(at) == 0)
      return false;
    at += digits(at);
  }
  return at == end;
}

enum { NUMBER_MAX = 400 };

static int read_number(lua_State *L, struct reader *reader) {
  char text[NUMBER_MAX];
  size_t n;
  const char *at = next_number(reader, &n);
  bool is_good = is_number(at, n) && n < NUMBER_MAX;
  memcpy(text, at, is_good ? n : 0);
  text[is_good ? n : 0] = '\0';
  if (!is_good || !lua_stringtonumber(L, text))
    return fault_set(reader->fault, MP_ECONFIG,
                     "expected a number of JSON, got %.40s", at);
  if (isfinite(lua_tonumber(L, -1)))
    return 0;
  lua_pop(L, 1);
  return fault_set(reader->fault, MP_ECONFIG, "the number %.40s is too large",
                   text);
}

/* --- values ----------------------------------------------------------------
 */

static int read_value(lua_State *L, struct reader *reader, const cJSON *item);

static int read_table(lua_State *L, struct reader *reader, const cJSON *item) {
  lua_Integer i = 1;
  assert(item);
  if (++reader->depth > JSON_DEPTH)
    return fault_set(reader->fault, MP_ECONFIG,
                     "expected tables in tables %d deep at most", JSON_DEPTH);
  luaL_checkstack(L, 4, "JSON");
  lua_newtable(L);
  if (cJSON_IsArray(item) && !item->child)
    luaL_setmetatable(L, list_name);
  for (const cJSON *child = item->child; child; child = child->next) {
    if (cJSON_IsObject(item))
      lua_pushstring(L, child->string);
    else
      lua_pushinteger(L, i++);
    int rc = read_value(L, reader, child);
    if (rc)
      return rc;
    lua_rawset(L, -3);
  }
  reader->depth--;
  return 0;
}

/* Pushes it. What is on the stack after a failure is the caller's to drop. */
static int read_value(lua_State *L, struct reader *reader, const cJSON *item) {
  assert(item);
  if (cJSON_IsNumber(item))
    return read_number(L, reader);
  if (cJSON_IsObject(item) || cJSON_IsArray(item))
    return read_table(L, reader, item);
  if (cJSON_IsString(item))
    lua_pushstring(L, item->valuestring);
  else if (cJSON_IsBool(item))
    lua_pushboolean(L, cJSON_IsTrue(item));
  else
    lua_pushlightuserdata(L, NULL);
  return 0;
}

/* cJSON ends a text at a zero that somebody escaped. */
static bool has_zero(const char *text, size_t n) {
  if (memchr(text, 0, n))
    return true;
  for (const char *at = text; (at = strchr(at, '\\')); at += 2)
    if (strncmp(at + 1, "u0000", 5) == 0)
      return true;
    else if (!at[1])
      break;
  return false;
}

static int parse(struct reader *reader, const char *text, size_t n) {
  const char *end = text;
  if (n > JSON_SIZE)
    return fault_set(reader->fault, MP_ECONFIG,
                     "expected JSON of %d bytes at most, got %zu", JSON_SIZE,
                     n);
  if (has_zero(text, n))
    return fault_set(reader->fault, MP_ECONFIG,
                     "expected JSON without a zero byte in a text");
  reader->tree = cJSON_ParseWithLengthOpts(text, n + 1, &end, true);
  if (!reader->tree && !*end)
    return fault_set(reader->fault, MP_ECONFIG,
                     "expected JSON, got its end after byte %zu", n);
  if (!reader->tree)
    return fault_set(reader->fault, MP_ECONFIG,
                     "expected JSON, got \"%.40s\" at byte %d", end,
                     (int)(end - text) + 1);
  return 0;
}

static void drop(struct reader *reader) {
  cJSON_Delete(reader->tree);
  reader->tree = NULL;
}

static int do_gc(lua_State *L) {
  drop(lua_touserdata(L, 1));
  return 0;
}

int json_read(lua_State *L, const char *text, size_t n,
              struct mp_fault *fault) {
  int top = lua_gettop(L);
  struct reader *reader = lua_newuserdatauv(L, sizeof *reader, 0);
  *reader = (struct reader){.at = text, .fault = fault};
  luaL_setmetatable(L, tree_name);
  int rc = parse(reader, text, n);
  if (rc == 0)
    rc = read_value(L, reader, reader->tree);
  drop(reader);
  if (rc == 0)
    lua_replace(L, top + 1);
  lua_settop(L, rc == 0 ? top + 1 : top);
  return rc;
}

/* --- Lua -------------------------------------------------------------------
 */

bool json_is_list(lua_State *L, int index) {
  bool is_list = false;
  if (lua_getmetatable(L, index)) {
    luaL_getmetatable(L, list_name);
    is_list = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
  }
  return is_list;
}

int json_lua_encode(lua_State *L) {
  static const char *const names[] = {"lossy", "most", NULL};
  struct json_options options = {0};
  luaL_checkany(L, 1);
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) {
    convert_known(L, 2, "option of json_encode", names);
    lua_getfield(L, 2, "lossy");
    options.is_lossy = lua_toboolean(L, -1);
    lua_getfield(L, 2, "most");
    options.most = (size_t)luaL_optinteger(L, -1, 0);
  }
  json_write(L, 1, &options);
  return 1;
}

int json_lua_decode(lua_State *L) {
  struct mp_fault fault;
  size_t n;
  const char *text = luaL_checklstring(L, 1, &n);
  return json_read(L, text, n, &fault) == 0 ? 1 : push_fault(L, &fault);
}

int json_lua_list(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_setmetatable(L, list_name);
  lua_settop(L, 1);
  return 1;
}

void json_open_type(lua_State *L) {
  luaL_newmetatable(L, tree_name);
  lua_pushcfunction(L, do_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  luaL_newmetatable(L, list_name);
  lua_pop(L, 1);
  json_open_writer(L);
}
