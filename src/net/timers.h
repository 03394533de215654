/* timers - set timers in order of time: a pairing heap without storage. */
#ifndef NET_TIMERS_H
#define NET_TIMERS_H

#include "moonpeer/loop.h"

/* {0} has no timers. */
struct timers {
  struct mp_timer *root;
  int64_t lag, most_lag; /* how late the last fire was, and the latest */
  uint64_t started; /* numbers timers, so that equal times keep their order */
};

/* The earliest, or NULL. */
struct mp_timer *timers_first(const struct timers *timers);
void timers_add(struct timers *timers, struct mp_timer *timer, int64_t due);
void timers_remove(struct timers *timers, struct mp_timer *timer);

/* Calls, in order, those due at `now` or before that were set before this
 * call. */
void timers_fire(struct timers *timers, int64_t now);

#endif
