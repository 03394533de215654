/* config - the schema of an engine's configuration. */
#include "moonpeer/config.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
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
    {"ban_time", MP_KEY_DURATION, AT(ban_time), MP_SECOND, 36500 * DAY,
     "how long a ban lasts when its verdict does not say"},
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
  config->ban_time = DAY;
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
};

static int wrong_type(const struct mp_config_key *key, const char *got,
                      struct mp_fault *fault) {
  return fault_set(fault, MP_ECONFIG, "%s: expected %s, got %.60s", key->name,
                   units[key->type], got);
}

static int store_integer(struct mp_config *config,
                         const struct mp_config_key *key, int64_t value,
                         struct mp_fault *fault) {
  char *place = (char *)config + key->offset;
  bool is_time = key->type == MP_KEY_DURATION;
  double unit = is_time ? (double)MP_SECOND : 1;
  if (value < key->least || value > key->most)
    return fault_set(fault, MP_ECONFIG,
                     "%s: expected %.12g to %.12g%s, "
                     "got %.12g",
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
