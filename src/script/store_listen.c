/* store_listen - what changes in a store, told on the next turn. */
#include "script/store_listen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "script/convert.h"
#include "script/peer.h"
#include "script/store.h"
#include "script/task.h"

static const char *const kinds[] = {"peer_created", "peer_updated",
                                    "peer_deleted", "ban_added",
                                    "ban_removed",  NULL};
static const char *const causes[] = {"asked", "expired", "evicted", "banned"};

/* --- keeping ---------------------------------------------------------------
 */

/* The ring doubles; its content then starts at the front. */
static bool grow(struct telling *telling) {
  size_t room = telling->room ? 2 * telling->room : 64;
  struct change *changes =
      room <= TELLING_MAX ? mem_try(room * sizeof *changes) : NULL;
  if (!changes)
    return false;
  for (size_t i = 0; i < telling->count; i++)
    changes[i] = telling->changes[(telling->first + i) % telling->room];
  free(telling->changes);
  telling->changes = changes;
  telling->first = 0;
  telling->room = room;
  return true;
}

/* A place at the end; the oldest is lost when there is no more room. */
static struct change *append(struct telling *telling) {
  if (telling->count == telling->room && !grow(telling)) {
    telling->lost++;
    if (!telling->room)
      return NULL;
    telling->first = (telling->first + 1) % telling->room;
    telling->count--;
  }
  size_t i = (telling->first + telling->count++) % telling->room;
  return &telling->changes[i];
}

static void fill(struct change *change, const struct mp_store_event *event) {
  *change = (struct change){
      .kind = event->kind, .cause = event->cause, .before = event->before};
  if (event->peer) {
    memcpy(change->id, mp_peer_id(event->peer), sizeof change->id);
    mp_peer_address(event->peer, &change->address);
    change->status = mp_peer_status(event->peer);
  }
  if (event->ban) {
    change->prefix = event->ban->prefix;
    change->reason = event->ban->reason;
    change->created = event->ban->created;
    change->expires = event->ban->expires;
  }
}

void telling_note(struct telling *telling, const struct mp_store_event *event) {
  if (!telling->loop || !(telling->wants & 1u << event->kind))
    return;
  struct change *change = append(telling);
  if (change)
    fill(change, event);
  mp_later_post(telling->loop, &telling->later);
  if (!telling->holds)
    mp_loop_hold(telling->loop);
  telling->holds = true;
}

/* --- telling ---------------------------------------------------------------
 */

static void set_text(lua_State *L, const char *name, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void push_peer_fields(lua_State *L, struct store_box *box,
                             const struct change *change) {
  char text[MP_ADDRESS_TEXT];
  set_text(L, "id", mp_uuid_format(change->id, text));
  set_text(L, "address", mp_address_format(&change->address, text));
  set_text(L, "status", mp_status_name(change->status));
  if (change->kind == MP_STORE_PEER_UPDATED)
    set_text(L, "before", mp_status_name(change->before));
  const struct mp_peer *peer = mp_store_read(box->store->core, change->id);
  if (peer) {
    peer_push(L, box, peer);
    lua_setfield(L, -2, "peer");
  }
}

static void push_ban_fields(lua_State *L, const struct change *change) {
  char text[MP_PREFIX_TEXT];
  set_text(L, "prefix", mp_prefix_format(&change->prefix, text));
  set_text(L, "reason", mp_ban_reason_name(change->reason));
  lua_pushinteger(L, change->created / MP_SECOND);
  lua_setfield(L, -2, "created");
  if (change->expires == MP_BAN_FOREVER)
    lua_pushnumber(L, HUGE_VAL);
  else
    lua_pushinteger(L, change->expires / MP_SECOND);
  lua_setfield(L, -2, "expires");
}

static void push_change(lua_State *L, struct store_box *box,
                        const struct change *change) {
  lua_createtable(L, 0, 8);
  set_text(L, "type", kinds[change->kind]);
  set_text(L, "cause", causes[change->cause]);
  if (change->kind <= MP_STORE_PEER_DELETED)
    push_peer_fields(L, box, change);
  else
    push_ban_fields(L, change);
}

/* Takes the changes out one by one, so that one is told at most once, and
 * calls fn(store, list, how many were lost). */
static int tell(lua_State *L) {
  struct telling *telling = lua_touserdata(L, 1);
  struct store_box *box = telling->store->box;
  lua_Integer lost = (lua_Integer)telling->lost;
  if (!box || !object_find(L, box))
    return 0;
  telling->lost = 0;
  lua_getiuservalue(L, -1, 2);
  lua_insert(L, -2);
  lua_createtable(L, (int)telling->count, 0);
  for (lua_Integer i = 1; telling->count; i++) {
    struct change change = telling->changes[telling->first];
    telling->first = (telling->first + 1) % telling->room;
    telling->count--;
    push_change(L, box, &change);
    lua_rawseti(L, -2, i);
  }
  lua_pushinteger(L, lost);
  lua_call(L, 3, 0);
  return 0;
}

static void release(struct telling *telling) {
  if (telling->holds)
    mp_loop_release(telling->loop);
  telling->holds = false;
}

static void on_later(void *data) {
  struct telling *telling = data;
  struct store *store = telling->store;
  struct mp_loop *loop = telling->loop;
  store->users++; /* a listener may close it */
  release(telling);
  script_enter(store->script, loop, tell, telling);
  store_release(store);
}

/* --- who listens -----------------------------------------------------------
 */

static void stop(struct telling *telling) {
  if (!telling->loop)
    return;
  mp_later_cancel(&telling->later);
  release(telling);
  script_closed(telling->store->script, &telling->closable);
  telling->loop = NULL;
}

/* A signal leaves the loop as it is; else it goes. */
static void close_telling(struct closable *closable) {
  struct telling *telling = (struct telling *)closable;
  const struct script *script = telling->store->script;
  if (script->is_closing || telling->loop != script->loop)
    stop(telling);
}

void telling_init(struct telling *telling, struct store *store) {
  telling->store = store;
  telling->closable.close = close_telling;
  telling->closable.kind = "store listener";
  mp_later_init(&telling->later, on_later, telling);
}

void telling_deinit(struct telling *telling) {
  stop(telling);
  free(telling->changes);
}

static unsigned take_kinds(lua_State *L, int index) {
  unsigned wants = 0;
  for (lua_Integer i = 1; lua_geti(L, index, i) != LUA_TNIL; i++) {
    const char *name = luaL_checkstring(L, -1);
    unsigned kind = 0;
    while (kinds[kind] && strcmp(kinds[kind], name) != 0)
      kind++;
    if (!kinds[kind])
      convert_unknown(L, "event of a store", name, kinds);
    wants |= 1u << kind;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return wants;
}

int telling_lua_tell(lua_State *L) {
  struct store_box *box = store_check(L, 1);
  struct telling *telling = &box->store->telling;
  luaL_checktype(L, 2, LUA_TFUNCTION);
  luaL_checktype(L, 3, LUA_TTABLE);
  unsigned wants = take_kinds(L, 3);
  struct mp_loop *loop = task_loop(L);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, 1, 2);
  telling->wants = wants;
  if (telling->loop != loop || !wants)
    stop(telling);
  if (wants && !telling->loop) {
    telling->loop = telling->closable.loop = loop;
    script_opened(box->store->script, &telling->closable);
  }
  return 0;
}

void telling_push_names(lua_State *L) {
  lua_newtable(L);
  for (int i = 0; kinds[i]; i++) {
    lua_pushstring(L, kinds[i]);
    lua_rawseti(L, -2, i + 1);
  }
}
