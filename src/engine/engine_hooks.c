/* engine_hooks - between an engine's connections and its user's hooks. */
#include "base/fault.h"
#include "engine/engine.h"
#include "moonpeer/message.h"

/* --- events ----------------------------------------------------------------
 */

static void on_complete(struct mp_engine *engine, struct mp_connection *c) {
  if (!c->role.is_released)
    engine->slots.connected++;
  if (!c->role.is_released && !c->session.is_inbound)
    engine->slots.dialling--;
  c->role.is_complete = true;
  c->role.complete_at = mp_loop_now(engine->loop);
  engine->counts.handshakes++;
  if (c->session.is_inbound) {
    engine_inbound_complete(engine, c);
    return;
  }
  engine_note_success(engine, c);
  engine_ask_addresses(engine, c);
  engine_outbound_complete(engine, c);
}

static void on_end(struct mp_engine *engine, const struct mp_event *event) {
  struct mp_connection *c = event->connection;
  int index = -5001 - event->code;
  if (index >= 0 && index < MP_FAILURE_CODES)
    engine->counts.failures[index]++;
  if (c->session.is_inbound)
    return;
  if (event->type == MP_CONNECTION_FAILED && event->code != MP_ECLOSED &&
      event->code != MP_ECANCELLED && event->code != MP_EDUPLICATE)
    engine_note_failure(engine, c);
  engine_outbound_ended(engine, c, event->code,
                        event->type == MP_CONNECTION_LOST);
}

static void bookkeep(struct mp_engine *engine, const struct mp_event *event) {
  switch (event->type) {
  case MP_CONNECTION_ESTABLISHED: outage_taken(engine, &event->address); break;
  case MP_HANDSHAKE_COMPLETE: on_complete(engine, event->connection); break;
  case MP_CONNECTION_FAILED:
  case MP_CONNECTION_LOST: on_end(engine, event); break;
  case MP_MESSAGE:
    engine_hear(engine, event->connection, event->message);
    break;
  default: break;
  }
}

static void on_event(void *data, const struct mp_event *event) {
  struct mp_engine *engine = data;
  const struct mp_hooks *hooks = engine->hooks;
  bool is_wanted = hooks->wants & UINT64_C(1) << event->type;
  if (event->type == MP_MESSAGE) {
    if (!rules_message(engine, event))
      return;
    is_wanted = is_wanted && hooks->commands & event->bit;
  }
  if (is_wanted)
    hooks->event(engine->data, event);
  bookkeep(engine, event);
}

/* --- decisions -------------------------------------------------------------
 */

static struct mp_connection *find_outbound(struct mp_engine *engine,
                                           const struct mp_address *address) {
  struct mp_connection *c = engine->first;
  while (c && !c->session.is_inbound &&
         (c->is_closing || !mp_address_equal(&c->address, address)))
    c = c->next;
  return c && !c->session.is_inbound ? c : NULL;
}

/* Complete for longer than any handshake may take: the other cannot have been
 * dialled at the same time. */
static bool is_settled(const struct mp_engine *engine,
                       const struct mp_connection *c) {
  return c->role.is_complete &&
         mp_loop_now(engine->loop) - c->role.complete_at >
             engine->config.session.handshake_timeout;
}

static bool has_room(const struct mp_engine *engine) {
  return engine->slots.half_open < engine->config.half_open;
}

/* The slot that is kept for a peer of the configuration is its own, too, when
 * it comes by itself: else two that keep all their slots for each other would
 * never meet. */
static void take_kept_slot(struct mp_engine *engine, struct mp_connection *c) {
  const struct target *target =
      connection_has_name(c) ? target_find(engine, &c->version->addr_from)
                             : NULL;
  if (target && target->is_fixed && !target->connection && has_room(engine) &&
      engine->slots.taken < engine->config.max_connections)
    engine_inherit(engine, c, NULL);
}

/* When both have dialled at once, the connection whose dialler sent the larger
 * nonce stays: both sides see the same two numbers. One that is there for long
 * gives way to nobody who comes from its address and takes its name. */
static int check_twin(struct mp_engine *engine, struct mp_connection *c,
                      struct mp_fault *fault) {
  const struct mp_version *version = c->version;
  struct mp_connection *twin = NULL;
  if (c->session.is_inbound && connection_has_name(c) &&
      crowd_count(&engine->dialled, &version->addr_from,
                  sizeof version->addr_from))
    twin = find_outbound(engine, &version->addr_from);
  if (!twin && c->role.purpose == PURPOSE_POLITE)
    take_kept_slot(engine, c);
  if (!twin)
    return 0;
  if (is_settled(engine, twin) || version->nonce < twin->session.nonce ||
      (c->role.purpose == PURPOSE_POLITE && !has_room(engine)))
    return fault_set(fault, MP_EDUPLICATE,
                     "there is a connection to this peer already");
  mp_connection_close(twin, MP_EDUPLICATE,
                      "this peer has dialled us at the same time");
  if (c->role.purpose == PURPOSE_POLITE)
    engine_inherit(engine, c, twin);
  return 0;
}

static const struct mp_message_type *on_declared(void *data,
                                                 const char *command) {
  struct mp_engine *engine = data;
  const struct mp_hooks *hooks = engine->hooks;
  return hooks->declared ? hooks->declared(engine->data, command) : NULL;
}

static int on_validate(void *data, struct mp_connection *connection,
                       struct mp_fault *fault) {
  struct mp_engine *engine = data;
  int rc = 0;
  if (engine->hooks->validate)
    rc = engine->hooks->validate(engine->data, connection, fault);
  if (rc == 0)
    rc = check_twin(engine, connection, fault);
  return rc ? rc : engine_take_name(engine, connection, fault);
}

static void on_judge(void *data, struct mp_connection *connection,
                     const struct mp_offence *offence,
                     struct mp_verdict *verdict) {
  struct mp_engine *engine = data;
  const struct mp_hooks *hooks = engine->hooks;
  if (!rules_judge(engine, connection, offence, verdict)) {
    if (hooks->judge)
      hooks->judge(engine->data, connection, offence, verdict);
  } else if (hooks->ruled) {
    hooks->ruled(engine->data, connection, offence, verdict);
  }
  engine_obey(engine, connection, offence, verdict);
}

static void on_closed(void *data, struct mp_connection *connection) {
  struct mp_engine *engine = data;
  if (engine->hooks->closed)
    engine->hooks->closed(engine->data, connection);
  engine_remove(engine, connection);
}

/* A remote that sends back the nonce of a dial of ours is ourselves. Only
 * dials that have not completed count, as in the reference node; they are the
 * latest, so that many connections make nobody's version dear. */
static bool is_own_nonce(void *data, uint64_t nonce) {
  struct mp_engine *engine = data;
  int64_t left = engine->slots.dialling;
  struct mp_connection *c = engine->last_dialled;
  for (; c && left > 0; c = c->previous) {
    left -= !c->role.is_complete && !c->role.is_released;
    if (c->session.state != MP_AWAITING_HANDSHAKE || c->session.nonce != nonce)
      continue;
    engine_note_own(engine, &c->address);
    return true;
  }
  return false;
}

/* The least round trip protects from eviction; the last is kept per peer. */
static void on_measured(void *data, struct mp_connection *c) {
  struct mp_engine *engine = data;
  int64_t rtt = c->session.rtt;
  if (c->role.best_rtt < 0 || rtt < c->role.best_rtt)
    c->role.best_rtt = rtt;
  if (!c->session.is_inbound)
    engine_note_rtt(engine, c);
}

/* --- what is wanted --------------------------------------------------------
 */

/* What the engine wants to know itself. */
enum {
  OWN_WANTS = 1 << MP_CONNECTION_ESTABLISHED | 1 << MP_HANDSHAKE_COMPLETE |
              1 << MP_CONNECTION_FAILED | 1 << MP_CONNECTION_LOST |
              1 << MP_MESSAGE,
};

void mp_engine_hooks_changed(struct mp_engine *engine) {
  uint64_t commands = mp_command_bit("addr") | mp_command_bit("getaddr") |
                      mp_command_bit("getdata") | rules_commands(engine->rules);
  if (engine->hooks->wants & UINT64_C(1) << MP_MESSAGE)
    commands |= engine->hooks->commands;
  engine->inner.wants = engine->hooks->wants | OWN_WANTS;
  engine->inner.commands = commands;
  engine->inner.chunks = engine->hooks->chunks;
}

void engine_hooks_init(struct mp_engine *engine) {
  engine->inner = (struct mp_hooks){
      .event = on_event,
      .declared = on_declared,
      .validate = on_validate,
      .judge = on_judge,
      .closed = on_closed,
  };
  mp_engine_hooks_changed(engine);
}

struct mp_connection_setup engine_setup(struct mp_engine *engine) {
  engine->usage.received_max = engine->config.receive_memory_total;
  engine->usage.queued_max = engine->config.send_memory_total;
  return (struct mp_connection_setup){
      .loop = engine->loop,
      .options = &engine->config.session,
      .hooks = &engine->inner,
      .data = engine,
      .is_own_nonce = is_own_nonce,
      .measured = on_measured,
      .usage = &engine->usage,
  };
}

struct mp_engine *mp_engine_of(const struct mp_connection *c) {
  return c->hooks->event == on_event ? c->data : NULL;
}
