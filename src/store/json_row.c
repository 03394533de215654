/* json_row - peers as JSON objects, field by field, and back. */
#include "store/json_row.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/number.h"
#include "peer/record.h"
#include "store/json_text.h"

enum type { TIME, INT32, MICROSECONDS, COUNT, DIGITS, STATUS, REASON, AGENT };

/* A plain field of a peer: its name, bit, form, and place in a change. */
static const struct field {
  const char *name;
  unsigned bit;
  enum type type;
  size_t at;
} fields[] = {
#define AT(member) offsetof(struct mp_peer_change, member)
    {"status", MP_PEER_STATUS, STATUS, AT(status)},
    {"status_time", MP_PEER_STATUS_TIME, TIME, AT(status_time)},
    {"ban_reason", MP_PEER_BAN_REASON, REASON, AT(ban_reason)},
    {"services", MP_PEER_SERVICES, DIGITS, AT(services)},
    {"protocol_version", MP_PEER_PROTOCOL_VERSION, INT32, AT(protocol_version)},
    {"start_height", MP_PEER_START_HEIGHT, INT32, AT(start_height)},
    {"first_seen", MP_PEER_FIRST_SEEN, TIME, AT(first_seen)},
    {"last_seen", MP_PEER_LAST_SEEN, TIME, AT(last_seen)},
    {"last_tried", MP_PEER_LAST_TRIED, TIME, AT(last_tried)},
    {"failures", MP_PEER_FAILURES_COUNT, COUNT, AT(failures)},
    {"rtt", MP_PEER_RTT, MICROSECONDS, AT(rtt)},
    {"user_agent", MP_PEER_AGENT, AGENT, AT(user_agent)},
#undef AT
};

enum { FIELDS = sizeof fields / sizeof *fields };

/* Names with a form of their own; unknown members are those in neither list. */
static const char *const others[] = {"id", "address", "source",
                                     "source_address", "data"};

enum { AGENT_TEXT = JSON_ESCAPED * MP_PEER_USER_AGENT };

enum { OTHERS = sizeof others / sizeof *others };

/* --- writing */

static void put_number(cJSON *row, const char *name, int64_t value) {
  if (value)
    cJSON_AddNumberToObject(row, name, (double)value);
}

static void put_text(cJSON *row, const char *name, const char *text) {
  if (text[0])
    cJSON_AddStringToObject(row, name, text);
}

static void put_agent(cJSON *row, const struct mp_peer_change *all) {
  char text[JSON_ESCAPED * MP_PEER_USER_AGENT + 1];
  json_escape(text, all->user_agent, all->user_agent_size);
  put_text(row, "user_agent", text);
}

static void put_field(cJSON *row, const struct field *field,
                      const struct mp_peer_change *all) {
  const void *at = (const char *)all + field->at;
  char text[24];
  switch (field->type) {
  case TIME:
    put_number(row, field->name, *(const int64_t *)at / RECORD_SECOND);
    break;
  case MICROSECONDS:
    put_number(row, field->name, *(const int64_t *)at / 1000);
    break;
  case INT32: put_number(row, field->name, *(const int32_t *)at); break;
  case COUNT: put_number(row, field->name, *(const unsigned *)at); break;
  case DIGITS:
    snprintf(text, sizeof text, "%llu",
             (unsigned long long)*(const uint64_t *)at);
    if (strcmp(text, "0") != 0)
      put_text(row, field->name, text);
    break;
  case STATUS: put_text(row, field->name, mp_status_name(all->status)); break;
  case REASON:
    put_text(row, field->name, mp_ban_reason_name(all->ban_reason));
    break;
  case AGENT: put_agent(row, all); break;
  }
}

static void put_source(cJSON *row, const struct mp_source *source) {
  static const struct mp_address none;
  char text[MP_ADDRESS_TEXT];
  put_text(row, "source", mp_source_kind_name(source->kind));
  if (!mp_address_equal(&source->address, &none))
    put_text(row, "source_address", mp_address_format(&source->address, text));
}

/* The members of an object we did not know come back as they were. */
static int put_unknown(char *text, size_t room, const char *unknown) {
  size_t n = strlen(text), more = strlen(unknown);
  if (n + more > room)
    return MP_ESTORE;
  text[n - 1] = ',';
  memcpy(text + n, unknown + 1, more); /* its brace closes ours */
  return 0;
}

int json_put_peer(char *text, size_t room, const struct mp_peer *peer) {
  struct mp_peer_change all;
  char id[MP_UUID_TEXT], address[MP_ADDRESS_TEXT];
  cJSON *row = cJSON_CreateObject();
  record_describe(peer, &all);
  put_text(row, "id", mp_uuid_format(peer->id, id));
  put_text(row, "address", mp_address_format(&peer->address, address));
  for (size_t i = 0; i < FIELDS; i++)
    put_field(row, fields + i, &all);
  put_source(row, &all.source);
  if (all.data[0])
    cJSON_AddRawToObject(row, "data", all.data);
  int rc = cJSON_PrintPreallocated(row, text, (int)room, false) ? 0 : MP_ESTORE;
  cJSON_Delete(row);
  if (rc == 0 && all.unknown[0])
    rc = put_unknown(text, room, all.unknown);
  for (char *at = text; rc == 0 && (at = strpbrk(at, "\r\n")); at++)
    *at = ' '; /* a script's data may have lines; a row is one */
  return rc;
}

/* --- reading */

static int wrong(struct mp_fault *fault, const char *name, const char *what) {
  return fault_set(fault, MP_ESTORE, "%s: expected %s", name, what);
}

struct range {
  double least, most;
};

static const struct range any_u32 = {0, UINT32_MAX},
                          any_i32 = {INT32_MIN, INT32_MAX},
                          any_count = {0, MP_PEER_FAILURES};

static int get_number(const cJSON *item, const char *name,
                      const struct range *range, int64_t *value,
                      struct mp_fault *fault) {
  const double least = range->least, most = range->most;
  double number = cJSON_IsNumber(item) ? item->valuedouble : least - 1;
  if (!(number >= least && number <= most) || (double)(int64_t)number != number)
    return fault_set(fault, MP_ESTORE,
                     "%s: expected a whole number from %.0f to %.0f", name,
                     least, most);
  *value = (int64_t)number;
  return 0;
}

static int get_agent(const char *text, struct mp_peer_change *all,
                     char agent[JSON_ESCAPED * MP_PEER_USER_AGENT],
                     struct mp_fault *fault) {
  if (strlen(text) > AGENT_TEXT)
    return wrong(fault, "user_agent", "256 bytes at most");
  long n = json_unescape(agent, text);
  if (n < 0)
    return wrong(fault, "user_agent", "printable ASCII and %XX");
  all->user_agent = agent;
  all->user_agent_size = (size_t)n;
  return 0;
}

static int get_text(const cJSON *item, const struct field *field,
                    struct mp_peer_change *all, char *agent,
                    struct mp_fault *fault) {
  const char *text = cJSON_GetStringValue(item);
  if (!text)
    return wrong(fault, field->name, "a text");
  if (field->type == AGENT)
    return get_agent(text, all, agent, fault);
  if (field->type == DIGITS)
    return number_parse(&all->services, text)
               ? 0
               : wrong(fault, field->name, "a number in quotes");
  int value =
      field->type == STATUS ? mp_status_value(text) : mp_ban_reason_value(text);
  if (value < 0)
    return fault_set(fault, MP_ESTORE, "%s: there is no \"%.40s\"", field->name,
                     text);
  if (field->type == STATUS)
    all->status = (enum mp_status)value;
  else
    all->ban_reason = (enum mp_ban_reason)value;
  return 0;
}

static int get_field(const cJSON *item, const struct field *field,
                     struct mp_peer_change *all, char *agent,
                     struct mp_fault *fault) {
  void *at = (char *)all + field->at;
  int64_t value = 0;
  int rc = 0;
  switch (field->type) {
  case TIME:
    rc = get_number(item, field->name, &any_u32, &value, fault);
    *(int64_t *)at = value * RECORD_SECOND;
    return rc;
  case MICROSECONDS:
    rc = get_number(item, field->name, &any_u32, &value, fault);
    *(int64_t *)at = value * 1000;
    return rc;
  case INT32:
    rc = get_number(item, field->name, &any_i32, &value, fault);
    *(int32_t *)at = (int32_t)value;
    return rc;
  case COUNT:
    rc = get_number(item, field->name, &any_count, &value, fault);
    *(unsigned *)at = (unsigned)value;
    return rc;
  default: return get_text(item, field, all, agent, fault);
  }
}

static int get_address(const cJSON *row, const char *name,
                       struct mp_address *address, struct mp_fault *fault) {
  struct mp_fault inner = {0};
  const char *text =
      cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, name));
  if (!text)
    return wrong(fault, name, "an address");
  if (mp_address_parse(address, text, 0, &inner))
    return fault_set(fault, MP_ESTORE, "%s: %.180s", name, inner.text);
  return 0;
}

static int get_source(const cJSON *row, struct mp_peer_change *all,
                      struct mp_fault *fault) {
  const cJSON *kind = cJSON_GetObjectItemCaseSensitive(row, "source");
  const char *text = cJSON_GetStringValue(kind);
  int value = text ? mp_source_kind_value(text) : -1;
  if (kind && value < 0)
    return wrong(fault, "source", "manual, dns, peer or inbound");
  all->source.kind = kind ? (enum mp_source_kind)value : MP_SOURCE_NONE;
  all->fields |= MP_PEER_SOURCE;
  if (!cJSON_HasObjectItem(row, "source_address"))
    return 0;
  return get_address(row, "source_address", &all->source.address, fault);
}

static bool is_named(const char *name, const char *key, size_t n) {
  return strlen(name) == n && memcmp(name, key, n) == 0;
}

static bool is_known(const char *key, size_t n) {
  for (size_t i = 0; i < FIELDS; i++)
    if (is_named(fields[i].name, key, n))
      return true;
  for (size_t i = 0; i < OTHERS; i++)
    if (is_named(others[i], key, n))
      return true;
  return false;
}

static char *cut(const char *text, size_t n) {
  char *made = malloc(n + 1);
  if (made) {
    memcpy(made, text, n);
    made[n] = '\0';
  }
  return made;
}

/* The slices of the text that cJSON would not bring back digit by digit: the
 * user fields, and members nobody knows. Both are the caller's to free(). */
static int get_slices(const char *text, char **data, char **unknown,
                      struct mp_fault *fault) {
  struct json_member member;
  const char *at = NULL;
  char *end = NULL;
  while (json_next_member(text, &at, &member)) {
    if (is_named("data", member.key, member.key_size)) {
      free(*data);
      *data = cut(member.value, member.value_size);
    }
    if (is_known(member.key, member.key_size))
      continue;
    if (!*unknown)
      *unknown = end = calloc(1, strlen(text) + 2);
    if (!end)
      return wrong(fault, "row", "memory for it");
    end += sprintf(end, "%c\"%.*s\":%.*s", end == *unknown ? '{' : ',',
                   (int)member.key_size, member.key, (int)member.value_size,
                   member.value);
  }
  if (end)
    memcpy(end, "}", 2);
  return 0;
}

static int get_fields(const cJSON *row, struct mp_peer_change *all, char *agent,
                      struct mp_fault *fault) {
  int rc = get_source(row, all, fault);
  for (size_t i = 0; i < FIELDS && rc == 0; i++) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, fields[i].name);
    if (!item)
      continue;
    all->fields |= fields[i].bit;
    rc = get_field(item, fields + i, all, agent, fault);
  }
  return rc;
}

int json_load_peer(const char *text, struct mp_loader *loader,
                   struct mp_fault *fault) {
  char agent[JSON_ESCAPED * MP_PEER_USER_AGENT + 1];
  char *data = NULL, *unknown = NULL;
  uint8_t id[MP_UUID_SIZE];
  struct mp_address address;
  struct mp_peer_change all = {0};
  cJSON *row = cJSON_ParseWithOpts(text, NULL, true);
  const char *uuid =
      cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "id"));
  int rc = MP_ESTORE;
  if (!cJSON_IsObject(row))
    wrong(fault, "row", "a JSON object");
  else if (!uuid || !mp_uuid_parse(id, uuid))
    wrong(fault, "id", "a UUID");
  else
    rc = get_address(row, "address", &address, fault);
  if (rc == 0)
    rc = get_fields(row, &all, agent, fault);
  if (rc == 0)
    rc = get_slices(text, &data, &unknown, fault);
  if (rc == 0) {
    all.fields |=
        (data ? MP_PEER_DATA_TEXT : 0) | (unknown ? MP_PEER_UNKNOWN_TEXT : 0);
    all.data = data;
    all.unknown = unknown;
    rc = mp_load_peer(
        loader, 0,
        &(struct mp_peer_new){.id = id, .address = &address, .change = &all},
        fault);
  }
  cJSON_Delete(row);
  free(data);
  free(unknown);
  return rc;
}
