/* configure - changing a running engine's configuration, all or nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "moonpeer/store.h"

static size_t size_of(enum mp_key_type type) {
  switch (type) {
  case MP_KEY_VERSION: return sizeof(int32_t);
  case MP_KEY_TEXT: return MP_USER_AGENT + 1;
  case MP_KEY_FLAG: return sizeof(bool);
  case MP_KEY_NUMBER: return sizeof(double);
  default: return sizeof(int64_t);
  }
}

static bool differs(const struct mp_config *a, const struct mp_config *b,
                    const struct mp_config_key *key) {
  const char *x = (const char *)a + key->offset;
  const char *y = (const char *)b + key->offset;
  return key->type == MP_KEY_TEXT ? strcmp(x, y) != 0
                                  : memcmp(x, y, size_of(key->type)) != 0;
}

size_t mp_config_changes(const struct mp_config *a, const struct mp_config *b,
                         const struct mp_config_key **changed, size_t n) {
  size_t keys, found = 0;
  const struct mp_config_key *list = mp_config_keys(&keys);
  for (size_t i = 0; i < keys && found < n; i++)
    if (differs(a, b, &list[i]))
      changed[found++] = &list[i];
  return found;
}

static bool has_same_seeds(const struct mp_network *a,
                           const struct mp_network *b) {
  size_t i = 0;
  while (i < MP_NETWORK_SEEDS && a->seeds[i] && b->seeds[i] &&
         strcmp(a->seeds[i], b->seeds[i]) == 0)
    i++;
  return i == MP_NETWORK_SEEDS || (!a->seeds[i] && !b->seeds[i]);
}

static bool is_same_network(const struct mp_network *a,
                            const struct mp_network *b) {
  return memcmp(a->magic, b->magic, sizeof a->magic) == 0 &&
         strcmp(a->name, b->name) == 0 && a->port == b->port &&
         memcmp(a->genesis, b->genesis, sizeof a->genesis) == 0 &&
         a->max_payload == b->max_payload &&
         a->checks_user_agent == b->checks_user_agent && has_same_seeds(a, b);
}

static int check(const struct mp_engine *engine, const struct mp_config *config,
                 struct mp_fault *fault) {
  int rc = mp_config_check(config, fault);
  if (rc != 0)
    return rc;
  if (!is_same_network(&config->network, &engine->config.network))
    return fault_set(fault, MP_ECONFIG,
                     "network: expected %s as it is, which cannot change "
                     "while the engine lives, got %s; make another engine",
                     engine->config.network.name, config->network.name);
  if (engine->is_closing)
    return fault_set(fault, MP_ECLOSED, "the engine is closed");
  return 0;
}

static int change_store(struct mp_engine *engine,
                        const struct mp_config *config,
                        struct mp_fault *fault) {
  const struct mp_store_options options = {
      .capacity = (uint32_t)config->max_peers,
      .max_bans = (uint32_t)config->max_bans,
      .inaccessible_time = config->inaccessible_time,
      .ban_time = config->ban_time};
  if (!engine->tunes_store)
    return 0;
  return mp_store_configure(engine->store, &options, fault);
}

/* A listener that has failed waits no longer than is wanted now. */
static void hurry_listener(struct mp_engine *engine) {
  int64_t retry = engine->config.listen_retry;
  int64_t due = mp_loop_now(engine->loop) + retry;
  if (engine->relisten.is_set && engine->relisten.due > due)
    mp_timer_start(engine->loop, &engine->relisten, retry);
}

/* The new listener opens when the old one has closed: it may want its port. */
static void change_listener(struct mp_engine *engine,
                            const struct mp_config *old) {
  const struct mp_config *config = &engine->config;
  if (config->has_listen == old->has_listen &&
      mp_address_equal(&config->listen, &old->listen)) {
    hurry_listener(engine);
    return;
  }
  mp_timer_stop(&engine->relisten);
  memset(&engine->config.session.listening, 0,
         sizeof engine->config.session.listening);
  if (engine->listener)
    mp_listener_close(engine->listener);
  else if (engine->is_running)
    engine_listen_soon(engine);
}

static void replace_lists(struct mp_engine *engine) {
  struct mp_address *peers = engine->peers;
  struct mp_prefix *trusted = engine->trusted;
  engine_copy_lists(engine);
  free(peers);
  free(trusted);
}

int mp_engine_configure(struct mp_engine *engine,
                        const struct mp_config *config,
                        struct mp_fault *fault) {
  struct mp_config old = engine->config;
  int rc = check(engine, config, fault);
  if (rc == 0)
    rc = change_store(engine, config, fault);
  if (rc != 0)
    return rc;
  engine->config = *config;
  engine->config.network = old.network; /* whose texts last */
  engine->config.session.network = &engine->config.network;
  engine->config.session.listening = old.session.listening;
  engine->usage.received_max = config->receive_memory_total;
  engine->usage.queued_max = config->send_memory_total;
  replace_lists(engine);
  if (!engine->is_running)
    return 0;
  change_listener(engine, &old);
  for (struct mp_connection *c = engine->first; c; c = c->next)
    connection_reconfigure(c, &old.session);
  engine_rediscover(engine, &old);
  if (config->feeler_interval != old.feeler_interval)
    engine_start_feelers(engine);
  engine_dial_configured(engine);
  engine_dial_soon(engine);
  return 0;
}
