/* pattern - Lua's patterns with a limit on the work that one match may take.
 */
#ifndef SCRIPT_PATTERN_H
#define SCRIPT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

enum { PATTERN_CAPTURES = 32, PATTERN_STEPS = 1000000 };

/* A capture; a position has no end. */
struct capture {
  const char *begin;
  ptrdiff_t length;
};

enum { CAPTURE_OPEN = -1, CAPTURE_POSITION = -2 };

struct pattern {
  const char *text, *text_end;
  const char *end; /* of the pattern */
  const char *error;
  struct capture captures[PATTERN_CAPTURES];
  int count;
  int depth;
  long steps; /* that are left */
};

/* Matches the pattern, without its ^, exactly at a place in the text. Where
 * the match ends; NULL for none, or with an error in words, which is static.
 * steps, text, text_end and end must have been set. */
const char *pattern_match(struct pattern *pattern, const char *at,
                          const char *first);

#endif
