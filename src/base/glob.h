/* glob - matching text against patterns with * and ?. */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* Whether all of text matches: * is any run of bytes, ? any one byte, ASCII
 * letters match in either case, nothing else is special. Takes at most
 * text_size times pattern_size steps, whatever the two contain. */
bool glob_match(const char *text, size_t text_size, const char *pattern,
                size_t pattern_size);

#endif
