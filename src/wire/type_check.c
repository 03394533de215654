/* type_check - whether a message type that was made at run time is sound: the
 * walks, views and encoders rely on what is checked here. */
#include <string.h>

#include "base/fault.h"
#include "moonpeer/network.h"
#include "wire/layout.h"

/* Where the check stands. */
struct check {
  const struct mp_message_type *type;
  struct mp_fault *fault;
  size_t depth;
};

static int wrong(const struct check *check, const struct mp_field *field,
                 const char *what) {
  return fault_set(check->fault, MP_ECONFIG, "%.12s: %s%s%s",
                   check->type->command,
                   field && field->name ? field->name : "",
                   field && field->name ? ": " : "", what);
}

static const char *size_fault(const struct mp_field *field) {
  unsigned size = field->size;
  switch (field->type) {
  case MP_FIELD_UINT:
    return size >= 1 && size <= 8 ? NULL : "expected a size of 1 to 8 bytes";
  case MP_FIELD_INT:
    return size == 1 || size == 2 || size == 4 || size == 8
               ? NULL
               : "expected a size of 1, 2, 4 or 8 bytes";
  case MP_FIELD_COMPACT:
    return size == 4 || size == 8 ? NULL : "expected a size of 4 or 8 bytes";
  case MP_FIELD_BYTES:
    return size >= 1 ? NULL : "expected a size of 1 to 255 bytes";
  case MP_FIELD_COUNT_OF:
  case MP_FIELD_SIZE_OF:
  case MP_FIELD_HASHES_OF:
    return size ? "only a hash may be of the first bytes" : NULL;
  default: return NULL;
  }
}

static const char *flag_fault(const struct mp_field *field, size_t depth) {
  unsigned flags = field->flags;
  if (flags & MP_RANGE && (!field_is_number(field) || field->min > field->max))
    return "a range is for numbers, from the least to the most";
  if (flags & (MP_TAIL | MP_LENIENT) && depth > 0)
    return "only the fields of the message itself may be missing";
  if (flags & MP_LENIENT && !field_is_number(field))
    return "only numbers may be cut off";
  if (flags & MP_BIG_ENDIAN && field->type != MP_FIELD_UINT)
    return "only unsigned integers may be big-endian";
  if (flags & MP_SIZED && field->type != MP_FIELD_RECORD)
    return "only records may have a length before them";
  if (flags & MP_DEFAULT && field->type == MP_FIELD_RECORD)
    return "a record has no default but those of its fields";
  return NULL;
}

/* An earlier field of the layout by name, or NULL. */
static const struct mp_field *earlier(const struct mp_layout *layout,
                                      const struct mp_field *field,
                                      const char *name) {
  int index = name ? mp_layout_index(layout, name) : -1;
  if (index < 0 || &layout->fields[index] >= field)
    return NULL;
  return &layout->fields[index];
}

/* The kind of an address is the byte before it. */
static bool has_kind(const struct mp_layout *layout,
                     const struct mp_field *field) {
  if (field == layout->fields)
    return false;
  const struct mp_field *kind = field - 1;
  return kind->type == MP_FIELD_UINT && kind->size == 1 && !kind->when;
}

static const char *reference_fault(const struct mp_layout *layout,
                                   const struct mp_field *field) {
  if (field->flags & MP_NETWORK_ADDRESS && !has_kind(layout, field))
    return "expected a byte before it that says the network";
  if (!field->when)
    return field->when_is ? "when_is needs when" : NULL;
  const struct mp_field *control = earlier(layout, field, field->when);
  if (!control)
    return "expected an earlier field in when";
  bool is_text = control->type == MP_FIELD_VAR_TEXT;
  if (field->when_is ? !is_text : !field_is_number(control))
    return "expected when to name an integer, or a text for when_is";
  return NULL;
}

static const char *hash_fault(const struct mp_layout *layout,
                              const struct mp_field *field,
                              const struct mp_field *of) {
  if (of && of->type != MP_FIELD_RECORD)
    return "expected a record in of";
  return layout_min_size(layout) >= field->size
             ? NULL
             : "expected a size that the record always has";
}

static bool is_list(const struct mp_field *field) {
  return field && field->type == MP_FIELD_LIST;
}

static const char *computed_fault(const struct mp_layout *layout,
                                  const struct mp_field *field) {
  int index = field->of ? mp_layout_index(layout, field->of) : -1;
  const struct mp_field *of = index < 0 ? NULL : &layout->fields[index];
  if (field->of && (!of || field_is_computed(of)))
    return "expected a field of the same record in of";
  if (field->type == MP_FIELD_HASH_OF)
    return hash_fault(layout, field, of);
  if (field->type == MP_FIELD_COUNT_OF && !is_list(of))
    return "expected a list in of";
  if (field->type != MP_FIELD_HASHES_OF)
    return NULL;
  bool good =
      is_list(of) && of->item == field->item && !layout_is_scalar(of->item);
  return good ? NULL : "expected a list of records in of, and its item";
}

static int check_layout(struct check *check, const struct mp_layout *layout);

static int check_item(struct check *check, const struct mp_field *field) {
  if (!field->item)
    return wrong(check, field, "expected an item");
  if (check->depth + 1 >= MP_LAYOUT_DEPTH)
    return wrong(check, field, "records and lists are nested too deeply");
  check->depth++;
  int rc = check_layout(check, field->item);
  check->depth--;
  if (rc)
    return rc;
  if (field->type == MP_FIELD_RECORD)
    return layout_is_scalar(field->item)
               ? wrong(check, field, "expected a record with named fields")
               : 0;
  const struct mp_field *first = field->item->fields;
  if (field->flags & MP_DIFFERENTIAL &&
      (!layout_is_scalar(field->item) || first->type != MP_FIELD_COMPACT))
    return wrong(check, field, "distances are a list of compact integers");
  return layout_min_size(field->item)
             ? 0
             : wrong(check, field, "expected entries of at least one byte");
}

static int check_field(struct check *check, const struct mp_layout *layout,
                       const struct mp_field *field) {
  if (field->type > MP_FIELD_HASHES_OF)
    return wrong(check, field, "unknown type");
  const char *what = size_fault(field);
  if (!what)
    what = flag_fault(field, check->depth);
  if (!what)
    what = reference_fault(layout, field);
  if (what)
    return wrong(check, field, what);
  if (field->type == MP_FIELD_RECORD || field->type == MP_FIELD_LIST)
    return check_item(check, field);
  return 0;
}

/* Once all fields are known to be sound. */
static int check_computed(const struct check *check,
                          const struct mp_layout *layout) {
  for (size_t i = 0; i < layout->count; i++) {
    const struct mp_field *field = &layout->fields[i];
    const char *what =
        field_is_computed(field) ? computed_fault(layout, field) : NULL;
    if (what)
      return wrong(check, field, what);
  }
  return 0;
}

static int check_layout(struct check *check, const struct mp_layout *layout) {
  if (layout->count > MP_LAYOUT_FIELDS)
    return wrong(check, NULL, "expected at most 24 fields in a record");
  bool is_value = check->depth > 0 && layout_is_scalar(layout);
  for (size_t i = 0; i < layout->count; i++) {
    const struct mp_field *field = &layout->fields[i];
    if (is_value && (field_is_computed(field) || field->when))
      return wrong(check, field, "expected a plain value for an entry");
    if (!is_value && (!field->name || !field->name[0]))
      return wrong(check, NULL, "expected a name for every field");
    if (!is_value && earlier(layout, layout->fields + i, field->name))
      return wrong(check, field, "the name is taken");
    int rc = check_field(check, layout, field);
    if (rc)
      return rc;
  }
  return check_computed(check, layout);
}

int mp_message_type_check(const struct mp_message_type *type,
                          struct mp_fault *fault) {
  struct check check = {.type = type, .fault = fault};
  size_t n = strlen(type->command);
  for (size_t i = 0; i < n; i++)
    if (type->command[i] < 0x20 || type->command[i] > 0x7e)
      n = 0;
  if (n < 1 || n > MP_COMMAND_SIZE)
    return fault_set(fault, MP_ECONFIG,
                     "expected a command of 1 to 12 printable ASCII "
                     "characters");
  return type->layout ? check_layout(&check, type->layout) : 0;
}
