/* number - numbers as text. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Reads decimal digits, all of text and at least one; false otherwise and
 * when the value does not fit. */
bool number_parse(uint64_t *value, const char *text);

#endif
