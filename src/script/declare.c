/* declare - message types that scripts declare as data. */
#include <string.h>

#include "moonpeer/network.h"
#include "script/convert.h"
#include "script/message.h"
#include "script/script.h"

/* They stay as long as the state: views and encoders point to them. What they
 * point to is kept in a table of the registry that no one else knows. */
struct declared {
  struct declared *next;
  struct mp_message_type type;
};

static const char kept_key = 0;

/* The making of one: the table that keeps its parts is at `keep`. */
struct maker {
  lua_State *L;
  int keep;
};

const struct mp_message_type *declared_find(const struct script *script,
                                            const char *command) {
  const struct declared *own = script->declared;
  while (own && strcmp(own->type.command, command) != 0)
    own = own->next;
  return own ? &own->type : NULL;
}

/* Keeps what is at the top, which is popped. */
static void keep(const struct maker *maker) {
  luaL_ref(maker->L, maker->keep);
}

static void *kept_block(const struct maker *maker, size_t n) {
  void *block = lua_newuserdatauv(maker->L, n, 0);
  memset(block, 0, n);
  keep(maker);
  return block;
}

/* --- the words ------------------------------------------------------------
 */

static const struct {
  const char *name;
  enum mp_field_type type;
  uint8_t size;
} types[] = {
    {"uint8", MP_FIELD_UINT, 1},
    {"uint16", MP_FIELD_UINT, 2},
    {"uint24", MP_FIELD_UINT, 3},
    {"uint32", MP_FIELD_UINT, 4},
    {"uint48", MP_FIELD_UINT, 6},
    {"uint64", MP_FIELD_UINT, 8},
    {"int8", MP_FIELD_INT, 1},
    {"int16", MP_FIELD_INT, 2},
    {"int32", MP_FIELD_INT, 4},
    {"int64", MP_FIELD_INT, 8},
    {"bool", MP_FIELD_BOOL, 0},
    {"compact", MP_FIELD_COMPACT, 4},
    {"compact64", MP_FIELD_COMPACT, 8},
    {"hash", MP_FIELD_HASH, 0},
    {"ip", MP_FIELD_IP, 0},
    {"bytes", MP_FIELD_BYTES, 0},
    {"var_bytes", MP_FIELD_VAR_BYTES, 0},
    {"text", MP_FIELD_VAR_TEXT, 0},
    {"record", MP_FIELD_RECORD, 0},
    {"list", MP_FIELD_LIST, 0},
    {"count_of", MP_FIELD_COUNT_OF, 0},
    {"size_of", MP_FIELD_SIZE_OF, 0},
    {"hash_of", MP_FIELD_HASH_OF, 0},
    {"hashes_of", MP_FIELD_HASHES_OF, 0},
};

enum {
  TYPES = sizeof types / sizeof *types,
  DEEP = 64, /* places on the stack: more than the deepest type takes */
};

static void take_type(const struct maker *maker, struct mp_field *field,
                      const char *name) {
  const char *names[TYPES + 1] = {0};
  for (size_t i = 0; i < TYPES; i++) {
    names[i] = types[i].name;
    if (strcmp(types[i].name, name) != 0)
      continue;
    field->type = types[i].type;
    field->size = types[i].size;
    return;
  }
  convert_unknown(maker->L, "type of field", name, names);
}

/* --- options of a field: each with its value at the top -------------------
 */

static const char *text(const struct maker *maker, const char *key) {
  lua_State *L = maker->L;
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_error(L, "%s: expected a text, got %s", key, luaL_typename(L, -1));
  const char *own = lua_tostring(L, -1);
  lua_pushvalue(L, -1);
  keep(maker);
  return own;
}

static uint64_t number(const struct maker *maker, const char *key) {
  lua_State *L = maker->L;
  int is_integer;
  lua_Integer value = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer)
    luaL_error(L, "%s: expected a whole number, got %s", key,
               luaL_tolstring(L, -1, NULL));
  return (uint64_t)value;
}

static void set_name(const struct maker *maker, struct mp_field *field) {
  field->name = text(maker, "name");
}

static void set_type(const struct maker *maker, struct mp_field *field) {
  (void)maker, (void)field; /* taken before all others */
}

static void set_size(const struct maker *maker, struct mp_field *field) {
  uint64_t size = number(maker, "size");
  if (size > UINT8_MAX)
    luaL_error(maker->L, "size: expected at most %d bytes, got %I", UINT8_MAX,
               (lua_Integer)size);
  field->size = (uint8_t)size;
}

static void set_min(const struct maker *maker, struct mp_field *field) {
  field->min = number(maker, "min");
}

static void set_max(const struct maker *maker, struct mp_field *field) {
  field->max = number(maker, "max");
}

static void set_of(const struct maker *maker, struct mp_field *field) {
  field->of = text(maker, "of");
}

static void set_when(const struct maker *maker, struct mp_field *field) {
  field->when = text(maker, "when");
}

static void set_when_is(const struct maker *maker, struct mp_field *field) {
  field->when_is = text(maker, "when_is");
}

static void set_when_min(const struct maker *maker, struct mp_field *field) {
  field->when_min = number(maker, "when_min");
}

static void set_unit(const struct maker *maker, struct mp_field *field) {
  field->unit = text(maker, "unit");
}

static void set_flag(const struct maker *maker, struct mp_field *field,
                     unsigned flag) {
  if (lua_toboolean(maker->L, -1))
    field->flags |= (uint16_t)flag;
}

static void set_optional(const struct maker *maker, struct mp_field *field) {
  set_flag(maker, field, MP_TAIL);
}

static void set_big_endian(const struct maker *maker, struct mp_field *field) {
  set_flag(maker, field, MP_BIG_ENDIAN);
}

static void set_sized(const struct maker *maker, struct mp_field *field) {
  set_flag(maker, field, MP_SIZED);
}

static void set_hex(const struct maker *maker, struct mp_field *field) {
  if (lua_toboolean(maker->L, -1))
    field->show = MP_SHOW_HEX_FULL;
}

/* A number, or true: zero, or nothing in it. */
static void set_default(const struct maker *maker, struct mp_field *field) {
  field->flags |= MP_DEFAULT;
  if (lua_type(maker->L, -1) == LUA_TBOOLEAN)
    field->initial =
        field->type == MP_FIELD_BOOL && lua_toboolean(maker->L, -1);
  else
    field->initial = (int64_t)number(maker, "default");
}

static const struct mp_layout *make_layout(const struct maker *maker);

static void set_fields(const struct maker *maker, struct mp_field *field) {
  field->item = make_layout(maker);
}

/* The entries of a list that are single values: { type = "hash" } or just the
 * type. */
static void set_item(const struct maker *maker, struct mp_field *field);

static const struct {
  const char *name;
  void (*set)(const struct maker *maker, struct mp_field *field);
} options[] = {
    {"big_endian", set_big_endian},
    {"default", set_default},
    {"fields", set_fields},
    {"hex", set_hex},
    {"item", set_item},
    {"max", set_max},
    {"min", set_min},
    {"name", set_name},
    {"of", set_of},
    {"optional", set_optional},
    {"size", set_size},
    {"sized", set_sized},
    {"type", set_type},
    {"unit", set_unit},
    {"when", set_when},
    {"when_is", set_when_is},
    {"when_min", set_when_min},
};

enum { OPTIONS = sizeof options / sizeof *options };

static void set_option(const struct maker *maker, struct mp_field *field,
                       const char *key) {
  const char *names[OPTIONS + 1] = {0};
  for (size_t i = 0; i < OPTIONS; i++) {
    names[i] = options[i].name;
    if (strcmp(options[i].name, key) == 0) {
      options[i].set(maker, field);
      return;
    }
  }
  convert_unknown(maker->L, "option of a field", key, names);
}

/* --- fields ---------------------------------------------------------------
 */

static void require_type(const struct maker *maker, struct mp_field *field) {
  lua_State *L = maker->L;
  if (lua_getfield(L, -1, "type") != LUA_TSTRING)
    luaL_error(L, "expected a field { name = ..., type = ... }, its type is %s",
               luaL_tolstring(L, -1, NULL));
  take_type(maker, field, lua_tostring(L, -1));
  lua_pop(L, 1);
}

/* What options mean depends on the type of the field. */
static void finish(struct mp_field *field) {
  bool is_number = field->type <= MP_FIELD_COMPACT;
  if (is_number && (field->min || field->max)) {
    field->flags |= MP_RANGE;
    if (!field->max)
      field->max =
          field->size < 8 ? (UINT64_C(1) << 8 * field->size) - 1 : UINT64_MAX;
  }
  if (field->when && !field->when_is && !field->when_min)
    field->when_min = 1;
}

/* The table at the top. */
static void make_field(const struct maker *maker, struct mp_field *field) {
  lua_State *L = maker->L;
  luaL_checkstack(L, 8, "fields nest too deeply");
  if (lua_gettop(L) > DEEP)
    luaL_error(L, "fields nest too deeply");
  if (!lua_istable(L, -1))
    luaL_error(L, "expected a field { name = ..., type = ... }, got %s",
               luaL_typename(L, -1));
  require_type(maker, field);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      luaL_error(L, "expected options of a field, got a %s",
                 luaL_typename(L, -2));
    set_option(maker, field, lua_tostring(L, -2));
  }
  finish(field);
}

static void set_item(const struct maker *maker, struct mp_field *field) {
  struct mp_field *value = kept_block(maker, sizeof *value);
  struct mp_layout *layout = kept_block(maker, sizeof *layout);
  *layout = (struct mp_layout){value, 1};
  if (lua_type(maker->L, -1) == LUA_TSTRING)
    take_type(maker, value, lua_tostring(maker->L, -1));
  else
    make_field(maker, value);
  if (value->name)
    luaL_error(maker->L, "an item has no name; entries with names are fields");
  field->item = layout;
}

/* Hashes of a list's entries know what these are like. */
static void link_hashes(const struct mp_layout *layout,
                        struct mp_field *field) {
  int list = field->of ? mp_layout_index(layout, field->of) : -1;
  if (field->type == MP_FIELD_HASHES_OF && list >= 0)
    field->item = layout->fields[list].item;
}

/* Of the list at the top. */
static const struct mp_layout *make_layout(const struct maker *maker) {
  lua_State *L = maker->L;
  if (!lua_istable(L, -1))
    luaL_error(L, "fields: expected a list, got %s", luaL_typename(L, -1));
  lua_Integer n = luaL_len(L, -1);
  if (n > MP_LAYOUT_FIELDS)
    luaL_error(L, "fields: expected at most %d, got %I", MP_LAYOUT_FIELDS, n);
  struct mp_layout *layout = kept_block(maker, sizeof *layout);
  struct mp_field *fields =
      kept_block(maker, (n ? (size_t)n : 1) * sizeof *fields);
  *layout = (struct mp_layout){fields, (size_t)n};
  for (lua_Integer i = 0; i < n; i++) {
    lua_geti(L, -1, i + 1);
    make_field(maker, &fields[i]);
    lua_pop(L, 1);
  }
  for (lua_Integer i = 0; i < n; i++)
    link_hashes(layout, &fields[i]);
  return layout;
}

/* --- the message ----------------------------------------------------------
 */

static void push_keep(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &kept_key) == LUA_TTABLE)
    return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &kept_key);
}

static void take_message(const struct maker *maker,
                         struct mp_message_type *type) {
  lua_State *L = maker->L;
  lua_getfield(L, 1, "command");
  type->command = text(maker, "command");
  lua_getfield(L, 1, "limit");
  if (!lua_isnil(L, -1))
    type->limit = number(maker, "limit");
  if (type->limit > INT64_MAX)
    luaL_error(L, "limit: expected bytes, got %I", (lua_Integer)type->limit);
  if (lua_getfield(L, 1, "fields") != LUA_TNIL)
    type->layout = make_layout(maker);
  lua_getfield(L, 1, "summary");
  type->summary = lua_isnil(L, -1) ? "" : text(maker, "summary");
  lua_pop(L, 4);
  type->phase = MP_PHASE_READY;
  type->source = "";
}

int declare_lua_define(lua_State *L) {
  static const char *const known[] = {"command", "fields", "limit", "summary",
                                      NULL};
  struct mp_fault fault;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    size_t i = 0;
    while (known[i] && strcmp(known[i], key) != 0)
      i++;
    if (!known[i])
      convert_unknown(L, "key of a message", key, known);
  }
  lua_newtable(L);
  const struct maker maker = {L, 2};
  struct declared *own = kept_block(&maker, sizeof *own);
  take_message(&maker, &own->type);
  const struct mp_message_type *built_in = mp_message_find(own->type.command);
  if (built_in && built_in->layout)
    return luaL_error(L, "%s: the fields of this message are built in",
                      own->type.command);
  if (mp_message_type_check(&own->type, &fault) != 0)
    return luaL_error(L, "%s", fault.text);
  struct script *script = script_of(L);
  push_keep(L);
  lua_pushvalue(L, maker.keep);
  luaL_ref(L, -2);
  own->next = script->declared;
  script->declared = own;
  return 0;
}
