/* json_text - JSON where numbers must not lose digits. */
#include "store/json_text.h"

#include <cjson/cJSON.h>
#include <string.h>

bool json_is_object(const char *text) {
  cJSON *root = cJSON_ParseWithOpts(text, NULL, true);
  bool is_object = cJSON_IsObject(root);
  cJSON_Delete(root);
  return is_object;
}

static const char *skip_space(const char *at) {
  return at + strspn(at, " \t\r\n");
}

/* From the opening quote to behind the closing one. */
static const char *skip_string(const char *at) {
  for (at++; *at && *at != '"'; at++)
    if (*at == '\\' && at[1])
      at++;
  return *at ? at + 1 : at;
}

/* Behind a value: a string, a nest of braces, or a word. */
static const char *skip_value(const char *at) {
  unsigned depth = 0;
  if (*at != '"' && *at != '{' && *at != '[')
    return at + strcspn(at, ",}] \t\r\n");
  do {
    if (*at == '"') {
      at = skip_string(at);
      continue;
    }
    depth += *at == '{' || *at == '[';
    depth -= *at == '}' || *at == ']';
    at++;
  } while (depth && *at);
  return at;
}

bool json_next_member(const char *object, const char **at,
                      struct json_member *member) {
  const char *next = skip_space(*at ? *at : object);
  next = skip_space(*next == '{' || *next == ',' ? next + 1 : next);
  if (*next != '"')
    return false;
  const char *end = skip_string(next);
  *member = (struct json_member){.key = next + 1,
                                 .key_size = (size_t)(end - next - 2)};
  next = skip_space(end);
  member->value = skip_space(*next == ':' ? next + 1 : next);
  *at = skip_value(member->value);
  member->value_size = (size_t)(*at - member->value);
  return true;
}

void json_escape(char *to, const void *bytes, size_t n) {
  static const char digits[] = "0123456789ABCDEF";
  const unsigned char *from = bytes;
  for (size_t i = 0; i < n; i++) {
    if (from[i] >= ' ' && from[i] <= '~' && from[i] != '%') {
      *to++ = (char)from[i];
      continue;
    }
    *to++ = '%';
    *to++ = digits[from[i] >> 4];
    *to++ = digits[from[i] & 15];
  }
  *to = '\0';
}

static int digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

long json_unescape(void *to, const char *text) {
  unsigned char *out = to;
  long n = 0;
  for (; *text; text++, n++) {
    if (*text < ' ' || *text > '~')
      return -1;
    if (*text != '%') {
      out[n] = (unsigned char)*text;
      continue;
    }
    int high = digit(text[1]), low = high < 0 ? -1 : digit(text[2]);
    if (low < 0)
      return -1;
    out[n] = (unsigned char)(high << 4 | low);
    text += 2;
  }
  return n;
}
