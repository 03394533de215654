/* engine - peers, connections and policies under one configuration, on a
 * loop. Several may share a loop. */
#ifndef MOONPEER_ENGINE_H
#define MOONPEER_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

#include "moonpeer/config.h"
#include "moonpeer/hooks.h"
#include "moonpeer/peer.h"

struct mp_engine;
struct mp_loop;
struct mp_store;

enum { MP_FAILURE_CODES = 30 };

/* What an engine has done so far. */
struct mp_engine_counts {
  uint64_t dials, accepted, rejected, handshakes, evictions, bans;
  uint64_t changes;     /* of the store, whoever made them */
  uint64_t events_lost; /* more came within one turn than are kept */
  uint64_t failures[MP_FAILURE_CODES]; /* of connections: -5001 - code */
};

/* What engine and hooks share. hooks and data are borrowed until the engine's
 * gone hook. */
struct mp_engine_setup {
  struct mp_loop *loop;
  const struct mp_config *config; /* copied */
  struct mp_store *store;         /* borrowed; NULL for one of its own */
  bool tunes_store; /* its limits and times follow the configuration */
  const struct mp_hooks *hooks;
  void *data;
  /* The engine is gone when this returns: the last call. May be NULL. */
  void (*gone)(void *data);
};

/* 0, MP_ECONFIG, MP_ELIMITS or MP_ESTORE. */
int mp_engine_open(struct mp_engine **engine,
                   const struct mp_engine_setup *setup, struct mp_fault *fault);

/* Listens and dials, from the next turn on; holds the loop until it is gone.
 * A listener that fails is told as an event, the engine goes on. MP_ECLOSED
 * after a close. Twice is fine. */
int mp_engine_start(struct mp_engine *engine, struct mp_fault *fault);

/* Stops listening, lets all connections send what is queued and closes them,
 * saves the store if it has changed, then is gone: after `limit` nanoseconds
 * at the latest (-1: the configured shutdown_timeout; 0: at once). One that was
 * never started is gone at once. Until it is gone, twice is fine: a shorter
 * limit counts. */
void mp_engine_close(struct mp_engine *engine, int64_t limit);
bool mp_engine_is_closing(const struct mp_engine *engine);

/* hooks->wants or hooks->commands have changed. */
void mp_engine_hooks_changed(struct mp_engine *engine);

/* Where it listens, the real port included; false when it does not. */
bool mp_engine_address(const struct mp_engine *engine,
                       struct mp_address *address);

/* Connections now. */
struct mp_engine_slots {
  int64_t taken; /* of max_connections */
  int64_t inbound, outbound, half_open, connected;
  int64_t feelers; /* dialled to see whether somebody is there */
  int64_t polite;  /* beyond max_connections, to be told so */
};
void mp_engine_slots(const struct mp_engine *engine,
                     struct mp_engine_slots *slots);
const struct mp_engine_counts *mp_engine_counts(const struct mp_engine *engine);

/* Memory that its connections hold, and what went over the wire. */
const struct mp_usage *mp_engine_usage(const struct mp_engine *engine);

/* Changes the configuration, all of it or nothing: 0, MP_ECONFIG (also for
 * another network), MP_ELIMITS, MP_ECLOSED. Reaches live connections (timeouts,
 * intervals, memory), the listener and the limits; a lower max_connections
 * closes nobody. */
int mp_engine_configure(struct mp_engine *engine,
                        const struct mp_config *config, struct mp_fault *fault);

/* Bans a prefix for `time` nanoseconds (0: ban_time, MP_FOREVER: for ever) and
 * closes who it covers; or takes the ban on exactly this prefix away. What
 * mp_ban_add and mp_ban_remove return. The event comes on the next turn. */
int mp_engine_ban(struct mp_engine *engine, const struct mp_prefix *prefix,
                  int64_t time, const char *reason, struct mp_fault *fault);
int mp_engine_unban(struct mp_engine *engine, const struct mp_prefix *prefix,
                    struct mp_fault *fault);

/* Tells MP_POLICY_FAILED or MP_DECISION on the next turn, if somebody wants
 * it; text is copied. address may be NULL. */
void mp_engine_note(struct mp_engine *engine, enum mp_event_type type,
                    const struct mp_address *address, const char *text);

/* Saves the store from the next turn on; told by MP_STORE_SAVED or FAILED. */
void mp_engine_save(struct mp_engine *engine);

/* Asks the DNS seeds from the next turn on, unless they are being asked. */
void mp_engine_discover(struct mp_engine *engine);

/* How long to wait after so many failures in a row: initial_backoff times
 * backoff_multiplier for each but the first, max_backoff at most, and jitter.
 * Nanoseconds. */
int64_t mp_engine_backoff(struct mp_engine *engine, unsigned attempts);

/* Up to n peers (MP_ENGINE_PICK at most) of a status that could be dialled
 * now: not connected, not waiting to be tried again; at random over network
 * groups, those that no outbound connection is of first. How many. The peers
 * are good until the store changes. */
enum { MP_ENGINE_PICK = 256 };
size_t mp_engine_pick(struct mp_engine *engine, enum mp_status status,
                      const struct mp_peer **peers, size_t n);

/* The outbound peers that worked when the engine was last closed; how many of
 * at most n. */
size_t mp_engine_anchors(struct mp_engine *engine, struct mp_address *list,
                         size_t n);

/* Merits that protect an inbound connection from making room: the four of as
 * many groups that the keyed order puts first, the eight with the least round
 * trip, and of the others the half that has been here longest. */

const struct mp_config *mp_engine_config(const struct mp_engine *engine);
struct mp_store *mp_engine_store(struct mp_engine *engine);

/* The connections, in the order in which they were made: the first, and the
 * one after; NULL at the end. Closing them meanwhile is fine. */
struct mp_connection *mp_engine_first(const struct mp_engine *engine);
struct mp_connection *mp_engine_next(const struct mp_connection *connection);

/* Dials a peer now. 0; MP_ECLOSED when it is not running; MP_ELIMIT when
 * max_connections are there; MP_EDUPLICATE when it is connected; MP_ECANCELLED
 * when it is banned. */
int mp_engine_dial(struct mp_engine *engine, const struct mp_address *to,
                   struct mp_fault *fault);

#endif
