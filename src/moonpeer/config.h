/* config - what an engine can be told: one table of keys, with types, units
 * and ranges. */
#ifndef MOONPEER_CONFIG_H
#define MOONPEER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moonpeer/address.h"
#include "moonpeer/connection.h"
#include "moonpeer/network.h"

/* A configuration: plain data. An engine copies it, the lists of peers and
 * trusted prefixes too; strings and lists inside the network are borrowed for
 * as long as the engine lives. Times are nanoseconds; the range of each key is
 * in its row of mp_config_keys. */
struct mp_config {
  struct mp_session_options session; /* its network is ignored: see below */
  struct mp_network network;
  bool has_listen;                /* else nobody is let in */
  struct mp_address listen;       /* port 0: one that is free */
  const struct mp_address *peers; /* remembered; in fixed mode dialled, kept */
  size_t peer_count;
  bool is_fixed;                  /* only these peers, no discovery */
  int64_t target_connections;     /* outbound ones to keep */
  int64_t max_connections;        /* in all */
  int64_t half_open;              /* inbound handshakes under way */
  int64_t per_address, per_group; /* inbound; per_group 0: a quarter of all */
  int64_t ban_time, inaccessible_time; /* of the store, if it is tuned */
  int64_t initial_backoff, max_backoff, max_retries; /* of dials that failed */
  double backoff_multiplier;
  int64_t max_restarts, restart_window; /* after a network failure */
  int64_t discovery_interval;           /* between look-ups of the seeds */
  int64_t feeler_interval;              /* 0: no feelers */
  int64_t listen_retry;                 /* after a listener failed */
  int64_t shutdown_timeout;             /* for a close in order */
  int64_t max_peers, max_bans;          /* of the store, if it is tuned */
  int64_t receive_memory_total, send_memory_total; /* bytes in all */
  const struct mp_prefix
      *trusted; /* not refused for their number, or evicted */
  size_t trusted_count;
};

/* What a key's place holds. */
enum mp_key_type {
  MP_KEY_DURATION, /* int64_t nanoseconds */
  MP_KEY_COUNT,    /* int64_t */
  MP_KEY_BYTES,    /* int64_t */
  MP_KEY_VERSION,  /* int32_t */
  MP_KEY_TEXT,     /* char[MP_USER_AGENT + 1] */
  MP_KEY_FLAG,     /* bool */
  MP_KEY_NUMBER,   /* double, of thousandths */
};

/* One key of the schema: its place in struct mp_config and its range. */
struct mp_config_key {
  const char *name;
  enum mp_key_type type;
  size_t offset;       /* in struct mp_config */
  int64_t least, most; /* in the units of the type; lengths for texts */
  const char *about;   /* one line for people */
};

/* The schema, *n keys. Static. */
const struct mp_config_key *mp_config_keys(size_t *n);

/* The key of a name; NULL for a name that is no key. Static. */
const struct mp_config_key *mp_config_key(const char *name);

/* The defaults, on a network, which is copied (its strings are borrowed): not
 * listening, without peers, in normal mode. */
void mp_config_init(struct mp_config *config, const struct mp_network *network);

/* Sets a key from a number (seconds for durations), a text ("10m" for
 * durations; copied) or a flag. 0, or MP_ECONFIG that says what was expected
 * and what came: another type, or out of range; config is as it was. */
int mp_config_set_number(struct mp_config *config,
                         const struct mp_config_key *key, double number,
                         struct mp_fault *fault);
int mp_config_set_text(struct mp_config *config,
                       const struct mp_config_key *key, const char *text,
                       struct mp_fault *fault);
int mp_config_set_flag(struct mp_config *config,
                       const struct mp_config_key *key, bool flag,
                       struct mp_fault *fault);

/* Writes the keys of the schema in which two configurations differ into
 * changed, which has room for n; how many. */
size_t mp_config_changes(const struct mp_config *a, const struct mp_config *b,
                         const struct mp_config_key **changed, size_t n);

/* What no single key can tell: 0, or MP_ELIMITS when target_connections is more
 * than max_connections. */
int mp_config_check(const struct mp_config *config, struct mp_fault *fault);

#endif
