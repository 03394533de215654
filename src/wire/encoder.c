/* encoder - making a payload from named fields. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/fault.h"
#include "base/mem.h"
#include "moonpeer/address.h"
#include "wire/encoding.h"

struct mp_encoder *mp_encoder_new(void) {
  return mem_new(sizeof(struct mp_encoder));
}

void mp_encoder_free(struct mp_encoder *encoder) {
  if (!encoder)
    return;
  buf_deinit(&encoder->out);
  buf_deinit(&encoder->spare);
  free(encoder);
}

void mp_encoder_start(struct mp_encoder *encoder,
                      const struct mp_message_type *type) {
  encoder->type = type;
  encoder->rc = 0;
  encoder->depth = 0;
  encoder->ignored = 0;
  buf_truncate(&encoder->out, 0);
  encoder->levels[0] = (struct level){.layout = type->layout};
}

static int failed(const struct mp_encoder *encoder, struct mp_fault *fault) {
  if (encoder->rc && fault)
    *fault = encoder->fault;
  return encoder->rc;
}

int encoder_put(struct mp_encoder *encoder, const void *bytes, size_t n,
                struct mp_fault *fault) {
  return buf_put(&encoder->out, bytes, n) ? encoder_no_memory(encoder, fault)
                                          : 0;
}

/* --- places -------------------------------------------------------------- */

static struct level *top(struct mp_encoder *encoder) {
  return &encoder->levels[encoder->depth];
}

/* An entry that is a record has no field of its own; this stands for it. */
static const struct mp_field entry_field = {.type = MP_FIELD_RECORD};

const struct mp_field *mp_encoder_field(const struct mp_encoder *encoder,
                                        const char *name) {
  const struct level *level = &encoder->levels[encoder->depth];
  if (level->is_list && name)
    return NULL;
  if (level->is_list)
    return layout_is_scalar(level->layout) ? level->layout->fields
                                           : &entry_field;
  int index = name ? mp_layout_index(level->layout, name) : -1;
  return index < 0 ? NULL : &level->layout->fields[index];
}

static struct slot *slot_of(struct mp_encoder *encoder,
                            const struct mp_field *field) {
  struct level *level = top(encoder);
  return level->is_list ? NULL : &level->slots[field - level->layout->fields];
}

/* Where a value goes that is given now: 0, or why it cannot. */
static int locate(struct mp_encoder *encoder, const char *name,
                  const struct mp_field **field, struct mp_fault *fault) {
  if (failed(encoder, fault))
    return encoder->rc;
  *field = mp_encoder_field(encoder, name);
  if (!*field)
    return encoder_no_field(encoder, name, fault);
  struct slot *slot = slot_of(encoder, *field);
  if (slot && slot->is_given)
    return encoder_refuse(encoder, fault, name, "given twice");
  return 0;
}

static void begin_slot(struct mp_encoder *encoder,
                       const struct mp_field *field) {
  struct slot *slot = slot_of(encoder, field);
  if (slot)
    *slot = (struct slot){.is_given = true, .start = buf_length(&encoder->out)};
}

static void end_slot(struct mp_encoder *encoder, const struct mp_field *field) {
  struct slot *slot = slot_of(encoder, field);
  if (slot)
    slot->size = buf_length(&encoder->out) - slot->start;
  else
    top(encoder)->entries++;
}

/* --- values -------------------------------------------------------------- */

static bool fits(const struct mp_field *field, int64_t value) {
  unsigned bits = field->size * 8;
  if (field->type == MP_FIELD_BOOL)
    return value == 0 || value == 1;
  if (bits >= 64)
    return true;
  if (field->type == MP_FIELD_INT)
    return value >= -(INT64_C(1) << (bits - 1)) && value < INT64_C(1)
                                                               << (bits - 1);
  return value >= 0 && !((uint64_t)value >> bits);
}

size_t encoder_number(const struct mp_field *field, uint64_t value,
                      uint8_t bytes[9]) {
  if (field->type == MP_FIELD_COMPACT)
    return put_compact(bytes, value);
  size_t n = field->type == MP_FIELD_BOOL ? 1 : field->size;
  for (size_t i = 0; i < n; i++)
    bytes[field->flags & MP_BIG_ENDIAN ? n - 1 - i : i] =
        (uint8_t)(value >> 8 * i);
  return n;
}

int mp_encoder_integer(struct mp_encoder *encoder, const char *name,
                       int64_t value, struct mp_fault *fault) {
  const struct mp_field *field;
  if (encoder->ignored)
    return 0;
  if (locate(encoder, name, &field, fault))
    return encoder->rc;
  if (field_is_computed(field)) {
    *slot_of(encoder, field) =
        (struct slot){.is_given = true, .number = (uint64_t)value};
    return 0;
  }
  char text[32];
  snprintf(text, sizeof text, "%lld", (long long)value);
  if (!field_is_number(field) || !fits(field, value))
    return encoder_want(encoder, field, text, fault);
  uint8_t bytes[9];
  begin_slot(encoder, field);
  size_t n = encoder_number(field, (uint64_t)value, bytes);
  if (encoder_put(encoder, bytes, n, fault))
    return encoder->rc;
  end_slot(encoder, field);
  return 0;
}

/* A record given as its bytes. */
static int check_record(struct mp_encoder *encoder,
                        const struct mp_field *field, const void *bytes,
                        size_t n, struct mp_fault *fault) {
  const struct mp_layout *layout =
      field->item ? field->item : top(encoder)->layout;
  struct walk_words words = {0};
  struct walk walk = {
      .bytes = n ? bytes : (const uint8_t *)"", .size = n, .words = &words};
  struct mp_record record;
  if (layout_walk(&walk, layout, &record))
    return encoder_refuse(encoder, fault, field->name, "%s at offset %zu: %s",
                          words.path, words.at, words.what);
  if (walk.at != n)
    return encoder_refuse(encoder, fault, field->name,
                          "expected the end after %zu bytes, got %zu bytes",
                          walk.at, n);
  return 0;
}

/* 0 when so many bytes are right for the field. */
static int check_bytes(struct mp_encoder *encoder, const struct mp_field *field,
                       const void *bytes, size_t n, struct mp_fault *fault) {
  bool good = false;
  switch (field->type) {
  case MP_FIELD_HASH: good = n == 32; break;
  case MP_FIELD_IP: good = n == 4 || n == 16; break;
  case MP_FIELD_BYTES: good = n == field->size; break;
  case MP_FIELD_VAR_BYTES:
  case MP_FIELD_VAR_TEXT: good = n <= UINT32_MAX; break;
  case MP_FIELD_RECORD: return check_record(encoder, field, bytes, n, fault);
  default: break;
  }
  char text[32];
  snprintf(text, sizeof text, "%zu bytes", n);
  return good ? 0 : encoder_want(encoder, field, text, fault);
}

static bool has_length(const struct mp_field *field) {
  return field->type == MP_FIELD_VAR_BYTES ||
         field->type == MP_FIELD_VAR_TEXT ||
         (field->type == MP_FIELD_RECORD && field->flags & MP_SIZED);
}

static int put_bytes(struct mp_encoder *encoder, const struct mp_field *field,
                     const void *bytes, size_t n, struct mp_fault *fault) {
  static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
  uint8_t length[9];
  int rc = 0;
  if (has_length(field))
    rc = encoder_put(encoder, length, put_compact(length, n), fault);
  else if (field->type == MP_FIELD_IP && n == 4)
    rc = encoder_put(encoder, mapped, sizeof mapped, fault);
  return rc ? rc : encoder_put(encoder, bytes, n, fault);
}

int mp_encoder_bytes(struct mp_encoder *encoder, const char *name,
                     const void *bytes, size_t n, struct mp_fault *fault) {
  const struct mp_field *field;
  if (encoder->ignored)
    return 0;
  if (locate(encoder, name, &field, fault))
    return encoder->rc;
  if (field_is_computed(field))
    return 0;
  if (check_bytes(encoder, field, bytes, n, fault))
    return encoder->rc;
  begin_slot(encoder, field);
  if (put_bytes(encoder, field, bytes, n, fault))
    return encoder->rc;
  end_slot(encoder, field);
  return 0;
}

/* --- records and lists --------------------------------------------------- */

/* A count or length whose value is known at the end: one byte for now. */
static bool has_prefix(const struct mp_field *field) {
  return field->type == MP_FIELD_LIST || field->flags & MP_SIZED;
}

int mp_encoder_begin(struct mp_encoder *encoder, const char *name,
                     struct mp_fault *fault) {
  const struct mp_field *field;
  if (encoder->ignored) {
    encoder->ignored++;
    return 0;
  }
  if (locate(encoder, name, &field, fault))
    return encoder->rc;
  if (field_is_computed(field)) {
    encoder->ignored = 1;
    return 0;
  }
  bool is_list = field->type == MP_FIELD_LIST;
  if (!is_list && field->type != MP_FIELD_RECORD)
    return encoder_want(encoder, field, "a table", fault);
  if (encoder->depth + 1 >= ENCODER_LEVELS)
    return encoder_refuse(encoder, fault, name, "too deep");
  const struct mp_layout *layout =
      field->item ? field->item : top(encoder)->layout;
  begin_slot(encoder, field);
  if (has_prefix(field) && encoder_put(encoder, "", 1, fault))
    return encoder->rc;
  struct level *level = &encoder->levels[++encoder->depth];
  *level = (struct level){.layout = layout, .field = field, .is_list = is_list};
  level->start = buf_length(&encoder->out);
  return 0;
}

/* Writes a count or length over its byte, and moves what follows when it is
 * longer than that. */
static int put_prefix(struct mp_encoder *encoder, size_t start, uint64_t value,
                      struct mp_fault *fault) {
  size_t n = compact_size(value), length = buf_length(&encoder->out) - start;
  if (!buf_reserve(&encoder->out, n))
    return encoder_no_memory(encoder, fault);
  buf_grow(&encoder->out, n - 1);
  uint8_t *place = buf_head(&encoder->out) + start;
  memmove(place + n - 1, place, length);
  put_compact(place - 1, value);
  return 0;
}

int mp_encoder_end(struct mp_encoder *encoder, struct mp_fault *fault) {
  if (encoder->ignored) {
    encoder->ignored--;
    return 0;
  }
  if (failed(encoder, fault))
    return encoder->rc;
  if (encoder->depth == 0)
    return encoder_refuse(encoder, fault, NULL, "nothing to end");
  struct level *level = top(encoder);
  if (!level->is_list && encoder_complete(encoder, fault))
    return encoder->rc;
  uint64_t number = level->is_list ? level->entries
                                   : buf_length(&encoder->out) - level->start;
  if (has_prefix(level->field) &&
      put_prefix(encoder, level->start, number, fault))
    return encoder->rc;
  encoder->depth--;
  end_slot(encoder, level->field);
  struct slot *slot = slot_of(encoder, level->field);
  if (slot)
    slot->number = number;
  return 0;
}

int mp_encoder_finish(struct mp_encoder *encoder, const uint8_t **payload,
                      size_t *n, struct mp_fault *fault) {
  if (failed(encoder, fault))
    return encoder->rc;
  if (encoder->depth || encoder->ignored)
    return encoder_refuse(encoder, fault, NULL, "expected its end");
  if (encoder_complete(encoder, fault))
    return encoder->rc;
  struct mp_message message;
  *n = buf_length(&encoder->out);
  *payload = *n ? buf_head(&encoder->out) : (const uint8_t *)"";
  encoder->rc = mp_message_open_as(&message, encoder->type, *payload, *n,
                                   &encoder->fault);
  return failed(encoder, fault);
}
