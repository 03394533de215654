/* text - small things that every user of texts needs. */
#ifndef MOONPEER_TEXT_H
#define MOONPEER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of n names the one nearest to a word that was mistyped, NULL when none is
 * near. name(data, i) gives them. */
const char *mp_nearest(const char *word, const char *(*name)(void *, size_t),
                       void *data, size_t n);

/* Whether all of text matches: * is any run of bytes, ? any one byte, ASCII
 * letters match in either case, nothing else is special. Takes at most
 * text_size times pattern_size steps. */
bool mp_glob(const char *text, size_t text_size, const char *pattern,
             size_t pattern_size);

/* Reads "250ms", "1.5s", "10m", "24h", "7d" into nanoseconds; false for what
 * is no duration. */
bool mp_duration_parse(int64_t *nanoseconds, const char *text);

/* Seconds into nanoseconds; false for what is negative, not finite or over
 * about 290 years. */
bool mp_duration_of_seconds(int64_t *nanoseconds, double seconds);

/* "0.1.0". */
const char *mp_version_text(void);

#endif
