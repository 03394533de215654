/* wire_json - a view as JSON, in the form that the vectors have. */
#ifndef TESTS_WIRE_JSON_H
#define TESTS_WIRE_JSON_H

#include "moonpeer/address.h"
#include "moonpeer/message.h"
#include "wire_data.h"

static inline cJSON *json_of(const struct mp_value *value,
                             struct mp_hasher *hasher);

static inline cJSON *json_hex(const uint8_t *bytes, size_t n, int reverse) {
  char *text = malloc(n * 2 + 1);
  text[0] = '\0';
  for (size_t i = 0; i < n; i++)
    snprintf(text + i * 2, 3, "%02x", bytes[reverse ? n - 1 - i : i]);
  cJSON *json = cJSON_CreateString(text);
  free(text);
  return json;
}

static inline cJSON *json_integer(const struct mp_value *value) {
  char text[32];
  const struct mp_field *field = value->field;
  unsigned long long number = value->number;
  if (field->show == MP_SHOW_NUMBER)
    return cJSON_CreateNumber(value->is_signed ? (double)(int64_t)number
                                               : (double)number);
  int width = field->show == MP_SHOW_HEX ? 1 : field->size * 2;
  snprintf(text, sizeof text, "0x%0*llx", width, number);
  return cJSON_CreateString(text);
}

static inline cJSON *json_ip(const struct mp_value *value) {
  struct mp_address address = {.ip = {[10] = 0xff, [11] = 0xff}};
  char text[MP_ADDRESS_TEXT];
  memcpy(address.ip + 16 - value->size, value->bytes, value->size);
  return cJSON_CreateString(mp_address_format_ip(&address, text));
}

static inline cJSON *json_record(const struct mp_record *record,
                                 struct mp_hasher *hasher) {
  cJSON *json = cJSON_CreateObject();
  for (size_t i = 0; record->layout && i < record->layout->count; i++) {
    struct mp_value value;
    mp_record_get(record, i, &value);
    cJSON_AddItemToObject(json, value.field->name, json_of(&value, hasher));
  }
  return json;
}

static inline cJSON *json_list(const struct mp_value *value,
                               struct mp_hasher *hasher) {
  cJSON *json = cJSON_CreateArray();
  struct mp_list list;
  mp_value_list(value, &list);
  while (mp_list_next(&list)) {
    struct mp_value entry;
    mp_list_value(&list, &entry);
    cJSON_AddItemToArray(json, json_of(&entry, hasher));
  }
  CHECK_INT(cJSON_GetArraySize(json), value->number);
  return json;
}

static inline cJSON *json_digest(const struct mp_value *value,
                                 struct mp_hasher *hasher) {
  uint8_t digest[32];
  mp_hash(hasher, value->bytes, value->size, digest);
  return json_hex(digest, sizeof digest, 1);
}

static inline cJSON *json_text(const struct mp_value *value) {
  char text[1024];
  snprintf(text, sizeof text, "%.*s", (int)value->size,
           (const char *)value->bytes);
  return cJSON_CreateString(text);
}

static inline cJSON *json_of(const struct mp_value *value,
                             struct mp_hasher *hasher) {
  struct mp_record record;
  switch (value->kind) {
  case MP_VALUE_NONE: return cJSON_CreateNull();
  case MP_VALUE_INTEGER: return json_integer(value);
  case MP_VALUE_BOOLEAN: return cJSON_CreateBool(value->number != 0);
  case MP_VALUE_BYTES: return json_hex(value->bytes, value->size, 0);
  case MP_VALUE_TEXT: return json_text(value);
  case MP_VALUE_HASH: return json_hex(value->bytes, value->size, 1);
  case MP_VALUE_IP: return json_ip(value);
  case MP_VALUE_DIGEST: return json_digest(value, hasher);
  case MP_VALUE_RECORD:
    mp_value_record(value, &record);
    return json_record(&record, hasher);
  case MP_VALUE_LIST: return json_list(value, hasher);
  }
  return NULL;
}

#endif
