/* message_types - what is known of messages, as Lua tables. */
#include "moonpeer/network.h"
#include "script/message.h"
#include "script/script.h"

static const char *const type_names[] = {
    [MP_FIELD_UINT] = "uint",           [MP_FIELD_INT] = "int",
    [MP_FIELD_BOOL] = "bool",           [MP_FIELD_COMPACT] = "compact",
    [MP_FIELD_HASH] = "hash",           [MP_FIELD_IP] = "ip",
    [MP_FIELD_BYTES] = "bytes",         [MP_FIELD_VAR_BYTES] = "var_bytes",
    [MP_FIELD_VAR_TEXT] = "text",       [MP_FIELD_RECORD] = "record",
    [MP_FIELD_LIST] = "list",           [MP_FIELD_COUNT_OF] = "count_of",
    [MP_FIELD_SIZE_OF] = "size_of",     [MP_FIELD_HASH_OF] = "hash_of",
    [MP_FIELD_HASHES_OF] = "hashes_of",
};

static const struct {
  const char *name;
  enum mp_field_flag flag;
} flag_names[] = {
    {"big_endian", MP_BIG_ENDIAN}, {"optional", MP_TAIL},
    {"has_default", MP_DEFAULT},   {"sized", MP_SIZED},
    {"lenient", MP_LENIENT},       {"differential", MP_DIFFERENTIAL},
    {"quiet", MP_QUIET},           {"network_address", MP_NETWORK_ADDRESS},
};

static const char *const phase_names[] = {
    [MP_PHASE_ANY] = "any",
    [MP_PHASE_VERSION] = "version",
    [MP_PHASE_NEGOTIATION] = "negotiation",
    [MP_PHASE_READY] = "ready",
};

static void set_text(lua_State *L, const char *key, const char *text) {
  if (!text)
    return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, key);
}

static void set_number(lua_State *L, const char *key, uint64_t number) {
  lua_pushinteger(L, (lua_Integer)number);
  lua_setfield(L, -2, key);
}

static void set_flag(lua_State *L, const char *key, bool on) {
  if (!on)
    return;
  lua_pushboolean(L, true);
  lua_setfield(L, -2, key);
}

static void push_layout(lua_State *L, const struct mp_layout *layout);

static void push_field(lua_State *L, const struct mp_field *field) {
  lua_createtable(L, 0, 8);
  set_text(L, "name", field->name);
  set_text(L, "type", type_names[field->type]);
  set_text(L, "of", field->of);
  set_text(L, "when", field->when);
  set_text(L, "when_is", field->when_is);
  set_text(L, "unit", field->unit);
  set_flag(L, "hex", field->show != MP_SHOW_NUMBER);
  if (field->size)
    set_number(L, "size", field->size);
  if (field->when && !field->when_is)
    set_number(L, "when_min", field->when_min);
  if (field->flags & MP_RANGE || field->min)
    set_number(L, "min", field->min);
  if (field->flags & MP_RANGE || field->max)
    set_number(L, "max", field->max);
  if (field->flags & MP_DEFAULT)
    set_number(L, "default", (uint64_t)field->initial);
  for (size_t i = 0; i < sizeof flag_names / sizeof *flag_names; i++)
    set_flag(L, flag_names[i].name, field->flags & flag_names[i].flag);
  if (field->type == MP_FIELD_RECORD || field->type == MP_FIELD_LIST) {
    push_layout(L, field->item);
    lua_setfield(L, -2, "fields");
  }
}

/* As deep as MP_LAYOUT_DEPTH: the check saw to that. */
static void push_layout(lua_State *L, const struct mp_layout *layout) {
  luaL_checkstack(L, 6, "message");
  lua_createtable(L, (int)layout->count, 0);
  for (size_t i = 0; i < layout->count; i++) {
    push_field(L, &layout->fields[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void push_type(lua_State *L, const struct mp_message_type *type) {
  lua_createtable(L, 0, 8);
  set_text(L, "command", type->command);
  set_text(L, "summary", type->summary);
  set_text(L, "source", type->source);
  set_text(L, "phase", phase_names[type->phase]);
  set_flag(L, "foreign", type->is_foreign);
  if (type->limit)
    set_number(L, "limit", type->limit);
  if (!type->layout)
    return;
  push_layout(L, type->layout);
  lua_setfield(L, -2, "fields");
}

/* types(): a list by command of those that are built in. */
int codec_lua_types(lua_State *L) {
  size_t n;
  const struct mp_message_type *list = mp_message_list(&n);
  lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    push_type(L, &list[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}
