/* touch - reading all of a view, and making it again. */
#ifndef TESTS_FUZZ_TOUCH_H
#define TESTS_FUZZ_TOUCH_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../c/wire_copy.h"
#include "moonpeer/message.h"

/* Adds every byte that a view lends, so that a sanitizer sees it read. */
static inline unsigned touch_record(const struct mp_record *record,
                                    unsigned budget);

static inline unsigned touch_value(const struct mp_value *value,
                                   unsigned budget) {
  unsigned sum = 0;
  for (size_t i = 0; i < value->size; i++)
    sum += value->bytes[i];
  if (value->kind == MP_VALUE_RECORD) {
    struct mp_record record;
    mp_value_record(value, &record);
    sum += touch_record(&record, budget);
  }
  if (value->kind != MP_VALUE_LIST)
    return sum;
  struct mp_list list;
  mp_value_list(value, &list);
  for (unsigned n = 0; n < budget && mp_list_next(&list); n++) {
    struct mp_value entry;
    mp_list_value(&list, &entry);
    assert(entry.kind != MP_VALUE_NONE);
    sum += touch_value(&entry, budget);
  }
  assert(list.next == list.count || list.next == budget);
  assert(list.count == 0 || mp_list_seek(&list, list.count / 2));
  return sum;
}

static inline unsigned touch_record(const struct mp_record *record,
                                    unsigned budget) {
  unsigned sum = 0;
  for (size_t i = 0; i < record->layout->count; i++) {
    struct mp_value value;
    mp_record_get(record, i, &value);
    sum += touch_value(&value, budget);
  }
  return sum;
}

/* The payload of a view made anew, in a block of its own. */
static inline uint8_t *make_again(const struct mp_message *message, size_t *n) {
  static struct mp_encoder *encoder;
  struct mp_fault fault;
  const uint8_t *payload;
  if (!encoder)
    encoder = mp_encoder_new();
  mp_encoder_start(encoder, message->type);
  int rc = copy_record(encoder, &message->fields, 0, &fault);
  if (!rc)
    rc = mp_encoder_finish(encoder, &payload, n, &fault);
  if (rc) {
    fprintf(stderr, "%s\n", fault.text);
    abort();
  }
  uint8_t *copy = malloc(*n + 1);
  memcpy(copy, payload, *n);
  return copy;
}

/* What is made from a view is the same payload up to its trailing bytes and
 * the value of its booleans; made from itself it is the same in every byte. */
static inline void check_stable(const struct mp_message *message) {
  size_t n, m;
  struct mp_message again;
  uint8_t *first = make_again(message, &n);
  assert(n == mp_record_size(&message->fields));
  int rc = mp_message_open_as(&again, message->type, first, n, NULL);
  assert(rc == 0);
  uint8_t *second = make_again(&again, &m);
  assert(n == m && memcmp(first, second, n) == 0);
  free(first);
  free(second);
}

#endif
