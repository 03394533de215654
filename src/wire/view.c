/* view - reading the fields of a payload that has been walked. */
#include <string.h>

#include "base/text.h"
#include "wire/layout.h"

int mp_layout_index(const struct mp_layout *layout, const char *name) {
  for (size_t i = 0; layout && i < layout->count; i++) {
    const char *own = layout->fields[i].name;
    if (own && text_is(own, name))
      return (int)i;
  }
  return -1;
}

size_t mp_record_size(const struct mp_record *record) {
  return record->layout ? record->at[record->layout->count] : 0;
}

bool mp_record_find(const struct mp_record *record, const char *name,
                    struct mp_value *value) {
  int index = mp_layout_index(record->layout, name);
  if (index < 0)
    return false;
  mp_record_get(record, (size_t)index, value);
  return true;
}

/* --- values -------------------------------------------------------------- */

static enum mp_value_kind kind_of(const struct mp_field *field) {
  switch (field->type) {
  case MP_FIELD_BOOL: return MP_VALUE_BOOLEAN;
  case MP_FIELD_HASH: return MP_VALUE_HASH;
  case MP_FIELD_IP: return MP_VALUE_IP;
  case MP_FIELD_BYTES:
  case MP_FIELD_VAR_BYTES: return MP_VALUE_BYTES;
  case MP_FIELD_VAR_TEXT: return MP_VALUE_TEXT;
  case MP_FIELD_RECORD: return MP_VALUE_RECORD;
  case MP_FIELD_LIST:
  case MP_FIELD_HASHES_OF: return MP_VALUE_LIST;
  case MP_FIELD_HASH_OF: return MP_VALUE_DIGEST;
  default: return MP_VALUE_INTEGER;
  }
}

/* What a field that is not there stands for, as the reference node takes it;
 * of most that is nothing. */
static void absent(const struct mp_field *field, struct mp_value *value) {
  bool can = field_is_number(field) || field->type == MP_FIELD_VAR_TEXT;
  if (!can || !(field->flags & MP_DEFAULT))
    return;
  value->kind = kind_of(field);
  value->is_default = true;
  value->number = (uint64_t)field->initial;
  value->bytes = (const uint8_t *)"";
}

/* Steps over the length or count before the bytes of a value. */
static uint64_t skip_prefix(struct mp_value *value) {
  size_t n;
  uint64_t number = compact_at(value->bytes, &n);
  value->bytes += n;
  value->size -= n;
  return number;
}

static void read(const struct mp_field *field, struct mp_value *value) {
  value->kind = kind_of(field);
  switch (field->type) {
  case MP_FIELD_LIST: value->number = skip_prefix(value); break;
  case MP_FIELD_VAR_TEXT:
  case MP_FIELD_VAR_BYTES:
    if (field->flags & MP_NETWORK_ADDRESS &&
        mp_network_id_is_ip(value->bytes[-1])) /* the byte before it */
      value->kind = MP_VALUE_IP;
    skip_prefix(value);
    break;
  case MP_FIELD_RECORD:
    if (field->flags & MP_SIZED)
      skip_prefix(value);
    break;
  default:
    if (field_is_number(field))
      value->number = field_number(field, value->bytes);
  }
}

/* The part of the record that a computed field is about; false when it is not
 * there. */
static bool subject(const struct mp_record *record,
                    const struct mp_field *field, struct mp_value *part) {
  *part = (struct mp_value){.kind = MP_VALUE_BYTES, .bytes = record->bytes};
  part->size = field->size ? field->size : mp_record_size(record);
  return !field->of || (mp_record_find(record, field->of, part) && part->kind);
}

static void compute(const struct mp_record *record,
                    const struct mp_field *field, struct mp_value *value) {
  struct mp_value part;
  if (!subject(record, field, &part))
    return;
  value->kind = kind_of(field);
  value->bytes = part.bytes;
  value->size = part.size;
  value->item = part.item;
  value->number = field->type == MP_FIELD_SIZE_OF ? part.size : part.number;
}

void mp_record_get(const struct mp_record *record, size_t index,
                   struct mp_value *value) {
  const struct mp_field *field = &record->layout->fields[index];
  *value = (struct mp_value){.field = field, .item = field->item};
  value->is_signed = field->type == MP_FIELD_INT;
  if (field_is_computed(field)) {
    compute(record, field, value);
  } else if (record->present & UINT32_C(1) << index) {
    value->bytes = record->bytes + record->at[index];
    value->size = record->at[index + 1] - record->at[index];
    read(field, value);
  } else {
    absent(field, value);
  }
}

/* --- records and lists --------------------------------------------------- */

/* These bytes have been walked before: it cannot fail. */
static size_t rewalk(const uint8_t *bytes, size_t n,
                     const struct mp_layout *layout, struct mp_record *record) {
  struct walk walk = {.bytes = bytes, .size = n};
  layout_walk(&walk, layout, record);
  return walk.at;
}

void mp_value_record(const struct mp_value *value, struct mp_record *record) {
  rewalk(value->bytes, value->size, value->item, record);
}

static void rewind_list(struct mp_list *list) {
  list->next = 0;
  list->entry.layout = list->item;
  list->entry.bytes = list->first;
  for (size_t i = 0; i <= list->item->count; i++)
    list->entry.at[i] = 0;
}

void mp_value_list(const struct mp_value *value, struct mp_list *list) {
  list->item = value->item;
  list->count = value->number;
  list->stride = layout_fixed_size(value->item);
  list->first = value->bytes;
  list->end = value->bytes + value->size;
  list->is_hashes = value->field->type == MP_FIELD_HASHES_OF;
  rewind_list(list);
  if (list->stride && list->count) /* one for all: only bytes will move */
    rewalk(list->first, list->stride, list->item, &list->entry);
}

bool mp_list_next(struct mp_list *list) {
  if (list->next >= list->count)
    return false;
  if (list->stride) {
    list->entry.bytes = list->first + list->next * list->stride;
  } else {
    const uint8_t *bytes = list->entry.bytes + mp_record_size(&list->entry);
    rewalk(bytes, (size_t)(list->end - bytes), list->item, &list->entry);
  }
  list->next++;
  return true;
}

bool mp_list_seek(struct mp_list *list, uint64_t i) {
  if (i >= list->count)
    return false;
  if (list->stride)
    list->next = i;
  else if (i < list->next)
    rewind_list(list);
  while (list->next <= i)
    mp_list_next(list);
  return true;
}

void mp_list_value(const struct mp_list *list, struct mp_value *value) {
  const struct mp_record *entry = &list->entry;
  if (!list->is_hashes && layout_is_scalar(list->item)) {
    mp_record_get(entry, 0, value);
    return;
  }
  *value = (struct mp_value){
      .kind = list->is_hashes ? MP_VALUE_DIGEST : MP_VALUE_RECORD,
      .bytes = entry->bytes,
      .size = mp_record_size(entry),
      .item = list->item,
  };
}
