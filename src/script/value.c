/* value - fields of messages as Lua values. */
#include "script/value.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "moonpeer/address.h"
#include "script/script.h"

const char *value_ip_text(const struct mp_value *value,
                          char text[MP_ADDRESS_TEXT]) {
  struct mp_address address = {{0}, 0};
  char ip[MP_ADDRESS_TEXT];
  if (value->size == 4)
    address.ip[10] = address.ip[11] = 0xff;
  memcpy(address.ip + 16 - value->size, value->bytes, value->size);
  mp_address_format_ip(&address, ip);
  bool is_mapped = value->size == 16 && mp_address_is_ipv4(&address) &&
                   value->field->flags & MP_NETWORK_ADDRESS;
  snprintf(text, MP_ADDRESS_TEXT, "%s%.40s", is_mapped ? "::ffff:" : "", ip);
  return text;
}

static void push_ip(lua_State *L, const struct mp_value *value) {
  char text[MP_ADDRESS_TEXT];
  lua_pushstring(L, value_ip_text(value, text));
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
    if (value.is_default) /* so that what is made from it is the same */
      continue;
    value_push(L, &value);
    lua_setfield(L, -2, layout->fields[i].name);
  }
}

bool value_is_flat(const struct mp_layout *item) {
  for (size_t i = 0; i < item->count; i++)
    if (item->fields[i].type >= MP_FIELD_RECORD)
      return false;
  return true;
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
