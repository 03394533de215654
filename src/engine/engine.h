/* engine - its struct, for the files that make it up. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "engine/connection.h"
#include "engine/crowd.h"
#include "engine/news.h"
#include "engine/pace.h"
#include "engine/roster.h"
#include "engine/rules.h"
#include "engine/target.h"
#include "moonpeer/ban.h"
#include "moonpeer/engine.h"
#include "moonpeer/loop.h"
#include "moonpeer/peer.h"
#include "moonpeer/store.h"
#include "moonpeer/stream.h"

/* Slots: a connection takes one before it is dialled or accepted, and gives it
 * back once, when it is gone. */
struct slots {
  int64_t taken; /* of max_connections: all but the polite lane's */
  int64_t inbound, outbound, feelers, polite;
  int64_t half_open; /* inbound without a complete handshake */
  int64_t dialling;  /* outbound without one */
  int64_t connected; /* with one, both ways */
};

/* Whether our own network works. */
struct network {
  unsigned failures; /* in silence, in a row */
  int64_t since;     /* the first of them */
  bool is_down;
  bool has_worked; /* a dial of ours came to a handshake once */
  bool is_silent;  /* the failure at hand may be the network's */
  /* Given up in silence: not their fault, when it is the network's. */
  struct mp_address *burnt;
  size_t burnt_count;
};

struct mp_engine {
  struct mp_loop *loop;
  struct mp_config config;
  struct mp_address *peers;  /* ours: what config.peers points to */
  struct mp_prefix *trusted; /* likewise */
  const struct mp_hooks *hooks;
  void *data;
  void (*gone)(void *data);
  struct mp_store *store;
  bool owns_store, tunes_store;
  struct mp_store_listener watcher;
  struct news news;

  struct mp_hooks inner; /* what our connections call: these bookkeep, then
                            pass on to hooks */
  struct mp_connection *first, *last; /* those we dialled, then the others */
  struct mp_connection *last_dialled; /* NULL: none */
  struct roster roster;               /* inbound, without the polite lane's */
  struct slots slots;
  struct mp_usage usage;
  struct mp_engine_counts counts;
  struct crowd dialled; /* by ip and port; and those that are named */
  struct crowd named;   /* by inbound ones that say where they listen */
  struct crowd dialled_group;
  struct crowd by_ip, by_group; /* inbound */
  struct crowd half_open_group, polite_group;
  struct pace arrivals; /* of groups */
  unsigned sweeps;      /* bans that were looked for among us in this turn */

  struct targets targets;
  struct network network;
  struct mp_timer dialer, feeler;

  struct mp_listener *listener;
  struct mp_timer relisten;
  struct mp_address own[4]; /* addresses that turned out to be ourselves */
  size_t own_count;

  struct rules *rules; /* declared ones; or NULL */
  struct discovery *discovery;
  struct saver *saver;
  struct mp_timer expiry;   /* bans and stale peers */
  struct mp_timer shutdown; /* after it nobody waits for anybody */
  struct mp_later turn;     /* start or end, from the top of the loop */
  bool is_started, is_running, is_closing, is_listening;
};

/* --- engine.c --------------------------------------------------------------
 */
void engine_tell(struct mp_engine *engine, struct mp_event *event);

/* Makes the lists that the configuration points to our own. */
void engine_copy_lists(struct mp_engine *engine);

/* --- slots.c ---------------------------------------------------------------
 */
void engine_add(struct mp_engine *engine, struct mp_connection *connection);
void engine_remove(struct mp_engine *engine, struct mp_connection *connection);

/* Gives its slot back, before it is gone; once. */
void engine_release(struct mp_engine *engine, struct mp_connection *connection);

/* One of the polite lane takes the slot of the connection that gives way to
 * it, or with NULL a free one. */
void engine_inherit(struct mp_engine *engine, struct mp_connection *connection,
                    struct mp_connection *twin);

/* Evenly from 0 to limit - 1; and an interval with the configured jitter. */
int64_t engine_random_below(struct mp_engine *engine, int64_t limit);
int64_t engine_jitter(struct mp_engine *engine, int64_t interval);

/* --- engine_hooks.c --------------------------------------------------------
 */

/* Fills inner, and what a new connection is made with. */
void engine_hooks_init(struct mp_engine *engine);
struct mp_connection_setup engine_setup(struct mp_engine *engine);

/* --- decide.c: the decisions that are no connection's ----------------------
 */
bool engine_ask_accept(struct mp_engine *engine,
                       const struct mp_address *address);
size_t engine_ask_select(struct mp_engine *engine, struct mp_address *list,
                         size_t room, size_t n);
int64_t engine_ask_retry(struct mp_engine *engine,
                         const struct mp_address *address,
                         const struct mp_failure *failure);
bool engine_ask_keep(struct mp_engine *engine, const struct mp_address *address,
                     const struct mp_address *source);

/* --- memory.c: peers, bans and the store -----------------------------------
 */

/* Takes the given store, or opens one in memory. */
int engine_open_store(struct mp_engine *engine, struct mp_store *given,
                      struct mp_fault *fault);
void engine_close_store(struct mp_engine *engine);
bool engine_is_banned(const struct mp_engine *engine,
                      const struct mp_address *address);
bool engine_is_trusted(const struct mp_engine *engine,
                       const struct mp_address *address);
bool engine_is_own(const struct mp_engine *engine,
                   const struct mp_address *address);
void engine_note_own(struct mp_engine *engine,
                     const struct mp_address *address);

/* A peer enters the store. */
void engine_remember(struct mp_engine *engine, const struct mp_address *address,
                     enum mp_source_kind source);

/* What became of a peer that was dialled. */
void engine_note_try(struct mp_engine *engine,
                     const struct mp_address *address);
void engine_note_success(struct mp_engine *engine,
                         const struct mp_connection *connection);
void engine_note_failure(struct mp_engine *engine,
                         const struct mp_connection *connection);
void engine_note_rtt(struct mp_engine *engine,
                     const struct mp_connection *connection);
void engine_note_inaccessible(struct mp_engine *engine,
                              const struct mp_address *address);
void engine_note_unknown(struct mp_engine *engine,
                         const struct mp_address *address);

/* When a ban of `time` (0: ban_time) from now ends. */
int64_t engine_ban_end(const struct mp_engine *engine, int64_t time);

/* Does what a verdict says beyond this connection: discourage or ban. */
void engine_obey(struct mp_engine *engine, struct mp_connection *connection,
                 const struct mp_offence *offence,
                 const struct mp_verdict *verdict);
void engine_start_expiry(struct mp_engine *engine);

/* Something that ends may have come: looks when the first of all does. */
void engine_await_expiry(struct mp_engine *engine);

/* The outbound connections that work now are dialled first after a restart. */
void engine_note_anchors(struct mp_engine *engine);

/* --- listener.c ------------------------------------------------------------
 */

/* An inbound peer says where it listens, at the address it comes from. */
bool connection_has_name(const struct mp_connection *connection);

/* That name is its own until it is gone: 0, or MP_EDUPLICATE when another has
 * it. */
int engine_take_name(struct mp_engine *engine, struct mp_connection *connection,
                     struct mp_fault *fault);
void engine_release_name(struct mp_engine *engine,
                         struct mp_connection *connection);

void engine_listen(struct mp_engine *engine);

/* The same from a call of a script: nobody is told before it returns. */
void engine_listen_soon(struct mp_engine *engine);

/* Its handshake is complete: it is no longer half-open, and the polite lane
 * ends here. */
void engine_inbound_complete(struct mp_engine *engine,
                             struct mp_connection *connection);
void engine_inbound_gone(struct mp_engine *engine,
                         struct mp_connection *connection);

/* --- control.c -------------------------------------------------------------
 */

/* Bans that come and go in the store reach connections and listeners. */
void engine_watch_store(struct mp_engine *engine);

/* The end of a turn: closes whom the many bans of this turn cover. */
void engine_sweep(struct mp_engine *engine);

/* --- eviction.c ------------------------------------------------------------
 */

/* Closes an inbound connection to make room; false when none may go. */
bool engine_evict(struct mp_engine *engine, const struct mp_address *newcomer);

/* --- dialer.c --------------------------------------------------------------
 */
void engine_start_dialing(struct mp_engine *engine);
void engine_stop_dialing(struct mp_engine *engine);
void engine_start_feelers(struct mp_engine *engine);
void engine_dial_configured(struct mp_engine *engine);
void engine_dial_soon(struct mp_engine *engine);
void engine_dial_due(struct mp_engine *engine, struct target *target);
void engine_outbound_complete(struct mp_engine *engine,
                              struct mp_connection *connection);
void engine_outbound_ended(struct mp_engine *engine,
                           struct mp_connection *connection, int code,
                           bool was_connected);

/* --- outage.c --------------------------------------------------------------
 */

/* Somebody there has refused a dial, or dialled us. */
void outage_heard(struct mp_engine *engine, const struct mp_address *address);

/* A dial was taken; and its handshake is complete. */
void outage_taken(struct mp_engine *engine, const struct mp_address *address);
void outage_worked(struct mp_engine *engine, const struct mp_address *address);

/* Whether anything was heard while the network was taken to be down: then it
 * is no longer. */
void outage_look(struct mp_engine *engine);

/* An outbound connection has failed or was lost. */
void outage_note_end(struct mp_engine *engine, const struct mp_connection *c,
                     int code);

/* Whether such a failure is not held against the peer. */
bool outage_excuses(const struct mp_engine *engine);

/* A peer was given up: pardoned, when it was the network's fault. */
void outage_note_burnt(struct mp_engine *engine,
                       const struct mp_address *address);
void outage_deinit(struct mp_engine *engine);

/* --- discovery.c -----------------------------------------------------------
 */
void engine_start_discovery(struct mp_engine *engine);
void engine_stop_discovery(struct mp_engine *engine);
void engine_rediscover(struct mp_engine *engine, const struct mp_config *old);

/* What our own part of the protocol makes of a message: addr and getaddr. */
void engine_hear(struct mp_engine *engine, struct mp_connection *connection,
                 const struct mp_message *message);
void engine_ask_addresses(struct mp_engine *engine,
                          struct mp_connection *connection);

#endif
