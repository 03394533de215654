/* control - what an engine can be told and asked, in Lua. */
#include "script/control.h"

#include <string.h>

#include "moonpeer/ban.h"
#include "moonpeer/layout.h"
#include "moonpeer/store.h"
#include "script/connection.h"
#include "script/convert.h"
#include "script/engine.h"

static struct mp_engine *live(lua_State *L) {
  struct mp_engine *engine = engine_check(L, 1)->engine;
  if (!engine)
    luaL_error(L, "the engine is closed");
  return engine;
}

/* close(deadline): seconds or a text; shutdown_timeout when not given. As
 * __close its second argument is the error on its way, or nil. */
static int do_close(lua_State *L) {
  struct engine_box *box = engine_check(L, 1);
  int64_t limit = -1;
  if (lua_type(L, 2) == LUA_TNUMBER || lua_type(L, 2) == LUA_TSTRING)
    limit = convert_duration(L, 2);
  if (box->engine)
    mp_engine_close(box->engine, limit);
  return 0;
}

/* dial(address): true, or nil, message, code. */
static int do_dial(lua_State *L) {
  struct mp_engine *engine = live(L);
  struct mp_address to;
  struct mp_fault fault;
  convert_address(L, 2, mp_engine_config(engine)->network.port, &to);
  return push_result(L, mp_engine_dial(engine, &to, &fault), &fault);
}

/* --- bans ------------------------------------------------------------------
 */

/* An address, a prefix, or a connection. */
static void take_prefix(lua_State *L, struct mp_prefix *prefix) {
  struct mp_fault fault;
  if (lua_type(L, 2) == LUA_TUSERDATA) {
    lua_getfield(L, 2, "address");
    lua_replace(L, 2);
  }
  const char *text = luaL_checkstring(L, 2);
  struct mp_address address;
  if (mp_prefix_parse(prefix, text, &fault) == 0)
    return;
  if (mp_address_parse(&address, text, 0, NULL) != 0)
    luaL_error(L, "%s", fault.text);
  *prefix = mp_prefix_of(&address);
}

static int64_t take_ban_time(lua_State *L) {
  int64_t time = convert_duration_field(L, "time");
  if (time < MP_SECOND)
    luaL_error(L, "ban: time: expected 1 s or more, got %f",
               (lua_Number)time / (lua_Number)MP_SECOND);
  return time;
}

/* ban(what, { time =, reason = }): true, or nil, message, code. */
static int do_ban(lua_State *L) {
  struct mp_engine *engine = live(L);
  struct mp_prefix prefix;
  struct mp_fault fault;
  int64_t time = 0;
  const char *reason = "";
  take_prefix(L, &prefix);
  lua_settop(L, 3);
  if (!lua_isnil(L, 3)) {
    static const char *const known[] = {"time", "reason", NULL};
    convert_known(L, 3, "option of ban", known);
    lua_getfield(L, 3, "time");
    if (lua_type(L, -1) == LUA_TSTRING &&
        strcmp(lua_tostring(L, -1), "forever") == 0)
      time = MP_FOREVER;
    else if (!lua_isnil(L, -1))
      time = take_ban_time(L);
    lua_getfield(L, 3, "reason");
    reason = luaL_optstring(L, -1, "");
  }
  return push_result(L, mp_engine_ban(engine, &prefix, time, reason, &fault),
                     &fault);
}

static int do_unban(lua_State *L) {
  struct mp_engine *engine = live(L);
  struct mp_prefix prefix;
  struct mp_fault fault;
  take_prefix(L, &prefix);
  return push_result(L, mp_engine_unban(engine, &prefix, &fault), &fault);
}

/* --- configuration ---------------------------------------------------------
 */

static void push_key(lua_State *L, const struct mp_config *config,
                     const struct mp_config_key *key) {
  const char *place = (const char *)config + key->offset;
  int64_t wide;
  int32_t narrow;
  double number;
  switch (key->type) {
  case MP_KEY_TEXT: lua_pushstring(L, place); break;
  case MP_KEY_FLAG: lua_pushboolean(L, *place); break;
  case MP_KEY_VERSION:
    memcpy(&narrow, place, sizeof narrow);
    lua_pushinteger(L, narrow);
    break;
  case MP_KEY_NUMBER:
    memcpy(&number, place, sizeof number);
    lua_pushnumber(L, number);
    break;
  case MP_KEY_DURATION:
    memcpy(&wide, place, sizeof wide);
    lua_pushnumber(L, (lua_Number)wide / (lua_Number)MP_SECOND);
    break;
  case MP_KEY_COUNT:
  case MP_KEY_BYTES:
    memcpy(&wide, place, sizeof wide);
    lua_pushinteger(L, wide);
    break;
  }
}

static void push_listen(lua_State *L, const struct mp_config *config) {
  if (config->has_listen)
    push_address(L, &config->listen);
  else
    lua_pushboolean(L, false);
}

static void push_peers(lua_State *L, const struct mp_config *config) {
  lua_createtable(L, (int)config->peer_count, 0);
  for (size_t i = 0; i < config->peer_count; i++) {
    push_address(L, &config->peers[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void push_trusted(lua_State *L, const struct mp_config *config) {
  char text[MP_PREFIX_TEXT];
  lua_createtable(L, (int)config->trusted_count, 0);
  for (size_t i = 0; i < config->trusted_count; i++) {
    lua_pushstring(L, mp_prefix_format(&config->trusted[i], text));
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void set_lists(lua_State *L, const struct mp_config *config) {
  lua_pushstring(L, config->network.name);
  lua_setfield(L, -2, "network");
  lua_pushstring(L, config->is_fixed ? "fixed" : "normal");
  lua_setfield(L, -2, "mode");
  push_listen(L, config);
  lua_setfield(L, -2, "listen");
  push_peers(L, config);
  lua_setfield(L, -2, "peers");
  push_trusted(L, config);
  lua_setfield(L, -2, "trusted");
}

/* configure{...}: a table of what changed of the schema's keys, key -> {
 * before, now }; or nil, message, code, and nothing has changed. */
static int do_configure(lua_State *L) {
  struct mp_engine *engine = live(L);
  struct mp_config before = *mp_engine_config(engine), config = before;
  const struct mp_config_key *changed[64];
  struct mp_fault fault;
  lua_settop(L, 2);
  luaL_checktype(L, 2, LUA_TTABLE);
  if (lua_getfield(L, 2, "network") != LUA_TNIL)
    convert_network(L, -1, &config.network); /* the same, or it is refused */
  engine_take_config(L, 2, &config);
  if (mp_engine_configure(engine, &config, &fault) != 0)
    return push_fault(L, &fault);
  size_t n = mp_config_changes(&before, mp_engine_config(engine), changed, 64);
  lua_createtable(L, 0, (int)n);
  for (size_t i = 0; i < n; i++) {
    lua_createtable(L, 2, 0);
    push_key(L, &before, changed[i]);
    lua_rawseti(L, -2, 1);
    push_key(L, &config, changed[i]);
    lua_rawseti(L, -2, 2);
    lua_setfield(L, -2, changed[i]->name);
  }
  return 1;
}

/* config(): all keys of the schema with their values, and the lists. */
static int do_config(lua_State *L) {
  const struct mp_config *config = mp_engine_config(live(L));
  size_t n;
  const struct mp_config_key *keys = mp_config_keys(&n);
  lua_createtable(L, 0, (int)n + 5);
  for (size_t i = 0; i < n; i++) {
    push_key(L, config, &keys[i]);
    lua_setfield(L, -2, keys[i].name);
  }
  set_lists(L, config);
  return 1;
}

/* --- questions -------------------------------------------------------------
 */

static void set_count(lua_State *L, const char *name, int64_t value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

static void push_failures(lua_State *L, const struct mp_engine_counts *counts) {
  lua_newtable(L);
  for (int i = 0; i < MP_FAILURE_CODES; i++)
    if (counts->failures[i])
      set_count(L, mp_error_name(-5001 - i), (int64_t)counts->failures[i]);
}

/* counts(): what it has done, and has now. */
static int do_counts(lua_State *L) {
  struct mp_engine *engine = live(L);
  const struct mp_engine_counts *counts = mp_engine_counts(engine);
  struct mp_engine_slots slots;
  mp_engine_slots(engine, &slots);
  lua_createtable(L, 0, 16);
  set_count(L, "connections", slots.taken);
  set_count(L, "inbound", slots.inbound);
  set_count(L, "outbound", slots.outbound);
  set_count(L, "half_open", slots.half_open);
  set_count(L, "connected", slots.connected);
  set_count(L, "feelers", slots.feelers);
  set_count(L, "polite", slots.polite);
  set_count(L, "dials", (int64_t)counts->dials);
  set_count(L, "accepted", (int64_t)counts->accepted);
  set_count(L, "rejected", (int64_t)counts->rejected);
  set_count(L, "handshakes", (int64_t)counts->handshakes);
  set_count(L, "evictions", (int64_t)counts->evictions);
  set_count(L, "bans", (int64_t)counts->bans);
  set_count(L, "changes", (int64_t)counts->changes);
  set_count(L, "events_lost", (int64_t)counts->events_lost);
  push_failures(L, counts);
  lua_setfield(L, -2, "failures");
  return 1;
}

static void push_row(lua_State *L, const struct mp_traffic *row) {
  lua_createtable(L, 0, 4);
  set_count(L, "messages_in", (int64_t)row->messages_in);
  set_count(L, "bytes_in", (int64_t)row->bytes_in);
  set_count(L, "messages_out", (int64_t)row->messages_out);
  set_count(L, "bytes_out", (int64_t)row->bytes_out);
}

/* traffic(): command -> row, for those that were seen; "other" for all that
 * no type is known of. And the bytes that are held now. */
static int do_traffic(lua_State *L) {
  const struct mp_usage *usage = mp_engine_usage(live(L));
  size_t n;
  const struct mp_message_type *list = mp_message_list(&n);
  lua_newtable(L);
  for (size_t i = 0; i < MP_TRAFFIC_ROWS; i++) {
    const struct mp_traffic *row = &usage->traffic[i];
    if (!row->messages_in && !row->messages_out)
      continue;
    push_row(L, row);
    lua_setfield(L, -2,
                 i < n && i < MP_TRAFFIC_ROWS - 1 ? list[i].command : "other");
  }
  lua_createtable(L, 0, 2);
  set_count(L, "received", usage->received);
  set_count(L, "queued", usage->queued);
  return 2;
}

/* lag(): how late the last timer was, and the latest, seconds. */
static int do_lag(lua_State *L) {
  int64_t most, lag = mp_loop_lag(engine_live(L)->closable.loop, &most);
  lua_pushnumber(L, (lua_Number)lag / (lua_Number)MP_SECOND);
  lua_pushnumber(L, (lua_Number)most / (lua_Number)MP_SECOND);
  return 2;
}

/* trusts(address): whether one of the trusted prefixes covers it. */
static int do_trusts(lua_State *L) {
  const struct mp_config *config = mp_engine_config(live(L));
  struct mp_address address;
  bool is_trusted = false;
  convert_address(L, 2, config->network.port, &address);
  for (size_t i = 0; i < config->trusted_count && !is_trusted; i++)
    is_trusted = mp_prefix_contains(&config->trusted[i], &address);
  lua_pushboolean(L, is_trusted);
  return 1;
}

/* save_soon(): from the next turn on; the events tell. Which of the next of
 * them is about all there is now; 0 when the engine closes. */
static int do_save(lua_State *L) {
  lua_pushinteger(L, mp_engine_save(live(L)));
  return 1;
}

/* backoff(attempts): seconds to wait after so many failures in a row. */
static int do_backoff(lua_State *L) {
  lua_Integer attempts = luaL_checkinteger(L, 2);
  if (attempts < 0 || attempts > 1000000)
    return luaL_argerror(L, 2, "expected 0 to 1000000");
  lua_pushnumber(L, (lua_Number)mp_engine_backoff(live(L), (unsigned)attempts) /
                        (lua_Number)MP_SECOND);
  return 1;
}

/* anchors(): addresses of the outbound peers that worked when last closed. */
static int do_anchors(lua_State *L) {
  struct mp_address list[16];
  size_t n = mp_engine_anchors(live(L), list, 16);
  lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    push_address(L, &list[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* pick(n, status): addresses of up to n peers of a status that could be dialled
 * now, at random over network groups. */
static int do_pick(lua_State *L) {
  struct mp_engine *engine = live(L);
  lua_Integer n = luaL_checkinteger(L, 2);
  int status = mp_status_value(luaL_checkstring(L, 3));
  const struct mp_peer *peers[MP_ENGINE_PICK];
  if (status < 0)
    return luaL_argerror(L, 3, "expected a status");
  if (n < 0 || n > MP_ENGINE_PICK)
    return luaL_argerror(L, 2, "expected 0 to 256");
  size_t found =
      mp_engine_pick(engine, (enum mp_status)status, peers, (size_t)n);
  lua_createtable(L, (int)found, 0);
  for (size_t i = 0; i < found; i++) {
    struct mp_address address;
    mp_peer_address(peers[i], &address);
    push_address(L, &address);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

const luaL_Reg control_methods[] = {
    {"anchors", do_anchors},
    {"backoff", do_backoff},
    {"ban", do_ban},
    {"close", do_close},
    {"config", do_config},
    {"configure", do_configure},
    {"counts", do_counts},
    {"dial", do_dial},
    {"pick", do_pick},
    {"save_soon", do_save},
    {"lag", do_lag},
    {"traffic", do_traffic},
    {"trusts", do_trusts},
    {"unban", do_unban},
    {NULL, NULL},
};
