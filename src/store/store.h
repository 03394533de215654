/* store - what a store is made of. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "moonpeer/ban.h"
#include "moonpeer/store.h"
#include "peer/asmap.h"
#include "peer/ban_list.h"
#include "peer/discouraged.h"
#include "peer/peer_store.h"
#include "store/arena.h"
#include "store/values.h"

enum { STORE_WARNING = 1024 };

/* Which rows have changed since the last save; while one is under way, which
 * it holds (so that a failed one gives them back), and which of these it has
 * not copied yet. */
struct track {
  struct bits changed, held, pending;
};

struct mp_store {
  const struct mp_memory *memory;
  int64_t ttl[MP_STATUS_COUNT];
  int64_t inaccessible_time, ban_time;
  uint8_t seed[MP_STORE_SEED];
  uint32_t capacity, max_bans;
  struct asmap asmap;
  bool has_asmap, read_only, is_loading, is_telling;
  struct peer_store peers;
  struct ban_list bans;
  struct discouraged discouraged;
  struct source_rates rates;
  struct values values;
  bool is_tracked; /* somebody may save it */
  struct track peer_track, ban_track;
  struct mp_save *save;
  bool is_closed;     /* and freed when the save is finished */
  struct arena waste; /* of saves that ended, given back by and by */
  struct mp_store_listener *listeners;
  uint32_t cursor;     /* the last slot a pass of expire looked at */
  uint32_t sweep_left; /* slots to hold against the bans */
  uint32_t pass_left;  /* slots to look at for age */
  int64_t pass_time;
  struct mp_backend backend;
  void *backend_data;
  char *url;
  char warning[STORE_WARNING];
};

/* --- store.c */
/* Empties a store to begin loading anew. */
void store_reset(struct mp_store *store);
void store_tell(struct mp_store *store, const struct mp_store_event *event);

/* --- store_peers.c */
/* Makes a peer banned, by this ban of the list, or unknown (NULL), and tells.
 */
void store_set_ban(struct mp_store *store, uint32_t slot,
                   const struct mp_ban *ban, int64_t now,
                   enum mp_store_cause cause);
void store_drop(struct mp_store *store, uint32_t slot,
                enum mp_store_cause cause);

/* --- store_bans.c */
/* The ban that covers an address, or 0. */
uint32_t store_ban_of(struct mp_store *store, const struct mp_address *address,
                      int64_t now);
/* Holds a peer against the bans. */
void store_cover(struct mp_store *store, uint32_t slot, int64_t now);
void store_end_ban(struct mp_store *store, uint32_t slot, int64_t now,
                   enum mp_store_cause cause);

/* --- save.c */
void store_touch_peer(void *owner, uint32_t slot);
int store_reserve_peer(void *owner, uint32_t slot);
void store_touch_ban(void *owner, uint32_t slot);
int store_reserve_ban(void *owner, uint32_t slot);

#endif
