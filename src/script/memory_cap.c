/* memory_cap - how much a Lua state may hold while policies run. */
#include "script/memory_cap.h"

#include <stdlib.h>

struct memory_cap {
  lua_Alloc allocate;
  void *data;
  size_t used, limit;
  bool is_on;
};

/* The state frees itself last, and us with it. */
static void *allocate(void *data, void *block, size_t before, size_t size) {
  struct memory_cap *cap = data;
  size_t old = block ? before : 0; /* else it is the type of the object */
  if (cap->is_on && size > old && cap->used + (size - old) > cap->limit)
    return NULL;
  void *result = cap->allocate(cap->data, block, before, size);
  if (result || size == 0)
    cap->used += size - old;
  if (cap->used == 0)
    free(cap);
  return result;
}

struct memory_cap *memory_cap_new(lua_State *L) {
  struct memory_cap *cap = calloc(1, sizeof *cap);
  if (!cap)
    return NULL;
  cap->limit = MEMORY_CAP;
  cap->used =
      (size_t)lua_gc(L, LUA_GCCOUNT) * 1024 + (size_t)lua_gc(L, LUA_GCCOUNTB);
  cap->allocate = lua_getallocf(L, &cap->data);
  lua_setallocf(L, allocate, cap);
  return cap;
}

void memory_cap_set(struct memory_cap *cap, size_t limit) {
  if (cap)
    cap->limit = limit;
}

size_t memory_cap_limit(const struct memory_cap *cap) {
  return cap ? cap->limit : 0;
}

size_t memory_cap_used(const struct memory_cap *cap) {
  return cap ? cap->used : 0;
}

bool memory_cap_switch(struct memory_cap *cap, bool on) {
  bool before = cap && cap->is_on;
  if (cap)
    cap->is_on = on;
  return before;
}
