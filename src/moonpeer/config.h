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

/* A configuration; plain data, copied by whoever keeps it, except for the
 * strings and lists inside the network and peers. */
struct mp_config {
  struct mp_session_options session; /* its network is ignored: see below */
  struct mp_network network;
  bool has_listen;
  struct mp_address listen;
  const struct mp_address *peers; /* dialled in fixed mode; borrowed */
  size_t peer_count;
  bool is_fixed; /* only these peers, no discovery */
  int64_t target_connections, max_connections;
  int64_t half_open;              /* inbound handshakes under way */
  int64_t per_address, per_group; /* inbound; per_group 0: a quarter of all */
  int64_t ban_time, inaccessible_time; /* times in nanoseconds */
  int64_t initial_backoff, max_backoff, max_retries;
  double backoff_multiplier;
  int64_t max_restarts, restart_window;
  int64_t discovery_interval, feeler_interval, listen_retry;
  int64_t shutdown_timeout; /* for a close in order */
  int64_t max_peers, max_bans;
  int64_t receive_memory_total, send_memory_total; /* bytes in all */
  const struct mp_prefix
      *trusted; /* never refused for their number; borrowed */
  size_t trusted_count;
};

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
  size_t offset;
  int64_t least, most; /* in the units of the type; lengths for texts */
  const char *about;   /* one line for people */
};

const struct mp_config_key *mp_config_keys(size_t *n);

/* NULL for a name that is no key. */
const struct mp_config_key *mp_config_key(const char *name);

/* The defaults, on a network. */
void mp_config_init(struct mp_config *config, const struct mp_network *network);

/* Sets a key from a number (seconds for durations), a text or a flag. 0, or
 * MP_ECONFIG that says what was expected and what came. */
int mp_config_set_number(struct mp_config *config,
                         const struct mp_config_key *key, double number,
                         struct mp_fault *fault);
int mp_config_set_text(struct mp_config *config,
                       const struct mp_config_key *key, const char *text,
                       struct mp_fault *fault);
int mp_config_set_flag(struct mp_config *config,
                       const struct mp_config_key *key, bool flag,
                       struct mp_fault *fault);

/* The keys of the schema in which two configurations differ; how many, at most
 * n. */
size_t mp_config_changes(const struct mp_config *a, const struct mp_config *b,
                         const struct mp_config_key **changed, size_t n);

/* What no single key can tell: 0, MP_ELIMITS or MP_ECONFIG. */
int mp_config_check(const struct mp_config *config, struct mp_fault *fault);

#endif
