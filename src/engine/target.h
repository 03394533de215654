/* target - an address that is dialled again and again: how often it failed,
 * when it is next due, how often it was restarted. */
#ifndef ENGINE_TARGET_H
#define ENGINE_TARGET_H

#include "moonpeer/address.h"
#include "moonpeer/loop.h"

struct mp_engine;
struct mp_connection;

enum {
  TARGET_BUCKETS = 1024,
  TARGET_RESTARTS = 8, /* the most that max_restarts may be */
  TARGETS_MAX = 4096, /* remembered at once; the oldest that waits makes room */
};

struct target {
  struct target *next, *previous;
  struct target *same; /* the next of the same bucket */
  struct mp_engine *engine;
  struct mp_address address;
  struct mp_connection *connection; /* NULL while it waits */
  struct mp_timer timer;            /* until it is due again */
  unsigned attempts;                /* failed in a row */
  unsigned waits;                   /* in a row, for our own network */
  unsigned short_lives;             /* connections in a row that did not last */
  bool is_fixed;                    /* of the configuration: never forgotten */
  bool is_asked;                    /* a script has dialled it */
  bool is_parked;                   /* nobody dials it when its wait is over */
  int64_t restarts[TARGET_RESTARTS]; /* when, the latest first; 0 for none */
};

struct targets {
  struct target *first, *last;
  size_t count;
  struct target *buckets[TARGET_BUCKETS]; /* by address, to find them */
};

/* The one with this address, or NULL. */
struct target *target_find(struct mp_engine *engine,
                           const struct mp_address *address);

/* The same, made when there is none; never NULL. */
struct target *target_get(struct mp_engine *engine,
                          const struct mp_address *address);
void targets_deinit(struct mp_engine *engine);

/* It has failed, and its time to be dialled again has not come. */
bool target_waits(struct mp_engine *engine, const struct mp_address *address);

/* Its dial has ended, or its connection was lost, after so many microseconds
 * from its handshake on; less than 0 when there was no handshake. */
void target_failed(struct target *target, int code, int64_t lasted);

/* Its handshake is complete. */
void target_succeeded(struct target *target);

/* All that wait are tried soon: the network is back. */
void targets_hurry(struct mp_engine *engine);

#endif
