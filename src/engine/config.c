/* config - the schema of an engine's configuration. */
#include "moonpeer/config.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "engine/target.h"
#include "moonpeer/loop.h"
#include "moonpeer/text.h"

#define AT(field) offsetof(struct mp_config, field)
#define MINUTE (60 * MP_SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define MIB (INT64_C(1) << 20)

static const struct mp_config_key keys[] = {
    {"target_connections", MP_KEY_COUNT, AT(target_connections), 0, 100000,
     "outbound connections to keep"},
    {"max_connections", MP_KEY_COUNT, AT(max_connections), 0, 100000,
     "connections in all"},
    {"connect_timeout", MP_KEY_DURATION, AT(session.connect_timeout),
     MP_MILLISECOND, HOUR, "until a dial is given up"},
    {"handshake_timeout", MP_KEY_DURATION, AT(session.handshake_timeout),
     MP_MILLISECOND, HOUR, "from the open stream to the complete handshake"},
    {"ping_interval", MP_KEY_DURATION, AT(session.ping_interval), 0, DAY,
     "between a pong and the next ping; 0 for none"},
    {"ping_timeout", MP_KEY_DURATION, AT(session.ping_timeout), MP_MILLISECOND,
     DAY, "until a pong is late"},
    {"receive_memory", MP_KEY_BYTES, AT(session.receive_memory), 1024,
     1024 * MIB, "largest message held for one connection"},
    {"send_memory", MP_KEY_BYTES, AT(session.send_memory), 1024, 1024 * MIB,
     "largest queue to one connection"},
    {"protocol_version", MP_KEY_VERSION, AT(session.protocol_version), 31800,
     INT32_MAX, "what we say we speak"},
    {"user_agent", MP_KEY_TEXT, AT(session.user_agent), 0, MP_USER_AGENT,
     "what we call ourselves"},
    {"half_open", MP_KEY_COUNT, AT(half_open), 1, 100000,
     "inbound handshakes under way at once"},
    {"per_address", MP_KEY_COUNT, AT(per_address), 1, 100000,
     "inbound connections from one address"},
    {"per_group", MP_KEY_COUNT, AT(per_group), 0, 100000,
     "inbound connections from one network group; 0: a quarter of them"},
    {"ban_time", MP_KEY_DURATION, AT(ban_time), MP_SECOND, 36500 * DAY,
     "how long a ban lasts when its verdict does not say"},
    {"inaccessible_time", MP_KEY_DURATION, AT(inaccessible_time), MP_SECOND,
     36500 * DAY, "until an inaccessible peer is unknown again"},
    {"initial_backoff", MP_KEY_DURATION, AT(initial_backoff), MP_MILLISECOND,
     DAY, "before a peer is dialled for the second time"},
    {"backoff_multiplier", MP_KEY_NUMBER, AT(backoff_multiplier), 1000, 100000,
     "by which the wait grows"},
    {"max_backoff", MP_KEY_DURATION, AT(max_backoff), MP_MILLISECOND, DAY,
     "the longest wait"},
    {"max_retries", MP_KEY_COUNT, AT(max_retries), 0, 1000,
     "failures in a row after which a peer is inaccessible"},
    {"jitter", MP_KEY_NUMBER, AT(session.jitter), 0, 1000,
     "the part of a wait that is up to chance, both ways"},
    {"max_restarts", MP_KEY_COUNT, AT(max_restarts), 0, TARGET_RESTARTS,
     "connections made anew at once after a network failure"},
    {"restart_window", MP_KEY_DURATION, AT(restart_window), MP_SECOND, DAY,
     "within which these are counted"},
    {"discovery_interval", MP_KEY_DURATION, AT(discovery_interval), MP_SECOND,
     30 * DAY, "between two look-ups of the DNS seeds"},
    {"feeler_interval", MP_KEY_DURATION, AT(feeler_interval), 0, DAY,
     "between two tries of unknown peers; 0 for none"},
    {"listen_retry", MP_KEY_DURATION, AT(listen_retry), MP_MILLISECOND, DAY,
     "before a listener that failed is opened again"},
    {"shutdown_timeout", MP_KEY_DURATION, AT(shutdown_timeout), 0, HOUR,
     "for closing in order"},
    {"max_peers", MP_KEY_COUNT, AT(max_peers), 1, 16000000, "peers remembered"},
    {"max_bans", MP_KEY_COUNT, AT(max_bans), 1, 10000000, "bans remembered"},
    {"receive_memory_total", MP_KEY_BYTES, AT(receive_memory_total), MIB,
     INT64_C(1) << 40, "received and not yet handled, in all"},
    {"send_memory_total", MP_KEY_BYTES, AT(send_memory_total), MIB,
     INT64_C(1) << 40, "queued to be sent, in all"},
};

const struct mp_config_key *mp_config_keys(size_t *n) {
  *n = sizeof keys / sizeof *keys;
  return keys;
}

const struct mp_config_key *mp_config_key(const char *name) {
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (strcmp(keys[i].name, name) == 0)
      return &keys[i];
  return NULL;
}

void mp_session_options_init(struct mp_session_options *options,
                             const struct mp_network *network) {
  *options = (struct mp_session_options){
      .network = network,
      .protocol_version = 70016,
      .connect_timeout = 5 * MP_SECOND,
      .handshake_timeout = 15 * MP_SECOND,
      .ping_interval = 2 * MINUTE,
      .ping_timeout = 30 * MP_SECOND,
      .receive_memory = 4 * MIB,
      .send_memory = MIB,
      .keepalive = true,
  };
  snprintf(options->user_agent, sizeof options->user_agent, "/moonpeer:%s/",
           mp_version_text());
}

void mp_config_init(struct mp_config *config,
                    const struct mp_network *network) {
  memset(config, 0, sizeof *config);
  mp_session_options_init(&config->session, network);
  config->network = *network;
  config->target_connections = 8;
  config->max_connections = 20;
  config->half_open = 32;
  config->per_address = 5;
  config->ban_time = DAY;
  config->inaccessible_time = DAY;
  config->initial_backoff = 5 * MP_SECOND;
  config->backoff_multiplier = 2;
  config->max_backoff = 10 * MINUTE;
  config->max_retries = 10;
  config->session.jitter = 0.5;
  config->max_restarts = 3;
  config->restart_window = HOUR;
  config->discovery_interval = HOUR;
  config->feeler_interval = 2 * MINUTE;
  config->listen_retry = 30 * MP_SECOND;
  config->shutdown_timeout = 5 * MP_SECOND;
  config->max_peers = 65536;
  config->max_bans = 100000;
  config->receive_memory_total = 512 * MIB;
  config->send_memory_total = 512 * MIB;
}

/* --- setting ---------------------------------------------------------------
 */

static const char *const units[] = {
    [MP_KEY_DURATION] = "seconds or a text such as \"10m\"",
    [MP_KEY_COUNT] = "a whole number",
    [MP_KEY_BYTES] = "a whole number of bytes",
    [MP_KEY_VERSION] = "a whole number",
    [MP_KEY_TEXT] = "a text",
    [MP_KEY_FLAG] = "true or false",
    [MP_KEY_NUMBER] = "a number",
};

static int wrong_type(const struct mp_config_key *key, const char *got,
                      struct mp_fault *fault) {
  return fault_set(fault, MP_ECONFIG, "%s: expected %s, got %.60s", key->name,
                   units[key->type], got);
}

static int store_number(struct mp_config *config,
                        const struct mp_config_key *key, double value,
                        struct mp_fault *fault) {
  double least = (double)key->least / 1000, most = (double)key->most / 1000;
  if (!(value >= least && value <= most)) /* also refuses NaN */
    return fault_set(fault, MP_ECONFIG,
                     "%s: expected %.12g to %.12g, got %.12g", key->name, least,
                     most, value);
  *(double *)(void *)((char *)config + key->offset) = value;
  return 0;
}

static int store_integer(struct mp_config *config,
                         const struct mp_config_key *key, int64_t value,
                         struct mp_fault *fault) {
  char *place = (char *)config + key->offset;
  bool is_time = key->type == MP_KEY_DURATION;
  double unit = is_time ? (double)MP_SECOND : 1;
  if (value < key->least || value > key->most)
    return fault_set(fault, MP_ECONFIG,
                     "%s: expected %.15g to %.15g%s, "
                     "got %.15g",
                     key->name, (double)key->least / unit,
                     (double)key->most / unit, is_time ? " s" : "",
                     (double)value / unit);
  if (key->type == MP_KEY_VERSION)
    *(int32_t *)(void *)place = (int32_t)value;
  else
    *(int64_t *)(void *)place = value;
  return 0;
}

int mp_config_set_number(struct mp_config *config,
                         const struct mp_config_key *key, double number,
                         struct mp_fault *fault) {
  char got[32];
  int64_t value = 0;
  bool fits = number >= -9e18 && number <= 9e18; /* and is a number */
  snprintf(got, sizeof got, "%.14g", number);
  switch (key->type) {
  case MP_KEY_DURATION:
    if (!mp_duration_of_seconds(&value, number))
      return wrong_type(key, got, fault);
    return store_integer(config, key, value, fault);
  case MP_KEY_COUNT:
  case MP_KEY_BYTES:
  case MP_KEY_VERSION:
    if (!fits || (double)(int64_t)number != number)
      return wrong_type(key, got, fault);
    return store_integer(config, key, (int64_t)number, fault);
  case MP_KEY_NUMBER: return store_number(config, key, number, fault);
  case MP_KEY_TEXT:
  case MP_KEY_FLAG: break;
  }
  return wrong_type(key, got, fault);
}

int mp_config_set_text(struct mp_config *config,
                       const struct mp_config_key *key, const char *text,
                       struct mp_fault *fault) {
  char quoted[64];
  int64_t value;
  snprintf(quoted, sizeof quoted, "\"%.56s\"", text);
  if (key->type == MP_KEY_DURATION) {
    if (!mp_duration_parse(&value, text))
      return wrong_type(key, quoted, fault);
    return store_integer(config, key, value, fault);
  }
  if (key->type != MP_KEY_TEXT)
    return wrong_type(key, quoted, fault);
  size_t n = strlen(text);
  if (n > (size_t)key->most)
    return fault_set(fault, MP_ECONFIG,
                     "%s: expected at most %lld bytes, got %zu", key->name,
                     (long long)key->most, n);
  memcpy((char *)config + key->offset, text, n + 1);
  return 0;
}

int mp_config_set_flag(struct mp_config *config,
                       const struct mp_config_key *key, bool flag,
                       struct mp_fault *fault) {
  if (key->type != MP_KEY_FLAG)
    return wrong_type(key, flag ? "true" : "false", fault);
  *(bool *)((char *)config + key->offset) = flag;
  return 0;
}

int mp_config_check(const struct mp_config *config, struct mp_fault *fault) {
  if (config->target_connections > config->max_connections)
    return fault_set(fault, MP_ELIMITS,
                     "expected target_connections (%lld) to be at most "
                     "max_connections (%lld)",
                     (long long)config->target_connections,
                     (long long)config->max_connections);
  return 0;
}
