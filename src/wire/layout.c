/* layout - walking bytes along a layout. */
#include "wire/layout.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"

enum { HASH = 32, IP = 16 };

bool layout_is_scalar(const struct mp_layout *layout) {
  return layout->count == 1 && !layout->fields[0].name;
}

bool field_is_computed(const struct mp_field *field) {
  return field->type >= MP_FIELD_COUNT_OF;
}

bool field_is_number(const struct mp_field *field) {
  return field->type <= MP_FIELD_COMPACT;
}

/* Bytes of a field that always has the same number of them, else 0. */
static size_t field_fixed_size(const struct mp_field *field) {
  switch (field->type) {
  case MP_FIELD_UINT:
  case MP_FIELD_INT:
  case MP_FIELD_BYTES: return field->size;
  case MP_FIELD_BOOL: return 1;
  case MP_FIELD_HASH: return HASH;
  case MP_FIELD_IP: return IP;
  case MP_FIELD_RECORD:
    return field->flags & MP_SIZED ? 0 : layout_fixed_size(field->item);
  default: return 0;
  }
}

size_t layout_fixed_size(const struct mp_layout *layout) {
  size_t sum = 0;
  for (size_t i = 0; i < layout->count; i++) {
    const struct mp_field *field = &layout->fields[i];
    if (field_is_computed(field))
      continue;
    size_t n = field_fixed_size(field);
    if (!n || field->when || field->flags & (MP_RANGE | MP_TAIL | MP_LENIENT))
      return 0;
    sum += n;
  }
  return sum;
}

static size_t field_min_size(const struct mp_field *field) {
  if (field_is_computed(field) || field->when)
    return 0;
  if (field->type == MP_FIELD_RECORD && !(field->flags & MP_SIZED))
    return layout_min_size(field->item);
  size_t n = field_fixed_size(field);
  return n ? n : 1; /* a compact size at least */
}

size_t layout_min_size(const struct mp_layout *layout) {
  size_t sum = 0;
  for (size_t i = 0; i < layout->count; i++) {
    if (layout->fields[i].flags & (MP_TAIL | MP_LENIENT))
      break; /* with it all that follow may be missing */
    sum += field_min_size(&layout->fields[i]);
  }
  return sum;
}

/* --- numbers ------------------------------------------------------------- */

uint64_t compact_at(const uint8_t *bytes, size_t *n) {
  switch (bytes[0]) {
  case 0xfd: *n = 3; return get_u16(bytes + 1);
  case 0xfe: *n = 5; return get_u32(bytes + 1);
  case 0xff: *n = 9; return get_u64(bytes + 1);
  default: *n = 1; return bytes[0];
  }
}

static uint64_t plain_number(const struct mp_field *field,
                             const uint8_t *bytes) {
  uint64_t value = 0;
  if (field->size == 8 && !(field->flags & MP_BIG_ENDIAN))
    return get_u64(bytes);
  if (field->size == 4 && !(field->flags & MP_BIG_ENDIAN))
    return get_u32(bytes);
  for (size_t i = 0; i < field->size; i++) {
    size_t place = field->flags & MP_BIG_ENDIAN ? field->size - 1u - i : i;
    value |= (uint64_t)bytes[place] << 8 * i;
  }
  return value;
}

uint64_t field_number(const struct mp_field *field, const uint8_t *bytes) {
  size_t n;
  if (field->type == MP_FIELD_BOOL)
    return bytes[0] != 0;
  if (field->type == MP_FIELD_COMPACT)
    return compact_at(bytes, &n);
  uint64_t value = plain_number(field, bytes);
  unsigned bits = field->size * 8;
  bool is_short = field->type == MP_FIELD_INT && bits > 0 && bits < 64;
  if (is_short && value >> (bits - 1))
    value |= UINT64_MAX << bits;
  return value;
}

bool is_word(const char *words, const uint8_t *text, size_t n) {
  for (const char *word = words; n && word; word = strchr(word, ' ')) {
    word += *word == ' ';
    if (strcspn(word, " ") == n && memcmp(word, text, n) == 0)
      return true;
  }
  return false;
}

/* --- what went wrong ----------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static int
refuse(struct walk *walk, size_t at, const char *format, ...) {
  struct walk_words *words = walk->words;
  if (words) {
    va_list list;
    va_start(list, format);
    vsnprintf(words->what, sizeof words->what, format, list);
    va_end(list);
    words->at = at;
    words->path[0] = '\0';
  }
  return MP_EPROTOCOL;
}

/* Failures happen at the innermost field: the way to it is written from its
 * end, so that a good payload pays nothing for it. */
static int within(struct walk *walk, const char *name) {
  struct walk_words *words = walk->words;
  char tail[sizeof words->path];
  if (!words || !name)
    return MP_EPROTOCOL;
  memcpy(tail, words->path, sizeof tail);
  snprintf(words->path, sizeof words->path, "%.40s%s%.50s", name,
           tail[0] && tail[0] != '[' ? "." : "", tail);
  return MP_EPROTOCOL;
}

static int within_entry(struct walk *walk, uint64_t index) {
  char name[24];
  snprintf(name, sizeof name, "[%llu]", (unsigned long long)index);
  return within(walk, name);
}

/* --- fields -------------------------------------------------------------- */

static size_t left(const struct walk *walk) {
  return walk->size - walk->at;
}

static int take(struct walk *walk, uint64_t n) {
  if (n > left(walk))
    return refuse(walk, walk->at, "expected %llu bytes, %zu are left",
                  (unsigned long long)n, left(walk));
  walk->at += (size_t)n;
  return 0;
}

static int take_compact(struct walk *walk, size_t size, uint64_t *value) {
  struct cursor cursor = cursor_of(walk->bytes, walk->size);
  if (left(walk) && walk->bytes[walk->at] < 0xfd) { /* nearly all are */
    *value = walk->bytes[walk->at++];
    return 0;
  }
  cursor.at = walk->at;
  *value = cursor_compact(&cursor);
  if (cursor.failed)
    return refuse(walk, walk->at,
                  "expected a compact size in its shortest form, %zu bytes "
                  "are left",
                  left(walk));
  if (size < 8 && *value >> size * 8)
    return refuse(walk, walk->at, "expected a size of at most %llu, got %llu",
                  (unsigned long long)(UINT64_C(1) << size * 8) - 1,
                  (unsigned long long)*value);
  walk->at = cursor.at;
  return 0;
}

static int check_range(struct walk *walk, const struct mp_field *field,
                       size_t at) {
  if (!(field->flags & MP_RANGE))
    return 0;
  uint64_t value = field_number(field, walk->bytes + at);
  if (value >= field->min && value <= field->max)
    return 0;
  return refuse(walk, at, "expected %llu to %llu, got %llu",
                (unsigned long long)field->min, (unsigned long long)field->max,
                (unsigned long long)value);
}

static int check_amount(struct walk *walk, const struct mp_field *field,
                        size_t at, uint64_t n) {
  const char *what = field->type == MP_FIELD_LIST ? "entries" : "bytes";
  if (n < field->min)
    return refuse(walk, at, "expected at least %llu %s, got %llu",
                  (unsigned long long)field->min, what, (unsigned long long)n);
  if (field->max && n > field->max)
    return refuse(walk, at, "expected at most %llu %s, got %llu",
                  (unsigned long long)field->max, what, (unsigned long long)n);
  return 0;
}

static int walk_number(struct walk *walk, const struct mp_field *field) {
  size_t at = walk->at;
  uint64_t value;
  int rc;
  if (field->type == MP_FIELD_COMPACT)
    rc = take_compact(walk, field->size, &value);
  else
    rc = take(walk, field->type == MP_FIELD_BOOL ? 1 : field->size);
  return rc ? rc : check_range(walk, field, at);
}

static int walk_fixed(struct walk *walk, const struct mp_field *field) {
  return take(walk, field_fixed_size(field));
}

bool mp_network_id_is_ip(uint64_t id) {
  return id == 1 || id == 2 || id == 6 || id == 7;
}

/* The lengths of the kinds of BIP155; others may have any. */
static int check_address(struct walk *walk, const struct mp_field *field,
                         size_t at, uint64_t n) {
  static const uint8_t lengths[] = {0, 4, 16, 10, 32, 32, 16, 16};
  if (!(field->flags & MP_NETWORK_ADDRESS) || at == 0)
    return 0;
  uint8_t kind = walk->bytes[at - 1];
  if (kind >= sizeof lengths || !lengths[kind] || lengths[kind] == n)
    return 0;
  return refuse(walk, at, "expected %u bytes for network %u, got %llu",
                lengths[kind], kind, (unsigned long long)n);
}

static int walk_var(struct walk *walk, const struct mp_field *field) {
  size_t at = walk->at;
  uint64_t n;
  int rc = take_compact(walk, 4, &n);
  if (!rc)
    rc = check_amount(walk, field, at, n);
  if (!rc)
    rc = check_address(walk, field, at, n);
  return rc ? rc : take(walk, n);
}

static int walk_record(struct walk *walk, const struct mp_field *field) {
  struct mp_record record;
  if (!(field->flags & MP_SIZED))
    return layout_walk(walk, field->item, &record);
  uint64_t n;
  int rc = take_compact(walk, 4, &n);
  size_t start = walk->at, size = walk->size;
  if (rc || (rc = take(walk, n)))
    return rc;
  walk->size = walk->at;
  walk->at = start;
  rc = layout_walk(walk, field->item, &record);
  if (!rc && walk->at != walk->size)
    rc = refuse(walk, walk->at,
                "expected the end of its %llu bytes, %zu are "
                "left",
                (unsigned long long)n, left(walk));
  walk->size = size;
  return rc;
}

/* Distances between indexes: they must not run out of 32 bits. */
static int add_distance(struct walk *walk, const struct mp_field *field,
                        size_t at, uint64_t *sum) {
  *sum += field_number(field, walk->bytes + at);
  if (*sum > UINT32_MAX)
    return refuse(walk, at, "expected an index below 2^32, got %llu",
                  (unsigned long long)*sum);
  *sum += 1;
  return 0;
}

static int walk_field(struct walk *walk, const struct mp_field *field);

/* Single values may be millions, of a byte each: no record is made of them. */
static int walk_values(struct walk *walk, const struct mp_field *field,
                       uint64_t count) {
  const struct mp_field *value = field->item->fields;
  uint64_t sum = 0;
  for (uint64_t i = 0; i < count; i++) {
    size_t at = walk->at;
    int rc = walk_field(walk, value);
    if (!rc && field->flags & MP_DIFFERENTIAL)
      rc = add_distance(walk, value, at, &sum);
    if (rc)
      return within_entry(walk, i);
  }
  return 0;
}

static int walk_entries(struct walk *walk, const struct mp_field *field,
                        uint64_t count) {
  struct mp_record entry;
  if (layout_is_scalar(field->item))
    return walk_values(walk, field, count);
  for (uint64_t i = 0; i < count; i++)
    if (layout_walk(walk, field->item, &entry))
      return within_entry(walk, i);
  return 0;
}

/* A count is believed only as far as there are bytes for it. */
static int walk_list(struct walk *walk, const struct mp_field *field) {
  size_t at = walk->at;
  uint64_t count;
  int rc = take_compact(walk, 4, &count);
  if (!rc)
    rc = check_amount(walk, field, at, count);
  if (rc || !count)
    return rc;
  size_t fixed = layout_fixed_size(field->item);
  size_t least = fixed ? fixed : layout_min_size(field->item);
  if (least && count > left(walk) / least)
    return refuse(
        walk, at, "expected %llu entries of %s%zu bytes, %zu bytes are left",
        (unsigned long long)count, fixed ? "" : "at least ", least, left(walk));
  if (fixed)
    return take(walk, count * fixed);
  return walk_entries(walk, field, count);
}

static int walk_field(struct walk *walk, const struct mp_field *field) {
  switch (field->type) {
  case MP_FIELD_UINT:
  case MP_FIELD_INT:
  case MP_FIELD_BOOL:
  case MP_FIELD_COMPACT: return walk_number(walk, field);
  case MP_FIELD_VAR_BYTES:
  case MP_FIELD_VAR_TEXT: return walk_var(walk, field);
  case MP_FIELD_RECORD: return walk_record(walk, field);
  case MP_FIELD_LIST: return walk_list(walk, field);
  default: return walk_fixed(walk, field);
  }
}

/* --- records ------------------------------------------------------------- */

static bool applies(const struct mp_record *record,
                    const struct mp_field *field) {
  struct mp_value value;
  if (!mp_record_find(record, field->when, &value) || !value.kind ||
      value.is_default)
    return false;
  if (field->when_is)
    return is_word(field->when_is, value.bytes, value.size);
  return value.number >= field->when_min;
}

int layout_walk(struct walk *walk, const struct mp_layout *layout,
                struct mp_record *record) {
  const size_t start = walk->at;
  bool ended = false;
  record->layout = layout;
  record->bytes = walk->bytes + start;
  record->present = 0;
  for (size_t i = 0; i < layout->count; i++) {
    const struct mp_field *field = &layout->fields[i];
    size_t at = walk->at;
    record->at[i] = at - start;
    if (field_is_computed(field))
      continue;
    if (field->flags & MP_TAIL && at == walk->size)
      ended = true;
    if (ended || (field->when && !applies(record, field)))
      continue;
    if (walk_field(walk, field)) {
      if (!(field->flags & MP_LENIENT))
        return within(walk, field->name);
      walk->at = at;
      ended = true;
      continue;
    }
    record->present |= UINT32_C(1) << i;
  }
  record->at[layout->count] = walk->at - start;
  return 0;
}
