/* ban - a store's bans in Lua. */
#include "script/ban.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "moonpeer/loop.h"
#include "moonpeer/text.h"
#include "script/convert.h"
#include "script/peer.h"

static const char *const type_name = "moonpeer.bans";

/* User value 1 is the store's object. */
struct box {
  struct store_box *home;
};

void ban_push_list(lua_State *L, struct store_box *home) {
  struct box *box = lua_newuserdatauv(L, sizeof *box, 1);
  box->home = home;
  luaL_setmetatable(L, type_name);
  lua_pushvalue(L, -2);
  lua_setiuservalue(L, -2, 1);
}

static struct mp_store *self(lua_State *L) {
  const struct box *box = luaL_checkudata(L, 1, type_name);
  if (!box->home->store) {
    luaL_error(L, "the store is closed");
    return NULL;
  }
  return box->home->store->core;
}

static int64_t time_of(lua_State *L) {
  const struct box *box = luaL_checkudata(L, 1, type_name);
  return store_now(L, box->home->store);
}

/* --- tables ----------------------------------------------------------------
 */

static void set_text(lua_State *L, const char *name, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

void ban_push_table(lua_State *L, const struct mp_ban *ban) {
  char text[MP_PREFIX_TEXT];
  lua_createtable(L, 0, 6);
  set_text(L, "prefix", mp_prefix_format(&ban->prefix, text));
  set_text(L, "reason", mp_ban_reason_name(ban->reason));
  set_text(L, "origin", ban->origin);
  set_text(L, "note", ban->note);
  lua_pushinteger(L, ban->created / MP_SECOND);
  lua_setfield(L, -2, "created");
  if (ban->expires == MP_BAN_FOREVER)
    lua_pushnumber(L, HUGE_VAL);
  else
    lua_pushinteger(L, ban->expires / MP_SECOND);
  lua_setfield(L, -2, "expires");
}

/* A prefix, an address with or without a port, or a peer. */
static int take_prefix(lua_State *L, int index, struct mp_prefix *prefix,
                       struct mp_fault *fault) {
  struct mp_address address;
  if (lua_type(L, index) == LUA_TSTRING) {
    int rc = mp_prefix_parse(prefix, lua_tostring(L, index), fault);
    if (rc && mp_address_parse(&address, lua_tostring(L, index), 0, NULL))
      return rc;
    if (rc)
      *prefix = mp_prefix_of(&address);
    return 0;
  }
  int rc = peer_take_address(L, index, 0, &address, fault);
  if (rc == 0)
    *prefix = mp_prefix_of(&address);
  return rc;
}

static bool is_forever(lua_State *L, int index) {
  if (lua_type(L, index) == LUA_TNUMBER)
    return lua_tonumber(L, index) == HUGE_VAL;
  return lua_type(L, index) == LUA_TSTRING &&
         strcmp(lua_tostring(L, index), "forever") == 0;
}

/* Seconds since 1970; for the end, math.huge or "forever" too. */
static int take_time(lua_State *L, int index, const char *name, int64_t *time,
                     struct mp_fault *fault) {
  int rc = 0;
  if (lua_getfield(L, index, name) != LUA_TNIL) {
    if (is_forever(L, -1))
      *time = MP_BAN_FOREVER;
    else if (lua_type(L, -1) != LUA_TNUMBER)
      luaL_error(L, "%s: expected seconds since 1970, got %s", name,
                 luaL_typename(L, -1));
    else if (!mp_duration_of_seconds(time, lua_tonumber(L, -1)))
      rc = fault_set(fault, MP_ECONFIG,
                     "%s: expected seconds since 1970, got %g", name,
                     lua_tonumber(L, -1));
  }
  lua_pop(L, 1);
  return rc;
}

static void take_text(lua_State *L, int index, const char *name,
                      const char **text) {
  if (lua_getfield(L, index, name) != LUA_TNIL) {
    if (lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "%s: expected a text, got %s", name, luaL_typename(L, -1));
    *text = lua_tostring(L, -1);
  }
  lua_pop(L, 1); /* the table keeps it */
}

static void take_reason(lua_State *L, int index, struct mp_ban *ban) {
  if (lua_getfield(L, index, "reason") != LUA_TNIL)
    ban->reason = peer_take_reason(L, -1);
  lua_pop(L, 1);
}

/* What add and rows have in common. */
static int take_rest(lua_State *L, int index, struct mp_ban *ban,
                     struct mp_fault *fault) {
  take_reason(L, index, ban);
  take_text(L, index, "origin", &ban->origin);
  take_text(L, index, "note", &ban->note);
  int rc = take_time(L, index, "created", &ban->created, fault);
  return rc ? rc : take_time(L, index, "expires", &ban->expires, fault);
}

int ban_take_table(lua_State *L, int index, struct mp_ban *ban,
                   struct mp_fault *fault) {
  static const char *const names[] = {"prefix",  "reason",  "origin", "note",
                                      "created", "expires", NULL};
  index = lua_absindex(L, index);
  *ban = (struct mp_ban){.origin = "", .note = ""};
  convert_known(L, index, "field of a ban", names);
  lua_getfield(L, index, "prefix");
  int rc = take_prefix(L, -1, &ban->prefix, fault);
  lua_pop(L, 1);
  return rc ? rc : take_rest(L, index, ban, fault);
}

/* --- one ban ---------------------------------------------------------------
 */

/* The option `time`, a duration or "forever", as an end. */
static void take_duration(lua_State *L, int64_t now, int64_t *expires) {
  if (lua_getfield(L, 3, "time") != LUA_TNIL) {
    int64_t time =
        is_forever(L, -1) ? MP_FOREVER : convert_duration_field(L, "time");
    *expires = time > MP_BAN_FOREVER - now ? MP_BAN_FOREVER : now + time;
  }
  lua_pop(L, 1);
}

/* add(what, { time or expires, reason, origin, note, created }): the ban. */
static int do_add(lua_State *L) {
  static const char *const names[] = {"time", "expires", "reason", "origin",
                                      "note", "created", NULL};
  struct mp_store *core = self(L);
  struct mp_ban ban = {.origin = "manual", .note = ""};
  struct mp_fault fault;
  int64_t now = time_of(L);
  lua_settop(L, 3);
  int rc = take_prefix(L, 2, &ban.prefix, &fault);
  if (rc == 0 && !lua_isnil(L, 3)) {
    convert_known(L, 3, "option of a ban", names);
    rc = take_rest(L, 3, &ban, &fault);
    take_duration(L, now, &ban.expires);
  }
  if (rc == 0)
    rc = mp_ban_add(core, &ban, now, &fault);
  if (rc)
    return push_fault(L, &fault);
  mp_ban_get(core, &ban.prefix, &ban);
  ban_push_table(L, &ban);
  return 1;
}

static int do_remove(lua_State *L) {
  struct mp_store *core = self(L);
  struct mp_prefix prefix;
  struct mp_fault fault;
  int rc = take_prefix(L, 2, &prefix, &fault);
  if (rc == 0)
    rc = mp_ban_remove(core, &prefix, time_of(L), &fault);
  return push_result(L, rc, &fault);
}

/* lift(address): how many bans covered it. */
static int do_lift(lua_State *L) {
  struct mp_store *core = self(L);
  struct mp_address address;
  struct mp_fault fault;
  if (peer_take_address(L, 2, 0, &address, &fault) != 0)
    return push_fault(L, &fault);
  lua_pushinteger(L, mp_ban_lift(core, &address, time_of(L)));
  return 1;
}

static int push_ban(lua_State *L, bool is_there, const struct mp_ban *ban) {
  if (is_there)
    ban_push_table(L, ban);
  else
    lua_pushnil(L);
  return 1;
}

/* find(address): the narrowest ban that covers it, or nil. */
static int do_find(lua_State *L) {
  struct mp_store *core = self(L);
  struct mp_address address;
  struct mp_fault fault;
  struct mp_ban ban;
  if (peer_take_address(L, 2, 0, &address, &fault) != 0)
    return push_fault(L, &fault);
  return push_ban(L, mp_ban_find(core, &address, time_of(L), &ban), &ban);
}

/* get(prefix): the ban on exactly that, or nil. */
static int do_get(lua_State *L) {
  struct mp_store *core = self(L);
  struct mp_prefix prefix;
  struct mp_fault fault;
  struct mp_ban ban;
  if (take_prefix(L, 2, &prefix, &fault) != 0)
    return push_fault(L, &fault);
  return push_ban(L, mp_ban_get(core, &prefix, &ban), &ban);
}

/* --- all of them -----------------------------------------------------------
 */

/* Upvalues: the bans, and the place of the last. */
static int next_ban(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  struct mp_store *core = self(L);
  struct mp_ban ban;
  uint32_t position = (uint32_t)lua_tointeger(L, lua_upvalueindex(2));
  bool is_there = mp_ban_next(core, &position, &ban);
  lua_pushinteger(L, position);
  lua_replace(L, lua_upvalueindex(2));
  return push_ban(L, is_there, &ban);
}

static int do_each(lua_State *L) {
  self(L);
  lua_settop(L, 1);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_ban, 2);
  return 1;
}

static int do_count(lua_State *L) {
  lua_pushinteger(L, mp_ban_count(self(L)));
  return 1;
}

/* "json" or "plain" at index. */
static enum mp_ban_format take_format(lua_State *L, int index,
                                      const char *otherwise) {
  static const char *const names[] = {"json", "plain", NULL};
  const char *name = luaL_optstring(L, index, otherwise);
  if (strcmp(name, "json") != 0 && strcmp(name, "plain") != 0)
    convert_unknown(L, "format", name, names);
  return strcmp(name, "json") == 0 ? MP_BAN_JSON : MP_BAN_PLAIN;
}

/* import(text, { format, name, origin, time }): how many were added, and how
 * many had expired. */
static int do_import(lua_State *L) {
  static const char *const names[] = {"format", "name", "origin", "time", NULL};
  struct mp_store *core = self(L);
  struct mp_ban_import options = {.name = "bans"};
  struct mp_fault fault;
  options.text = luaL_checklstring(L, 2, &options.size);
  int64_t now = time_of(L);
  const char *guess =
      options.text[strspn(options.text, " \t\r\n")] == '{' ? "json" : "plain";
  lua_settop(L, 3);
  if (lua_isnil(L, 3)) {
    lua_newtable(L);
    lua_replace(L, 3);
  }
  convert_known(L, 3, "option of import", names);
  take_text(L, 3, "name", &options.name);
  take_text(L, 3, "origin", &options.origin);
  take_duration(L, now, &options.expires);
  lua_getfield(L, 3, "format");
  options.format = take_format(L, 4, guess);
  if (mp_ban_import(core, &options, now, &fault) != 0)
    return push_fault(L, &fault);
  lua_pushinteger(L, options.added);
  lua_pushinteger(L, options.expired);
  return 2;
}

/* The text lives in a userdata while Lua copies it. */
struct text {
  char *bytes;
};

static int free_text(lua_State *L) {
  struct text *text = lua_touserdata(L, 1);
  free(text->bytes);
  text->bytes = NULL;
  return 0;
}

/* export([format]): a text. */
static int do_export(lua_State *L) {
  struct mp_store *core = self(L);
  enum mp_ban_format format = take_format(L, 2, "json");
  size_t n;
  struct text *text = lua_newuserdatauv(L, sizeof *text, 0);
  text->bytes = NULL;
  luaL_setmetatable(L, "moonpeer.bans.text");
  if (mp_ban_export(core, format, &text->bytes, &n) != 0)
    return push_failure(L, MP_ELIMIT, "no memory for the text of all bans");
  lua_pushlstring(L, text->bytes, n);
  free(text->bytes);
  text->bytes = NULL;
  return 1;
}

static int do_name(lua_State *L) {
  const struct box *box = luaL_checkudata(L, 1, type_name);
  if (box->home->store)
    lua_pushfstring(L, "%s: %I", type_name,
                    (lua_Integer)mp_ban_count(box->home->store->core));
  else
    lua_pushfstring(L, "%s: of a closed store", type_name);
  return 1;
}

void ban_open_type(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"add", do_add},   {"count", do_count},   {"each", do_each},
      {"find", do_find}, {"get", do_get},       {"import", do_import},
      {"lift", do_lift}, {"remove", do_remove}, {"export", do_export},
      {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__len", do_count}, {"__tostring", do_name}, {NULL, NULL}};
  static const luaL_Reg none[] = {{NULL, NULL}};
  static const luaL_Reg text[] = {{"__gc", free_text}, {NULL, NULL}};
  object_type(L, type_name, methods, metamethods, NULL);
  object_type(L, "moonpeer.bans.text", none, text, NULL);
}
