/* values - small things under a name. */
#ifndef STORE_VALUES_H
#define STORE_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "moonpeer/error.h"

enum { VALUE_NAME = 128 };

/* bytes NULL: removed, and kept until that is saved. */
struct value {
  char *name;
  uint8_t *bytes;
  size_t size;
  bool is_changed, is_held; /* since the last save; by one under way */
};

/* In the order of names. */
struct values {
  const struct mp_memory *memory;
  struct value *list;
  uint32_t n, room;
  size_t size; /* bytes of names and values */
};

void values_deinit(struct values *values);

/* As mp_store_set_value. */
int values_set(struct values *values, const char *name, const void *bytes,
               size_t size, struct mp_fault *fault);

/* NULL when there is none or it was removed. */
const struct value *values_find(const struct values *values, const char *name);
const struct value *values_after(const struct values *values, const char *name);
bool values_is_changed(const struct values *values);

/* A save begins to hold what has changed; it ended, well or not. */
void values_hold(struct values *values);
void values_release(struct values *values, bool is_saved);

#endif
