/* wire_copy - giving an encoder all that a view has. */
#ifndef TESTS_WIRE_COPY_H
#define TESTS_WIRE_COPY_H

#include "moonpeer/message.h"

static inline int copy_value(struct mp_encoder *encoder, const char *name,
                             const struct mp_value *value,
                             struct mp_fault *fault);

/* The record's fields, in their order or backwards. */
static inline int copy_record(struct mp_encoder *encoder,
                              const struct mp_record *record, int backwards,
                              struct mp_fault *fault) {
  size_t n = record->layout->count;
  int rc = 0;
  for (size_t i = 0; i < n && !rc; i++) {
    struct mp_value value;
    mp_record_get(record, backwards ? n - 1 - i : i, &value);
    if (value.kind && !value.is_default)
      rc = copy_value(encoder, value.field->name, &value, fault);
  }
  return rc;
}

static inline int copy_list(struct mp_encoder *encoder,
                            const struct mp_value *value,
                            struct mp_fault *fault) {
  struct mp_list list;
  int rc = 0;
  mp_value_list(value, &list);
  while (!rc && mp_list_next(&list)) {
    struct mp_value entry;
    mp_list_value(&list, &entry);
    rc = copy_value(encoder, NULL, &entry, fault);
  }
  return rc;
}

static inline int copy_value(struct mp_encoder *encoder, const char *name,
                             const struct mp_value *value,
                             struct mp_fault *fault) {
  int rc;
  struct mp_record record;
  switch (value->kind) {
  case MP_VALUE_INTEGER:
  case MP_VALUE_BOOLEAN:
    return mp_encoder_integer(encoder, name, (int64_t)value->number, fault);
  case MP_VALUE_RECORD:
    rc = mp_encoder_begin(encoder, name, fault);
    mp_value_record(value, &record);
    if (!rc)
      rc = copy_record(encoder, &record, name != NULL, fault);
    return rc ? rc : mp_encoder_end(encoder, fault);
  case MP_VALUE_LIST:
    rc = mp_encoder_begin(encoder, name, fault);
    if (!rc)
      rc = copy_list(encoder, value, fault);
    return rc ? rc : mp_encoder_end(encoder, fault);
  default:
    return mp_encoder_bytes(encoder, name, value->bytes, value->size, fault);
  }
}

#endif
