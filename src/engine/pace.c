/* pace - how often connections come from one network group. */
#include "engine/pace.h"

#include "base/hash.h"
#include "moonpeer/loop.h"

enum { BURST_SECONDS = 2 };

/* NOLINTNEXTLINE(readability-function-size): a key and its size are one */
bool pace_take(struct pace *pace, const uint64_t secret[2], const void *key,
               size_t n, int64_t now, int64_t rate) {
  int64_t *until = &pace->spent_until[hash_sip(secret, key, n) % PACE_ROWS];
  int64_t interval = MP_SECOND / rate;
  int64_t next = (*until > now ? *until : now) + interval;
  if (next > now + BURST_SECONDS * MP_SECOND)
    return false;
  *until = next;
  return true;
}
