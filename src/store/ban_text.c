/* ban_text - bans as Bitcoin's banlist.json and as plain text. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "peer/record.h"
#include "store/store.h"

static const int64_t for_ever = INT64_C(253402300799); /* 9999-12-31 */

/* What was read, before any of it is added. */
struct found {
  struct mp_ban *list;
  size_t n, room;
};

static int keep(struct found *found, const struct mp_ban *ban) {
  if (found->n == found->room) {
    size_t room = found->room * 2 + 64;
    struct mp_ban *list = realloc(found->list, room * sizeof *list);
    if (!list)
      return MP_ELIMIT;
    found->list = list;
    found->room = room;
  }
  found->list[found->n++] = *ban;
  return 0;
}

/* --- banlist.json */

static bool get_time(const cJSON *entry, const char *name, int64_t *time) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(entry, name);
  if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0))
    return false;
  const double most = (double)(INT64_MAX / RECORD_SECOND); /* 2262 */
  *time = item->valuedouble >= most
              ? MP_BAN_FOREVER
              : (int64_t)item->valuedouble * RECORD_SECOND;
  return true;
}

static int read_entry(const cJSON *entry, struct mp_ban *ban,
                      struct mp_fault *fault) {
  const char *text =
      cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "address"));
  const cJSON *version = cJSON_GetObjectItemCaseSensitive(entry, "version");
  if (!text)
    return fault_set(fault, MP_ECONFIG, "address: expected a text");
  if (version && (!cJSON_IsNumber(version) || version->valueint != 1))
    return fault_set(fault, MP_ECONFIG, "version: expected 1");
  if (!get_time(entry, "ban_created", &ban->created) ||
      ban->created == MP_BAN_FOREVER)
    return fault_set(fault, MP_ECONFIG, "ban_created: expected seconds");
  if (!get_time(entry, "banned_until", &ban->expires))
    return fault_set(fault, MP_ECONFIG, "banned_until: expected seconds");
  return mp_prefix_parse(&ban->prefix, text, fault);
}

static int read_json(const char *text, size_t size, struct found *found,
                     struct mp_fault *fault) {
  struct mp_ban ban = {.reason = MP_REASON_MANUAL};
  cJSON *root = cJSON_ParseWithLength(text, size);
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "banned_nets");
  struct mp_fault inner = {0};
  const cJSON *entry;
  int rc = 0;
  if (!cJSON_IsArray(list))
    rc = fault_set(fault, MP_ECONFIG,
                   "expected a JSON object with an array banned_nets");
  cJSON_ArrayForEach(entry, list) {
    rc = read_entry(entry, &ban, &inner);
    if (rc) {
      fault_set(fault, rc, "entry %zu: %.160s", found->n + 1, inner.text);
      break;
    }
    rc = keep(found, &ban);
    if (rc)
      break;
  }
  cJSON_Delete(root);
  return rc;
}

/* --- plain text */

enum { LINE = 128 };

/* The word of a line without its comment; false when it is more or longer. */
static bool get_word(char word[LINE], const char *text, size_t n) {
  const char *comment = memchr(text, '#', n);
  if (comment)
    n = (size_t)(comment - text);
  while (n && strchr(" \t\r", text[n - 1]))
    n--;
  while (n && strchr(" \t", *text)) {
    text++;
    n--;
  }
  if (n >= LINE || memchr(text, '\0', n))
    return false;
  memcpy(word, text, n);
  word[n] = '\0';
  return strpbrk(word, " \t\r") == NULL;
}

static int read_plain(const char *text, size_t size, int64_t expires,
                      struct found *found, struct mp_fault *fault) {
  struct mp_ban ban = {.reason = MP_REASON_MANUAL, .expires = expires};
  struct mp_fault inner = {0};
  char word[LINE] = "";
  int rc = 0;
  for (unsigned line = 1; size && rc == 0; line++) {
    const char *end = memchr(text, '\n', size);
    size_t n = end ? (size_t)(end - text) : size;
    if (!get_word(word, text, n))
      rc = fault_set(&inner, MP_ECONFIG, "expected one address or prefix");
    else if (word[0])
      rc = mp_prefix_parse(&ban.prefix, word, &inner);
    if (rc)
      fault_set(fault, rc, "line %u: %.160s", line, inner.text);
    else if (word[0])
      rc = keep(found, &ban);
    size -= end ? n + 1 : n;
    text += end ? n + 1 : n;
  }
  return rc;
}

/* --- importing */

/* Room is looked at first: what the list cannot hold is not half added. */
static int add_all(struct mp_store *store, const struct found *found,
                   struct mp_ban_import *options, int64_t now,
                   struct mp_fault *fault) {
  if (found->n > store->max_bans)
    return fault_set(fault, MP_ELIMIT, "%zu bans, but %u are the most",
                     found->n, store->max_bans);
  for (size_t i = 0; i < found->n; i++) {
    struct mp_ban *ban = found->list + i;
    ban->origin = options->origin ? options->origin : "import";
    if (ban->expires && ban->expires <= now) {
      options->expired++;
      continue;
    }
    int rc = mp_ban_add(store, ban, now, fault);
    if (rc)
      return rc;
    options->added++;
  }
  return 0;
}

int mp_ban_import(struct mp_store *store, struct mp_ban_import *list,
                  int64_t now, struct mp_fault *fault) {
  struct found found = {0};
  struct mp_fault inner = {0};
  list->added = list->expired = 0;
  int rc =
      list->format == MP_BAN_JSON
          ? read_json(list->text, list->size, &found, &inner)
          : read_plain(list->text, list->size, list->expires, &found, &inner);
  if (rc == 0)
    rc = add_all(store, &found, list, now, &inner);
  if (rc)
    fault_set(fault, rc, "%.60s: %.160s", list->name ? list->name : "bans",
              inner.text[0] ? inner.text : "no memory");
  free(found.list);
  return rc;
}

/* --- exporting */

static int put_ban(struct buf *out, enum mp_ban_format format,
                   const struct mp_ban *ban, bool is_first) {
  char text[256], prefix[MP_PREFIX_TEXT];
  long long until =
      ban->expires == MP_BAN_FOREVER ? for_ever : ban->expires / RECORD_SECOND;
  mp_prefix_format(&ban->prefix, prefix);
  if (format == MP_BAN_PLAIN)
    snprintf(text, sizeof text, "%s\n", prefix);
  else /* Bitcoin writes the length of a prefix always */
    snprintf(text, sizeof text,
             "%s  {\"version\": 1, \"ban_created\": %lld, "
             "\"banned_until\": %lld, \"address\": \"%s%s\"}",
             is_first ? "\n" : ",\n", (long long)ban->created / RECORD_SECOND,
             until, prefix,
             strchr(prefix, '/')   ? ""
             : strchr(prefix, ':') ? "/128"
                                   : "/32");
  return buf_put(out, text, strlen(text));
}

int mp_ban_export(struct mp_store *store, enum mp_ban_format format,
                  char **text, size_t *size) {
  struct buf out = {0};
  struct mp_ban ban;
  uint32_t position = 0;
  bool is_first = true;
  int rc = 0;
  if (format == MP_BAN_JSON)
    rc = buf_put(&out, "{\"banned_nets\": [", 17);
  while (rc == 0 && mp_ban_next(store, &position, &ban)) {
    rc = put_ban(&out, format, &ban, is_first);
    is_first = false;
  }
  if (rc == 0 && format == MP_BAN_JSON)
    rc = buf_put(&out, "\n]}\n", 4);
  *size = buf_length(&out);
  if (rc == 0)
    rc = buf_put(&out, "", 1);
  *text = rc == 0 ? malloc(*size + 1) : NULL;
  if (*text)
    memcpy(*text, buf_head(&out), *size + 1);
  buf_deinit(&out);
  return *text ? 0 : MP_ELIMIT;
}
