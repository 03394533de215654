/* text - short texts, such as commands, where one is compared at every message.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>

/* What strcmp says of two that are the same; inline because a call takes
 * longer than most of the answers. */
static inline bool text_is(const char *text, const char *other) {
  if (*text != *other) /* as most of a table */
    return false;
  while (*text && *text == *other)
    text++, other++;
  return *text == *other;
}

#endif
