/* engine - open, start, close. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "engine/saver.h"

void engine_tell(struct mp_engine *engine, struct mp_event *event) {
  const struct mp_hooks *hooks = engine->hooks;
  if (!(hooks->wants & UINT64_C(1) << event->type))
    return;
  event->time = mp_loop_time(engine->loop);
  if (!event->text)
    event->text = "";
  hooks->event(engine->data, event);
}

/* --- open, start, close ----------------------------------------------------
 */

static void engine_free(struct mp_engine *engine) {
  targets_deinit(engine);
  outage_deinit(engine);
  mp_store_unlisten(&engine->watcher);
  news_deinit(engine);
  rules_free(engine->rules);
  saver_free(engine->saver);
  engine_close_store(engine);
  crowd_deinit(&engine->dialled);
  crowd_deinit(&engine->named);
  crowd_deinit(&engine->dialled_group);
  crowd_deinit(&engine->by_ip);
  crowd_deinit(&engine->by_group);
  crowd_deinit(&engine->half_open_group);
  crowd_deinit(&engine->polite_group);
  roster_deinit(&engine->roster);
  mp_later_cancel(&engine->turn);
  free(engine->peers);
  free(engine->trusted);
  free(engine);
}

static void stop_timers(struct mp_engine *engine) {
  engine_stop_dialing(engine);
  engine_stop_discovery(engine);
  mp_timer_stop(&engine->relisten);
  mp_timer_stop(&engine->expiry);
}

/* A hook that closed the engine returned to what then set a timer: they are
 * stopped once more. */
static void end(struct mp_engine *engine) {
  void (*gone)(void *data) = engine->gone;
  void *data = engine->data;
  mp_timer_stop(&engine->shutdown);
  stop_timers(engine);
  if (engine->is_started)
    mp_loop_release(engine->loop);
  engine_free(engine);
  if (gone)
    gone(data);
}

/* Connections first, so that what they leave behind is saved, too. */
static void go_on_closing(struct mp_engine *engine) {
  if (!engine->first && !engine->listener && saver_finish(engine->saver) &&
      !engine->news.first)
    end(engine);
}

/* Each tells or asks somebody, who may close the engine. */
static void start_parts(struct mp_engine *engine) {
  static void (*const parts[])(struct mp_engine *) = {
      engine_start_expiry, engine_start_dialing, engine_listen,
      engine_start_discovery, engine_dial_soon};
  engine->is_running = true;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (!engine->is_closing)
      parts[i](engine);
}

static void on_turn(void *data) {
  struct mp_engine *engine = data;
  engine_sweep(engine);
  news_tell(engine);
  if (engine->is_closing) {
    go_on_closing(engine);
    return;
  }
  if (!engine->is_running && engine->is_started)
    start_parts(engine);
}

static void on_shutdown(void *data) {
  struct mp_engine *engine = data;
  saver_abandon(engine->saver);
  for (struct mp_connection *c = engine->first; c; c = c->next)
    mp_connection_reset(c);
  mp_later_post(engine->loop, &engine->turn);
}

void engine_copy_lists(struct mp_engine *engine) {
  struct mp_config *config = &engine->config;
  size_t peers = config->peer_count * sizeof *engine->peers;
  size_t trusted = config->trusted_count * sizeof *engine->trusted;
  engine->peers = mem_new(peers);
  engine->trusted = mem_new(trusted);
  if (peers)
    memcpy(engine->peers, config->peers, peers);
  if (trusted)
    memcpy(engine->trusted, config->trusted, trusted);
  config->peers = engine->peers;
  config->trusted = engine->trusted;
}

static void init_parts(struct mp_engine *engine) {
  uint64_t secret[2];
  mp_loop_random(engine->loop, secret, sizeof secret);
  crowd_init(&engine->dialled, secret);
  crowd_init(&engine->named, secret);
  crowd_init(&engine->dialled_group, secret);
  crowd_init(&engine->by_ip, secret);
  crowd_init(&engine->by_group, secret);
  crowd_init(&engine->half_open_group, secret);
  crowd_init(&engine->polite_group, secret);
  mp_later_init(&engine->turn, on_turn, engine);
  mp_timer_init(&engine->shutdown, on_shutdown, engine);
  engine_hooks_init(engine);
  engine_watch_store(engine);
}

int mp_engine_open(struct mp_engine **made, const struct mp_engine_setup *setup,
                   struct mp_fault *fault) {
  int rc = mp_config_check(setup->config, fault);
  if (rc != 0)
    return rc;
  struct mp_engine *engine = mem_new(sizeof *engine);
  engine->loop = setup->loop;
  engine->config = *setup->config;
  engine->config.session.network = &engine->config.network;
  engine->hooks = setup->hooks;
  engine->data = setup->data;
  engine->gone = setup->gone;
  engine->tunes_store = setup->tunes_store || !setup->store;
  rc = engine_open_store(engine, setup->store, fault);
  if (rc != 0) {
    free(engine);
    return rc;
  }
  engine->saver = saver_new(engine);
  engine_copy_lists(engine);
  init_parts(engine);
  *made = engine;
  return 0;
}

int mp_engine_start(struct mp_engine *engine, struct mp_fault *fault) {
  if (engine->is_closing)
    return fault_set(fault, MP_ECLOSED, "the engine is closed");
  if (engine->is_started)
    return 0;
  engine->is_started = true;
  mp_loop_hold(engine->loop);
  mp_later_post(engine->loop, &engine->turn);
  return 0;
}

static void start_closing(struct mp_engine *engine) {
  engine->is_closing = true;
  mp_listener_close(engine->listener);
  stop_timers(engine);
  engine_note_anchors(engine);
  for (struct mp_connection *c = engine->first; c; c = c->next)
    mp_connection_close(c, MP_ECLOSED, "the engine closes");
}

void mp_engine_close(struct mp_engine *engine, int64_t limit) {
  if (limit < 0)
    limit = engine->config.shutdown_timeout;
  if (!engine->is_started) {
    engine->is_closing = true;
    end(engine);
    return;
  }
  if (!engine->is_closing)
    start_closing(engine);
  else if (engine->shutdown.is_set &&
           engine->shutdown.due - mp_loop_now(engine->loop) <= limit)
    return;
  mp_timer_start(engine->loop, &engine->shutdown, limit);
  mp_later_post(engine->loop, &engine->turn);
}

bool mp_engine_is_closing(const struct mp_engine *engine) {
  return engine->is_closing;
}

bool mp_engine_address(const struct mp_engine *engine,
                       struct mp_address *address) {
  if (!engine->is_listening)
    return false;
  mp_listener_address(engine->listener, address);
  return true;
}

const struct mp_config *mp_engine_config(const struct mp_engine *engine) {
  return &engine->config;
}
