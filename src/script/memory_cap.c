/* memory_cap - how much a Lua state may hold while policies run. */
#include "script/memory_cap.h"

#include <stdlib.h>

#include "base/mem.h"

enum {
  SMALL = 256,         /* bytes of a block that is kept when Lua frees it */
  SPARE_MAX = 1 << 20, /* bytes kept in all */
};

struct spare {
  struct spare *next;
};

struct memory_cap {
  lua_Alloc allocate;
  void *data;
  size_t used, limit;
  bool is_on, keeps;
  size_t spare;                    /* bytes */
  struct spare *spares[SMALL + 1]; /* by their exact size, so that it does not
                                      matter who allocated them, and how */
};

/* --- spare blocks ----------------------------------------------------------
 * Views of messages live for one call, and the collector frees them by the
 * thousand: more than the C library's own fast lists hold. */

static bool is_small(size_t size) {
  return size >= sizeof(struct spare) && size <= SMALL;
}

static bool keep(struct memory_cap *cap, void *block, size_t size) {
  if (!block || !is_small(size) || !cap->keeps || cap->spare > SPARE_MAX - size)
    return false;
  struct spare *spare = block;
  spare->next = cap->spares[size];
  cap->spares[size] = spare;
  cap->spare += size;
  return true;
}

static void *take(struct memory_cap *cap, size_t size) {
  struct spare *spare = is_small(size) ? cap->spares[size] : NULL;
  if (!spare)
    return NULL;
  cap->spares[size] = spare->next;
  cap->spare -= size;
  return spare;
}

static void give_back(struct memory_cap *cap) {
  for (size_t size = sizeof(struct spare); size <= SMALL; size++)
    for (void *block; (block = take(cap, size));)
      cap->allocate(cap->data, block, size, 0);
}

/* --- counting --------------------------------------------------------------
 */

/* The state frees itself last, and us with it. */
static void release(struct memory_cap *cap, void *block, size_t size) {
  if (block)
    cap->used -= size;
  if (!keep(cap, block, size))
    cap->allocate(cap->data, block, size, 0);
  if (cap->used)
    return;
  give_back(cap);
  free(cap);
}

static void *obtain(struct memory_cap *cap, void *block, size_t before,
                    size_t size) {
  void *result = cap->allocate(cap->data, block, before, size);
  if (result || !cap->spare)
    return result;
  give_back(cap);
  return cap->allocate(cap->data, block, before, size);
}

static bool is_refused(const struct memory_cap *cap, size_t more) {
  return cap->is_on && cap->used + more > cap->limit;
}

static void *allocate_any(struct memory_cap *cap, void *block, size_t before,
                          size_t size) {
  size_t old = block ? before : 0; /* else it is the type of the object */
  if (size == 0) {
    release(cap, block, old);
    return NULL;
  }
  if (size > old && is_refused(cap, size - old))
    return NULL;
  void *result = block ? NULL : take(cap, size);
  if (!result)
    result = obtain(cap, block, before, size);
  if (result)
    cap->used += size - old;
  return result;
}

/* What most of it is comes first: a small block that is there, or comes back.
 */
static void *allocate(void *data, void *block, size_t before, size_t size) {
  struct memory_cap *cap = data;
  if (!block && is_small(size) && cap->spares[size] && !is_refused(cap, size)) {
    cap->used += size;
    return take(cap, size);
  }
  if (block && !size && before < cap->used && keep(cap, block, before)) {
    cap->used -= before;
    return NULL;
  }
  return allocate_any(cap, block, before, size);
}

struct memory_cap *memory_cap_new(lua_State *L) {
  struct memory_cap *cap = calloc(1, sizeof *cap);
  if (!cap)
    return NULL;
  cap->limit = MEMORY_CAP;
  cap->keeps = !mem_is_checked();
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
