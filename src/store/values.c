/* values - small things under a name. */
#include "store/values.h"

#include <string.h>

#include "base/fault.h"
#include "moonpeer/store.h"

static void drop_bytes(struct values *values, struct value *value) {
  values->size -= value->size;
  memory_put(values->memory, value->bytes, value->size + 1);
  value->bytes = NULL;
  value->size = 0;
}

static void drop(struct values *values, uint32_t at) {
  struct value *value = values->list + at;
  size_t n = strlen(value->name);
  drop_bytes(values, value);
  values->size -= n;
  memory_put(values->memory, value->name, n + 1);
  memmove(value, value + 1, (--values->n - at) * sizeof *value);
}

void values_deinit(struct values *values) {
  while (values->n)
    drop(values, values->n - 1);
  memory_put(values->memory, values->list, values->room * sizeof *values->list);
  values->list = NULL;
  values->room = 0;
}

/* The place of a name, or where it would be. */
static uint32_t place_of(const struct values *values, const char *name,
                         bool *is_there) {
  uint32_t low = 0, high = values->n;
  *is_there = false;
  while (low < high && !*is_there) {
    uint32_t middle = (low + high) / 2;
    int order = strcmp(values->list[middle].name, name);
    *is_there = order == 0;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return high;
}

static bool is_name(const char *name) {
  size_t n = strlen(name);
  for (size_t i = 0; i < n; i++)
    if (name[i] < ' ' || name[i] > '~')
      return false;
  return n > 0 && n <= VALUE_NAME;
}

static int check(const struct values *values, const char *name, size_t size,
                 const struct value *old, struct mp_fault *fault) {
  size_t whole = values->size + size - (old ? old->size : 0);
  if (!is_name(name))
    return fault_set(fault, MP_ECONFIG,
                     "value: expected a name of 1 to %d printable characters",
                     VALUE_NAME);
  if (size > MP_STORE_VALUE_SIZE)
    return fault_set(fault, MP_ELIMIT, "value %s: %zu bytes are more than %d",
                     name, size, MP_STORE_VALUE_SIZE);
  if ((!old && values->n >= MP_STORE_VALUES) ||
      whole + strlen(name) > MP_STORE_VALUES_SIZE)
    return fault_set(fault, MP_ELIMIT, "value %s: there are too many already",
                     name);
  return 0;
}

static int no_memory(struct mp_fault *fault) {
  return fault_set(fault, MP_ELIMIT, "no memory");
}

static struct value *make(struct values *values, uint32_t at, const char *name,
                          struct mp_fault *fault) {
  size_t n = strlen(name);
  if (values->n == values->room) {
    uint32_t room = values->room * 2 + 8;
    struct value *list =
        memory_resize(values->memory, values->list, values->room * sizeof *list,
                      room * sizeof *list);
    if (!list) {
      no_memory(fault);
      return NULL;
    }
    values->list = list;
    values->room = room;
  }
  char *copy = memory_get(values->memory, n + 1);
  if (!copy) {
    no_memory(fault);
    return NULL;
  }
  memcpy(copy, name, n);
  struct value *value = values->list + at;
  memmove(value + 1, value, (values->n++ - at) * sizeof *value);
  *value = (struct value){.name = copy};
  values->size += n;
  return value;
}

int values_set(struct values *values, const char *name, const void *bytes,
               size_t size, struct mp_fault *fault) {
  bool is_there;
  uint32_t at = place_of(values, name, &is_there);
  struct value *value = is_there ? values->list + at : NULL;
  uint8_t *copy = NULL;
  if (!bytes && (!value || !value->bytes))
    return 0;
  int rc = check(values, name, bytes ? size : 0, value, fault);
  if (rc)
    return rc;
  if (bytes && !(copy = memory_get(values->memory, size + 1)))
    return no_memory(fault);
  if (!value && !(value = make(values, at, name, fault))) {
    memory_put(values->memory, copy, size + 1);
    return MP_ELIMIT;
  }
  if (value->bytes)
    drop_bytes(values, value);
  if (copy && size)
    memcpy(copy, bytes, size);
  value->bytes = copy;
  value->size = copy ? size : 0;
  values->size += value->size;
  value->is_changed = true;
  return 0;
}

const struct value *values_find(const struct values *values, const char *name) {
  bool is_there;
  uint32_t at = place_of(values, name, &is_there);
  return is_there && values->list[at].bytes ? values->list + at : NULL;
}

const struct value *values_after(const struct values *values,
                                 const char *name) {
  bool is_there = false;
  uint32_t at = name ? place_of(values, name, &is_there) : 0;
  for (at += is_there; at < values->n; at++)
    if (values->list[at].bytes)
      return values->list + at;
  return NULL;
}

bool values_is_changed(const struct values *values) {
  for (uint32_t i = 0; i < values->n; i++)
    if (values->list[i].is_changed)
      return true;
  return false;
}

void values_hold(struct values *values) {
  for (uint32_t i = 0; i < values->n; i++) {
    values->list[i].is_held = values->list[i].is_changed;
    values->list[i].is_changed = false;
  }
}

void values_release(struct values *values, bool is_saved) {
  for (uint32_t i = values->n; i; i--) {
    struct value *value = values->list + i - 1;
    if (value->is_held && !is_saved)
      value->is_changed = true;
    value->is_held = false;
    if (!value->bytes && !value->is_changed)
      drop(values, i - 1);
  }
}
