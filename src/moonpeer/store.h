/* store - all peers, bans and named values of an engine, and what makes them
 * last.
 *
 * A store knows no loop, reads no clock and has no threads: one thread uses it
 * at a time, `now` (nanoseconds of wall time since 1970, as mp_loop_time
 * gives) is an argument, and blocking happens in mp_store_open, mp_save_run,
 * mp_store_save and mp_store_close alone. Times that last are nanoseconds. */
#ifndef MOONPEER_STORE_H
#define MOONPEER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moonpeer/address.h"
#include "moonpeer/error.h"
#include "moonpeer/memory.h"
#include "moonpeer/peer.h"

struct mp_store;
struct mp_ban;
struct mp_loader;
struct mp_batch;
struct mp_save;

enum {
  MP_STORE_CAPACITY = 65536,
  MP_STORE_CAPACITY_MAX = 16000000,
  MP_STORE_BANS = 100000,
  MP_STORE_SEED = 32,
  MP_STORE_PER_SOURCE = 1024,     /* peers heard from one source group */
  MP_STORE_PER_BUCKET = 64,       /* of these in one group of addresses */
  MP_STORE_VALUES = 1024,         /* named values, at most */
  MP_STORE_VALUE_SIZE = 65536,    /* bytes of one */
  MP_STORE_VALUES_SIZE = 1 << 20, /* bytes of all, names included */
};

/* Makes a store last: a set of functions, each of which may be NULL; `data` is
 * its own. load and apply may block and are called on any one thread at a time;
 * 0, or MP_ESTORE with words. */
struct mp_backend {
  /* Gives all it has to mp_load_peer, mp_load_ban and mp_load_value. */
  int (*load)(void *data, struct mp_loader *loader, struct mp_fault *fault);
  /* Makes a batch durable, all of it or nothing. */
  int (*apply)(void *data, const struct mp_batch *batch,
               struct mp_fault *fault);
  /* The last call: frees data. */
  void (*close)(void *data);
  /* For functions that only run on a loop, instead of apply, which then only
   * says so: begins to make what the save holds durable. mp_save_done is
   * called when that has come to its end, whatever that is, and may be called
   * before this returns. NULL: apply. */
  void (*begin)(void *data, struct mp_save *save);
  bool wants_all; /* every batch holds everything, not the changes only */
};

/* {0} has the defaults; read only while opening. */
struct mp_store_options {
  uint32_t capacity; /* peers, MP_STORE_CAPACITY_MAX at most; 0 is
                      * MP_STORE_CAPACITY */
  uint32_t max_bans; /* likewise; 0 is MP_STORE_BANS */
  /* A peer of a status that has not been heard of for so long is deleted; 0 is
   * 7 days for unknown, 30 for valid, 7 for inaccessible; banned ones stay
   * until the ban ends. MP_FOREVER: never. */
  int64_t ttl[MP_STATUS_COUNT];
  int64_t inaccessible_time; /* then it is unknown again; 0 is 24 h */
  int64_t ban_time;          /* 0 is 24 h */
  /* Unpredictable bytes: for ids, choices, and the keys of tables. All zero
   * is for tests only. */
  uint8_t seed[MP_STORE_SEED];
  const char *asmap; /* a file of lines "prefix AS"; NULL: groups by prefix */
  const struct mp_memory *memory; /* must outlive the store; NULL: malloc */
  bool read_only;                 /* needs no lock, and cannot save */
  /* A backend that is a set of functions: then the URL is only its name. Its
   * data is taken, also when opening fails. apply NULL: changes are kept for
   * somebody who asks for them with mp_store_save_start. */
  const struct mp_backend *backend;
  void *backend_data;
};

/* Opens "memory:", "json:FILE" or "sqlite:FILE" and loads all there is. Blocks;
 * may run on any thread. options may be NULL. 0, and *store is owned:
 * mp_store_close frees it. MP_ECONFIG (no such URL, a capacity, a time, the
 * asmap), or MP_ESTORE: the file cannot be read or is of a newer version, or
 * another process writes it (the text says which); then *store is NULL. A
 * damaged file does not fail: it is set aside, the last good copy is used, and
 * mp_store_warning tells. */
int mp_store_open(struct mp_store **store, const char *url,
                  const struct mp_store_options *options,
                  struct mp_fault *fault);

/* Frees it without saving; while a save is under way, when that is finished.
 * NULL is fine. */
void mp_store_close(struct mp_store *store);

/* What it was opened with; borrowed until it is closed. */
const char *mp_store_url(const struct mp_store *store);

/* What opening had to put up with (damage, and where the file is now), or "";
 * borrowed likewise. */
const char *mp_store_warning(const struct mp_store *store);

/* Changes capacity, max_bans and the times while in use; the other options are
 * not looked at. A smaller capacity evicts with time. 0 or MP_ECONFIG. */
int mp_store_configure(struct mp_store *store,
                       const struct mp_store_options *options,
                       struct mp_fault *fault);

/* --- peers -----------------------------------------------------------------
 * Pointers to peers are borrowed until the peer is deleted (by anybody, or by
 * expiry or eviction) or the store closed. */

/* A peer that is to be. All is borrowed until the call returns. */
struct mp_peer_new {
  const struct mp_address *address;    /* with a port above 0 */
  const uint8_t *id;                   /* MP_UUID_SIZE; NULL: one is made */
  const struct mp_peer_change *change; /* NULL: no more is known */
};

/* When the store is full another goes: never-successful peers first, then
 * those that worked once, banned ones last; among them inaccessible before
 * unknown before valid, and the longest in its status first. 0, MP_EDUPLICATE
 * (*peer is then the one that is there when the address is the same, else
 * NULL), MP_ECONFIG (values out of range), MP_ELIMIT. `peer` may be NULL. */
int mp_store_create(struct mp_store *store, const struct mp_peer **peer,
                    const struct mp_peer_new *made, int64_t now,
                    struct mp_fault *fault);

/* The peer with an id, or at an address and port; NULL when there is none
 * (peer_not_found). */
const struct mp_peer *mp_store_read(struct mp_store *store,
                                    const uint8_t id[MP_UUID_SIZE]);
const struct mp_peer *mp_store_find(struct mp_store *store,
                                    const struct mp_address *address);

/* All of the change or nothing. 0, MP_ENOT_FOUND, MP_ECONFIG (also for a
 * status other than banned while a ban covers the address), MP_ELIMIT. A peer
 * banned this way is banned for ban_time, alone; to ban an address or prefix
 * use mp_ban_add. */
int mp_store_update(struct mp_store *store, const uint8_t id[MP_UUID_SIZE],
                    const struct mp_peer_change *change, int64_t now,
                    struct mp_fault *fault);

/* 0 or MP_ENOT_FOUND. A ban of its address stays. */
int mp_store_delete(struct mp_store *store, const uint8_t id[MP_UUID_SIZE],
                    struct mp_fault *fault);

/* How many peers there are, of all statuses or of one; and the most there may
 * be. */
uint32_t mp_store_count(const struct mp_store *store);
uint32_t mp_store_count_by_status(const struct mp_store *store,
                                  enum mp_status status);
uint32_t mp_store_capacity(const struct mp_store *store);

/* An address that somebody told us of, and who. All is borrowed. */
struct mp_hearsay {
  const struct mp_address *address;
  const struct mp_source *source;
  uint64_t services;
};

/* The peer it tells of is created, 0 and as by mp_store_create, when the rules
 * for its source allow, else refused with MP_ELIMIT: a source may name 0.1
 * addresses a second (and as many at once as mp_store_expect said),
 * MP_STORE_PER_SOURCE of a source group are kept, and MP_STORE_PER_BUCKET of
 * these in one group. Only sources of the kinds peer and inbound are held to
 * it. MP_EDUPLICATE when known. */
int mp_store_hear(struct mp_store *store, const struct mp_peer **peer,
                  const struct mp_hearsay *hearsay, int64_t now,
                  struct mp_fault *fault);

/* We asked this source: n more addresses (1,000 at most) may come at once. */
void mp_store_expect(struct mp_store *store, const struct mp_source *source,
                     unsigned n, int64_t now);

/* --- filters, iteration, choice --------------------------------------------
 * {0} lets every peer through; set members must all hold. */
struct mp_filter {
  unsigned statuses;              /* 1 << status or'ed; 0 is all */
  const struct mp_group *group;   /* NULL: all */
  const struct mp_source *source; /* port and, when zero, address not seen */
  int64_t older_than;             /* first seen at least so long before now */
  int64_t newer_than;             /* first seen less than so long before now */
  int64_t untried_for;            /* not tried for so long */
  int64_t now;                    /* for these */
  /* Asked last; must not change the store. NULL: all. */
  bool (*accept)(void *data, const struct mp_peer *peer);
  void *data;
};

/* Any change of the store is allowed between two calls, deleting the present
 * peer too. A peer is seen at most once; one that is there, and matches, all
 * the while is seen. One status alone costs as much as it has peers. */
struct mp_iterator {
  /* private */
  struct mp_store *store;
  struct mp_iterator *next, *previous;
  struct mp_filter filter;
  uint32_t at, end, last[2];
  uint8_t list, mode;
};

/* begin and end come in pairs; end twice, or after the store was closed, is
 * fine. The storage is the caller's and must stay until the end; what the
 * filter points at is borrowed until then. next: NULL after the last. */
void mp_iterator_begin(struct mp_iterator *iterator, struct mp_store *store,
                       const struct mp_filter *filter);
const struct mp_peer *mp_iterator_next(struct mp_iterator *iterator);
void mp_iterator_end(struct mp_iterator *iterator);

/* Draws and new ids follow from these random bytes (copied) from now on.
 * Engines do this with their loop's, so that what a world does with a store
 * from outside of it depends on the world's seed alone. */
void mp_store_stir(struct mp_store *store, const uint8_t seed[MP_STORE_SEED]);

/* Up to n peers at random, evenly over network groups (two of one group only
 * when the groups run out), the chance falling by a third with every failure
 * up to eight, and to a hundredth for ten minutes after a try. filter->now is
 * the time. How many were written to peers; work is bounded, so that of a store
 * in which nearly nobody passes `accept` some may be missed. */
size_t mp_store_pick(struct mp_store *store, const struct mp_filter *filter,
                     const struct mp_peer **peers, size_t n);

/* The group by asmap where there is one, else as mp_group_of. */
void mp_store_group(const struct mp_store *store,
                    const struct mp_address *address, struct mp_group *group);

/* Ends bans that are over, makes inaccessible peers unknown, deletes stale
 * ones, brings wide bans to peers, gives memory of saves back: at most about
 * `budget` peers are looked at. True while there is more to do now. Engines do
 * this for their store. */
bool mp_store_expire(struct mp_store *store, int64_t now, unsigned budget);

/* When the next ban or status ends, wall time; MP_FOREVER when none does. It
 * may be past. */
int64_t mp_store_next_end(const struct mp_store *store);

/* --- changes, as they happen -----------------------------------------------
 */
enum mp_store_event_kind {
  MP_STORE_PEER_CREATED,
  MP_STORE_PEER_UPDATED,
  MP_STORE_PEER_DELETED, /* told before: the peer can still be read */
  MP_STORE_BAN_ADDED,
  MP_STORE_BAN_REMOVED, /* likewise */
};

enum mp_store_cause {
  MP_STORE_ASKED,
  MP_STORE_EXPIRED,
  MP_STORE_EVICTED,
  MP_STORE_BANNED, /* a ban came or went that covers the peer */
};

/* One change; what it points to is borrowed until fn returns. */
struct mp_store_event {
  enum mp_store_event_kind kind;
  enum mp_store_cause cause;
  const struct mp_peer *peer; /* or NULL */
  enum mp_status before;      /* the status of an updated peer till now */
  const struct mp_ban *ban;   /* or NULL */
};

/* fn must not change the store. The storage is the caller's and must stay
 * until removed, or the store is closed. */
struct mp_store_listener {
  void (*fn)(void *data, const struct mp_store_event *event);
  void *data;
  /* private */
  struct mp_store_listener *next, **place;
};
void mp_store_listen(struct mp_store *store,
                     struct mp_store_listener *listener);
void mp_store_unlisten(struct mp_store_listener *listener);

/* --- named values ----------------------------------------------------------
 * Small things that are saved along: when schedules last ran, anchors,
 * secrets. */

/* Sets a value, of any size bytes (copied); bytes NULL removes it. 0;
 * MP_ECONFIG: a name is 1 to 128 printable ASCII characters; MP_ELIMIT: over
 * MP_STORE_VALUES, _VALUE_SIZE or _VALUES_SIZE, or no memory. */
int mp_store_set_value(struct mp_store *store, const char *name,
                       const void *bytes, size_t size, struct mp_fault *fault);

/* Its *size (may be NULL) bytes; NULL for none. Borrowed until values change.
 */
const void *mp_store_value(struct mp_store *store, const char *name,
                           size_t *size);

/* The name after this one in order (NULL: the first), or NULL. Borrowed until
 * values change. */
const char *mp_store_next_value(struct mp_store *store, const char *name);

/* --- saving ----------------------------------------------------------------
 * start: 0, or MP_EWOULD_BLOCK while another save is under way, MP_ESTORE for
 * a read-only store; then *save is NULL. The save holds the store as it is now,
 * whatever changes while it is gathered; then
 *   while (mp_save_gather(save, 2048)) let the loop turn;
 *   run mp_save_run on any thread, while the store may change;
 *   mp_save_finish with its result: a failed save's changes are kept for the
 *   next. The save, owned until then, is gone when this returns.
 * run: 0, or MP_ESTORE with words. */
int mp_store_save_start(struct mp_store *store, struct mp_save **save,
                        struct mp_fault *fault);
bool mp_save_gather(struct mp_save *save, unsigned n);
int mp_save_run(struct mp_save *save, struct mp_fault *fault);

/* Instead of mp_save_run, on the loop: false when the backend needs none, else
 * done is called with what mp_save_run would return, maybe before this does. */
bool mp_save_begin(struct mp_save *save,
                   void (*done)(void *data, int rc,
                                const struct mp_fault *fault),
                   void *data);

/* For the backend that began it: rc is 0 or MP_ESTORE with a fault. Once. */
void mp_save_done(struct mp_save *save, int rc, const struct mp_fault *fault);

/* The end of a save: rc is what came of it, 0 when all is durable. Closes a
 * store whose close has waited for this. */
void mp_save_finish(struct mp_save *save, int rc);

/* All of it at once. Blocks. 0, or what start or run return. */
int mp_store_save(struct mp_store *store, struct mp_fault *fault);

/* Whether there is anything to save. */
bool mp_store_is_changed(const struct mp_store *store);

/* What a save holds, for those who make it durable themselves instead of
 * calling mp_save_run. Good once gathered; borrowed until finished. Rows are
 * numbers above 0 that stay a peer's or ban's for life and are used again after
 * it. i is below the count; NULL, or false: the row was deleted. Of a value
 * that was removed *bytes is NULL. */
const struct mp_batch *mp_save_batch(const struct mp_save *save);
bool mp_batch_has_all(const struct mp_batch *batch);
uint32_t mp_batch_peer_count(const struct mp_batch *batch);
const struct mp_peer *mp_batch_peer(const struct mp_batch *batch, uint32_t i,
                                    uint32_t *row);
uint32_t mp_batch_ban_count(const struct mp_batch *batch);
bool mp_batch_ban(const struct mp_batch *batch, uint32_t i, uint32_t *row,
                  struct mp_ban *ban);
uint32_t mp_batch_value_count(const struct mp_batch *batch);
const char *mp_batch_value(const struct mp_batch *batch, uint32_t i,
                           const void **bytes, size_t *size);

/* While loading. row 0 takes any; a peer has all its members. All is copied,
 * and everything is checked: 0, or MP_ESTORE with what is wrong, duplicates
 * too; nothing was taken then. */
int mp_load_peer(struct mp_loader *loader, uint32_t row,
                 const struct mp_peer_new *loaded, struct mp_fault *fault);
int mp_load_ban(struct mp_loader *loader, uint32_t row,
                const struct mp_ban *ban, struct mp_fault *fault);
int mp_load_value(struct mp_loader *loader, const char *name, const void *bytes,
                  size_t size, struct mp_fault *fault);

#endif
