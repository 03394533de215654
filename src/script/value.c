/* value - fields of messages as Lua values and back. */
#include "script/value.h"

#include <string.h>

#include <lauxlib.h>

#include "moonpeer/address.h"
#include "script/script.h"

/* --- to Lua ----------------------------------------------------------------
 */

static void push_ip(lua_State *L, const struct mp_value *value) {
  struct mp_address address = {{0}, 0};
  char text[MP_ADDRESS_TEXT];
  if (value->size == 4)
    address.ip[10] = address.ip[11] = 0xff;
  memcpy(address.ip + 16 - value->size, value->bytes, value->size);
  lua_pushstring(L, mp_address_format_ip(&address, text));
}

static void push_digest(lua_State *L, const struct mp_value *value) {
  uint8_t digest[32];
  mp_hash(script_hasher(L), value->bytes, value->size, digest);
  lua_pushlstring(L, (const char *)digest, sizeof digest);
}

static void push_list(lua_State *L, const struct mp_value *value) {
  struct mp_list list;
  mp_value_list(value, &list);
  lua_newtable(L); /* its count is a remote's claim only until it was opened */
  luaL_checkstack(L, 4, "message");
  for (lua_Integer i = 1; mp_list_next(&list); i++) {
    struct mp_value entry;
    mp_list_value(&list, &entry);
    value_push(L, &entry);
    lua_rawseti(L, -2, i);
  }
}

void value_push(lua_State *L, const struct mp_value *value) {
  struct mp_record record;
  switch (value->kind) {
  case MP_VALUE_NONE: lua_pushnil(L); break;
  case MP_VALUE_INTEGER: lua_pushinteger(L, (lua_Integer)value->number); break;
  case MP_VALUE_BOOLEAN: lua_pushboolean(L, value->number != 0); break;
  case MP_VALUE_BYTES:
  case MP_VALUE_TEXT:
  case MP_VALUE_HASH:
    lua_pushlstring(L, (const char *)value->bytes, value->size);
    break;
  case MP_VALUE_IP: push_ip(L, value); break;
  case MP_VALUE_DIGEST: push_digest(L, value); break;
  case MP_VALUE_RECORD:
    mp_value_record(value, &record);
    value_push_record(L, &record);
    break;
  case MP_VALUE_LIST: push_list(L, value); break;
  }
}

void value_push_record(lua_State *L, const struct mp_record *record) {
  const struct mp_layout *layout = record->layout;
  lua_createtable(L, 0, (int)layout->count);
  luaL_checkstack(L, 4, "message");
  for (size_t i = 0; i < layout->count; i++) {
    struct mp_value value;
    mp_record_get(record, i, &value);
    value_push(L, &value);
    lua_setfield(L, -2, layout->fields[i].name);
  }
}

int value_push_entry(lua_State *L, const struct mp_list *list) {
  struct mp_value value;
  mp_list_value(list, &value);
  if (value.kind != MP_VALUE_RECORD) {
    value_push(L, &value);
    return 1;
  }
  size_t n = list->entry.layout->count;
  luaL_checkstack(L, (int)n + 4, "message");
  for (size_t i = 0; i < n; i++) {
    mp_record_get(&list->entry, i, &value);
    value_push(L, &value);
  }
  return (int)n;
}

/* --- from Lua --------------------------------------------------------------
 */

static void check(lua_State *L, int rc, const struct mp_fault *fault) {
  if (rc != 0)
    luaL_error(L, "%s", fault->text);
}

static void encode_value(lua_State *L, struct mp_encoder *encoder,
                         const char *name);

static void encode_ip(lua_State *L, struct mp_encoder *encoder,
                      const char *name, const char *text) {
  struct mp_fault fault;
  struct mp_address address;
  if (mp_address_parse(&address, text, 0, &fault) != 0)
    luaL_error(L, "%s: %s", name, fault.text);
  check(L,
        mp_encoder_bytes(encoder, name, address.ip, sizeof address.ip, &fault),
        &fault);
}

static void encode_text(lua_State *L, struct mp_encoder *encoder,
                        const char *name, const struct mp_field *field) {
  struct mp_fault fault;
  size_t n;
  const char *text = lua_tolstring(L, -1, &n);
  if (field && field->type == MP_FIELD_IP && n != 16)
    encode_ip(L, encoder, name, text);
  else
    check(L, mp_encoder_bytes(encoder, name, text, n, &fault), &fault);
}

static void encode_list(lua_State *L, struct mp_encoder *encoder) {
  lua_Integer n = luaL_len(L, -1);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_geti(L, -1, i);
    encode_value(L, encoder, NULL);
    lua_pop(L, 1);
  }
}

static void encode_fields(lua_State *L, struct mp_encoder *encoder) {
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      luaL_error(L, "expected names of fields, got a %s", luaL_typename(L, -2));
    encode_value(L, encoder, lua_tostring(L, -2));
  }
}

static void encode_table(lua_State *L, struct mp_encoder *encoder,
                         const char *name, const struct mp_field *field) {
  struct mp_fault fault;
  luaL_checkstack(L, 6, "fields nest too deeply");
  check(L, mp_encoder_begin(encoder, name, &fault), &fault);
  if (field && field->type == MP_FIELD_LIST)
    encode_list(L, encoder);
  else
    encode_fields(L, encoder);
  check(L, mp_encoder_end(encoder, &fault), &fault);
}

/* The value at the top, under a name or as an entry. */
static void encode_value(lua_State *L, struct mp_encoder *encoder,
                         const char *name) {
  const struct mp_field *field = mp_encoder_field(encoder, name);
  struct mp_fault fault;
  int is_integer = 0;
  lua_Integer value;
  switch (lua_type(L, -1)) {
  case LUA_TNUMBER:
    value = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer)
      luaL_error(L, "%s: expected a whole number, got %f",
                 name ? name : "entry", lua_tonumber(L, -1));
    check(L, mp_encoder_integer(encoder, name, value, &fault), &fault);
    break;
  case LUA_TBOOLEAN:
    value = lua_toboolean(L, -1);
    check(L, mp_encoder_integer(encoder, name, value, &fault), &fault);
    break;
  case LUA_TSTRING: encode_text(L, encoder, name, field); break;
  case LUA_TTABLE: encode_table(L, encoder, name, field); break;
  default:
    luaL_error(L, "%s: expected a number, a text, a flag or a table, got %s",
               name ? name : "entry", luaL_typename(L, -1));
  }
}

void value_encode(lua_State *L, const struct mp_message_type *type, int index) {
  struct mp_encoder *encoder = script_encoder(L);
  struct mp_fault fault;
  const uint8_t *payload;
  size_t n;
  mp_encoder_start(encoder, type);
  if (lua_istable(L, index)) {
    lua_pushvalue(L, index);
    encode_fields(L, encoder);
    lua_pop(L, 1);
  }
  check(L, mp_encoder_finish(encoder, &payload, &n, &fault), &fault);
  lua_pushlstring(L, (const char *)payload, n);
}
