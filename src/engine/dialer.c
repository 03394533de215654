/* dialer - making outbound connections. */
#include "base/fault.h"
#include "engine/engine.h"

static bool is_connected(const struct mp_engine *engine,
                         const struct mp_address *to) {
  for (struct mp_connection *c = engine->first; c; c = c->next)
    if (!c->session.is_inbound && !c->is_over &&
        mp_address_equal(&c->address, to))
      return true;
  return false;
}

int mp_engine_dial(struct mp_engine *engine, const struct mp_address *to,
                   struct mp_fault *fault) {
  char text[MP_ADDRESS_TEXT];
  if (engine->is_closing || !engine->is_started)
    return fault_set(fault, MP_ECLOSED, "the engine is not running");
  if (engine->connections >= engine->config.max_connections)
    return fault_set(fault, MP_ELIMIT,
                     "expected fewer than max_connections (%lld), got %lld",
                     (long long)engine->config.max_connections,
                     (long long)engine->connections);
  if (engine_is_banned(engine, to))
    return fault_set(fault, MP_ECANCELLED, "%s is banned",
                     mp_address_format(to, text));
  if (is_connected(engine, to))
    return fault_set(fault, MP_EDUPLICATE, "there is a connection to %s",
                     mp_address_format(to, text));
  struct mp_connection_setup setup = engine_setup(engine);
  engine_add(engine, mp_connection_dial(&setup, to));
  return 0;
}

void engine_dial_all(struct mp_engine *engine) {
  for (size_t i = 0; i < engine->config.peer_count; i++) {
    engine_remember(engine, &engine->config.peers[i]);
    mp_engine_dial(engine, &engine->config.peers[i], NULL);
  }
}
