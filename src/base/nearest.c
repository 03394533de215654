/* nearest - the name somebody probably meant. */
#include "moonpeer/text.h"

#include <string.h>

enum { LONGEST = 40 };

static unsigned least(unsigned a, unsigned b) {
  return a < b ? a : b;
}

/* Letters to insert, drop or change (Levenshtein), one row at a time. */
static unsigned distance(const char *a, const char *b) {
  size_t n = strlen(a), m = strlen(b);
  unsigned row[LONGEST + 1];
  if (n > LONGEST || m > LONGEST)
    return LONGEST;
  for (size_t j = 0; j <= m; j++)
    row[j] = (unsigned)j;
  for (size_t i = 1; i <= n; i++) {
    unsigned diagonal = row[0];
    row[0] = (unsigned)i;
    for (size_t j = 1; j <= m; j++) {
      unsigned change = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = least(change, least(row[j], row[j - 1]) + 1);
    }
  }
  return row[m];
}

const char *mp_nearest(const char *word, const char *(*name)(void *, size_t),
                       void *data, size_t n) {
  const char *best = NULL;
  unsigned best_distance = (unsigned)strlen(word) / 2 + 1;
  for (size_t i = 0; i < n; i++) {
    unsigned d = distance(word, name(data, i));
    if (d < best_distance) {
      best = name(data, i);
      best_distance = d;
    }
  }
  return best;
}
