/* encoder_refuse - what is wrong with what an encoder was given, in words. */
#include <stdarg.h>
#include <stdio.h>

#include "base/fault.h"
#include "moonpeer/text.h"
#include "wire/encoding.h"

static void put_path(const struct mp_encoder *encoder, char *path,
                     size_t size) {
  size_t n = 0;
  path[0] = '\0';
  for (size_t i = 0; i <= encoder->depth && n < size; i++) {
    const struct level *level = &encoder->levels[i];
    if (level->field && level->field->name)
      n += (size_t)snprintf(path + n, size - n, "%s%s", n ? "." : "",
                            level->field->name);
    if (level->is_list && n < size)
      n += (size_t)snprintf(path + n, size - n, "[%llu]",
                            (unsigned long long)level->entries);
  }
}

int encoder_refuse(struct mp_encoder *encoder, struct mp_fault *fault,
                   const char *name, const char *format, ...) {
  char path[120], what[96];
  va_list list;
  va_start(list, format);
  vsnprintf(what, sizeof what, format, list);
  va_end(list);
  put_path(encoder, path, sizeof path);
  encoder->rc = fault_set(&encoder->fault, MP_EPROTOCOL, "%s: %s%s%s: %s",
                          encoder->type->command, path,
                          path[0] && name ? "." : "", name ? name : "", what);
  if (fault)
    *fault = encoder->fault;
  return encoder->rc;
}

int encoder_no_memory(struct mp_encoder *encoder, struct mp_fault *fault) {
  encoder->rc = fault_set(&encoder->fault, MP_ELIMIT,
                          "%s: no memory for a payload of %zu bytes",
                          encoder->type->command, buf_length(&encoder->out));
  if (fault)
    *fault = encoder->fault;
  return encoder->rc;
}

/* What a field wants, in words. */
static const char *wanted(const struct mp_field *field, char text[48]) {
  switch (field->type) {
  case MP_FIELD_UINT:
  case MP_FIELD_INT:
    snprintf(text, 48, "%s integer of %u bytes",
             field->type == MP_FIELD_INT ? "a signed" : "an", field->size);
    return text;
  case MP_FIELD_BOOL: return "true or false";
  case MP_FIELD_COMPACT: return "an integer that is not negative";
  case MP_FIELD_HASH: return "32 bytes";
  case MP_FIELD_IP: return "4 or 16 bytes of an address";
  case MP_FIELD_BYTES: snprintf(text, 48, "%u bytes", field->size); return text;
  case MP_FIELD_RECORD: return "fields";
  case MP_FIELD_LIST:
  case MP_FIELD_HASHES_OF: return "a list";
  default: return "bytes";
  }
}

int encoder_want(struct mp_encoder *encoder, const struct mp_field *field,
                 const char *got, struct mp_fault *fault) {
  char text[48];
  return encoder_refuse(encoder, fault, field->name, "expected %s, got %s",
                        wanted(field, text), got);
}

int encoder_missing(struct mp_encoder *encoder, const struct mp_field *field,
                    struct mp_fault *fault) {
  return encoder_want(encoder, field, "nothing", fault);
}

static const char *field_name(void *data, size_t i) {
  const struct mp_layout *const *layout = data;
  return (*layout)->fields[i].name;
}

int encoder_no_field(struct mp_encoder *encoder, const char *name,
                     struct mp_fault *fault) {
  const struct level *level = &encoder->levels[encoder->depth];
  if (!name)
    return encoder_refuse(encoder, fault, name, "expected the name of a field");
  const struct mp_layout *layout = level->layout;
  const char *near = level->is_list
                         ? NULL
                         : mp_nearest(name, field_name, &layout, layout->count);
  return encoder_refuse(encoder, fault, name, "there is no such field%s%s",
                        near ? "; the nearest is " : "", near ? near : "");
}
