/* filter - which peers: the filters of each and pick. */
#ifndef SCRIPT_FILTER_H
#define SCRIPT_FILTER_H

#include <lua.h>

#include "moonpeer/store.h"

struct store_box;

/* A filter and what it points at. */
struct filter {
  struct mp_filter core;
  bool is_pick; /* set before reading: with except and except_groups */
  struct mp_group group;
  struct mp_source source;
  const struct mp_store *store;
  const struct mp_peer **except; /* sorted */
  struct mp_group *except_groups;
  size_t except_count, except_group_count;
};

/* Reads the table at index (or nothing: all peers): status (a name or a list),
 * group and source_address (addresses), source, older_than, newer_than,
 * untried_for; and, when picking, except and except_groups. Leaves values on
 * the stack that the filter points at. 0 or MP_ECONFIG for an address that is
 * none; raises what is misuse. */
int filter_read(lua_State *L, int index, const struct store_box *box,
                struct filter *filter, struct mp_fault *fault);

/* After a struct filter was moved. */
void filter_settle(struct filter *filter);

#endif
