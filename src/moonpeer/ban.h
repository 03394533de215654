/* ban - refusing addresses and prefixes, for a time; and discouraging some.
 *
 * Bans belong to a store, are saved with it, and reach the peers in it: a
 * covered peer is `banned`, and `unknown` again when no ban covers it. Times
 * are nanoseconds of wall time since 1970, kept to the whole second; `now` is
 * the present one, as mp_loop_time gives. Everything an argument points to is
 * borrowed until the call returns. */
#ifndef MOONPEER_BAN_H
#define MOONPEER_BAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moonpeer/address.h"
#include "moonpeer/error.h"
#include "moonpeer/peer.h"

struct mp_store;

enum { MP_BAN_TEXT = 256 }; /* bytes of an origin or note, terminator too */

/* One ban. In what a function below fills, the texts are borrowed until the
 * store's bans change. */
struct mp_ban {
  struct mp_prefix prefix; /* all bits for one address */
  enum mp_ban_reason reason;
  int64_t created;    /* up to the year 2106 */
  int64_t expires;    /* MP_BAN_FOREVER, or later than created */
  const char *origin; /* who decided: "manual", "import", a policy's name */
  const char *note;   /* in words, why; may be "" */
};

#define MP_BAN_FOREVER INT64_MAX

/* How lists are written: as Bitcoin Core's banlist.json (22.0 and later), or
 * as plain text. */
enum mp_ban_format { MP_BAN_JSON, MP_BAN_PLAIN };

/* The prefix that is one address. */
struct mp_prefix mp_prefix_of(const struct mp_address *address);

/* The network group around it: /16 for IPv4, /32 for IPv6; the address alone
 * when it is not routable. */
struct mp_prefix mp_prefix_of_group(const struct mp_address *address);

/* Adds a ban, or puts it in the place of one on the same prefix. created 0 is
 * now, expires 0 is now and the store's ban_time, reason none is manual, NULL
 * texts are "". When full, the ban soonest to expire makes room. All is copied.
 * 0, MP_ECONFIG (no such reason, created out of range, it has expired already,
 * a text too long), or MP_ELIMIT: full of bans that last for ever, or no
 * memory. */
int mp_ban_add(struct mp_store *store, const struct mp_ban *ban, int64_t now,
               struct mp_fault *fault);

/* Removes the ban on exactly this prefix. 0 or MP_ENOT_FOUND. */
int mp_ban_remove(struct mp_store *store, const struct mp_prefix *prefix,
                  int64_t now, struct mp_fault *fault);

/* Removes every ban that covers the address (its port is not looked at); how
 * many there were. */
unsigned mp_ban_lift(struct mp_store *store, const struct mp_address *address,
                     int64_t now);

/* The narrowest ban that covers the address (its port is not looked at) and
 * lasts at `now`, in *ban (may be NULL); false when there is none. */
bool mp_ban_find(struct mp_store *store, const struct mp_address *address,
                 int64_t now, struct mp_ban *ban);

/* The same for the ban on exactly this prefix, be it over or not. */
bool mp_ban_get(struct mp_store *store, const struct mp_prefix *prefix,
                struct mp_ban *ban);

/* All of them in no order: begin with *position 0, until false. Bans may come
 * and go between two calls; those that stay are seen once. Bans that are over
 * are among them until mp_store_expire takes them out. */
bool mp_ban_next(struct mp_store *store, uint32_t *position,
                 struct mp_ban *ban);

/* How many there are, those over and not yet taken out included. */
uint32_t mp_ban_count(struct mp_store *store);

/* Reads Bitcoin's banlist.json, or plain text: one address or prefix a line,
 * # begins a comment. Bans that have expired are left out and counted.
 * 0, or with a fault that begins with `name`: MP_ECONFIG with the first line or
 * entry that is wrong, or MP_ELIMIT for more than max_bans: nothing was added.
 * MP_ELIMIT also when bans that last for ever, or memory, leave no room: those
 * in `added` stay. */
struct mp_ban_import {
  enum mp_ban_format format;
  const char *text; /* borrowed */
  size_t size;
  const char *name;        /* what to call the text; "bans" when NULL */
  const char *origin;      /* "import" when NULL */
  int64_t expires;         /* for plain text, which has none; 0 is ban_time */
  uint32_t added, expired; /* filled */
};
int mp_ban_import(struct mp_store *store, struct mp_ban_import *list,
                  int64_t now, struct mp_fault *fault);

/* The same the other way: *text is owned, with a terminator behind its *size
 * bytes; free() it. 0, or MP_ELIMIT for want of memory, with *text NULL.
 * Forever is 9999-12-31 in banlist.json, which has no word for it. Reasons,
 * origins and notes have no place in either format. */
int mp_ban_export(struct mp_store *store, enum mp_ban_format format,
                  char **text, size_t *size);

/* --- the milder tier -------------------------------------------------------
 * Remembered in memory only, without the port, the last 50,000. */

/* 0, also when it is discouraged already, or MP_ELIMIT for want of memory. */
int mp_discourage(struct mp_store *store, const struct mp_address *address);
bool mp_is_discouraged(struct mp_store *store,
                       const struct mp_address *address);
void mp_encourage(struct mp_store *store, const struct mp_address *address);

#endif
