/* complete - a record's fields in the order of its layout, with defaults for
 * those that nobody gave. */
#include <string.h>

#include "wire/encoding.h"

/* The fields in their order. */
struct order {
  size_t count;
  uint8_t fields[MP_LAYOUT_FIELDS];
};

static struct level *top(struct mp_encoder *encoder) {
  return &encoder->levels[encoder->depth];
}

static const uint8_t *slot_bytes(const struct mp_encoder *encoder,
                                 const struct slot *slot) {
  return buf_head(&encoder->out) + slot->start;
}

/* Whether the field's condition holds for what stands before it. */
static bool applies(struct mp_encoder *encoder, const struct mp_field *field) {
  struct level *level = top(encoder);
  int index = field->when ? mp_layout_index(level->layout, field->when) : -1;
  if (index < 0)
    return true;
  const struct slot *slot = &level->slots[index];
  if (!slot->size)
    return false;
  const uint8_t *bytes = slot_bytes(encoder, slot);
  if (!field->when_is)
    return field_number(&level->layout->fields[index], bytes) >=
           field->when_min;
  size_t n;
  size_t length = (size_t)compact_at(bytes, &n);
  return is_word(field->when_is, bytes + n, length);
}

/* Whether the field only says which others are there; then *value is what it
 * must say. */
static bool is_control(const struct level *level, const struct mp_field *field,
                       uint64_t *value) {
  bool found = false;
  *value = 0;
  for (size_t i = 0; i < level->layout->count; i++) {
    const struct mp_field *other = &level->layout->fields[i];
    if (!other->when || other->when_is || strcmp(other->when, field->name) != 0)
      continue;
    found = true;
    if (level->slots[i].is_given && other->when_min > *value)
      *value = other->when_min;
  }
  return found;
}

static int fill_number(struct mp_encoder *encoder, struct slot *slot,
                       const struct mp_field *field, uint64_t value,
                       struct mp_fault *fault) {
  uint8_t bytes[9];
  slot->size = encoder_number(field, value, bytes);
  return encoder_put(encoder, bytes, slot->size, fault);
}

static int fill_zeros(struct mp_encoder *encoder, struct slot *slot,
                      const struct mp_field *field, struct mp_fault *fault) {
  static const uint8_t zeros[255];
  switch (field->type) {
  case MP_FIELD_HASH: slot->size = 32; break;
  case MP_FIELD_IP: slot->size = 16; break;
  case MP_FIELD_BYTES: slot->size = field->size; break;
  default: slot->size = 1; /* no bytes, no entries */
  }
  return encoder_put(encoder, zeros, slot->size, fault);
}

/* A record nobody gave is one of defaults, if it can be. */
static int fill_record(struct mp_encoder *encoder, const struct mp_field *field,
                       struct mp_fault *fault) {
  int rc = mp_encoder_begin(encoder, field->name, fault);
  return rc ? rc : mp_encoder_end(encoder, fault);
}

static int fill(struct mp_encoder *encoder, size_t index,
                struct mp_fault *fault) {
  struct level *level = top(encoder);
  const struct mp_field *field = &level->layout->fields[index];
  struct slot *slot = &level->slots[index];
  uint64_t value;
  slot->start = buf_length(&encoder->out);
  if (field_is_number(field) && field->name && is_control(level, field, &value))
    return fill_number(encoder, slot, field, value, fault);
  if (field->type == MP_FIELD_RECORD)
    return fill_record(encoder, field, fault);
  if (!(field->flags & MP_DEFAULT))
    return encoder_missing(encoder, field, fault);
  if (field_is_number(field))
    return fill_number(encoder, slot, field, (uint64_t)field->initial, fault);
  return fill_zeros(encoder, slot, field, fault);
}

static int check_count(struct mp_encoder *encoder, const struct mp_field *field,
                       const struct slot *slot, struct mp_fault *fault) {
  if (field->type != MP_FIELD_COUNT_OF || !slot->is_given)
    return 0;
  struct level *level = top(encoder);
  int list = mp_layout_index(level->layout, field->of);
  uint64_t count = list < 0 ? 0 : level->slots[list].number;
  if (count == slot->number)
    return 0;
  return encoder_refuse(
      encoder, fault, field->name, "expected %llu, the entries of %s, got %llu",
      (unsigned long long)count, field->of, (unsigned long long)slot->number);
}

/* The last field that was given: a tail ends behind it. */
static size_t last_given(const struct level *level) {
  size_t last = 0;
  for (size_t i = 0; i < level->layout->count; i++)
    if (level->slots[i].is_given &&
        !field_is_computed(&level->layout->fields[i]))
      last = i + 1;
  return last;
}

/* Decides about one field: it is put into the order, or is not there. */
static int settle(struct mp_encoder *encoder, size_t i, struct order *order,
                  struct mp_fault *fault) {
  struct level *level = top(encoder);
  const struct mp_field *field = &level->layout->fields[i];
  bool is_given = level->slots[i].is_given;
  if (field_is_computed(field))
    return check_count(encoder, field, &level->slots[i], fault);
  if (!applies(encoder, field))
    return is_given ? encoder_refuse(encoder, fault, field->name,
                                     "given, but %s says that it is absent",
                                     field->when)
                    : 0;
  order->fields[order->count++] = (uint8_t)i;
  return is_given ? 0 : fill(encoder, i, fault);
}

static bool is_in_order(const struct level *level, const struct order *order,
                        size_t end) {
  size_t at = level->start;
  for (size_t i = 0; i < order->count; i++) {
    const struct slot *slot = &level->slots[order->fields[i]];
    if (slot->start != at)
      return false;
    at += slot->size;
  }
  return at == end;
}

static int arrange(struct mp_encoder *encoder, const struct order *order,
                   struct mp_fault *fault) {
  const struct level *level = top(encoder);
  struct buf spare = encoder->spare;
  if (is_in_order(level, order, buf_length(&encoder->out)))
    return 0;
  buf_truncate(&spare, 0);
  int rc = 0;
  for (size_t i = 0; i < order->count && !rc; i++) {
    const struct slot *slot = &level->slots[order->fields[i]];
    rc = buf_put(&spare, slot_bytes(encoder, slot), slot->size);
  }
  encoder->spare = spare;
  buf_truncate(&encoder->out, level->start);
  if (rc)
    return encoder_no_memory(encoder, fault);
  return encoder_put(encoder, buf_head(&spare), buf_length(&spare), fault);
}

int encoder_complete(struct mp_encoder *encoder, struct mp_fault *fault) {
  const struct level *level = top(encoder);
  struct order order = {0};
  size_t last = last_given(level);
  for (size_t i = 0; i < level->layout->count; i++) {
    const struct mp_field *field = &level->layout->fields[i];
    if (field->flags & (MP_TAIL | MP_LENIENT) && i >= last)
      break;
    int rc = settle(encoder, i, &order, fault);
    if (rc)
      return rc;
  }
  return arrange(encoder, &order, fault);
}
