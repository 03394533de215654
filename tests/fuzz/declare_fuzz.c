/* declare_fuzz - a message type made from bytes, then a payload for it: what
 * the check lets through, walks, views and encoders can bear. */
#include <stdio.h>

#include "touch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { LAYOUTS = 3, FIELDS = 4, FIELD_BYTES = 10 };

static const char *const names[] = {"a", "b", "c", "d", NULL};

static const char *name_of(uint8_t byte) {
  return names[byte % (sizeof names / sizeof *names)];
}

/* A field whose item, if it has one, is an earlier layout. */
static struct mp_field field_of(const uint8_t *b, size_t i,
                                const struct mp_layout *item) {
  return (struct mp_field){
      .name = b[0] % 8 ? names[i] : name_of(b[0] / 8),
      .type = (enum mp_field_type)(b[1] % 16),
      .size = b[2] % 8 ? b[2] % 9 : b[2],
      .flags = (uint16_t)(b[3] | (b[4] & 1) << 8),
      .item = item,
      .of = name_of(b[5]),
      .when = b[6] % 4 ? NULL : name_of(b[6] / 4),
      .when_is = b[7] % 8 ? NULL : "ab cd",
      .when_min = b[7] / 64,
      .min = b[8] % 4,
      .max = b[8] / 4,
      .initial = b[9],
  };
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  struct mp_field fields[LAYOUTS][FIELDS];
  struct mp_layout layouts[LAYOUTS];
  const size_t size = LAYOUTS * (1 + FIELDS * FIELD_BYTES);
  if (n < size)
    return 0;
  for (size_t i = 0; i < LAYOUTS; i++) {
    layouts[i] = (struct mp_layout){fields[i], bytes[0] % (FIELDS + 1)};
    const struct mp_layout *item = i ? &layouts[i - 1] : NULL;
    for (size_t j = 0; j < FIELDS; j++)
      fields[i][j] = field_of(bytes + 1 + j * FIELD_BYTES, j, item);
    bytes += 1 + FIELDS * FIELD_BYTES;
  }
  n -= size;
  struct mp_message_type type = {.command = "own",
                                 .layout = &layouts[LAYOUTS - 1]};
  struct mp_fault fault = {0};
  if (mp_message_type_check(&type, &fault))
    return 0;
  struct mp_message message;
  if (mp_message_open_as(&message, &type, bytes, n, &fault))
    return 0;
  touch_record(&message.fields, 1000);
  check_stable(&message);
  return 0;
}
