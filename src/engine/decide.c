/* decide - the decisions that are no connection's, with their safe answers. */
#include <math.h>

#include "engine/engine.h"

/* Whoever brings no policy takes everybody that the hard checks let in. */
bool engine_ask_accept(struct mp_engine *engine,
                       const struct mp_address *address) {
  const struct mp_hooks *hooks = engine->hooks;
  return !hooks->accept || hooks->accept(engine->data, address);
}

size_t engine_ask_select(struct mp_engine *engine, struct mp_address *list,
                         size_t room, size_t n) {
  const struct mp_hooks *hooks = engine->hooks;
  if (!hooks->select)
    return 0;
  size_t found = hooks->select(engine->data, list, room, n);
  return found < room ? found : room;
}

/* Never shorter than a tenth of a second, whatever a script says: nobody is
 * dialled in a loop. */
int64_t engine_ask_retry(struct mp_engine *engine,
                         const struct mp_address *address,
                         const struct mp_failure *failure) {
  const struct mp_hooks *hooks = engine->hooks;
  int64_t wait = hooks->retry ? hooks->retry(engine->data, address, failure)
                              : engine->config.max_backoff;
  return wait >= 0 && wait < 100 * MP_MILLISECOND ? 100 * MP_MILLISECOND : wait;
}

bool engine_ask_keep(struct mp_engine *engine, const struct mp_address *address,
                     const struct mp_address *source) {
  const struct mp_hooks *hooks = engine->hooks;
  return hooks->keep && hooks->keep(engine->data, address, source);
}

int64_t engine_random_below(struct mp_engine *engine, int64_t limit) {
  uint64_t random = mp_loop_random_u64(engine->loop);
  return limit > 0 ? (int64_t)(random % (uint64_t)limit) : 0;
}

int64_t engine_jitter(struct mp_engine *engine, int64_t interval) {
  return connection_jitter(engine->loop, interval,
                           engine->config.session.jitter);
}

/* What chance puts beyond the longest wait is mirrored there: cut off, half of
 * all that wait for long would dial in one instant. */
int64_t mp_engine_backoff(struct mp_engine *engine, unsigned attempts) {
  const struct mp_config *config = &engine->config;
  double wait = (double)config->initial_backoff *
                pow(config->backoff_multiplier, attempts ? attempts - 1 : 0);
  int64_t most = config->max_backoff;
  int64_t moved =
      engine_jitter(engine, wait < (double)most ? (int64_t)wait : most);
  return moved <= most ? moved : 2 * most - moved;
}
