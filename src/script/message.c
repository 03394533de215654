/* message - views on messages in Lua: fields when they are asked for. */
#include "script/message.h"

#include <string.h>

#include "script/script.h"

static const char *const type_name = "moonpeer.message";
static const char *const record_name = "moonpeer.message.record";

struct box {
  struct object object; /* of a view */
  const struct mp_message *message;
  const struct script *script;
  uint64_t generation; /* of the entry it was made in; 0 for an own copy */
};

/* One that owns what it shows. */
struct copy {
  struct box box;
  struct mp_message message;
  uint8_t payload[];
};

/* A record within a message, which user value 1 keeps. */
struct part {
  struct mp_record record;
  const struct box *whole;
};

static int stale(lua_State *L) {
  return luaL_error(L, "the message was used after its hook returned; keep "
                       "message:copy() instead");
}

static bool is_stale(const struct box *box) {
  return box->generation && box->generation != box->script->generation;
}

const struct mp_message *message_check(lua_State *L, int index) {
  const struct box *box = object_check(L, index, type_name);
  if (is_stale(box))
    stale(L);
  return box->message;
}

static const struct mp_message *self(lua_State *L) {
  const struct box *box = object_self(L, type_name, sizeof *box);
  if (is_stale(box))
    stale(L);
  return box->message;
}

void message_push_type(lua_State *L) {
  luaL_getmetatable(L, type_name);
}

void message_push_view(lua_State *L, int type, const struct script *script,
                       const struct mp_message *message) {
  struct box *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (struct box){{type_name}, message, script, script->generation};
  lua_pushvalue(L, type);
  lua_setmetatable(L, -2);
}

static struct copy *copy_new(lua_State *L, const void *payload, size_t n) {
  struct copy *copy = lua_newuserdatauv(L, sizeof *copy + n, 0);
  copy->box = (struct box){.message = &copy->message};
  if (n)
    memcpy(copy->payload, payload, n);
  return copy;
}

static int copy_open(lua_State *L, struct copy *copy, const char *command,
                     size_t n, struct mp_fault *fault) {
  const struct mp_message_type *type = declared_find(script_of(L), command);
  if (type)
    return mp_message_open_as(&copy->message, type, copy->payload, n, fault);
  return mp_message_open(&copy->message, command, copy->payload, n, fault);
}

int message_push_checked(lua_State *L, const struct mp_cut *cut,
                         uint64_t *wrong_at, struct mp_fault *fault) {
  size_t n = (size_t)cut->payload_size;
  struct copy *copy = copy_new(L, cut->payload, n);
  int rc = copy_open(L, copy, cut->command, n, fault);
  *wrong_at = copy->message.wrong_at;
  if (rc != 0)
    lua_pop(L, 1);
  else
    object_mark(L, type_name);
  return rc;
}

void message_push_copy(lua_State *L, const char *command, const void *payload,
                       size_t n) {
  struct mp_fault fault;
  struct copy *copy = copy_new(L, payload, n);
  if (copy_open(L, copy, command, n, &fault) != 0)
    luaL_error(L, "%s", fault.text);
  object_mark(L, type_name);
}

/* --- lists ----------------------------------------------------------------
 */

bool message_list(const struct mp_record *record, const char *name,
                  struct mp_value *list) {
  const struct mp_layout *layout = record->layout;
  for (size_t i = 0; layout && i < layout->count; i++) {
    const char *own = layout->fields[i].name;
    if (name && (!own || strcmp(own, name) != 0))
      continue;
    mp_record_get(record, i, list);
    if (list->kind == MP_VALUE_LIST)
      return true;
  }
  return false;
}

/* Upvalues: the list, the message, and the message's object. */
struct walk {
  struct mp_list list;
  const struct box *whole;
  bool is_flat;
};

static void push_part(lua_State *L, const struct box *whole,
                      const struct mp_record *record) {
  struct part *part = lua_newuserdatauv(L, sizeof *part, 1);
  part->record = *record;
  part->whole = whole;
  object_mark(L, record_name);
}

static int next_entry(lua_State *L) {
  struct walk *walk = lua_touserdata(L, lua_upvalueindex(1));
  struct mp_list *list = &walk->list;
  if (is_stale(walk->whole))
    return stale(L);
  if (!mp_list_next(list)) {
    lua_pushnil(L);
    return 1;
  }
  if (walk->is_flat)
    return value_push_entry(L, list);
  push_part(L, walk->whole, &list->entry);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_setiuservalue(L, -2, 1);
  return 1;
}

static int no_entry(lua_State *L) {
  lua_pushnil(L);
  return 1;
}

/* The object at index keeps the bytes. */
static int push_walk(lua_State *L, const struct mp_record *record,
                     const struct box *whole, int keeper) {
  const char *name = luaL_optstring(L, 2, NULL);
  struct mp_value value;
  if (!message_list(record, name, &value)) {
    if (name && mp_layout_index(record->layout, name) < 0)
      return luaL_error(L, "there is no list called \"%s\"", name);
    lua_pushcfunction(L, no_entry);
    return 1;
  }
  keeper = lua_absindex(L, keeper);
  struct walk *walk = lua_newuserdatauv(L, sizeof *walk, 0);
  mp_value_list(&value, &walk->list);
  walk->whole = whole;
  walk->is_flat = walk->list.is_hashes || value_is_flat(walk->list.item);
  lua_pushvalue(L, keeper);
  lua_pushcclosure(L, next_entry, 2);
  return 1;
}

static int push_length(lua_State *L, const struct mp_record *record) {
  struct mp_value value;
  bool found = message_list(record, NULL, &value);
  lua_pushinteger(L, found ? (lua_Integer)value.number : 0);
  return 1;
}

static int push_table(lua_State *L, const struct mp_record *record) {
  if (record->layout)
    value_push_record(L, record);
  else
    lua_newtable(L);
  return 1;
}

/* --- messages -------------------------------------------------------------
 */

static int do_raw(lua_State *L) {
  const struct mp_message *m = self(L);
  lua_pushlstring(L, (const char *)m->payload, (size_t)m->size);
  return 1;
}

/* What is open was good: it need not be looked at again. */
static int do_copy(lua_State *L) {
  const struct mp_message *m = self(L);
  struct copy *copy = copy_new(L, m->payload, (size_t)m->size);
  copy->message = *m;
  copy->message.payload = copy->payload;
  if (m->fields.layout)
    copy->message.fields.bytes = copy->payload;
  object_mark(L, type_name);
  return 1;
}

static int do_table(lua_State *L) {
  return push_table(L, &self(L)->fields);
}

static int do_length(lua_State *L) {
  return push_length(L, &self(L)->fields);
}

static int do_each(lua_State *L) {
  const struct mp_message *m = self(L);
  return push_walk(L, &m->fields, lua_touserdata(L, 1), 1);
}

static int do_index(lua_State *L) {
  const struct mp_message *m = self(L);
  const char *name = lua_tostring(L, 2);
  struct mp_value value;
  if (!name)
    name = luaL_checkstring(L, 2);
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
  const struct box *box = object_check(L, 1, type_name);
  if (is_stale(box))
    lua_pushfstring(L, "%s (stale)", type_name);
  else
    lua_pushfstring(L, "%s: %s of %I bytes", type_name, box->message->command,
                    (lua_Integer)box->message->size);
  return 1;
}

/* --- records of lists -----------------------------------------------------
 */

static const struct part *self_part(lua_State *L) {
  const struct part *part = object_check(L, 1, record_name);
  if (is_stale(part->whole))
    stale(L);
  return part;
}

static int do_part_table(lua_State *L) {
  return push_table(L, &self_part(L)->record);
}

static int do_part_raw(lua_State *L) {
  const struct mp_record *record = &self_part(L)->record;
  lua_pushlstring(L, (const char *)record->bytes, mp_record_size(record));
  return 1;
}

static int do_part_length(lua_State *L) {
  return push_length(L, &self_part(L)->record);
}

static int do_part_each(lua_State *L) {
  const struct part *part = self_part(L);
  lua_settop(L, 2);
  lua_getiuservalue(L, 1, 1);
  return push_walk(L, &part->record, part->whole, 3);
}

static int do_part_index(lua_State *L) {
  const struct part *part = self_part(L);
  struct mp_value value;
  if (!mp_record_find(&part->record, luaL_checkstring(L, 2), &value))
    return object_method(L);
  value_push(L, &value);
  return 1;
}

void message_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"raw", do_raw},
                                     {"copy", do_copy},
                                     {"table", do_table},
                                     {"each", do_each},
                                     {"json", message_lua_json},
                                     {"text", message_lua_text},
                                     {"count_known", message_lua_count_known},
                                     {"import", message_lua_import},
                                     {"check_chain", message_lua_check_chain},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__len", do_length}, {"__tostring", do_name}, {NULL, NULL}};
  static const luaL_Reg part_methods[] = {{"raw", do_part_raw},
                                          {"table", do_part_table},
                                          {"each", do_part_each},
                                          {NULL, NULL}};
  static const luaL_Reg part_metamethods[] = {{"__len", do_part_length},
                                              {NULL, NULL}};
  object_type(L, type_name, methods, metamethods, do_index);
  object_type(L, record_name, part_methods, part_metamethods, do_part_index);
}

/* --- payloads --------------------------------------------------------------
 */

static const struct mp_message_type *type_of(lua_State *L,
                                             const char *command) {
  const struct mp_message_type *type = declared_find(script_of(L), command);
  return type ? type : mp_message_find(command);
}

void message_encode_as(lua_State *L, const char *command, int index,
                       enum value_form form) {
  const struct mp_message_type *type = type_of(L, command);
  index = lua_absindex(L, index);
  if (lua_type(L, index) == LUA_TSTRING) {
    lua_pushvalue(L, index);
    return;
  }
  if (!lua_isnoneornil(L, index) && !lua_istable(L, index))
    luaL_error(L, "%s: expected a table of fields or a payload, got %s",
               command, luaL_typename(L, index));
  if (type && type->layout)
    value_encode(L, type, index, form);
  else if (lua_isnoneornil(L, index))
    lua_pushliteral(L, "");
  else
    luaL_error(L,
               "%s: a message without known fields takes its payload as a "
               "string",
               command);
}

void message_encode(lua_State *L, const char *command, int index) {
  message_encode_as(L, command, index, VALUE_RAW);
}
