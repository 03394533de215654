/* glob - matching text against patterns with * and ?. */
#include "moonpeer/text.h"

static char lower(char c) {
  if (c >= 'A' && c <= 'Z')
    return (char)(c - 'A' + 'a');
  return c;
}

/* When a byte does not fit, only the last star is tried one byte longer: an
 * earlier star could gain nothing that the last one cannot. */
bool mp_glob(const char *text, size_t text_size, const char *pattern,
             size_t pattern_size) {
  size_t t = 0, p = 0, star = pattern_size, star_text = 0;
  while (t < text_size) {
    if (p < pattern_size && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern_size &&
               (pattern[p] == '?' || lower(pattern[p]) == lower(text[t]))) {
      p++;
      t++;
    } else if (star < pattern_size) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern_size && pattern[p] == '*')
    p++;
  return p == pattern_size;
}
