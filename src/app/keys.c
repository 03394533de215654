/* keys - whole keys out of the bytes of a terminal: libedit waits in the
 * middle of a sequence for the rest of it, and a loop must not. */
#include "app/keys.h"

#include <string.h>

enum { ESCAPE = 0x1b };

size_t keys_room(struct keys *keys, void **place) {
  memmove(keys->bytes, keys->bytes + keys->first, keys->count);
  keys->first = 0;
  *place = keys->bytes + keys->count;
  return KEYS_MAX - keys->count;
}

void keys_came(struct keys *keys, size_t n) {
  keys->count += n;
}

bool keys_wait(const struct keys *keys) {
  return keys->count > 0;
}

void keys_drop(struct keys *keys) {
  keys->count = 0;
}

/* Those that the editor binds; it would take the rest of others for text. */
static bool is_known(const char *sequence) {
  static const char *const known[] = {
      "[A",    "[B", "[C",  "[D", "[H", "[F", "OA",  "OB",  "OC",   "OD",
      "OH",    "OF", "[1~", "b",  "f",  "d",  "[4~", "[7~", "[8~",  "[1;5C",
      "[1;5D", "B",  "F",   "D",  "<",  ">",  "[3~", "\b",  "\177",
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(known[i], sequence) == 0)
      return true;
  return false;
}

/* The length of the sequence whose n bytes stand after an Escape: 0 when it
 * goes on. */
static size_t sequence_length(const unsigned char *bytes, size_t n) {
  if (n == 0)
    return 0;
  if (bytes[0] == 'O')
    return n >= 2 ? 2 : 0;
  if (bytes[0] != '[')
    return 1;
  for (size_t i = 1; i < n; i++)
    if (i >= KEY_MAX || (bytes[i] >= 0x40 && bytes[i] <= 0x7e))
      return i + 1;
  return 0;
}

/* Bytes taken, 0 for none yet; *count characters are in key. */
static size_t take_sequence(const unsigned char *bytes, size_t n, wchar_t *key,
                            int *count) {
  char text[KEY_MAX + 2] = {0};
  size_t length = sequence_length(bytes + 1, n - 1);
  if (length > 0 && length < KEY_MAX)
    memcpy(text, bytes + 1, length);
  *count = 0;
  if (!is_known(text))
    return length ? length + 1 : 0;
  key[(*count)++] = ESCAPE;
  for (const char *at = text; *at; at++)
    key[(*count)++] = (wchar_t)*at;
  return length + 1;
}

/* The length that the first byte of a character states; 1 for what is none. */
static size_t character_length(unsigned char first) {
  return first < 0xc2   ? 1
         : first < 0xe0 ? 2
         : first < 0xf0 ? 3
         : first < 0xf5 ? 4
                        : 1;
}

static bool is_printable(unsigned long code) {
  return code >= 0xa0 && (code < 0xd800 || code > 0xdfff) && code <= 0x10ffff &&
         wcwidth((wchar_t)code) >= 0;
}

static size_t take_character(const unsigned char *bytes, size_t n, wchar_t *key,
                             int *count) {
  size_t length = character_length(bytes[0]);
  *count = 0;
  if (length == 1) {
    if (bytes[0] > 0 && bytes[0] < 0x80)
      key[(*count)++] = bytes[0];
    return 1;
  }
  unsigned long code = bytes[0] & (0x7fu >> length);
  for (size_t i = 1; i < length; i++) {
    if (i >= n)
      return 0;
    if ((bytes[i] & 0xc0) != 0x80)
      return i;
    code = code << 6 | (bytes[i] & 0x3f);
  }
  if (is_printable(code))
    key[(*count)++] = (wchar_t)code;
  return length;
}

int keys_next(struct keys *keys, wchar_t *key) {
  int count = 0;
  while (count == 0 && keys->count > 0) {
    const unsigned char *bytes = keys->bytes + keys->first;
    size_t taken = bytes[0] == ESCAPE
                       ? take_sequence(bytes, keys->count, key, &count)
                       : take_character(bytes, keys->count, key, &count);
    if (taken == 0)
      return 0;
    keys->first += taken;
    keys->count -= taken;
  }
  return count;
}
