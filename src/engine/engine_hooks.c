/* engine_hooks - between an engine's connections and its user's hooks. */
#include "engine/engine.h"

static void on_event(void *data, const struct mp_event *event) {
  struct mp_engine *engine = data;
  if (event->type != MP_MESSAGE)
    engine_note(engine, event);
  if (engine->hooks->wants & UINT64_C(1) << event->type)
    engine->hooks->event(engine->data, event);
}

static int on_validate(void *data, struct mp_connection *connection,
                       struct mp_fault *fault) {
  struct mp_engine *engine = data;
  if (!engine->hooks->validate)
    return 0;
  return engine->hooks->validate(engine->data, connection, fault);
}

static void on_judge(void *data, struct mp_connection *connection,
                     const struct mp_offence *offence,
                     struct mp_verdict *verdict) {
  struct mp_engine *engine = data;
  if (engine->hooks->judge)
    engine->hooks->judge(engine->data, connection, offence, verdict);
  engine_obey(engine, connection, offence, verdict);
}

static void on_closed(void *data, struct mp_connection *connection) {
  struct mp_engine *engine = data;
  engine->hooks->closed(engine->data, connection);
  engine_remove(engine, connection);
}

/* A remote that sends back the nonce of a dial of ours is ourselves. Only
 * dials that have not completed count, as in the reference node. */
static bool is_own_nonce(void *data, uint64_t nonce) {
  const struct mp_engine *engine = data;
  for (const struct mp_connection *c = engine->first; c; c = c->next)
    if (!c->session.is_inbound && c->session.state == MP_AWAITING_HANDSHAKE &&
        c->session.nonce == nonce)
      return true;
  return false;
}

/* What the engine wants to know itself. */
enum {
  OWN_WANTS = 1 << MP_HANDSHAKE_COMPLETE | 1 << MP_CONNECTION_FAILED,
};

void mp_engine_hooks_changed(struct mp_engine *engine) {
  engine->inner.wants = engine->hooks->wants | OWN_WANTS;
  engine->inner.commands = engine->hooks->commands;
}

void engine_hooks_init(struct mp_engine *engine) {
  engine->inner = (struct mp_hooks){
      .event = on_event,
      .validate = on_validate,
      .judge = on_judge,
      .closed = on_closed,
  };
  mp_engine_hooks_changed(engine);
}

struct mp_connection_setup engine_setup(struct mp_engine *engine) {
  return (struct mp_connection_setup){
      .loop = engine->loop,
      .options = &engine->config.session,
      .hooks = &engine->inner,
      .data = engine,
      .is_own_nonce = is_own_nonce,
  };
}
