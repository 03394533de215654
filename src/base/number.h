/* number - numbers and durations as text. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Reads decimal digits, all of text and at least one; false otherwise and
 * when the value does not fit. */
bool number_parse(uint64_t *value, const char *text);

/* Reads "250ms", "1.5s", "10m", "24h", "7d" into nanoseconds: a number
 * that is not negative and a unit (ns, us, ms, s, m, h, d). False otherwise,
 * and above about 290 years. */
bool duration_parse(int64_t *nanoseconds, const char *text);

/* Seconds as nanoseconds; false for what is negative, not finite or too
 * large. */
bool duration_of_seconds(int64_t *nanoseconds, double seconds);

#endif
