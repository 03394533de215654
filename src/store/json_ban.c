/* json_ban - bans as JSON objects, and back. */
#include <cjson/cJSON.h>
#include <string.h>

#include "base/fault.h"
#include "peer/record.h"
#include "store/json_row.h"
#include "store/json_text.h"

int json_put_ban(char *text, size_t room, const struct mp_ban *ban) {
  char prefix[MP_PREFIX_TEXT], escaped[JSON_ESCAPED * MP_BAN_TEXT];
  cJSON *row = cJSON_CreateObject();
  cJSON_AddStringToObject(row, "prefix",
                          mp_prefix_format(&ban->prefix, prefix));
  cJSON_AddStringToObject(row, "reason", mp_ban_reason_name(ban->reason));
  int64_t created = ban->created / RECORD_SECOND;
  int64_t expires = ban->expires / RECORD_SECOND;
  cJSON_AddNumberToObject(row, "created", (double)created);
  if (ban->expires != MP_BAN_FOREVER)
    cJSON_AddNumberToObject(row, "expires", (double)expires);
  json_escape(escaped, ban->origin, strlen(ban->origin));
  cJSON_AddStringToObject(row, "origin", escaped);
  json_escape(escaped, ban->note, strlen(ban->note));
  if (escaped[0])
    cJSON_AddStringToObject(row, "note", escaped);
  int rc = cJSON_PrintPreallocated(row, text, (int)room, false) ? 0 : MP_ESTORE;
  cJSON_Delete(row);
  return rc;
}

static bool get_text(const cJSON *row, const char *name, char to[MP_BAN_TEXT]) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, name);
  const char *text = cJSON_GetStringValue(item);
  char bytes[JSON_ESCAPED * MP_BAN_TEXT];
  to[0] = '\0';
  if (!item)
    return true;
  if (!text || strlen(text) >= sizeof bytes)
    return false;
  long n = json_unescape(bytes, text);
  if (n < 0 || n >= MP_BAN_TEXT)
    return false;
  memcpy(to, bytes, (size_t)n);
  to[n] = '\0';
  return strlen(to) == (size_t)n;
}

static bool get_time(const cJSON *row, const char *name, int64_t *time) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, name);
  const int64_t last = INT64_MAX / RECORD_SECOND;
  const double most = (double)last;
  if (!item)
    return true;
  if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) ||
      item->valuedouble >= most)
    return false;
  *time = (int64_t)item->valuedouble * RECORD_SECOND;
  return true;
}

int json_load_ban(const char *text, struct mp_loader *loader,
                  struct mp_fault *fault) {
  char origin[MP_BAN_TEXT], note[MP_BAN_TEXT];
  struct mp_ban ban = {.expires = MP_BAN_FOREVER};
  struct mp_fault inner = {0};
  cJSON *row = cJSON_ParseWithOpts(text, NULL, true);
  const char *prefix =
      cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "prefix"));
  const char *reason =
      cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "reason"));
  int value = reason ? mp_ban_reason_value(reason) : -1, rc = MP_ESTORE;
  ban.reason = value > 0 ? (enum mp_ban_reason)value : MP_REASON_NONE;
  if (!prefix || mp_prefix_parse(&ban.prefix, prefix, &inner))
    fault_set(fault, rc, "prefix: %.180s",
              prefix ? inner.text : "expected an address or prefix");
  else if (ban.reason == MP_REASON_NONE)
    fault_set(fault, rc, "reason: expected one of the five");
  else if (!get_text(row, "origin", origin) || !get_text(row, "note", note))
    fault_set(fault, rc, "origin, note: expected short printable text");
  else if (!get_time(row, "created", &ban.created) ||
           !get_time(row, "expires", &ban.expires))
    fault_set(fault, rc, "created, expires: expected seconds since 1970");
  else
    rc = 0;
  ban.origin = origin;
  ban.note = note;
  if (rc == 0)
    rc = mp_load_ban(loader, 0, &ban, fault);
  cJSON_Delete(row);
  return rc;
}
