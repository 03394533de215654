/* peer_change - what Lua tables say of peers. */
#include <string.h>

#include "base/fault.h"
#include "moonpeer/loop.h"
#include "moonpeer/text.h"
#include "script/convert.h"
#include "script/json.h"
#include "script/peer.h"

/* --- names -----------------------------------------------------------------
 */

/* The value of the name at index; raises the nearest of `names` for one that
 * has none. */
static int take_name(lua_State *L, int index, const char *what,
                     int (*value)(const char *), const char *const *names) {
  int found = -1;
  if (lua_type(L, index) != LUA_TSTRING)
    luaL_error(L, "%s: expected a name, got %s", what, luaL_typename(L, index));
  else if ((found = value(lua_tostring(L, index))) < 0)
    convert_unknown(L, what, lua_tostring(L, index), names);
  return found;
}

enum mp_status peer_take_status(lua_State *L, int index) {
  static const char *const names[] = {"unknown", "valid", "inaccessible",
                                      "banned", NULL};
  return (enum mp_status)take_name(L, index, "status", mp_status_value, names);
}

enum mp_ban_reason peer_take_reason(lua_State *L, int index) {
  static const char *const names[] = {"network_mismatch",
                                      "blockchain_mismatch",
                                      "banned_user_agent",
                                      "misbehaviour",
                                      "manual",
                                      NULL};
  return (enum mp_ban_reason)take_name(L, index, "ban reason",
                                       mp_ban_reason_value, names);
}

enum mp_source_kind peer_take_source(lua_State *L, int index) {
  static const char *const names[] = {"manual", "dns", "peer", "inbound", NULL};
  return (enum mp_source_kind)take_name(L, index, "source",
                                        mp_source_kind_value, names);
}

/* --- addresses -------------------------------------------------------------
 */

int peer_take_address(lua_State *L, int index, uint16_t port,
                      struct mp_address *address, struct mp_fault *fault) {
  if (lua_type(L, index) == LUA_TSTRING)
    return mp_address_parse(address, lua_tostring(L, index), port, fault);
  if (!peer_is(L, index))
    return luaL_error(L,
                      "expected an address such as \"1.2.3.4:8333\", or a "
                      "peer, got %s",
                      luaL_typename(L, index));
  const struct mp_peer *peer = peer_get(L, index);
  if (!peer)
    return fault_set(fault, MP_ENOT_FOUND,
                     "expected a peer, got one that was "
                     "deleted");
  mp_peer_address(peer, address);
  return 0;
}

/* --- fields: the value is at the top of the stack --------------------------
 */

struct row {
  const char *name;
  int (*take)(lua_State *L, const struct row *row, struct peer_form *form,
              struct mp_fault *fault);
  unsigned bit;
  size_t at; /* in the change */
  int64_t least, most;
};

static void *place(struct peer_form *form, const struct row *row) {
  return (char *)&form->change + row->at;
}

static int take_integer(lua_State *L, const struct row *row, int64_t *value,
                        struct mp_fault *fault) {
  int is_integer;
  if (lua_type(L, -1) != LUA_TNUMBER)
    return luaL_error(L, "%s: expected a number, got %s", row->name,
                      luaL_typename(L, -1));
  *value = lua_tointegerx(L, -1, &is_integer);
  if (is_integer && *value >= row->least && *value <= row->most)
    return 0;
  return fault_set(fault, MP_ECONFIG, "%s: expected %lld to %lld, got %.17g",
                   row->name, (long long)row->least, (long long)row->most,
                   lua_tonumber(L, -1));
}

static int take_i32(lua_State *L, const struct row *row, struct peer_form *form,
                    struct mp_fault *fault) {
  int64_t value = 0;
  int rc = take_integer(L, row, &value, fault);
  *(int32_t *)place(form, row) = (int32_t)value;
  return rc;
}

static int take_count(lua_State *L, const struct row *row,
                      struct peer_form *form, struct mp_fault *fault) {
  int64_t value = 0;
  int rc = take_integer(L, row, &value, fault);
  *(unsigned *)place(form, row) = (unsigned)value;
  return rc;
}

static int take_u64(lua_State *L, const struct row *row, struct peer_form *form,
                    struct mp_fault *fault) {
  int64_t value = 0;
  int rc = take_integer(L, row, &value, fault);
  *(uint64_t *)place(form, row) = (uint64_t)value;
  return rc;
}

/* Seconds: when, or how long. */
static int take_time(lua_State *L, const struct row *row,
                     struct peer_form *form, struct mp_fault *fault) {
  if (lua_type(L, -1) != LUA_TNUMBER)
    return luaL_error(L, "%s: expected seconds, got %s", row->name,
                      luaL_typename(L, -1));
  if (mp_duration_of_seconds(place(form, row), lua_tonumber(L, -1)))
    return 0;
  return fault_set(fault, MP_ECONFIG, "%s: expected seconds from 0, got %g",
                   row->name, lua_tonumber(L, -1));
}

static int take_status(lua_State *L, const struct row *row,
                       struct peer_form *form, struct mp_fault *fault) {
  (void)row, (void)fault;
  form->change.status = peer_take_status(L, -1);
  return 0;
}

static int take_reason(lua_State *L, const struct row *row,
                       struct peer_form *form, struct mp_fault *fault) {
  (void)row, (void)fault;
  form->change.ban_reason = peer_take_reason(L, -1);
  return 0;
}

static int take_source(lua_State *L, const struct row *row,
                       struct peer_form *form, struct mp_fault *fault) {
  (void)row, (void)fault;
  form->change.source.kind = peer_take_source(L, -1);
  return 0;
}

static int take_source_address(lua_State *L, const struct row *row,
                               struct peer_form *form, struct mp_fault *fault) {
  (void)row;
  return peer_take_address(L, -1, 0, &form->change.source.address, fault);
}

static const char *check_text(lua_State *L, const struct row *row, size_t *n) {
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_error(L, "%s: expected a text, got %s", row->name,
               luaL_typename(L, -1));
  return lua_tolstring(L, -1, n);
}

static int take_agent(lua_State *L, const struct row *row,
                      struct peer_form *form, struct mp_fault *fault) {
  (void)fault;
  form->change.user_agent = check_text(L, row, &form->change.user_agent_size);
  return 0;
}

static int take_unknown(lua_State *L, const struct row *row,
                        struct peer_form *form, struct mp_fault *fault) {
  size_t n;
  (void)fault;
  form->change.unknown = check_text(L, row, &n);
  return 0;
}

/* A table with names; empty or false is none. */
static int take_data(lua_State *L, const struct row *row,
                     struct peer_form *form, struct mp_fault *fault) {
  (void)row, (void)fault;
  bool is_none = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
  if (!is_none && !lua_istable(L, -1))
    return luaL_error(L, "data: expected a table, or false for none, got %s",
                      luaL_typename(L, -1));
  form->change.data = "";
  if (is_none)
    return 0;
  json_write(L, -1, NULL);
  const char *text = lua_tostring(L, -1);
  if (text[0] != '{')
    return luaL_error(L, "data: expected a table with names, got a list");
  if (strcmp(text, "{}") != 0)
    form->change.data = text;
  lua_replace(L, form->slot);
  return 0;
}

static int take_id(lua_State *L, const struct row *row, struct peer_form *form,
                   struct mp_fault *fault) {
  size_t n;
  const char *text = check_text(L, row, &n);
  form->has_id = true;
  if (mp_uuid_parse(form->id, text))
    return 0;
  return fault_set(fault, MP_ECONFIG, "id: expected a UUID, got \"%.60s\"",
                   text);
}

static int take_ip(lua_State *L, const struct row *row, struct peer_form *form,
                   struct mp_fault *fault) {
  size_t n;
  struct mp_address address;
  int rc = mp_address_parse(&address, check_text(L, row, &n), 0, fault);
  if (rc == 0 && address.port)
    return fault_set(fault, MP_ECONFIG, "ip: expected no port, got %.60s",
                     lua_tostring(L, -1));
  if (rc == 0)
    memcpy(form->address.ip, address.ip, sizeof address.ip);
  form->has_ip = true;
  return rc;
}

static int take_port(lua_State *L, const struct row *row,
                     struct peer_form *form, struct mp_fault *fault) {
  int64_t value = 0;
  int rc = take_integer(L, row, &value, fault);
  form->address.port = (uint16_t)value;
  form->has_port = true;
  return rc;
}

static int take_address(lua_State *L, const struct row *row,
                        struct peer_form *form, struct mp_fault *fault) {
  size_t n;
  form->has_whole = true;
  return mp_address_parse(&form->whole, check_text(L, row, &n), 0, fault);
}

#define AT(member) offsetof(struct mp_peer_change, member)
static const struct row rows[] = {
    {"id", take_id, 0, 0, 0, 0},
    {"ip", take_ip, 0, 0, 0, 0},
    {"port", take_port, 0, 0, 1, 65535},
    {"address", take_address, 0, 0, 0, 0},
    {"status_time", take_time, MP_PEER_STATUS_TIME, AT(status_time), 0, 0},
    {"unknown", take_unknown, MP_PEER_UNKNOWN_TEXT, 0, 0, 0},
    {"status", take_status, MP_PEER_STATUS, 0, 0, 0},
    {"ban_reason", take_reason, MP_PEER_BAN_REASON, 0, 0, 0},
    {"source", take_source, MP_PEER_SOURCE, 0, 0, 0},
    {"source_address", take_source_address, MP_PEER_SOURCE, 0, 0, 0},
    {"services", take_u64, MP_PEER_SERVICES, AT(services), INT64_MIN,
     INT64_MAX},
    {"protocol_version", take_i32, MP_PEER_PROTOCOL_VERSION,
     AT(protocol_version), INT32_MIN, INT32_MAX},
    {"start_height", take_i32, MP_PEER_START_HEIGHT, AT(start_height),
     INT32_MIN, INT32_MAX},
    {"first_seen", take_time, MP_PEER_FIRST_SEEN, AT(first_seen), 0, 0},
    {"last_seen", take_time, MP_PEER_LAST_SEEN, AT(last_seen), 0, 0},
    {"last_tried", take_time, MP_PEER_LAST_TRIED, AT(last_tried), 0, 0},
    {"failures", take_count, MP_PEER_FAILURES_COUNT, AT(failures), 0,
     UINT32_MAX},
    {"rtt", take_time, MP_PEER_RTT, AT(rtt), 0, 0},
    {"user_agent", take_agent, MP_PEER_AGENT, 0, 0, 0},
    {"data", take_data, MP_PEER_DATA_TEXT, 0, 0, 0},
};
#undef AT

enum {
  ROWS = sizeof rows / sizeof *rows,
  NOT_CHANGED = 6, /* the first rows: who it is, and what only files know */
};

static int unknown_field(lua_State *L, enum peer_use use, const char *name) {
  const char *names[ROWS + 1] = {NULL};
  size_t first = use == PEER_CHANGE ? NOT_CHANGED : 0;
  for (size_t i = first; i < ROWS; i++)
    names[i - first] = rows[i].name;
  for (size_t i = 0; i < first; i++)
    if (strcmp(rows[i].name, name) == 0)
      return luaL_error(L, "%s: this field of a peer does not change", name);
  return convert_unknown(L, "field of a peer", name, names);
}

static const struct row *find_row(enum peer_use use, const char *name) {
  for (size_t i = use == PEER_CHANGE ? NOT_CHANGED : 0; i < ROWS; i++)
    if (strcmp(rows[i].name, name) == 0)
      return &rows[i];
  return NULL;
}

/* The field whose name and value are at the top of the stack. */
static int take_field(lua_State *L, enum peer_use use, struct peer_form *form,
                      struct mp_fault *fault) {
  const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
  const struct row *row = find_row(use, name);
  if (!row)
    return unknown_field(L, use, name);
  form->change.fields |= row->bit;
  return row->take(L, row, form, fault);
}

/* Beside ip and port an address says the same again. */
static void settle(struct peer_form *form) {
  struct mp_source *source = &form->change.source;
  if (form->has_whole && !form->has_ip)
    memcpy(form->address.ip, form->whole.ip, sizeof form->whole.ip);
  if (form->has_whole && !form->has_port)
    form->address.port = form->whole.port;
  form->has_ip = form->has_ip || form->has_whole;
  form->has_port = form->address.port != 0;
  if (form->change.fields & MP_PEER_SOURCE && source->kind == MP_SOURCE_NONE)
    source->kind = MP_SOURCE_PEER; /* only its address was named */
}

int peer_form_read(lua_State *L, int index, enum peer_use use,
                   struct peer_form *form, struct mp_fault *fault) {
  int rc = 0;
  index = lua_absindex(L, index);
  *form = (struct peer_form){0};
  if (!lua_istable(L, index))
    return luaL_error(L, "expected a table with fields of a peer, got %s",
                      luaL_typename(L, index));
  luaL_checkstack(L, 8, "peer");
  lua_pushnil(L);
  form->slot = lua_gettop(L);
  for (lua_pushnil(L); rc == 0 && lua_next(L, index); lua_pop(L, 1))
    rc = take_field(L, use, form, fault);
  settle(form);
  return rc;
}
