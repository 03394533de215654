/* memory - what an engine remembers of its peers: their status, their bans,
 * its anchors; all in its store. */
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "engine/engine.h"
#include "moonpeer/ban.h"
#include "moonpeer/store.h"

enum {
  ANCHORS = 8,
  EXPIRY_SECONDS = 30, /* between two looks at what has expired */
  EXPIRY_SLICE = 2048, /* peers looked at in one turn */
};

static const char anchors_name[] = "anchors";

static int64_t wall_time(const struct mp_engine *engine) {
  return mp_loop_time(engine->loop);
}

int engine_open_store(struct mp_engine *engine, struct mp_store *given,
                      struct mp_fault *fault) {
  const struct mp_config *config = &engine->config;
  struct mp_store_options options = {.ban_time = config->ban_time,
                                     .inaccessible_time =
                                         config->inaccessible_time,
                                     .capacity = (uint32_t)config->max_peers,
                                     .max_bans = (uint32_t)config->max_bans};
  engine->store = given;
  mp_loop_random(engine->loop, options.seed, sizeof options.seed);
  if (given) {
    mp_store_stir(given, options.seed);
    return 0;
  }
  engine->owns_store = true;
  return mp_store_open(&engine->store, "memory:", &options, fault);
}

void engine_close_store(struct mp_engine *engine) {
  if (engine->owns_store)
    mp_store_close(engine->store);
}

struct mp_store *mp_engine_store(struct mp_engine *engine) {
  return engine->store;
}

/* --- who it is -------------------------------------------------------------
 */

bool engine_is_banned(const struct mp_engine *engine,
                      const struct mp_address *address) {
  return mp_ban_find(engine->store, address, wall_time(engine), NULL);
}

bool engine_is_trusted(const struct mp_engine *engine,
                       const struct mp_address *address) {
  for (size_t i = 0; i < engine->config.trusted_count; i++)
    if (mp_prefix_contains(&engine->trusted[i], address))
      return true;
  return false;
}

bool engine_is_own(const struct mp_engine *engine,
                   const struct mp_address *address) {
  for (size_t i = 0; i < engine->own_count; i++)
    if (mp_address_equal(&engine->own[i], address))
      return true;
  return false;
}

/* The last few are enough: a node has not more addresses that others know. */
void engine_note_own(struct mp_engine *engine,
                     const struct mp_address *address) {
  enum { MOST = sizeof engine->own / sizeof *engine->own };
  if (engine_is_own(engine, address))
    return;
  if (engine->own_count == MOST)
    memmove(engine->own, engine->own + 1, sizeof engine->own - sizeof *address);
  else
    engine->own_count++;
  engine->own[engine->own_count - 1] = *address;
}

/* --- peers -----------------------------------------------------------------
 */

static void update(struct mp_engine *engine, const struct mp_address *address,
                   const struct mp_peer_change *change) {
  const struct mp_peer *peer = mp_store_find(engine->store, address);
  if (peer)
    mp_store_update(engine->store, mp_peer_id(peer), change, wall_time(engine),
                    NULL);
}

void engine_remember(struct mp_engine *engine, const struct mp_address *address,
                     enum mp_source_kind source) {
  const struct mp_peer_change change = {.fields = MP_PEER_SOURCE,
                                        .source = {.kind = source}};
  mp_store_create(engine->store, NULL,
                  &(struct mp_peer_new){.address = address, .change = &change},
                  wall_time(engine), NULL);
}

void engine_note_try(struct mp_engine *engine,
                     const struct mp_address *address) {
  const struct mp_peer_change change = {.fields = MP_PEER_LAST_TRIED,
                                        .last_tried = wall_time(engine)};
  update(engine, address, &change);
}

void engine_note_success(struct mp_engine *engine,
                         const struct mp_connection *c) {
  const struct mp_version *version = c->version;
  const struct mp_peer_change change = {
      .fields = MP_PEER_STATUS | MP_PEER_SERVICES | MP_PEER_PROTOCOL_VERSION |
                MP_PEER_START_HEIGHT | MP_PEER_LAST_SEEN |
                MP_PEER_FAILURES_COUNT | MP_PEER_AGENT,
      .status = MP_STATUS_VALID,
      .services = version->services,
      .protocol_version = version->version,
      .start_height = version->start_height,
      .last_seen = wall_time(engine),
      .user_agent = version->user_agent,
      .user_agent_size = version->user_agent_size,
  };
  update(engine, &c->address, &change);
}

void engine_note_rtt(struct mp_engine *engine, const struct mp_connection *c) {
  const struct mp_peer_change change = {.fields =
                                            MP_PEER_RTT | MP_PEER_LAST_SEEN,
                                        .rtt = c->session.rtt,
                                        .last_seen = wall_time(engine)};
  update(engine, &c->address, &change);
}

void engine_note_failure(struct mp_engine *engine,
                         const struct mp_connection *c) {
  const struct mp_peer *peer = mp_store_find(engine->store, &c->address);
  if (!peer || outage_excuses(engine))
    return; /* our fault, not the peer's */
  const struct mp_peer_change change = {.fields = MP_PEER_FAILURES_COUNT,
                                        .failures = mp_peer_failures(peer) + 1};
  update(engine, &c->address, &change);
}

void engine_note_inaccessible(struct mp_engine *engine,
                              const struct mp_address *address) {
  const struct mp_peer_change change = {.fields = MP_PEER_STATUS,
                                        .status = MP_STATUS_INACCESSIBLE};
  if (!engine_is_banned(engine, address))
    update(engine, address, &change);
}

/* It was not its fault after all. */
void engine_note_unknown(struct mp_engine *engine,
                         const struct mp_address *address) {
  const struct mp_peer_change change = {.fields = MP_PEER_STATUS,
                                        .status = MP_STATUS_UNKNOWN};
  if (!engine_is_banned(engine, address))
    update(engine, address, &change);
}

/* --- bans ------------------------------------------------------------------
 */

int64_t engine_ban_end(const struct mp_engine *engine, int64_t time) {
  int64_t now = wall_time(engine);
  if (time == 0)
    time = engine->config.ban_time;
  return time > MP_BAN_FOREVER - now ? MP_BAN_FOREVER : now + time;
}

static void ban(struct mp_engine *engine, struct mp_connection *c,
                const struct mp_offence *offence,
                const struct mp_verdict *verdict) {
  const struct mp_ban made = {
      .prefix =
          verdict->scope.bits ? verdict->scope : mp_prefix_of(&c->address),
      .reason = mp_ban_reason_of(offence->code),
      .expires = engine_ban_end(engine, verdict->ban_time),
      .origin = "policy",
      .note = verdict->reason,
  };
  /* its own end tells the offence, the others' the ban */
  mp_connection_close(c, offence->code, offence->text);
  mp_ban_add(engine->store, &made, wall_time(engine), NULL);
}

void engine_obey(struct mp_engine *engine, struct mp_connection *c,
                 const struct mp_offence *offence,
                 const struct mp_verdict *verdict) {
  if (verdict->answer == MP_DISCOURAGE)
    mp_discourage(engine->store, &c->address);
  else if (verdict->answer == MP_BAN)
    ban(engine, c, offence, verdict);
}

/* --- time passes -----------------------------------------------------------
 */

/* Until the next end; but the clock may be set, and a store that others change
 * too need not tell, so it is looked at now and then anyway. */
void engine_await_expiry(struct mp_engine *engine) {
  int64_t next = mp_store_next_end(engine->store) - wall_time(engine);
  int64_t most = EXPIRY_SECONDS * MP_SECOND;
  if (next < MP_SECOND)
    next = MP_SECOND; /* what cannot end now would be tried in a loop */
  mp_timer_start(engine->loop, &engine->expiry, next < most ? next : most);
}

static void on_expiry(void *data) {
  struct mp_engine *engine = data;
  if (mp_store_expire(engine->store, wall_time(engine), EXPIRY_SLICE))
    mp_timer_start(engine->loop, &engine->expiry, 0);
  else
    engine_await_expiry(engine);
}

void engine_start_expiry(struct mp_engine *engine) {
  mp_timer_init(&engine->expiry, on_expiry, engine);
  engine_await_expiry(engine);
}

void engine_note_anchors(struct mp_engine *engine) {
  struct mp_address list[ANCHORS];
  size_t n = 0;
  for (struct mp_connection *c = engine->first; c && n < ANCHORS; c = c->next)
    if (c->role.purpose == PURPOSE_KEPT && c->role.is_complete &&
        !c->is_closing)
      list[n++] = c->address;
  if (n)
    mp_store_set_value(engine->store, anchors_name, list, n * sizeof *list,
                       NULL);
}

size_t mp_engine_anchors(struct mp_engine *engine, struct mp_address *list,
                         size_t n) {
  size_t size = 0;
  const void *bytes = mp_store_value(engine->store, anchors_name, &size);
  size_t there = size / sizeof *list;
  if (there < n)
    n = there;
  if (n)
    memcpy(list, bytes, n * sizeof *list);
  return n;
}
