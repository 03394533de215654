/* outage - whether our own network works. When dials fail in silence and
 * nothing is heard of anybody, no peer is to blame: they are tried one at a
 * time, and given up only when that would go on for ever. */
#include <stdlib.h>

#include "engine/engine.h"

enum {
  SUSPECTED_AFTER = 3, /* failures in silence, in a row */
  PARDONS = 1024,      /* peers that may be known again */
};

/* A cut is not felt by all in one instant: only others that were heard so long
 * after a peer's last sign show that it is the peer who is silent. */
static const int64_t grace = MP_SECOND;

/* How long those may be quiet whom nobody pings. */
static const int64_t unpinged = 120 * MP_SECOND;

/* --- what happened to peers meanwhile --------------------------------------
 */

static void forget_pardons(struct network *network) {
  free(network->burnt);
  network->burnt = NULL;
  network->burnt_count = 0;
}

void outage_deinit(struct mp_engine *engine) {
  forget_pardons(&engine->network);
}

void outage_note_burnt(struct mp_engine *engine,
                       const struct mp_address *address) {
  struct network *network = &engine->network;
  if (!network->is_silent || network->burnt_count == PARDONS)
    return;
  if (!network->burnt)
    network->burnt = malloc(PARDONS * sizeof *network->burnt);
  if (network->burnt)
    network->burnt[network->burnt_count++] = *address;
}

/* It was not their fault after all. */
static void pardon(struct mp_engine *engine) {
  struct network *network = &engine->network;
  for (size_t i = 0; i < network->burnt_count; i++)
    engine_note_unknown(engine, &network->burnt[i]);
  forget_pardons(network);
}

/* --- down, and back --------------------------------------------------------
 */

static void recover(struct mp_engine *engine) {
  struct network *network = &engine->network;
  network->failures = 0;
  if (network->is_down) {
    network->is_down = false;
    pardon(engine);
    targets_hurry(engine);
    engine_dial_soon(engine);
  }
  forget_pardons(network);
}

/* What is heard on this machine alone tells nothing of its network. */
void outage_heard(struct mp_engine *engine, const struct mp_address *address) {
  if (mp_address_is_loopback(address))
    return;
  engine->usage.heard_at = mp_loop_now(engine->loop);
  recover(engine);
}

/* Portals take every dial, too. */
void outage_taken(struct mp_engine *engine, const struct mp_address *address) {
  if (!engine->network.has_worked)
    outage_heard(engine, address);
}

void outage_worked(struct mp_engine *engine, const struct mp_address *address) {
  if (!mp_address_is_loopback(address))
    engine->network.has_worked = true;
  outage_heard(engine, address);
}

void outage_look(struct mp_engine *engine) {
  const struct network *network = &engine->network;
  if (network->failures > 0 && engine->usage.heard_at > network->since)
    recover(engine);
}

/* For as long as a peer would be left alone if it were to blame; but a network
 * that has never worked is no excuse. */
bool outage_excuses(const struct mp_engine *engine) {
  int64_t heard_at = engine->usage.heard_at;
  return engine->network.is_down && heard_at > 0 &&
         mp_loop_now(engine->loop) - heard_at <
             engine->config.inaccessible_time;
}

/* --- whose fault it is -----------------------------------------------------
 */

/* Before any handshake was complete, who has been excused and takes a
 * connection again, to say nothing again, is not excused twice: the dial has
 * shown that the network works. Later a portal may have come between; from
 * peers who are all silent it is not to be told, hence the end of excuses. */
static bool may_be_ours(const struct mp_engine *engine,
                        const struct mp_connection *c, int code) {
  const struct target *target = c->role.target;
  if (code == MP_EHANDSHAKE_TIMEOUT)
    return engine->network.has_worked || !target || target->waits == 0;
  return code == MP_ECONNECT_TIMEOUT || code == MP_ECONNECT || code == MP_EIO ||
         code == MP_EPING_TIMEOUT;
}

/* Since when it owes us a sign: nobody has to speak before being pinged. */
static int64_t silent_since(const struct mp_engine *engine,
                            const struct mp_connection *c, int code) {
  int64_t pinged =
      mp_loop_now(engine->loop) - engine->config.session.ping_timeout;
  return code == MP_EPING_TIMEOUT && pinged > c->heard_at ? pinged
                                                          : c->heard_at;
}

/* Those who are connected speak at least as often as they are pinged. */
static bool is_company_alive(const struct mp_engine *engine) {
  const struct mp_session_options *o = &engine->config.session;
  int64_t pause = o->ping_interval > 0 ? o->ping_interval : unpinged;
  int64_t longest =
      pause + (int64_t)((double)pause * o->jitter) + o->ping_timeout;
  return engine->slots.connected > 0 &&
         mp_loop_now(engine->loop) - engine->usage.heard_at <= longest;
}

static void suspect(struct mp_engine *engine) {
  struct network *network = &engine->network;
  if (network->failures++ == 0)
    network->since = mp_loop_now(engine->loop);
  if (network->failures < SUSPECTED_AFTER || network->is_down)
    return;
  network->is_down = true;
  pardon(engine);
}

void outage_note_end(struct mp_engine *engine, const struct mp_connection *c,
                     int code) {
  struct network *network = &engine->network;
  network->is_silent = false;
  if (mp_address_is_loopback(&c->address) || !may_be_ours(engine, c, code))
    return;
  if (engine->usage.heard_at > silent_since(engine, c, code) + grace) {
    recover(engine);
    return;
  }
  network->is_silent = true;
  if (!is_company_alive(engine))
    suspect(engine);
}
