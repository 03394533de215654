/* hex - bytes as hexadecimal digits and back. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of a digit in either case, -1 for what is none. */
int hex_digit(char c);

/* Reads n digits in either case into n / 2 bytes; false when n is odd or there
 * is anything else. */
bool hex_parse(uint8_t *bytes, const char *text, size_t n);

/* Writes 2 * n digits, and no zero behind them. */
void hex_put(char *text, const uint8_t *bytes, size_t n);

#endif
