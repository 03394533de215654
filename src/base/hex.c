/* hex - bytes as hexadecimal digits and back. */
#include "base/hex.h"

int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hex_parse(uint8_t *bytes, const char *text, size_t n) {
  for (size_t i = 0; i + 1 < n; i += 2) {
    int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0)
      return false;
    bytes[i / 2] = (uint8_t)(high << 4 | low);
  }
  return n % 2 == 0;
}

void hex_put(char *text, const uint8_t *bytes, size_t n) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < n; i++) {
    text[2 * i] = digits[bytes[i] >> 4];
    text[2 * i + 1] = digits[bytes[i] & 15];
  }
}
