/* timers - set timers in order of time, and at one time in that of setting. */
#ifndef NET_TIMERS_H
#define NET_TIMERS_H

#include "moonpeer/loop.h"

struct timers_entry {
  int64_t due;
  uint64_t order;
  struct mp_timer *timer;
};

/* {0} has no timers. */
struct timers {
  struct timers_entry *heap;
  size_t n, room;
  int64_t lag, most_lag; /* how late the last fire was, and the latest */
  uint64_t started; /* numbers timers, so that equal times keep their order */
};

/* The earliest, or NULL. */
struct mp_timer *timers_first(const struct timers *timers);
void timers_add(struct timers *timers, struct mp_timer *timer, int64_t due);
void timers_remove(struct timers *timers, struct mp_timer *timer);

/* Forgets all: none may be set any more, or be asked for. */
void timers_deinit(struct timers *timers);

/* Calls, in order, those due at `now` or before that were set before this
 * call. */
void timers_fire(struct timers *timers, int64_t now);

#endif
