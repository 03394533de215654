/* pace - how often connections come from one network group, in a table of fixed
 * size. */
#ifndef ENGINE_PACE_H
#define ENGINE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PACE_ROWS = 256 };

/* Zero is a good value. A row says until when its groups have used up what they
 * may (after the generic cell rate algorithm, ITU-T I.371). */
struct pace {
  int64_t spent_until[PACE_ROWS];
};

/* One more, now: false when that is more than rate (1 or more) a second, of
 * which two seconds' worth may come at once. Groups are told apart under a
 * secret; those of one row share what they may, and which do nobody can
 * foresee. */
bool pace_take(struct pace *pace, const uint64_t secret[2], const void *key,
               size_t n, int64_t now, int64_t rate);

#endif
