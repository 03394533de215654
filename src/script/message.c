/* message - views on messages in Lua: fields when they are asked for. */
#include "script/message.h"

#include <string.h>

#include "script/script.h"
#include "script/value.h"

static const char *const type_name = "moonpeer.message";

struct box {
  struct mp_message message;
  const struct script *script;
  uint64_t generation; /* of the entry it was made in; 0 for an own copy */
  uint8_t copy[];      /* the payload, when it is owned */
};

static struct box *any(lua_State *L) {
  return luaL_checkudata(L, 1, type_name);
}

static bool is_stale(const struct box *box) {
  return box->generation && box->generation != box->script->generation;
}

static struct mp_message *self(lua_State *L) {
  struct box *box = any(L);
  if (is_stale(box))
    luaL_error(L, "the message was used after its hook returned; keep "
                  "message:copy() instead");
  return &box->message;
}

void message_push_view(lua_State *L, const struct mp_message *message) {
  struct box *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->message = *message;
  box->script = script_of(L);
  box->generation = box->script->generation;
  luaL_setmetatable(L, type_name);
}

void message_push_copy(lua_State *L, const char *command, const void *payload,
                       size_t n) {
  struct mp_fault fault;
  struct box *box = lua_newuserdatauv(L, sizeof *box + n, 0);
  box->generation = 0;
  if (n)
    memcpy(box->copy, payload, n);
  luaL_setmetatable(L, type_name);
  if (mp_message_open(&box->message, command, box->copy, n, &fault) != 0)
    luaL_error(L, "%s", fault.text);
}

/* --- methods ---------------------------------------------------------------
 */

static int do_raw(lua_State *L) {
  const struct mp_message *m = self(L);
  lua_pushlstring(L, (const char *)m->payload, (size_t)m->size);
  return 1;
}

static int do_copy(lua_State *L) {
  const struct mp_message *m = self(L);
  message_push_copy(L, m->command, m->payload, (size_t)m->size);
  return 1;
}

static int do_table(lua_State *L) {
  const struct mp_message *m = self(L);
  if (m->fields.layout)
    value_push_record(L, &m->fields);
  else
    lua_newtable(L);
  return 1;
}

/* The list that # and each mean: the first of the message. */
static bool first_list(const struct mp_message *m, struct mp_value *value) {
  const struct mp_layout *layout = m->fields.layout;
  for (size_t i = 0; layout && i < layout->count; i++) {
    mp_record_get(&m->fields, i, value);
    if (value->kind == MP_VALUE_LIST)
      return true;
  }
  return false;
}

static int do_length(lua_State *L) {
  struct mp_value value;
  lua_pushinteger(L,
                  first_list(self(L), &value) ? (lua_Integer)value.number : 0);
  return 1;
}

/* Upvalues: the message, and the place in its list. */
static int next_entry(lua_State *L) {
  struct mp_list *list = lua_touserdata(L, lua_upvalueindex(2));
  const struct box *box = lua_touserdata(L, lua_upvalueindex(1));
  if (is_stale(box))
    return luaL_error(L, "the message was used after its hook returned");
  if (!mp_list_next(list)) {
    lua_pushnil(L);
    return 1;
  }
  return value_push_entry(L, list);
}

static int no_entry(lua_State *L) {
  lua_pushnil(L);
  return 1;
}

static int do_each(lua_State *L) {
  struct mp_value value;
  if (!first_list(self(L), &value)) {
    lua_pushcfunction(L, no_entry);
    return 1;
  }
  lua_pushvalue(L, 1);
  struct mp_list *list = lua_newuserdatauv(L, sizeof *list, 0);
  mp_value_list(&value, list);
  lua_pushcclosure(L, next_entry, 2);
  return 1;
}

static int do_index(lua_State *L) {
  const struct mp_message *m = self(L);
  const char *name = luaL_checkstring(L, 2);
  struct mp_value value;
  if (m->fields.layout && mp_record_find(&m->fields, name, &value)) {
    value_push(L, &value);
    return 1;
  }
  if (strcmp(name, "command") == 0) {
    lua_pushstring(L, m->command);
    return 1;
  }
  if (strcmp(name, "size") == 0) {
    lua_pushinteger(L, (lua_Integer)m->size);
    return 1;
  }
  return object_method(L);
}

static int do_name(lua_State *L) {
  const struct box *box = any(L);
  if (is_stale(box))
    lua_pushfstring(L, "%s (stale)", type_name);
  else
    lua_pushfstring(L, "%s: %s of %I bytes", type_name, box->message.command,
                    (lua_Integer)box->message.size);
  return 1;
}

void message_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"raw", do_raw},
                                     {"copy", do_copy},
                                     {"table", do_table},
                                     {"each", do_each},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__len", do_length}, {"__tostring", do_name}, {NULL, NULL}};
  object_type(L, type_name, methods, metamethods, do_index);
}

/* --- payloads --------------------------------------------------------------
 */

void message_encode(lua_State *L, const char *command, int index) {
  const struct mp_message_type *type = mp_message_find(command);
  index = lua_absindex(L, index);
  if (lua_type(L, index) == LUA_TSTRING) {
    lua_pushvalue(L, index);
    return;
  }
  if (!lua_isnoneornil(L, index) && !lua_istable(L, index))
    luaL_error(L, "%s: expected a table of fields or a payload, got %s",
               command, luaL_typename(L, index));
  if (type && type->layout)
    value_encode(L, type, index);
  else if (lua_isnoneornil(L, index))
    lua_pushliteral(L, "");
  else
    luaL_error(L,
               "%s: a message without known fields takes its payload as a "
               "string",
               command);
}
