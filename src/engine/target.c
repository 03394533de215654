/* target - an address that is dialled again and again. */
#include "engine/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "engine/engine.h"

enum {
  LOOKED_AT = 64,   /* at most, to find one that may go */
  SHORT_LIVES = 64, /* more make no wait longer */
};

/* --- the list --------------------------------------------------------------
 */

/* Under the engine's secret: nobody fills one bucket. */
static struct target **bucket(struct mp_engine *engine,
                              const struct mp_address *address) {
  uint64_t hash = hash_sip(engine->dialled.secret, address, sizeof *address);
  return &engine->targets.buckets[hash % TARGET_BUCKETS];
}

struct target *target_find(struct mp_engine *engine,
                           const struct mp_address *address) {
  struct target *target = *bucket(engine, address);
  while (target && !mp_address_equal(&target->address, address))
    target = target->same;
  return target;
}

bool target_waits(struct mp_engine *engine, const struct mp_address *address) {
  const struct target *target = target_find(engine, address);
  return target && target->timer.is_set;
}

static void take_out(struct target *target) {
  struct targets *list = &target->engine->targets;
  *(target->previous ? &target->previous->next : &list->first) = target->next;
  *(target->next ? &target->next->previous : &list->last) = target->previous;
}

static void put_last(struct target *target) {
  struct targets *list = &target->engine->targets;
  target->previous = list->last;
  target->next = NULL;
  *(list->last ? &list->last->next : &list->first) = target;
  list->last = target;
}

static void unlink_target(struct target *target) {
  struct target **place = bucket(target->engine, &target->address);
  while (*place != target)
    place = &(*place)->same;
  *place = target->same;
  take_out(target);
  target->engine->targets.count--;
}

static void target_free(struct target *target) {
  if (target->connection)
    target->connection->role.target = NULL;
  mp_timer_stop(&target->timer);
  free(target);
}

static void forget(struct target *target) {
  unlink_target(target);
  target_free(target);
}

void targets_deinit(struct mp_engine *engine) {
  struct target *target = engine->targets.first;
  while (target) {
    struct target *next = target->next;
    target_free(target);
    target = next;
  }
  engine->targets = (struct targets){0};
}

/* The oldest that neither is connected nor belongs to the configuration. Those
 * in front that may not go move to the end, so that the next one who looks need
 * not pass them; when there are too many of them nobody goes: they are bounded
 * by max_connections and the configuration. */
static void make_room(struct mp_engine *engine) {
  struct targets *list = &engine->targets;
  for (unsigned i = 0; i < LOOKED_AT && list->first; i++) {
    struct target *target = list->first;
    if (!target->connection && !target->is_fixed) {
      forget(target);
      return;
    }
    take_out(target);
    put_last(target);
  }
}

static void on_due(void *data) {
  struct target *target = data;
  engine_dial_due(target->engine, target);
}

struct target *target_get(struct mp_engine *engine,
                          const struct mp_address *address) {
  struct target *target = target_find(engine, address);
  if (target)
    return target;
  if (engine->targets.count >= TARGETS_MAX)
    make_room(engine);
  target = mem_new(sizeof *target);
  target->engine = engine;
  target->address = *address;
  mp_timer_init(&target->timer, on_due, target);
  struct target **place = bucket(engine, address);
  target->same = *place;
  *place = target;
  put_last(target);
  engine->targets.count++;
  return target;
}

/* --- when to try again -----------------------------------------------------
 */

/* Whether the last max_restarts restarts leave room for one more; notes it. */
static bool may_restart(struct target *target) {
  const struct mp_config *config = &target->engine->config;
  int64_t now = mp_loop_now(target->engine->loop);
  int64_t most = config->max_restarts;
  if (most == 0)
    return false;
  int64_t oldest = target->restarts[most - 1];
  if (oldest && now - oldest < config->restart_window)
    return false;
  memmove(target->restarts + 1, target->restarts,
          sizeof target->restarts - sizeof *target->restarts);
  target->restarts[0] = now;
  return true;
}

static void restart(struct target *target, int code) {
  struct mp_event event = {.type = MP_CONNECTION_RESTARTING,
                           .address = target->address,
                           .code = code,
                           .text = "the network failed; at once"};
  engine_tell(target->engine, &event);
  mp_timer_start(target->engine->loop, &target->timer, 0);
}

/* Given up: a peer of the configuration waits for inaccessible_time. */
static void give_up(struct target *target) {
  struct mp_engine *engine = target->engine;
  engine_note_inaccessible(engine, &target->address);
  outage_note_burnt(engine, &target->address);
  if (!target->is_fixed) {
    forget(target);
    return;
  }
  target->attempts = 0;
  mp_timer_start(engine->loop, &target->timer,
                 engine->config.inaccessible_time);
}

static bool is_retryable(int code) {
  return code == MP_EREFUSED || code == MP_ECONNECT_TIMEOUT ||
         code == MP_ERESET;
}

/* What ends an established connection without either side's doing. */
static bool is_network_failure(int code) {
  return is_retryable(code) || code == MP_EPING_TIMEOUT || code == MP_EIO;
}

/* Ended by ourselves, for reasons that are not the peer's. */
static bool is_settled(int code) {
  return code == MP_EDUPLICATE || code == MP_ESELF || code == MP_ECANCELLED;
}

/* What the wait grows with: the first life that was short adds nothing, its end
 * is an attempt itself. */
static unsigned patience(const struct target *target, unsigned attempts) {
  unsigned short_lives = target->short_lives;
  return attempts + (short_lives > 0 ? short_lives - 1 : 0);
}

static void retry_later(struct target *target, int code, unsigned attempts) {
  struct mp_engine *engine = target->engine;
  const struct mp_failure failure = {code, patience(target, attempts)};
  int64_t wait = engine_ask_retry(engine, &target->address, &failure);
  if (wait < 0)
    give_up(target);
  else
    mp_timer_start(engine->loop, &target->timer, wait);
}

/* One failure more of those that end in giving up. */
static void try_again(struct target *target, int code) {
  target->attempts++;
  if (target->attempts > target->engine->config.max_retries)
    give_up(target);
  else
    retry_later(target, code, target->attempts);
}

/* Not dialled again by itself; selected again only after a while. Who belongs
 * to the configuration is dialled then: it is to be kept, whatever happens. */
static void park(struct target *target) {
  struct mp_engine *engine = target->engine;
  target->is_parked = !target->is_fixed;
  target->attempts++;
  mp_timer_start(engine->loop, &target->timer,
                 mp_engine_backoff(engine, patience(target, target->attempts)));
}

/* In fixed mode nobody wants it any more. */
static bool is_dropped(const struct target *target) {
  return target->engine->config.is_fixed && !target->is_fixed &&
         !target->is_asked;
}

static void wait_or_give_up(struct target *target, int code) {
  struct mp_engine *engine = target->engine;
  if (engine->network.is_silent && outage_excuses(engine)) /* nobody's fault */
    retry_later(target, code, ++target->waits);
  else if (is_retryable(code))
    try_again(target, code);
  else if (code == MP_EHANDSHAKE_TIMEOUT || code == MP_EOBSOLETE)
    give_up(target);
  else if (is_settled(code) && !target->is_fixed)
    forget(target);
  else
    park(target);
}

/* A handshake alone is no success: who shakes hands and hangs up again and
 * again is waited for longer each time. */
static void note_life(struct target *target, int64_t lasted) {
  if (lasted >= target->engine->config.max_backoff)
    target->short_lives = 0;
  else if (target->short_lives < SHORT_LIVES)
    target->short_lives++;
}

void target_failed(struct target *target, int code, int64_t lasted) {
  struct mp_engine *engine = target->engine;
  bool was_connected = lasted >= 0;
  target->connection = NULL;
  if (engine->is_closing)
    return;
  if (is_dropped(target)) {
    forget(target);
    return;
  }
  if (was_connected && is_network_failure(code) && may_restart(target)) {
    restart(target, code);
    return;
  }
  if (was_connected)
    note_life(target, lasted);
  wait_or_give_up(target, code);
}

void target_succeeded(struct target *target) {
  target->attempts = target->waits = 0;
}

/* Spread over the first backoff, so that not all dial in one instant. */
void targets_hurry(struct mp_engine *engine) {
  struct target *target;
  for (target = engine->targets.first; target; target = target->next)
    if (target->timer.is_set)
      mp_timer_start(
          engine->loop, &target->timer,
          engine_random_below(engine, engine->config.initial_backoff));
}
