/* discovery - learning of peers: DNS seeds, and what peers tell. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "moonpeer/message.h"
#include "moonpeer/peer.h"
#include "moonpeer/store.h"

enum {
  ADDRESSES = 1000,   /* of an addr message, and of an answer of ours */
  SHARE_PERCENT = 23, /* of what we know, told to who asks */
  FEW_PEERS = 1000,   /* below it we ask */
  SEEDS = MP_NETWORK_SEEDS,
};

struct seed {
  struct discovery *discovery;
  struct mp_resolve resolve;
  bool is_open;
};

struct discovery {
  struct mp_engine *engine;
  struct mp_timer timer;
  struct seed seeds[SEEDS];
  unsigned open, answered, found, added;
  /* The answer to getaddr, the same for everybody for a day: who asks often
   * learns no more than who asks once. */
  struct buf answer;
  int64_t answer_made;
};

/* --- seeds -----------------------------------------------------------------
 */

/* What is told may end the engine, and discovery with it. */
static void finish(struct discovery *discovery) {
  struct mp_engine *engine = discovery->engine;
  char text[120];
  snprintf(text, sizeof text, "%u of %u addresses are new, from %u seeds",
           discovery->added, discovery->found, discovery->answered);
  struct mp_event event = {.type = MP_DISCOVERY_FINISHED,
                           .code = discovery->answered ? 0 : MP_EDNS,
                           .text = text};
  engine_tell(engine, &event);
  engine_dial_soon(engine);
}

/* A seed of a network that many share has no business in our own. */
static bool is_fit(const struct mp_engine *engine,
                   const struct mp_address *address) {
  return (mp_address_is_routable(address) ||
          !engine->config.network.checks_user_agent) &&
         !engine_is_banned(engine, address) && !engine_is_own(engine, address);
}

static void on_answer(void *data, int rc, const struct mp_address *list,
                      size_t n) {
  struct seed *seed = data;
  struct discovery *discovery = seed->discovery;
  struct mp_store *store = discovery->engine->store;
  uint32_t before = mp_store_count(store);
  seed->is_open = false;
  discovery->answered += rc == 0;
  for (size_t i = 0; i < n; i++)
    if (is_fit(discovery->engine, &list[i]))
      engine_remember(discovery->engine, &list[i], MP_SOURCE_DNS);
  discovery->found += (unsigned)n;
  discovery->added += mp_store_count(store) - before;
  if (--discovery->open == 0)
    finish(discovery);
}

static void ask_seed(struct discovery *discovery, struct seed *seed,
                     const char *name) {
  struct mp_engine *engine = discovery->engine;
  seed->discovery = discovery;
  seed->resolve = (struct mp_resolve){.done = on_answer, .data = seed};
  seed->is_open = mp_resolve_start(engine->loop, &seed->resolve, name,
                                   engine->config.network.port) == 0;
  discovery->open += seed->is_open;
}

static void ask_seeds(struct discovery *discovery) {
  const struct mp_network *network = &discovery->engine->config.network;
  discovery->answered = discovery->found = discovery->added = 0;
  for (int i = 0; i < SEEDS && network->seeds[i]; i++)
    ask_seed(discovery, &discovery->seeds[i], network->seeds[i]);
  if (discovery->open == 0 && network->seeds[0])
    finish(discovery); /* not one could be asked */
}

static void give_up(struct discovery *discovery) {
  for (int i = 0; i < SEEDS; i++) {
    struct seed *seed = &discovery->seeds[i];
    if (seed->is_open)
      mp_resolve_cancel(&seed->resolve);
    seed->is_open = false;
  }
  discovery->open = 0;
}

/* A seed that has not answered since the last round will not. */
static void on_timer(void *data) {
  struct discovery *discovery = data;
  struct mp_engine *engine = discovery->engine;
  mp_timer_start(engine->loop, &discovery->timer,
                 engine->config.discovery_interval);
  if (discovery->open > 0) {
    give_up(discovery);
    finish(discovery);
  }
  if (engine->discovery) /* a listener may have closed the engine */
    ask_seeds(discovery);
}

void engine_start_discovery(struct mp_engine *engine) {
  struct discovery *discovery = mem_new(sizeof *discovery);
  discovery->engine = engine;
  engine->discovery = discovery;
  mp_timer_init(&discovery->timer, on_timer, discovery);
  if (!engine->config.is_fixed)
    on_timer(discovery);
}

void mp_engine_discover(struct mp_engine *engine) {
  if (engine->discovery && !engine->config.is_fixed)
    mp_timer_start(engine->loop, &engine->discovery->timer, 0);
}

/* Another interval counts from now; another mode at once. */
void engine_rediscover(struct mp_engine *engine, const struct mp_config *old) {
  const struct mp_config *config = &engine->config;
  struct discovery *discovery = engine->discovery;
  if (!discovery)
    return;
  if (config->is_fixed) {
    mp_timer_stop(&discovery->timer);
    give_up(discovery);
  } else if (old->is_fixed) {
    mp_timer_start(engine->loop, &discovery->timer, 0);
  } else if (old->discovery_interval != config->discovery_interval) {
    mp_timer_start(engine->loop, &discovery->timer, config->discovery_interval);
  }
}

void engine_stop_discovery(struct mp_engine *engine) {
  struct discovery *discovery = engine->discovery;
  if (!discovery)
    return;
  engine->discovery = NULL;
  mp_timer_stop(&discovery->timer);
  give_up(discovery);
  buf_deinit(&discovery->answer);
  free(discovery);
}

/* --- addresses that peers tell ---------------------------------------------
 */

static struct mp_source source_of(const struct mp_connection *c) {
  return (struct mp_source){.kind = c->session.is_inbound ? MP_SOURCE_INBOUND
                                                          : MP_SOURCE_PEER,
                            .address = c->address};
}

/* The first four fields of an entry: time, services, ip, port. */
static void read_entry(const struct mp_record *entry,
                       struct mp_address *address, uint64_t *services) {
  struct mp_value value;
  mp_record_find(entry, "services", &value);
  *services = value.number;
  mp_record_find(entry, "port", &value);
  address->port = (uint16_t)value.number;
  mp_record_find(entry, "ip", &value);
  for (size_t i = 0; i < sizeof address->ip; i++)
    address->ip[i] = value.bytes[i];
}

/* Nobody outside sends us to machines of our own network: of an address that
 * is not public we hear only from one who is not, either. */
static bool is_credible(const struct mp_address *address,
                        const struct mp_address *source) {
  return address->port &&
         (mp_address_is_routable(address) || !mp_address_is_routable(source));
}

static void hear(struct mp_engine *engine, const struct mp_connection *c,
                 const struct mp_record *entry) {
  const struct mp_source source = source_of(c);
  struct mp_address address;
  uint64_t services;
  read_entry(entry, &address, &services);
  if (!is_credible(&address, &c->address) ||
      mp_store_find(engine->store, &address) ||
      engine_is_own(engine, &address) ||
      !engine_ask_keep(engine, &address, &c->address))
    return;
  mp_store_hear(engine->store, NULL,
                &(struct mp_hearsay){.address = &address,
                                     .source = &source,
                                     .services = services},
                mp_loop_time(engine->loop), NULL);
}

/* An inbound peer, which nobody has asked, may tell of itself only. */
static bool is_welcome(const struct mp_connection *c,
                       const struct mp_record *entry) {
  struct mp_address address;
  uint64_t services;
  if (!c->session.is_inbound)
    return true;
  read_entry(entry, &address, &services);
  for (size_t i = 0; i < sizeof address.ip; i++)
    if (address.ip[i] != c->address.ip[i])
      return false;
  return true;
}

/* More than ADDRESSES are no addr message: its layout says so. */
static void take_addresses(struct mp_engine *engine, struct mp_connection *c,
                           const struct mp_message *message) {
  struct mp_value value;
  struct mp_list list;
  if (engine->config.is_fixed ||
      !mp_record_find(&message->fields, "entries", &value))
    return;
  mp_value_list(&value, &list);
  while (!c->is_closing && mp_list_next(&list))
    if (is_welcome(c, &list.entry))
      hear(engine, c, &list.entry);
  engine_dial_soon(engine);
}

void engine_ask_addresses(struct mp_engine *engine, struct mp_connection *c) {
  const struct mp_source source = source_of(c);
  if (engine->config.is_fixed || c->session.is_inbound ||
      mp_store_count(engine->store) >= FEW_PEERS)
    return;
  mp_store_expect(engine->store, &source, ADDRESSES,
                  mp_loop_time(engine->loop));
  connection_say(c, "getaddr", NULL, 0);
}

/* --- answering getaddr -----------------------------------------------------
 */

static int put_entry(struct buf *out, const struct mp_peer *peer) {
  uint8_t entry[30];
  struct mp_address address;
  mp_peer_address(peer, &address);
  put_u32(entry, (uint32_t)(mp_peer_last_seen(peer) / MP_SECOND));
  put_u64(entry + 4, mp_peer_services(peer));
  for (size_t i = 0; i < sizeof address.ip; i++)
    entry[12 + i] = address.ip[i];
  put_u16_be(entry + 28, address.port);
  return buf_put(out, entry, sizeof entry);
}

static void make_answer(struct discovery *discovery) {
  struct mp_engine *engine = discovery->engine;
  const struct mp_filter filter = {.statuses = 1u << MP_STATUS_VALID |
                                               1u << MP_STATUS_UNKNOWN,
                                   .now = mp_loop_time(engine->loop)};
  const struct mp_peer *peers[ADDRESSES];
  uint8_t size[9];
  size_t share = mp_store_count(engine->store) * SHARE_PERCENT / 100;
  size_t n = mp_store_pick(engine->store, &filter, peers,
                           share < ADDRESSES ? share : ADDRESSES);
  buf_consume(&discovery->answer, buf_length(&discovery->answer));
  buf_put(&discovery->answer, size, put_compact(size, n));
  for (size_t i = 0; i < n; i++)
    put_entry(&discovery->answer, peers[i]);
  discovery->answer_made = mp_loop_now(engine->loop);
}

/* Once for an inbound peer, as the reference node does; others get nothing. */
static void answer(struct mp_engine *engine, struct mp_connection *c) {
  struct discovery *discovery = engine->discovery;
  const int64_t day = INT64_C(24) * 3600 * MP_SECOND;
  if (!discovery || !c->session.is_inbound || c->role.has_answered)
    return;
  c->role.has_answered = true;
  if (buf_length(&discovery->answer) <= 1 || /* none, or it named nobody */
      mp_loop_now(engine->loop) - discovery->answer_made > day)
    make_answer(discovery);
  if (buf_length(&discovery->answer) > 1) /* else there is nobody to name */
    connection_say(c, "addr", buf_head(&discovery->answer),
                   buf_length(&discovery->answer));
}

/* --- what comes ------------------------------------------------------------
 */

/* getdata asks for what we have not: the answer is the question. */
static void refuse_data(struct mp_connection *c,
                        const struct mp_message *message) {
  connection_say(c, "notfound", message->payload, (size_t)message->size);
}

static bool is_command(const struct mp_message *message, const char *command) {
  return message->command[0] == command[0] &&
         strcmp(message->command, command) == 0;
}

void engine_hear(struct mp_engine *engine, struct mp_connection *connection,
                 const struct mp_message *message) {
  if (is_command(message, "addr"))
    take_addresses(engine, connection, message);
  else if (is_command(message, "getaddr"))
    answer(engine, connection);
  else if (is_command(message, "getdata"))
    refuse_data(connection, message);
}
