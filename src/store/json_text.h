/* json_text - JSON where numbers must not lose digits. */
#ifndef STORE_JSON_TEXT_H
#define STORE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a text is one JSON object and nothing else. */
bool json_is_object(const char *text);

/* A member of an object: slices of its text, the key without its quotes and
 * with escapes as they are, the value as it stands. */
struct json_member {
  const char *key, *value;
  size_t key_size, value_size;
};

/* The members of an object in valid JSON one by one: begin with *at NULL. */
bool json_next_member(const char *object, const char **at,
                      struct json_member *member);

enum { JSON_ESCAPED = 3 }; /* bytes that one may become */

/* Any bytes as printable ASCII: '%' and what is not printable become %XX.
 * to has room for 3n + 1 bytes. Back: the size, or -1 for what is no such
 * text; to has room for the text's length. */
void json_escape(char *to, const void *bytes, size_t n);
long json_unescape(void *to, const char *text);

#endif
