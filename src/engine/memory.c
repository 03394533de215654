/* memory - what an engine remembers of its peers: their status and bans, in
 * its store. */
#include "engine/engine.h"

#include "base/fault.h"
#include "moonpeer/ban.h"
#include "moonpeer/store.h"

int engine_open_store(struct mp_engine *engine, struct mp_store *given,
                      struct mp_fault *fault) {
  struct mp_store_options options = {.ban_time = engine->config.ban_time};
  engine->store = given;
  if (given)
    return 0;
  mp_loop_random(engine->loop, options.seed, sizeof options.seed);
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

bool engine_is_banned(const struct mp_engine *engine,
                      const struct mp_address *address) {
  return mp_ban_find(engine->store, address, mp_loop_time(engine->loop), NULL);
}

/* --- peers ----------------------------------------------------------------- */

static void update(struct mp_engine *engine, const struct mp_address *address,
                   const struct mp_peer_change *change) {
  const struct mp_peer *peer = mp_store_find(engine->store, address);
  if (peer)
    mp_store_update(engine->store, mp_peer_id(peer), change,
                    mp_loop_time(engine->loop), NULL);
}

void engine_remember(struct mp_engine *engine,
                     const struct mp_address *address) {
  const struct mp_peer_change change = {.fields = MP_PEER_SOURCE,
                                        .source = {.kind = MP_SOURCE_MANUAL}};
  mp_store_create(engine->store, NULL, NULL, address, &change,
                  mp_loop_time(engine->loop), NULL);
}

static void note_success(struct mp_engine *engine,
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
      .last_seen = mp_loop_time(engine->loop),
      .user_agent = version->user_agent,
      .user_agent_size = version->user_agent_size,
  };
  update(engine, &c->address, &change);
}

static void note_failure(struct mp_engine *engine,
                         const struct mp_connection *c, int code) {
  const struct mp_peer *peer = mp_store_find(engine->store, &c->address);
  struct mp_peer_change change = {.fields = MP_PEER_FAILURES_COUNT |
                                            MP_PEER_LAST_TRIED,
                                  .last_tried = mp_loop_time(engine->loop)};
  if (!peer || mp_peer_is_banned(peer))
    return;
  change.failures = mp_peer_failures(peer) + 1;
  if (code == MP_EHANDSHAKE_TIMEOUT || code == MP_EOBSOLETE) {
    change.fields |= MP_PEER_STATUS;
    change.status = MP_STATUS_INACCESSIBLE;
  }
  update(engine, &c->address, &change);
}

void engine_note(struct mp_engine *engine, const struct mp_event *event) {
  const struct mp_connection *c = event->connection;
  if (c->session.is_inbound) /* its port is no place to find it again */
    return;
  if (event->type == MP_HANDSHAKE_COMPLETE)
    note_success(engine, c);
  else if (event->type == MP_CONNECTION_FAILED && event->code != MP_ECLOSED)
    note_failure(engine, c, event->code);
}

/* --- bans ------------------------------------------------------------------ */

static void close_covered(struct mp_engine *engine,
                          const struct mp_prefix *prefix, const char *reason) {
  for (struct mp_connection *c = engine->first; c; c = c->next)
    if (mp_prefix_contains(prefix, &c->address))
      mp_connection_close(c, MP_ECLOSED, reason);
}

static void ban(struct mp_engine *engine, struct mp_connection *c,
                const struct mp_offence *offence,
                const struct mp_verdict *verdict) {
  int64_t now = mp_loop_time(engine->loop);
  int64_t time =
      verdict->ban_time ? verdict->ban_time : engine->config.ban_time;
  const struct mp_ban made = {
      .prefix = verdict->scope.bits ? verdict->scope : mp_prefix_of(&c->address),
      .reason = mp_ban_reason_of(offence->code),
      .expires = time > MP_BAN_FOREVER - now ? MP_BAN_FOREVER : now + time,
      .origin = "policy",
      .note = verdict->reason,
  };
  if (mp_ban_add(engine->store, &made, now, NULL) != 0)
    return;
  struct mp_event event = {.type = MP_PEER_BANNED,
                           .connection = c,
                           .address = c->address,
                           .code = offence->code,
                           .text = verdict->reason,
                           .verdict = verdict};
  engine_tell(engine, &event);
  mp_connection_close(c, offence->code, offence->text);
  close_covered(engine, &made.prefix, "the address was banned");
}

void engine_obey(struct mp_engine *engine, struct mp_connection *c,
                 const struct mp_offence *offence,
                 const struct mp_verdict *verdict) {
  if (verdict->answer == MP_DISCOURAGE)
    mp_discourage(engine->store, &c->address);
  else if (verdict->answer == MP_BAN)
    ban(engine, c, offence, verdict);
}
