/* filter - which peers: the filters of each and pick. */
#include "script/filter.h"

#include <stdlib.h>
#include <string.h>

#include "script/convert.h"
#include "script/peer.h"
#include "script/store.h"

static const char *const names[] = {
    "status",     "group",      "source",      "source_address",
    "older_than", "newer_than", "untried_for", NULL};
static const char *const pick_names[] = {
    "status",     "group",       "source", "source_address", "older_than",
    "newer_than", "untried_for", "except", "except_groups",  NULL};

static void take_statuses(lua_State *L, int index, struct filter *filter) {
  if (lua_getfield(L, index, "status") == LUA_TTABLE) {
    for (lua_Integer i = 1; lua_geti(L, -1, i) != LUA_TNIL; i++) {
      filter->core.statuses |= 1u << peer_take_status(L, -1);
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
    if (!filter->core.statuses)
      luaL_error(L, "status: expected a name or a list of them, got none");
  } else if (!lua_isnil(L, -1)) {
    filter->core.statuses = 1u << peer_take_status(L, -1);
  }
  lua_pop(L, 1);
}

/* A text at the top as store:group() gives it: hex digits, which are no
 * address. */
static bool get_group(lua_State *L, struct mp_group *group) {
  static const char digits[] = "0123456789abcdef";
  struct mp_group made = {0};
  size_t n;
  const char *text =
      lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &n) : NULL;
  if (!text || n == 0 || n % 2 || n / 2 > sizeof made.bytes ||
      strspn(text, digits) != n)
    return false;
  for (size_t i = 0; i < n; i++)
    made.bytes[i / 2] =
        (uint8_t)(made.bytes[i / 2] << 4 | (strchr(digits, text[i]) - digits));
  made.size = (uint8_t)(n / 2);
  *group = made;
  return true;
}

static int take_group(lua_State *L, int index, struct filter *filter,
                      struct mp_fault *fault) {
  struct mp_address address;
  int rc = 0;
  if (lua_getfield(L, index, "group") != LUA_TNIL) {
    if (!get_group(L, &filter->group)) {
      rc = peer_take_address(L, -1, 0, &address, fault);
      if (rc == 0)
        mp_store_group(filter->store, &address, &filter->group);
    }
    filter->core.group = &filter->group;
  }
  lua_pop(L, 1);
  return rc;
}

static int take_source(lua_State *L, int index, struct filter *filter,
                       struct mp_fault *fault) {
  int rc = 0;
  if (lua_getfield(L, index, "source") != LUA_TNIL) {
    filter->source.kind = peer_take_source(L, -1);
    filter->core.source = &filter->source;
  }
  if (lua_getfield(L, index, "source_address") != LUA_TNIL) {
    rc = peer_take_address(L, -1, 0, &filter->source.address, fault);
    if (!filter->core.source)
      filter->source.kind = MP_SOURCE_PEER;
    filter->core.source = &filter->source;
  }
  lua_pop(L, 2);
  return rc;
}

static void take_age(lua_State *L, int index, const char *name, int64_t *age) {
  if (lua_getfield(L, index, name) != LUA_TNIL)
    *age = convert_duration_field(L, name);
  lua_pop(L, 1);
}

/* --- what is left out ------------------------------------------------------
 */

static int compare(const void *a, const void *b) {
  const struct mp_peer *const *one = a, *const *other = b;
  return (*one > *other) - (*one < *other);
}

/* Pushes the list of a name and room for as many entries of a size, which it
 * returns; NULL when there is no list. */
static void *push_room(lua_State *L, int index, const char *name, size_t size,
                       lua_Integer *n) {
  if (lua_getfield(L, index, name) == LUA_TNIL) {
    lua_pop(L, 1);
    return NULL;
  }
  if (!lua_istable(L, -1))
    luaL_error(L, "%s: expected a list, got %s", name, luaL_typename(L, -1));
  *n = luaL_len(L, -1);
  if (*n < 0 || *n > MP_STORE_CAPACITY_MAX)
    luaL_error(L, "%s: expected a list, got one of length %I", name, *n);
  void *room = lua_newuserdatauv(L, ((size_t)*n + 1) * size, 0);
  lua_insert(L, -2);
  return room;
}

/* The address of an entry; what is deleted by now leaves nobody out. */
static int take_entry(lua_State *L, struct mp_address *address, bool *is_there,
                      struct mp_fault *fault) {
  *is_there = !peer_is(L, -1) || peer_get(L, -1);
  return *is_there ? peer_take_address(L, -1, 0, address, fault) : 0;
}

static int take_except(lua_State *L, int index, struct filter *filter,
                       struct store *store, struct mp_fault *fault) {
  struct mp_address address;
  lua_Integer n = 0;
  bool is_there;
  int rc = 0;
  filter->except = push_room(L, index, "except", sizeof *filter->except, &n);
  if (!filter->except)
    return 0;
  for (lua_Integer i = 1; i <= n && rc == 0; i++) {
    lua_geti(L, -1, i);
    rc = take_entry(L, &address, &is_there, fault);
    const struct mp_peer *peer =
        rc == 0 && is_there ? mp_store_find(store->core, &address) : NULL;
    if (peer)
      filter->except[filter->except_count++] = peer;
    lua_pop(L, 1);
  }
  qsort(filter->except, filter->except_count, sizeof *filter->except, compare);
  lua_pop(L, 1);
  return rc;
}

static int take_except_groups(lua_State *L, int index, struct filter *filter,
                              struct mp_fault *fault) {
  struct mp_address address;
  struct mp_group *groups;
  lua_Integer n = 0;
  bool is_there;
  int rc = 0;
  filter->except_groups = groups =
      push_room(L, index, "except_groups", sizeof *filter->except_groups, &n);
  if (!filter->except_groups)
    return 0;
  for (lua_Integer i = 1; i <= n && rc == 0; i++) {
    lua_geti(L, -1, i);
    if (get_group(L, &groups[filter->except_group_count])) {
      filter->except_group_count++;
    } else {
      rc = take_entry(L, &address, &is_there, fault);
      if (rc == 0 && is_there)
        mp_store_group(filter->store, &address,
                       &groups[filter->except_group_count++]);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return rc;
}

static bool accept(void *data, const struct mp_peer *peer) {
  const struct filter *filter = data;
  struct mp_address address;
  struct mp_group group;
  if (filter->except_count &&
      bsearch(&peer, filter->except, filter->except_count,
              sizeof *filter->except, compare))
    return false;
  if (!filter->except_group_count)
    return true;
  mp_peer_address(peer, &address);
  mp_store_group(filter->store, &address, &group);
  for (size_t i = 0; i < filter->except_group_count; i++)
    if (memcmp(&filter->except_groups[i], &group, sizeof group) == 0)
      return false;
  return true;
}

void filter_settle(struct filter *filter) {
  if (filter->core.group)
    filter->core.group = &filter->group;
  if (filter->core.source)
    filter->core.source = &filter->source;
  if (filter->except_count || filter->except_group_count) {
    filter->core.accept = accept;
    filter->core.data = filter;
  }
}

int filter_read(lua_State *L, int index, const struct store_box *box,
                struct filter *filter, struct mp_fault *fault) {
  bool is_pick = filter->is_pick;
  index = lua_absindex(L, index);
  *filter = (struct filter){.core.now = store_now(L, box->store),
                            .store = box->store->core};
  if (lua_isnoneornil(L, index))
    return 0;
  convert_known(L, index, "filter", is_pick ? pick_names : names);
  take_statuses(L, index, filter);
  take_age(L, index, "older_than", &filter->core.older_than);
  take_age(L, index, "newer_than", &filter->core.newer_than);
  take_age(L, index, "untried_for", &filter->core.untried_for);
  int rc = take_group(L, index, filter, fault);
  if (rc == 0)
    rc = take_source(L, index, filter, fault);
  if (rc == 0 && is_pick)
    rc = take_except(L, index, filter, box->store, fault);
  if (rc == 0 && is_pick)
    rc = take_except_groups(L, index, filter, fault);
  filter_settle(filter);
  return rc;
}
