/* event - an event in Lua: fields when they are asked for. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "moonpeer/ban.h"
#include "script/connection.h"
#include "script/convert.h"
#include "script/engine.h"
#include "script/message.h"

static const char *const type_name = "moonpeer.event";

struct box {
  struct object object;
  struct told told;
};

void event_push(lua_State *L, int type, const struct told *told) {
  struct box *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (struct box){{type_name}, *told};
  lua_pushvalue(L, type);
  lua_setmetatable(L, -2);
}

static const struct box *any(lua_State *L) {
  return object_self(L, type_name, sizeof(struct box));
}

static bool is_stale(const struct box *box) {
  return box->told.generation != box->told.script->generation;
}

static const struct box *live(lua_State *L) {
  const struct box *box = any(L);
  if (is_stale(box))
    luaL_error(L, "the event was used after its listener returned; copy the "
                  "fields that are needed");
  return box;
}

static void get_type(lua_State *L, const struct mp_event *event) {
  lua_pushstring(L, mp_event_name(event->type));
}

static void get_time(lua_State *L, const struct mp_event *event) {
  lua_pushnumber(L, (lua_Number)event->time / (lua_Number)MP_SECOND);
}

static void get_connection(lua_State *L, const struct mp_event *event) {
  if (event->connection)
    connection_push(L, event->connection);
  else
    lua_pushnil(L);
}

static void push_prefix(lua_State *L, const struct mp_prefix *prefix) {
  char text[MP_PREFIX_TEXT];
  lua_pushstring(L, mp_prefix_format(prefix, text));
}

/* Of a ban: the address without a port, nil when it covers more than one. */
static void get_address(lua_State *L, const struct mp_event *event) {
  static const struct mp_address none;
  const struct mp_address *address = &event->address;
  if (event->ban && event->ban->prefix.bits == mp_prefix_of(address).bits)
    push_prefix(L, &event->ban->prefix);
  else if (event->ban || mp_address_equal(address, &none))
    lua_pushnil(L);
  else
    push_address(L, address);
}

static void get_code(lua_State *L, const struct mp_event *event) {
  if (event->code)
    lua_pushstring(L, mp_error_name(event->code));
  else
    lua_pushnil(L);
}

static void get_reason(lua_State *L, const struct mp_event *event) {
  lua_pushstring(L, event->text);
}

/* There is none: do_index has looked. */
static void get_message(lua_State *L, const struct mp_event *event) {
  (void)event;
  lua_pushnil(L);
}

static void get_command(lua_State *L, const struct mp_event *event) {
  lua_pushstring(L, event->message ? event->message->command
                    : event->chunk ? event->chunk->command
                                   : NULL);
}

static void get_offset(lua_State *L, const struct mp_event *event) {
  if (event->chunk)
    lua_pushinteger(L, (lua_Integer)event->chunk->offset);
  else
    lua_pushnil(L);
}

static void get_total(lua_State *L, const struct mp_event *event) {
  if (event->chunk)
    lua_pushinteger(L, (lua_Integer)event->chunk->total);
  else
    lua_pushnil(L);
}

static void get_bytes(lua_State *L, const struct mp_event *event) {
  const struct mp_chunk *chunk = event->chunk;
  if (chunk)
    lua_pushlstring(L, (const char *)chunk->bytes, chunk->size);
  else
    lua_pushnil(L);
}

static void get_last(lua_State *L, const struct mp_event *event) {
  if (event->chunk)
    lua_pushboolean(L, event->chunk->is_last);
  else
    lua_pushnil(L);
}

static void get_prefix(lua_State *L, const struct mp_event *event) {
  if (event->ban)
    push_prefix(L, &event->ban->prefix);
  else
    lua_pushnil(L);
}

static void get_expires(lua_State *L, const struct mp_event *event) {
  if (!event->ban)
    lua_pushnil(L);
  else if (event->ban->expires == MP_BAN_FOREVER)
    lua_pushnumber(L, HUGE_VAL);
  else
    lua_pushinteger(L, event->ban->expires / MP_SECOND);
}

static void get_ban_reason(lua_State *L, const struct mp_event *event) {
  if (event->ban)
    lua_pushstring(L, mp_ban_reason_name(event->ban->reason));
  else
    lua_pushnil(L);
}

static void get_origin(lua_State *L, const struct mp_event *event) {
  if (event->ban)
    lua_pushstring(L, event->ban->origin);
  else
    lua_pushnil(L);
}

static void get_verdict(lua_State *L, const struct mp_event *event) {
  if (event->verdict)
    lua_pushstring(L, mp_answer_name(event->verdict->answer));
  else
    lua_pushnil(L);
}

static void get_verdict_reason(lua_State *L, const struct mp_event *event) {
  if (event->verdict)
    lua_pushstring(L, event->verdict->reason);
  else
    lua_pushnil(L);
}

static void get_rule(lua_State *L, const struct mp_event *event) {
  if (event->verdict && *event->verdict->rule)
    lua_pushstring(L, event->verdict->rule);
  else
    lua_pushnil(L);
}

static void get_count(lua_State *L, const struct mp_event *event) {
  if (event->offence)
    lua_pushinteger(L, event->offence->count);
  else
    lua_pushnil(L);
}

static const struct {
  const char *name;
  void (*get)(lua_State *L, const struct mp_event *event);
} fields[] = {
    {"message", get_message},
    {"connection", get_connection},
    {"address", get_address},
    {"code", get_code},
    {"reason", get_reason},
    {"time", get_time},
    {"type", get_type},
    {"verdict", get_verdict},
    {"verdict_reason", get_verdict_reason},
    {"count", get_count},
    {"rule", get_rule},
    {"prefix", get_prefix},
    {"expires", get_expires},
    {"ban_reason", get_ban_reason},
    {"origin", get_origin},
    {"command", get_command},
    {"offset", get_offset},
    {"total", get_total},
    {"bytes", get_bytes},
    {"last", get_last},
};

/* Upvalue: the type of messages. They come first, and by the million. */
static int do_index(lua_State *L) {
  const struct box *box = live(L);
  const struct mp_event *event = box->told.event;
  const char *name = lua_tostring(L, 2);
  if (!name)
    name = luaL_checkstring(L, 2);
  if (event->message && text_is(name, "message")) {
    message_push_view(L, lua_upvalueindex(1), box->told.script, event->message);
    return 1;
  }
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    if (strcmp(fields[i].name, name) == 0) {
      fields[i].get(L, event);
      return 1;
    }
  }
  return object_method(L);
}

/* event:table(): all fields as a table of its own, the message as a copy. */
static int do_table(lua_State *L) {
  const struct mp_event *event = live(L)->told.event;
  lua_createtable(L, 0, 8);
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    fields[i].get(L, event);
    lua_setfield(L, -2, fields[i].name);
  }
  if (event->message) {
    message_push_copy(L, event->message->command, event->message->payload,
                      (size_t)event->message->size);
    lua_setfield(L, -2, "message");
  }
  return 1;
}

static int do_name(lua_State *L) {
  const struct box *box = any(L);
  if (is_stale(box))
    lua_pushfstring(L, "%s (stale)", type_name);
  else
    lua_pushfstring(L, "%s: %s", type_name,
                    mp_event_name(box->told.event->type));
  return 1;
}

void event_open_type(lua_State *L) {
  static const luaL_Reg methods[] = {{"table", do_table}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__tostring", do_name}, {NULL, NULL}};
  object_type(L, type_name, methods, metamethods, do_index);
  luaL_getmetatable(L, type_name);
  message_push_type(L);
  lua_pushcclosure(L, do_index, 1);
  lua_setfield(L, -2, "__index");
}
