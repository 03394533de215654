/* dialer - keeping as many outbound connections as are wanted. It asks the
 * policy whom to dial and knows nothing itself. */
#include "base/fault.h"
#include "engine/engine.h"
#include "moonpeer/ban.h"
#include "moonpeer/store.h"

enum {
  ASK_AT_ONCE = 64, /* peers named in one answer */
  IDLE_SECONDS = 5, /* until an answer that was too short is asked for again */
};

/* --- one dial --------------------------------------------------------------
 */

static int check(struct mp_engine *engine, const struct mp_address *to,
                 struct mp_fault *fault) {
  char text[MP_ADDRESS_TEXT];
  mp_address_format(to, text);
  if (engine->is_closing || !engine->is_started)
    return fault_set(fault, MP_ECLOSED, "the engine is not running");
  if (engine->slots.taken >= engine->config.max_connections)
    return fault_set(fault, MP_ELIMIT,
                     "expected fewer than max_connections (%lld), got %lld",
                     (long long)engine->config.max_connections,
                     (long long)engine->slots.taken);
  if (engine_is_banned(engine, to))
    return fault_set(fault, MP_ECANCELLED, "%s is banned", text);
  if (crowd_count(&engine->dialled, to, sizeof *to))
    return fault_set(fault, MP_EDUPLICATE, "there is a connection to %s", text);
  if (engine_is_own(engine, to))
    return fault_set(fault, MP_ESELF, "%s is this engine itself", text);
  return 0;
}

/* The slot is taken before anything is sent. */
static void dial(struct mp_engine *engine, struct target *target,
                 enum purpose purpose) {
  const struct mp_connection_setup setup = engine_setup(engine);
  struct mp_connection *c = mp_connection_dial(&setup, &target->address);
  c->role = (struct role){.purpose = purpose, .target = target};
  target->connection = c;
  mp_timer_stop(&target->timer);
  engine_add(engine, c);
  engine->counts.dials++;
  engine_note_try(engine, &target->address);
}

/* Whom a script asks for is dialled, though its wait may not be over. */
static int try_dial(struct mp_engine *engine, const struct mp_address *to,
                    enum purpose purpose, struct mp_fault *fault) {
  int rc = check(engine, to, fault);
  if (rc == 0 && purpose != PURPOSE_ASKED && target_waits(engine, to))
    rc = MP_EWOULD_BLOCK;
  if (rc == 0)
    dial(engine, target_get(engine, to), purpose);
  return rc;
}

int mp_engine_dial(struct mp_engine *engine, const struct mp_address *to,
                   struct mp_fault *fault) {
  int rc = try_dial(engine, to, PURPOSE_ASKED, fault);
  if (rc == 0)
    target_get(engine, to)->is_asked = true;
  return rc;
}

/* --- keeping the target ----------------------------------------------------
 */

static int64_t missing(const struct mp_engine *engine) {
  const struct mp_config *config = &engine->config;
  int64_t wanted = config->target_connections - engine->slots.outbound;
  int64_t room = config->max_connections - engine->slots.taken;
  return wanted < room ? wanted : room;
}

/* Fewer answers than questions: ask again when something may have changed. */
static void dial_selected(struct mp_engine *engine, size_t n) {
  struct mp_address list[ASK_AT_ONCE];
  if (n > ASK_AT_ONCE)
    n = ASK_AT_ONCE;
  size_t found = engine_ask_select(engine, list, ASK_AT_ONCE, n), dialled = 0;
  if (engine->is_closing) /* by who was asked */
    return;
  for (size_t i = 0; i < found && dialled < n; i++)
    dialled += try_dial(engine, &list[i], PURPOSE_KEPT, NULL) == 0;
  if (dialled < n)
    mp_timer_start(engine->loop, &engine->dialer, IDLE_SECONDS * MP_SECOND);
  else if (missing(engine) > 0)
    engine_dial_soon(engine);
}

/* While our network is down one dial at a time finds out whether it is back. */
static bool is_probing(struct mp_engine *engine) {
  outage_look(engine);
  return engine->network.is_down && engine->slots.dialling > 0;
}

static void dial_more(struct mp_engine *engine) {
  if (engine->is_closing || engine->config.is_fixed || missing(engine) <= 0)
    return;
  if (is_probing(engine))
    return;
  dial_selected(engine, engine->network.is_down ? 1 : (size_t)missing(engine));
}

static void on_dialer(void *data) {
  dial_more(data);
}

/* While our network is down even a dial that fails at once is no reason for
 * the next. */
void engine_dial_soon(struct mp_engine *engine) {
  int64_t pause = engine->network.is_down ? IDLE_SECONDS * MP_SECOND : 0;
  if (!engine->is_closing && engine->is_running)
    mp_timer_start(engine->loop, &engine->dialer, pause);
}

/* In normal mode one may have become superfluous: then it is there to be
 * selected. In fixed mode the configuration may have dropped it. */
static bool is_wanted(const struct mp_engine *engine,
                      const struct target *target) {
  if (target->is_fixed)
    return true;
  return missing(engine) > 0 && !target->is_parked &&
         (target->is_asked || !engine->config.is_fixed);
}

/* A target's wait is over. */
void engine_dial_due(struct mp_engine *engine, struct target *target) {
  bool dials = is_wanted(engine, target);
  target->is_parked = false;
  if (dials && !is_probing(engine) &&
      check(engine, &target->address, NULL) == 0)
    dial(engine, target, PURPOSE_KEPT);
  else if (target->is_fixed)
    mp_timer_start(engine->loop, &target->timer,
                   engine_jitter(engine, engine->config.initial_backoff));
  else
    engine_dial_soon(engine);
}

/* Who cannot be dialled now, for want of a slot or because it has dialled us,
 * is looked at again. */
static void dial_fixed(struct mp_engine *engine, const struct mp_address *to) {
  struct target *target = target_get(engine, to);
  target->is_fixed = true;
  if (try_dial(engine, to, PURPOSE_KEPT, NULL) != 0 && !target->connection &&
      !target->timer.is_set)
    mp_timer_start(engine->loop, &target->timer,
                   engine_jitter(engine, engine->config.initial_backoff));
}

void engine_dial_configured(struct mp_engine *engine) {
  const struct mp_config *config = &engine->config;
  for (struct target *t = engine->targets.first; t; t = t->next)
    t->is_fixed = false;
  for (size_t i = 0; i < config->peer_count; i++) {
    engine_remember(engine, &config->peers[i], MP_SOURCE_MANUAL);
    if (config->is_fixed)
      dial_fixed(engine, &config->peers[i]);
  }
}

/* --- feelers ---------------------------------------------------------------
 */

/* When nothing is missing, one unknown peer at a time is tried, so that the
 * store knows whom to dial when something is. */
static void on_feeler(void *data) {
  struct mp_engine *engine = data;
  const struct mp_peer *peer;
  struct mp_address address;
  engine_start_feelers(engine);
  if (engine->config.is_fixed || missing(engine) > 0 || engine->slots.feelers ||
      mp_engine_pick(engine, MP_STATUS_UNKNOWN, &peer, 1) == 0)
    return;
  mp_peer_address(peer, &address);
  try_dial(engine, &address, PURPOSE_FEELER, NULL);
}

void engine_start_feelers(struct mp_engine *engine) {
  int64_t interval = engine->config.feeler_interval;
  if (interval == 0)
    mp_timer_stop(&engine->feeler);
  else
    mp_timer_start(engine->loop, &engine->feeler,
                   engine_jitter(engine, interval));
}

/* --- how they end ----------------------------------------------------------
 */

void engine_outbound_complete(struct mp_engine *engine,
                              struct mp_connection *c) {
  outage_worked(engine, &c->address);
  if (c->role.target)
    target_succeeded(c->role.target);
  if (c->role.purpose == PURPOSE_FEELER)
    mp_connection_close(c, MP_ECLOSED, "a feeler has felt");
}

void engine_outbound_ended(struct mp_engine *engine, struct mp_connection *c,
                           int code, bool was_connected) {
  struct target *target = c->role.target;
  int64_t lasted =
      was_connected ? mp_loop_now(engine->loop) - c->role.complete_at : -1;
  if (code == MP_EREFUSED || code == MP_ERESET || code == MP_EHANDSHAKE)
    outage_heard(engine, &c->address);
  outage_note_end(engine, c, code);
  c->role.target = NULL;
  if (target)
    target_failed(target, code, lasted);
  engine_dial_soon(engine);
}

void engine_start_dialing(struct mp_engine *engine) {
  mp_timer_init(&engine->dialer, on_dialer, engine);
  mp_timer_init(&engine->feeler, on_feeler, engine);
  engine_dial_configured(engine);
  engine_start_feelers(engine);
}

void engine_stop_dialing(struct mp_engine *engine) {
  mp_timer_stop(&engine->dialer);
  mp_timer_stop(&engine->feeler);
  for (struct target *t = engine->targets.first; t; t = t->next)
    mp_timer_stop(&t->timer);
}
