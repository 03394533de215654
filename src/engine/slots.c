/* slots - the list of an engine's connections, and what each of them takes of
 * its limits. */
#include "engine/engine.h"

/* --- counts ----------------------------------------------------------------
 */

static void count_inbound(struct mp_engine *engine, struct mp_connection *c,
                          int by) {
  struct slots *slots = &engine->slots;
  slots->taken += by;
  slots->inbound += by;
  if (by > 0) {
    slots->half_open++;
    c->role.is_half_open = true;
    crowd_add(&engine->by_ip, c->address.ip, sizeof c->address.ip);
    crowd_add(&engine->by_group, &c->role.group, sizeof c->role.group);
    crowd_add(&engine->half_open_group, &c->role.group, sizeof c->role.group);
    roster_add(&engine->roster, c);
  } else {
    engine_inbound_gone(engine, c);
    roster_remove(&engine->roster, c);
    crowd_remove(&engine->by_ip, c->address.ip, sizeof c->address.ip);
    crowd_remove(&engine->by_group, &c->role.group, sizeof c->role.group);
  }
}

static void count_outbound(struct mp_engine *engine, struct mp_connection *c,
                           int by) {
  struct slots *slots = &engine->slots;
  slots->taken += by;
  if (c->role.purpose == PURPOSE_FEELER)
    slots->feelers += by;
  else
    slots->outbound += by;
  if (!c->role.is_complete)
    slots->dialling += by;
  if (by > 0) {
    mp_store_group(engine->store, &c->address, &c->role.group);
    crowd_add(&engine->dialled, &c->address, sizeof c->address);
    crowd_add(&engine->dialled_group, &c->role.group, sizeof c->role.group);
  } else {
    crowd_remove(&engine->dialled, &c->address, sizeof c->address);
    crowd_remove(&engine->dialled_group, &c->role.group, sizeof c->role.group);
  }
}

static void count_polite(struct mp_engine *engine, struct mp_connection *c,
                         int by) {
  const struct mp_group *group = &c->role.group;
  engine->slots.polite += by;
  if (by > 0)
    crowd_add(&engine->polite_group, group, sizeof *group);
  else
    crowd_remove(&engine->polite_group, group, sizeof *group);
}

static void count(struct mp_engine *engine, struct mp_connection *c, int by) {
  if (c->role.purpose == PURPOSE_POLITE)
    count_polite(engine, c, by);
  else if (c->role.purpose == PURPOSE_INBOUND)
    count_inbound(engine, c, by);
  else
    count_outbound(engine, c, by);
}

/* --- the list --------------------------------------------------------------
 */

static void put_behind(struct mp_engine *engine, struct mp_connection *c,
                       struct mp_connection *before) {
  struct mp_connection *after = before ? before->next : engine->first;
  c->previous = before;
  c->next = after;
  *(before ? &before->next : &engine->first) = c;
  *(after ? &after->previous : &engine->last) = c;
}

static void take_out(struct mp_engine *engine, struct mp_connection *c) {
  *(c->previous ? &c->previous->next : &engine->first) = c->next;
  *(c->next ? &c->next->previous : &engine->last) = c->previous;
  if (engine->last_dialled == c)
    engine->last_dialled = c->previous;
}

/* Those that we dialled come first: who looks for one of them need not pass
 * thousands of others. */
void engine_add(struct mp_engine *engine, struct mp_connection *connection) {
  if (connection->session.is_inbound) {
    put_behind(engine, connection, engine->last);
  } else {
    put_behind(engine, connection, engine->last_dialled);
    engine->last_dialled = connection;
  }
  connection->role.best_rtt = -1;
  count(engine, connection, 1);
}

void engine_release(struct mp_engine *engine, struct mp_connection *c) {
  if (c->role.is_released)
    return;
  c->role.is_released = true;
  count(engine, c, -1);
  if (c->role.is_complete)
    engine->slots.connected--;
  engine_release_name(engine, c);
}

/* The twin need not be gone before the slot is taken again. */
void engine_inherit(struct mp_engine *engine, struct mp_connection *c,
                    struct mp_connection *twin) {
  if (twin)
    engine_release(engine, twin);
  count(engine, c, -1);
  c->role.purpose = PURPOSE_INBOUND;
  count(engine, c, 1);
  connection_unlimit(c);
}

void engine_remove(struct mp_engine *engine, struct mp_connection *connection) {
  take_out(engine, connection);
  engine_release(engine, connection);
  if (engine->is_closing)
    mp_later_post(engine->loop, &engine->turn);
  else
    engine_dial_soon(engine);
}

struct mp_connection *mp_engine_first(const struct mp_engine *engine) {
  return engine->first;
}

struct mp_connection *mp_engine_next(const struct mp_connection *connection) {
  return connection->next;
}

void mp_engine_slots(const struct mp_engine *engine,
                     struct mp_engine_slots *slots) {
  const struct slots *s = &engine->slots;
  *slots = (struct mp_engine_slots){.taken = s->taken,
                                    .inbound = s->inbound,
                                    .outbound = s->outbound,
                                    .half_open = s->half_open,
                                    .connected = s->connected,
                                    .feelers = s->feelers,
                                    .polite = s->polite};
}

const struct mp_usage *mp_engine_usage(const struct mp_engine *engine) {
  return &engine->usage;
}

const struct mp_engine_counts *
mp_engine_counts(const struct mp_engine *engine) {
  return &engine->counts;
}
