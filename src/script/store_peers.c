/* store_peers - peer stores in Lua: creating, finding, changing, choosing. */
#include <string.h>

#include "base/fault.h"
#include "script/convert.h"
#include "script/filter.h"
#include "script/peer.h"
#include "script/store.h"

enum { PICK_MAX = 65536 };

static const char *const iterator_name = "moonpeer.store.iterator";

static int push_peer(lua_State *L, struct store_box *box,
                     const struct mp_peer *peer) {
  peer_push(L, box, peer);
  return 1;
}

/* --- one peer --------------------------------------------------------------
 */

/* create{ ip, port, ... }: the peer, or nil, message, code. */
static int do_create(lua_State *L) {
  struct store_box *box = store_check(L, 1);
  struct peer_form form;
  struct mp_fault fault;
  const struct mp_peer *peer;
  lua_settop(L, 2);
  if (peer_form_read(L, 2, PEER_NEW, &form, &fault) != 0)
    return push_fault(L, &fault);
  if (!form.has_ip)
    return luaL_error(L, "expected the field ip, or address, of a peer");
  if (!form.has_port && !form.has_whole)
    return luaL_error(L, "expected the field port of a peer");
  int rc =
      mp_store_create(box->store->core, &peer,
                      &(struct mp_peer_new){.id = form.has_id ? form.id : NULL,
                                            .address = &form.address,
                                            .change = &form.change},
                      store_now(L, box->store), &fault);
  return rc == 0 ? push_peer(L, box, peer) : push_fault(L, &fault);
}

/* Reads who is meant at index 2; NULL and the fault when there is nobody. */
static const struct mp_peer *find(lua_State *L, struct mp_store *core,
                                  struct mp_fault *fault) {
  uint8_t id[MP_UUID_SIZE];
  char text[MP_UUID_TEXT];
  if (peer_take_id(L, 2, id, fault) != 0)
    return NULL;
  const struct mp_peer *peer = mp_store_read(core, id);
  if (!peer)
    fault_set(fault, MP_ENOT_FOUND, "no peer has the id %s",
              mp_uuid_format(id, text));
  return peer;
}

static int do_read(lua_State *L) {
  struct store_box *box = store_check(L, 1);
  struct mp_fault fault;
  const struct mp_peer *peer = find(L, box->store->core, &fault);
  return peer ? push_peer(L, box, peer) : push_fault(L, &fault);
}

/* update(peer or id, { ... }): the peer. */
static int do_update(lua_State *L) {
  struct store_box *box = store_check(L, 1);
  struct peer_form form;
  struct mp_fault fault;
  lua_settop(L, 3);
  int rc = peer_form_read(L, 3, PEER_CHANGE, &form, &fault);
  const struct mp_peer *peer =
      rc == 0 ? find(L, box->store->core, &fault) : NULL;
  if (!peer)
    return push_fault(L, &fault);
  rc = mp_store_update(box->store->core, mp_peer_id(peer), &form.change,
                       store_now(L, box->store), &fault);
  return rc == 0 ? push_peer(L, box, peer) : push_fault(L, &fault);
}

static int do_delete(lua_State *L) {
  struct store_box *box = store_check(L, 1);
  struct mp_fault fault;
  const struct mp_peer *peer = find(L, box->store->core, &fault);
  if (!peer)
    return push_fault(L, &fault);
  uint8_t id[MP_UUID_SIZE];
  memcpy(id, mp_peer_id(peer), sizeof id);
  return push_result(L, mp_store_delete(box->store->core, id, &fault), &fault);
}

/* An ip and a port, or both in one text, from index 2 on. */
static int take_place(lua_State *L, struct mp_address *address,
                      struct mp_fault *fault) {
  lua_Integer port = luaL_optinteger(L, 3, 0);
  luaL_argcheck(L, port >= 0 && port <= 65535, 3, "expected 1 to 65535");
  return peer_take_address(L, 2, (uint16_t)port, address, fault);
}

static int do_find(lua_State *L) {
  struct store_box *box = store_check(L, 1);
  struct mp_address address;
  struct mp_fault fault;
  char text[MP_ADDRESS_TEXT];
  if (take_place(L, &address, &fault) != 0)
    return push_fault(L, &fault);
  const struct mp_peer *peer = mp_store_find(box->store->core, &address);
  if (peer)
    return push_peer(L, box, peer);
  fault_set(&fault, MP_ENOT_FOUND, "no peer is at %s",
            mp_address_format(&address, text));
  return push_fault(L, &fault);
}

/* count_by_status([status]): a number; or all of them by name. */
static int do_count(lua_State *L) {
  const struct mp_store *core = store_check(L, 1)->store->core;
  if (!lua_isnoneornil(L, 2)) {
    enum mp_status status = peer_take_status(L, 2);
    lua_pushinteger(L, mp_store_count_by_status(core, status));
    return 1;
  }
  lua_createtable(L, 0, MP_STATUS_COUNT);
  for (int i = 0; i < MP_STATUS_COUNT; i++) {
    enum mp_status status = (enum mp_status)i;
    lua_pushinteger(L, mp_store_count_by_status(core, status));
    lua_setfield(L, -2, mp_status_name(status));
  }
  return 1;
}

/* --- many ------------------------------------------------------------------
 */

/* In a userdata, so that it ends when Lua raises. */
struct walk {
  struct store_box *box; /* NULL: over; the user value keeps it */
  struct mp_iterator iterator;
  struct filter filter;
};

static void end_walk(struct walk *walk) {
  if (walk->box) /* fine after the store was closed too */
    mp_iterator_end(&walk->iterator);
  walk->box = NULL;
}

static int on_end(lua_State *L) {
  end_walk(luaL_checkudata(L, 1, iterator_name));
  return 0;
}

/* Pushes the walk over what the filter lets through; takes the filter. */
static struct walk *push_walk(lua_State *L, struct store_box *box,
                              const struct filter *filter) {
  struct walk *walk = lua_newuserdatauv(L, sizeof *walk, 1);
  walk->box = NULL;
  walk->filter = *filter;
  filter_settle(&walk->filter);
  luaL_setmetatable(L, iterator_name);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  mp_iterator_begin(&walk->iterator, box->store->core, &walk->filter.core);
  walk->box = box;
  return walk;
}

static int next_peer(lua_State *L) {
  struct walk *walk = luaL_checkudata(L, 1, iterator_name);
  const struct mp_peer *peer = NULL;
  if (walk->box && walk->box->store)
    peer = mp_iterator_next(&walk->iterator);
  if (peer)
    return push_peer(L, walk->box, peer);
  end_walk(walk);
  lua_pushnil(L);
  return 1;
}

/* each{ filter }: for peer in store:each{ status = "valid" } do */
static int do_each(lua_State *L) {
  struct store_box *box = store_check(L, 1);
  struct filter filter = {.is_pick = false};
  struct mp_fault fault;
  lua_settop(L, 2);
  if (filter_read(L, 2, box, &filter, &fault) != 0)
    return luaL_error(L, "%s", fault.text);
  lua_pushcfunction(L, next_peer);
  push_walk(L, box, &filter);
  lua_pushnil(L);
  lua_pushvalue(L, -2);
  return 4;
}

static int push_list(lua_State *L, struct store_box *box,
                     const struct filter *filter, uint32_t n) {
  struct walk *walk = push_walk(L, box, filter);
  const struct mp_peer *peer;
  lua_createtable(L, (int)n, 0);
  for (lua_Integer i = 1; (peer = mp_iterator_next(&walk->iterator)); i++) {
    peer_push(L, box, peer);
    lua_rawseti(L, -2, i);
  }
  end_walk(walk);
  return 1;
}

static int do_list_all(lua_State *L) {
  struct store_box *box = store_check(L, 1);
  const struct filter filter = {.core.statuses = 0};
  return push_list(L, box, &filter, mp_store_count(box->store->core));
}

static int do_find_by_status(lua_State *L) {
  struct store_box *box = store_check(L, 1);
  enum mp_status status = peer_take_status(L, 2);
  const struct filter filter = {.core.statuses = 1u << status};
  return push_list(L, box, &filter,
                   mp_store_count_by_status(box->store->core, status));
}

/* pick(n, filter): a list. */
static int do_pick(lua_State *L) {
  struct store_box *box = store_check(L, 1);
  lua_Integer n = luaL_checkinteger(L, 2);
  struct filter filter = {.is_pick = true};
  struct mp_fault fault;
  luaL_argcheck(L, n >= 0 && n <= PICK_MAX, 2, "expected 0 to 65536");
  lua_settop(L, 3);
  if (filter_read(L, 3, box, &filter, &fault) != 0)
    return luaL_error(L, "%s", fault.text);
  const struct mp_peer **peers =
      lua_newuserdatauv(L, ((size_t)n + 1) * sizeof(struct mp_peer *), 0);
  size_t found = 0;
  if (n)
    found = mp_store_pick(box->store->core, &filter.core, peers, (size_t)n);
  lua_createtable(L, (int)found, 0);
  for (size_t i = 0; i < found; i++) {
    peer_push(L, box, peers[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* --- hearsay ---------------------------------------------------------------
 */

/* Reads source, source_address, services from the table at index 3. */
static int take_source(lua_State *L, struct mp_source *source,
                       uint64_t *services, struct mp_fault *fault) {
  static const char *const names[] = {"source", "source_address", "services",
                                      NULL};
  int rc = 0;
  *source = (struct mp_source){.kind = MP_SOURCE_MANUAL};
  *services = 0;
  if (lua_isnoneornil(L, 3))
    return 0;
  convert_known(L, 3, "field of hearsay", names);
  if (lua_getfield(L, 3, "source_address") != LUA_TNIL) {
    source->kind = MP_SOURCE_PEER;
    rc = peer_take_address(L, -1, 0, &source->address, fault);
  }
  if (lua_getfield(L, 3, "source") != LUA_TNIL)
    source->kind = peer_take_source(L, -1);
  lua_getfield(L, 3, "services");
  *services = (uint64_t)luaL_optinteger(L, -1, 0);
  lua_pop(L, 3);
  return rc;
}

/* hear(address, { source, source_address, services }): the peer. */
static int do_hear(lua_State *L) {
  struct store_box *box = store_check(L, 1);
  struct mp_address address;
  struct mp_source source;
  struct mp_fault fault;
  const struct mp_peer *peer;
  uint64_t services;
  lua_settop(L, 3);
  int rc = peer_take_address(L, 2, 0, &address, &fault);
  if (rc == 0)
    rc = take_source(L, &source, &services, &fault);
  if (rc == 0)
    rc = mp_store_hear(box->store->core, &peer,
                       &(struct mp_hearsay){.address = &address,
                                            .source = &source,
                                            .services = services},
                       store_now(L, box->store), &fault);
  return rc == 0 ? push_peer(L, box, peer) : push_fault(L, &fault);
}

/* expect(n, { source, source_address }) */
static int do_expect(lua_State *L) {
  struct store_box *box = store_check(L, 1);
  lua_Integer n = luaL_checkinteger(L, 2);
  struct mp_source source;
  struct mp_fault fault;
  uint64_t services;
  luaL_argcheck(L, n >= 0 && n <= 1000, 2, "expected 0 to 1000");
  lua_settop(L, 3);
  int rc = take_source(L, &source, &services, &fault);
  if (rc == 0)
    mp_store_expect(box->store->core, &source, (unsigned)n,
                    store_now(L, box->store));
  return push_result(L, rc, &fault);
}

const luaL_Reg store_peer_methods[] = {
    {"create", do_create},
    {"read", do_read},
    {"update", do_update},
    {"delete", do_delete},
    {"find_by_ip_port", do_find},
    {"find_by_status", do_find_by_status},
    {"list_all", do_list_all},
    {"count_by_status", do_count},
    {"each", do_each},
    {"pick", do_pick},
    {"hear", do_hear},
    {"expect", do_expect},
    {NULL, NULL},
};

void store_open_iterator(lua_State *L) {
  static const luaL_Reg methods[] = {{NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__close", on_end}, {"__gc", on_end}, {NULL, NULL}};
  object_type(L, iterator_name, methods, metamethods, NULL);
}
