/* message_write - a message as JSON, and as lines for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "moonpeer/address.h"
#include "script/message.h"
#include "script/script.h"

enum {
  SHOWN = 20,       /* entries of a list that people are shown */
  SHOWN_BYTES = 64, /* and bytes */
};

/* Nothing is pushed while the buffer is in use. */
struct writer {
  luaL_Buffer out;
  struct mp_hasher *hasher;
  bool is_json;
  int depth;
};

static void put(struct writer *w, const char *text) {
  luaL_addstring(&w->out, text);
}

static void put_hex(struct writer *w, const uint8_t *bytes, size_t n) {
  while (n) {
    size_t some = n < 512 ? n : 512;
    hex_put(luaL_prepbuffsize(&w->out, 2 * some), bytes, some);
    luaL_addsize(&w->out, 2 * some);
    bytes += some;
    n -= some;
  }
}

static void quote(struct writer *w) {
  if (w->is_json)
    luaL_addchar(&w->out, '"');
}

/* --- single values --------------------------------------------------------
 */

static void put_integer(struct writer *w, const struct mp_value *value) {
  char text[32];
  enum mp_field_show show = value->field ? value->field->show : MP_SHOW_NUMBER;
  if (show == MP_SHOW_NUMBER && value->is_signed) {
    snprintf(text, sizeof text, "%" PRId64, (int64_t)value->number);
    put(w, text);
    return;
  }
  if (show == MP_SHOW_NUMBER) {
    snprintf(text, sizeof text, "%" PRIu64, value->number);
    put(w, text);
    return;
  }
  int width = show == MP_SHOW_HEX ? 1 : value->field->size * 2;
  snprintf(text, sizeof text, "0x%0*" PRIx64, width, value->number);
  quote(w);
  put(w, text);
  quote(w);
}

/* The length of the UTF-8 sequence of a printable character, 0 for none. */
static size_t sequence(const uint8_t *at, size_t n) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t size = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
  if (size == 1)
    return at[0] >= 0x20 && at[0] < 0x7f;
  if (at[0] < 0xc2 || at[0] > 0xf4 || size > n)
    return 0;
  uint32_t code = at[0] & (0x7fu >> size);
  for (size_t i = 1; i < size; i++) {
    if ((at[i] & 0xc0) != 0x80)
      return 0;
    code = code << 6 | (at[i] & 0x3fu);
  }
  bool is_control = code < 0xa0 || (code >= 0xd800 && code <= 0xdfff);
  return code < least[size] || code > 0x10ffff || is_control ? 0 : size;
}

/* What a remote meant to be read: bytes that are no printable text become
 * \u00xx in JSON and \xx for people, so that neither a parser nor a terminal
 * can be confused. */
static void put_text(struct writer *w, const uint8_t *text, size_t n) {
  char escape[8];
  luaL_addchar(&w->out, '"');
  while (n) {
    size_t size = sequence(text, n);
    if (size == 0) {
      snprintf(escape, sizeof escape, w->is_json ? "\\u%04x" : "\\x%02x",
               *text);
      put(w, escape);
      size = 1;
    } else {
      if (*text == '"' || *text == '\\')
        luaL_addchar(&w->out, '\\');
      luaL_addlstring(&w->out, (const char *)text, size);
    }
    text += size;
    n -= size;
  }
  luaL_addchar(&w->out, '"');
}

static void put_bytes(struct writer *w, const struct mp_value *value) {
  char text[40];
  bool is_cut = !w->is_json && value->size > SHOWN_BYTES;
  quote(w);
  put_hex(w, value->bytes, is_cut ? SHOWN_BYTES : value->size);
  quote(w);
  if (is_cut) {
    snprintf(text, sizeof text, "... (%zu bytes)", value->size);
    put(w, text);
  }
}

/* As hashes are displayed: the last byte first. */
static void put_hash(struct writer *w, const uint8_t hash[32]) {
  uint8_t shown[32];
  for (size_t i = 0; i < sizeof shown; i++)
    shown[i] = hash[sizeof shown - 1 - i];
  quote(w);
  put_hex(w, shown, sizeof shown);
  quote(w);
}

static void put_digest(struct writer *w, const struct mp_value *value) {
  uint8_t digest[32];
  mp_hash(w->hasher, value->bytes, value->size, digest);
  put_hash(w, digest);
}

static void put_ip(struct writer *w, const struct mp_value *value) {
  char text[MP_ADDRESS_TEXT];
  quote(w);
  put(w, value_ip_text(value, text));
  quote(w);
}

static void put_record(struct writer *w, const struct mp_record *record);
static void put_list(struct writer *w, const struct mp_value *value);

static void put_value(struct writer *w, const struct mp_value *value) {
  struct mp_record record;
  switch (value->kind) {
  case MP_VALUE_NONE: put(w, "null"); break;
  case MP_VALUE_INTEGER: put_integer(w, value); break;
  case MP_VALUE_BOOLEAN: put(w, value->number ? "true" : "false"); break;
  case MP_VALUE_BYTES: put_bytes(w, value); break;
  case MP_VALUE_TEXT: put_text(w, value->bytes, value->size); break;
  case MP_VALUE_HASH: put_hash(w, value->bytes); break;
  case MP_VALUE_IP: put_ip(w, value); break;
  case MP_VALUE_DIGEST: put_digest(w, value); break;
  case MP_VALUE_RECORD:
    mp_value_record(value, &record);
    put_record(w, &record);
    break;
  case MP_VALUE_LIST: put_list(w, value); break;
  }
}

/* --- records and lists ----------------------------------------------------
 */

static void new_line(struct writer *w) {
  luaL_addchar(&w->out, '\n');
  for (int i = 0; i < w->depth; i++)
    put(w, "  ");
}

/* What is absent is null in JSON, so that all of a command have the same
 * names; people do not miss it. What repeats much is left out: a block's
 * transactions beside their ids. */
static bool is_shown(const struct writer *w, const struct mp_value *value) {
  return (w->is_json || value->kind) && !(value->field->flags & MP_QUIET);
}

static void put_field(struct writer *w, const struct mp_value *value,
                      bool is_first) {
  if (!w->is_json)
    new_line(w);
  else if (!is_first)
    put(w, ", ");
  quote(w);
  put(w, value->field->name);
  quote(w);
  put(w, w->is_json || value->kind < MP_VALUE_RECORD ? ": " : ":");
  put_value(w, value);
  if (!w->is_json && value->kind == MP_VALUE_INTEGER && value->field->unit) {
    luaL_addchar(&w->out, ' ');
    put(w, value->field->unit);
  }
}

static void put_record(struct writer *w, const struct mp_record *record) {
  bool is_first = true;
  w->depth++;
  if (w->is_json)
    luaL_addchar(&w->out, '{');
  for (size_t i = 0; record->layout && i < record->layout->count; i++) {
    struct mp_value value;
    mp_record_get(record, i, &value);
    if (!is_shown(w, &value))
      continue;
    put_field(w, &value, is_first);
    is_first = false;
  }
  if (w->is_json)
    luaL_addchar(&w->out, '}');
  w->depth--;
}

static void put_entry(struct writer *w, const struct mp_list *list) {
  struct mp_value value;
  char text[32];
  mp_list_value(list, &value);
  if (w->is_json && list->next > 1)
    put(w, ", ");
  if (!w->is_json) {
    new_line(w);
    snprintf(text, sizeof text, "[%" PRIu64 "] ", list->next);
    put(w, text);
  }
  put_value(w, &value);
}

static void put_list(struct writer *w, const struct mp_value *value) {
  struct mp_list list;
  char text[48];
  mp_value_list(value, &list);
  w->depth++;
  if (w->is_json)
    luaL_addchar(&w->out, '[');
  while ((w->is_json || list.next < SHOWN) && mp_list_next(&list))
    put_entry(w, &list);
  if (list.next < list.count) {
    new_line(w);
    snprintf(text, sizeof text, "... and %" PRIu64 " more",
             list.count - list.next);
    put(w, text);
  }
  if (w->is_json)
    luaL_addchar(&w->out, ']');
  w->depth--;
}

/* --- messages -------------------------------------------------------------
 */

static void start(struct writer *w, lua_State *L, bool is_json) {
  w->hasher = script_hasher(L);
  w->is_json = is_json;
  w->depth = 0;
  luaL_buffinit(L, &w->out);
}

int message_lua_json(lua_State *L) {
  struct writer w;
  char text[64];
  const struct mp_message *m = message_check(L, 1);
  start(&w, L, true);
  put(&w, "{\"command\": ");
  put_text(&w, (const uint8_t *)m->command, strlen(m->command));
  snprintf(text, sizeof text,
           ", \"payload_length\": %" PRIu64 ", \"fields\": ", m->size);
  put(&w, text);
  put_record(&w, &m->fields);
  put(&w, "}");
  luaL_pushresult(&w.out);
  return 1;
}

/* The command and sizes, and a line for each field. */
int message_lua_text(lua_State *L) {
  struct writer w;
  char text[96];
  const struct mp_message *m = message_check(L, 1);
  start(&w, L, false);
  put(&w, m->command[0] ? m->command : "\"\"");
  snprintf(text, sizeof text, ", %" PRIu64 " bytes%s", m->size,
           m->fields.layout || !m->size ? "" : ", no known fields");
  put(&w, text);
  put_record(&w, &m->fields);
  luaL_pushresult(&w.out);
  return 1;
}
