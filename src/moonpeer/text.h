/* text - small things that every user of texts needs. */
#ifndef MOONPEER_TEXT_H
#define MOONPEER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of n names the one nearest to a word that was mistyped: by letters inserted,
 * dropped, changed or swapped. NULL when none is within half the word's length.
 * name(data, i) gives them; what it gave for that one is returned. */
const char *mp_nearest(const char *word, const char *(*name)(void *, size_t),
                       void *data, size_t n);

/* Whether all of text matches: * is any run of bytes, ? any one byte, ASCII
 * letters match in either case, nothing else is special. Takes at most
 * text_size times pattern_size steps. */
bool mp_glob(const char *text, size_t text_size, const char *pattern,
             size_t pattern_size);

/* Reads "250ms", "1.5s", "10m", "24h", "7d" (and ns, us) into nanoseconds, from
 * 0 to about 290 years; false for what is no duration. */
bool mp_duration_parse(int64_t *nanoseconds, const char *text);

/* Seconds into nanoseconds; false for what is negative, not finite or over
 * about 290 years. */
bool mp_duration_of_seconds(int64_t *nanoseconds, double seconds);

/* The version of this library, as "0.1.0". Static. */
const char *mp_version_text(void);

#endif
