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
  uint64_t dials, accepted, rejected; /* connections */
  uint64_t handshakes, evictions;     /* of them */
  uint64_t bans;                      /* added to its store, by anybody */
  uint64_t changes;                   /* of the store, whoever made them */
  uint64_t events_lost; /* more came within one turn than are kept */
  uint64_t failures[MP_FAILURE_CODES]; /* of connections: -5001 - code */
};

/* What engine and hooks share. hooks and data are borrowed until the engine's
 * gone hook. */
struct mp_engine_setup {
  struct mp_loop *loop;
  const struct mp_config *config; /* copied */
  struct mp_store *store;         /* borrowed; NULL for one of its own */
  bool tunes_store; /* its limits and times follow the configuration; its own
                     * always do */
  const struct mp_hooks *hooks;
  void *data;
  /* The engine is gone when this returns: the last call. May be NULL. */
  void (*gone)(void *data);
};

/* An engine at rest, borrowed until its gone hook; the setup is copied. 0, or
 * MP_ELIMITS (see mp_config_check), or MP_ECONFIG for what the store refuses;
 * then *engine is not written and gone never called. */
int mp_engine_open(struct mp_engine **engine,
                   const struct mp_engine_setup *setup, struct mp_fault *fault);

/* Listens and dials, from the next turn on; holds the loop until it is gone.
 * A listener that fails is told as an event, the engine goes on. 0, or
 * MP_ECLOSED after a close. Twice is fine. */
int mp_engine_start(struct mp_engine *engine, struct mp_fault *fault);

/* Stops listening, lets all connections send what is queued and closes them,
 * saves the store if it has changed, then is gone: after `limit` nanoseconds
 * at the latest (-1: the configured shutdown_timeout; 0: on the next turn, with
 * what is queued dropped). One that was never started is gone when this
 * returns. Until it is gone, twice is fine: a shorter limit counts. */
void mp_engine_close(struct mp_engine *engine, int64_t limit);

/* Whether it was told to close. */
bool mp_engine_is_closing(const struct mp_engine *engine);

/* To be called when hooks->wants, commands, chunks or one of the functions has
 * changed. */
void mp_engine_hooks_changed(struct mp_engine *engine);

/* Where it listens, the real port included; false when it does not. */
bool mp_engine_address(const struct mp_engine *engine,
                       struct mp_address *address);

/* Connections now; each holds its slot from before the dial or accept to its
 * end. */
struct mp_engine_slots {
  int64_t taken; /* of max_connections */
  int64_t inbound, outbound, half_open, connected;
  int64_t feelers; /* dialled to see whether somebody is there */
  int64_t polite;  /* beyond max_connections, to be told so */
};
void mp_engine_slots(const struct mp_engine *engine,
                     struct mp_engine_slots *slots);

/* Kept up to date; borrowed until the engine is gone. */
const struct mp_engine_counts *mp_engine_counts(const struct mp_engine *engine);

/* Memory that its connections hold, and what went over the wire; likewise. */
const struct mp_usage *mp_engine_usage(const struct mp_engine *engine);

/* Changes the configuration, all of it or nothing: 0, MP_ECONFIG (another
 * network, or what the store refuses), MP_ELIMITS, MP_ECLOSED. config is
 * copied, all but the network, which stays. Reaches live connections (timeouts,
 * intervals, memory), the listener and the limits; a lower max_connections
 * closes nobody. */
int mp_engine_configure(struct mp_engine *engine,
                        const struct mp_config *config, struct mp_fault *fault);

/* Bans a prefix for `time` nanoseconds (0: ban_time, MP_FOREVER: for ever) and
 * closes who it covers; or takes the ban on exactly this prefix away. reason is
 * words (copied, less than MP_BAN_TEXT bytes; may be NULL), that of the ban is
 * MP_REASON_MANUAL. What mp_ban_add and mp_ban_remove return. The event comes
 * on the next turn. */
int mp_engine_ban(struct mp_engine *engine, const struct mp_prefix *prefix,
                  int64_t time, const char *reason, struct mp_fault *fault);
int mp_engine_unban(struct mp_engine *engine, const struct mp_prefix *prefix,
                    struct mp_fault *fault);

/* Tells an event on the next turn, if hooks->wants it: MP_POLICY_FAILED or
 * MP_DECISION, for who implements the hooks. text and address (may be NULL) are
 * copied. */
void mp_engine_note(struct mp_engine *engine, enum mp_event_type type,
                    const struct mp_address *address, const char *text);

/* Saves the store from the next turn on; told by MP_STORE_SAVED or
 * MP_STORE_FAILED. A save that is under way is followed by another; somebody
 * else's of the same store is waited for. Which of the next that are told has
 * all there is now: 1 or 2; 0, and nothing is done, when the engine closes,
 * which saves by itself. */
unsigned mp_engine_save(struct mp_engine *engine);

/* Asks the DNS seeds from the next turn on, unless they are being asked. */
void mp_engine_discover(struct mp_engine *engine);

/* How long to wait after so many failures in a row (0 as 1): initial_backoff
 * times backoff_multiplier for each but the first, moved by jitter,
 * max_backoff at most. Nanoseconds. */
int64_t mp_engine_backoff(struct mp_engine *engine, unsigned attempts);

/* Up to n peers (MP_ENGINE_PICK at most) of a status that could be dialled
 * now: not connected, not waiting to be tried again; at random over network
 * groups, those that no outbound connection is of first. How many. The peers
 * are borrowed until the store changes. */
enum { MP_ENGINE_PICK = 256 };
size_t mp_engine_pick(struct mp_engine *engine, enum mp_status status,
                      const struct mp_peer **peers, size_t n);

/* The outbound peers that worked when the engine was last closed; how many of
 * at most n. */
size_t mp_engine_anchors(struct mp_engine *engine, struct mp_address *list,
                         size_t n);

/* What it goes by now, and its store, given or its own; both are borrowed until
 * it is gone. */
const struct mp_config *mp_engine_config(const struct mp_engine *engine);
struct mp_store *mp_engine_store(struct mp_engine *engine);

/* The connections: the first, and the one after; NULL at the end. Those that we
 * dialled come before those that dialled us. Borrowed until their closed hook
 * returns; closing them meanwhile is fine. */
struct mp_connection *mp_engine_first(const struct mp_engine *engine);
struct mp_connection *mp_engine_next(const struct mp_connection *connection);

/* The engine that has a connection, or NULL when that has none; and what the
 * engine was set up with as data. */
struct mp_engine *mp_engine_of(const struct mp_connection *connection);
void *mp_engine_data(const struct mp_engine *engine);

/* The peer that a connection is to, as the engine's store has it: at the
 * address that was dialled; or, when it dialled us, where its version
 * (addr_from) says that it listens, if it comes from there. NULL when that is
 * not known, or the store has no such peer. Borrowed until the store changes.
 */
const struct mp_peer *mp_engine_peer(struct mp_engine *engine,
                                     const struct mp_connection *connection);

/* Dials a peer now, though its wait may not be over. 0; MP_ECLOSED when the
 * engine is not started, or closes; MP_ELIMIT when max_connections are there;
 * MP_EDUPLICATE when there is a connection to it; MP_ECANCELLED when it is
 * banned; MP_ESELF when it is this engine. */
int mp_engine_dial(struct mp_engine *engine, const struct mp_address *to,
                   struct mp_fault *fault);

#endif
