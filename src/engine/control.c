/* control - what an engine can be told to do. */
#include <string.h>

#include "base/fault.h"
#include "engine/engine.h"
#include "engine/saver.h"
#include "moonpeer/store.h"

int mp_engine_ban(struct mp_engine *engine, const struct mp_prefix *prefix,
                  int64_t time, const char *reason, struct mp_fault *fault) {
  const struct mp_ban ban = {.prefix = *prefix,
                             .reason = MP_REASON_MANUAL,
                             .expires = engine_ban_end(engine, time),
                             .origin = "manual",
                             .note = reason};
  return mp_ban_add(engine->store, &ban, mp_loop_time(engine->loop), fault);
}

int mp_engine_unban(struct mp_engine *engine, const struct mp_prefix *prefix,
                    struct mp_fault *fault) {
  return mp_ban_remove(engine->store, prefix, mp_loop_time(engine->loop),
                       fault);
}

void mp_engine_note(struct mp_engine *engine, enum mp_event_type type,
                    const struct mp_address *address, const char *text) {
  struct mp_event event = {.type = type, .text = text};
  if (address)
    event.address = *address;
  news_put(engine, &event);
}

void *mp_engine_data(const struct mp_engine *engine) {
  return engine->data;
}

/* Where one that dialled us comes from is not where it listens. */
const struct mp_peer *mp_engine_peer(struct mp_engine *engine,
                                     const struct mp_connection *c) {
  if (!c->session.is_inbound)
    return mp_store_find(engine->store, &c->address);
  return c->role.has_name ? mp_store_find(engine->store, &c->role.name) : NULL;
}

unsigned mp_engine_save(struct mp_engine *engine) {
  return engine->is_closing ? 0 : saver_start(engine->saver);
}

/* --- what the store tells --------------------------------------------------
 */

enum { SWEEPS = 16 }; /* bans of one turn that each look at all connections */

static const char banned[] = "the address was banned";

static void close_covered(struct mp_engine *engine,
                          const struct mp_prefix *prefix) {
  for (struct mp_connection *c = engine->first; c; c = c->next)
    if (mp_prefix_contains(prefix, &c->address))
      mp_connection_close(c, MP_ECLOSED, banned);
}

/* A list of bans that is imported costs one look for all of them. */
static void reach(struct mp_engine *engine, const struct mp_prefix *prefix) {
  if (engine->sweeps++ < SWEEPS)
    close_covered(engine, prefix);
  mp_later_post(engine->loop, &engine->turn);
}

void engine_sweep(struct mp_engine *engine) {
  unsigned sweeps = engine->sweeps;
  engine->sweeps = 0;
  if (sweeps <= SWEEPS)
    return;
  for (struct mp_connection *c = engine->first; c; c = c->next)
    if (engine_is_banned(engine, &c->address))
      mp_connection_close(c, MP_ECLOSED, banned);
}

static void put_news(struct mp_engine *engine, enum mp_event_type type,
                     const struct mp_ban *ban) {
  struct mp_event event = {.type = type, .ban = ban, .text = ban->note};
  memcpy(event.address.ip, ban->prefix.ip, sizeof event.address.ip);
  news_put(engine, &event);
}

/* A ban reaches live connections whoever adds it: a policy, a script, another
 * engine on the same store. The store must not be changed in here, and nobody
 * is told before the next turn. */
static void on_store(void *data, const struct mp_store_event *event) {
  struct mp_engine *engine = data;
  engine->counts.changes++;
  if (event->kind == MP_STORE_BAN_ADDED) {
    engine->counts.bans++;
    if (engine->is_running && !engine->is_closing)
      engine_await_expiry(engine);
    reach(engine, &event->ban->prefix);
    put_news(engine, MP_PEER_BANNED, event->ban);
  } else if (event->kind == MP_STORE_BAN_REMOVED) {
    put_news(engine, MP_PEER_UNBANNED, event->ban);
  }
}

void engine_watch_store(struct mp_engine *engine) {
  engine->watcher.fn = on_store;
  engine->watcher.data = engine;
  mp_store_listen(engine->store, &engine->watcher);
}
