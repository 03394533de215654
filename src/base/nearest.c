/* nearest - the name somebody probably meant. */
#include "moonpeer/text.h"

#include <string.h>

enum { LONGEST = 40 };

static unsigned least(unsigned a, unsigned b) {
  return a < b ? a : b;
}

/* Letters to insert, drop or change, and neighbours to swap (Levenshtein, with
 * Damerau's swaps): one row at a time, two before it are kept. */
static unsigned distance(const char *a, const char *b) {
  size_t n = strlen(a), m = strlen(b);
  unsigned rows[3][LONGEST + 1];
  if (n > LONGEST || m > LONGEST)
    return LONGEST;
  for (size_t j = 0; j <= m; j++)
    rows[0][j] = (unsigned)j;
  for (size_t i = 1; i <= n; i++) {
    unsigned *row = rows[i % 3];
    const unsigned *above = rows[(i + 2) % 3], *top = rows[(i + 1) % 3];
    row[0] = (unsigned)i;
    for (size_t j = 1; j <= m; j++) {
      unsigned change = above[j - 1] + (a[i - 1] != b[j - 1]);
      row[j] = least(change, least(above[j], row[j - 1]) + 1);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = least(row[j], top[j - 2] + 1);
    }
  }
  return rows[n % 3][m];
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
