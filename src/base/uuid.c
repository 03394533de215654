/* uuid - the 16 bytes of a UUID and their text. */
#include "base/uuid.h"

#include <string.h>

#include "base/hex.h"

static bool is_dash(int at) {
  return at == 8 || at == 13 || at == 18 || at == 23;
}

void uuid_of_random(uint8_t id[UUID_SIZE]) {
  id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
  id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
}

char *uuid_format(const uint8_t id[UUID_SIZE], char text[UUID_TEXT]) {
  static const char digits[] = "0123456789abcdef";
  int nibble = 0;
  for (int at = 0; at < UUID_TEXT - 1; at++) {
    if (is_dash(at)) {
      text[at] = '-';
      continue;
    }
    int shift = nibble % 2 ? 0 : 4;
    text[at] = digits[id[nibble++ / 2] >> shift & 15];
  }
  text[UUID_TEXT - 1] = '\0';
  return text;
}

bool uuid_parse(uint8_t id[UUID_SIZE], const char *text) {
  int nibble = 0;
  if (strlen(text) != UUID_TEXT - 1)
    return false;
  memset(id, 0, UUID_SIZE);
  for (int at = 0; at < UUID_TEXT - 1; at++) {
    int value = hex_digit(text[at]);
    if (is_dash(at) && text[at] == '-')
      continue;
    if (is_dash(at) || value < 0)
      return false;
    int shift = nibble % 2 ? 0 : 4;
    id[nibble++ / 2] |= (uint8_t)(value << shift);
  }
  return true;
}
