/* fields - short forms for writing layouts down. */
#ifndef WIRE_FIELDS_H
#define WIRE_FIELDS_H

#include "moonpeer/layout.h"

#define UINT(n, s) .name = n, .type = MP_FIELD_UINT, .size = s
#define SINT(n, s) .name = n, .type = MP_FIELD_INT, .size = s
#define BOOLEAN(n) .name = n, .type = MP_FIELD_BOOL
#define COMPACT(n) .name = n, .type = MP_FIELD_COMPACT, .size = 4
#define HASH(n) .name = n, .type = MP_FIELD_HASH
#define FIXED(n, s) .name = n, .type = MP_FIELD_BYTES, .size = s
#define VAR(n, most) .name = n, .type = MP_FIELD_VAR_BYTES, .max = most
#define TEXT(n, most) .name = n, .type = MP_FIELD_VAR_TEXT, .max = most
#define RECORD(n, l) .name = n, .type = MP_FIELD_RECORD, .item = &l
#define LIST(n, l) .name = n, .type = MP_FIELD_LIST, .item = &l
#define COUNT_OF(n, f) .name = n, .type = MP_FIELD_COUNT_OF, .of = f
#define SIZE_OF(n) .name = n, .type = MP_FIELD_SIZE_OF
#define HASH_OF(n) .name = n, .type = MP_FIELD_HASH_OF
#define HASHES_OF(n, f, l)                                                     \
  .name = n, .type = MP_FIELD_HASHES_OF, .of = f, .item = &l

#define HEX .show = MP_SHOW_HEX
#define HEX_FULL .show = MP_SHOW_HEX_FULL
#define BETWEEN(a, b) .flags = MP_RANGE, .min = a, .max = b
#define ZERO_DEFAULT .flags = MP_DEFAULT

#define LAYOUT(name, ...)                                                      \
  static const struct mp_field name##_fields[] = {__VA_ARGS__};                \
  const struct mp_layout name = {name##_fields,                                \
                                 sizeof name##_fields / sizeof *name##_fields}
#define PART(name, ...)                                                        \
  static const struct mp_field name##_fields[] = {__VA_ARGS__};                \
  static const struct mp_layout name = {                                       \
      name##_fields, sizeof name##_fields / sizeof *name##_fields}

#endif
