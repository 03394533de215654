/* engine - open, start, close, and the list of connections. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"

void engine_tell(struct mp_engine *engine, struct mp_event *event) {
  const struct mp_hooks *hooks = engine->hooks;
  if (!(hooks->wants & UINT64_C(1) << event->type))
    return;
  event->time = mp_loop_time(engine->loop);
  if (!event->text)
    event->text = "";
  hooks->event(engine->data, event);
}

/* --- connections -----------------------------------------------------------
 */

void engine_add(struct mp_engine *engine, struct mp_connection *connection) {
  connection->previous = engine->last;
  connection->next = NULL;
  if (engine->last)
    engine->last->next = connection;
  else
    engine->first = connection;
  engine->last = connection;
  engine->connections++;
}

void engine_remove(struct mp_engine *engine, struct mp_connection *connection) {
  if (connection->previous)
    connection->previous->next = connection->next;
  else
    engine->first = connection->next;
  if (connection->next)
    connection->next->previous = connection->previous;
  else
    engine->last = connection->previous;
  engine->connections--;
  if (engine->is_closing)
    mp_later_post(engine->loop, &engine->turn);
}

struct mp_connection *mp_engine_first(const struct mp_engine *engine) {
  return engine->first;
}

struct mp_connection *mp_engine_next(const struct mp_connection *connection) {
  return connection->next;
}

/* --- open, start, close ----------------------------------------------------
 */

static void end(struct mp_engine *engine) {
  void (*gone)(void *data) = engine->gone;
  void *data = engine->data;
  if (engine->is_started)
    mp_loop_release(engine->loop);
  engine_close_store(engine);
  free(engine->peers);
  free(engine);
  if (gone)
    gone(data);
}

static void on_turn(void *data) {
  struct mp_engine *engine = data;
  if (!engine->is_closing) {
    engine_listen(engine);
    engine_dial_all(engine);
  } else if (!engine->first && !engine->listener) {
    end(engine);
  }
}

static void copy_peers(struct mp_engine *engine) {
  size_t n = engine->config.peer_count * sizeof *engine->peers;
  engine->peers = mem_new(n);
  if (n)
    memcpy(engine->peers, engine->config.peers, n);
  engine->config.peers = engine->peers;
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
  rc = engine_open_store(engine, setup->store, fault);
  if (rc != 0) {
    free(engine);
    return rc;
  }
  copy_peers(engine);
  mp_later_init(&engine->turn, on_turn, engine);
  engine_hooks_init(engine);
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

void mp_engine_close(struct mp_engine *engine) {
  struct mp_connection *c;
  if (engine->is_closing)
    return;
  engine->is_closing = true;
  if (!engine->is_started) {
    end(engine);
    return;
  }
  mp_listener_close(engine->listener);
  for (c = engine->first; c; c = c->next)
    mp_connection_close(c, MP_ECLOSED, "the engine closes");
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
