/* engine - peers, connections and policies under one configuration, on a
 * loop. Several may share a loop. */
#ifndef MOONPEER_ENGINE_H
#define MOONPEER_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

#include "moonpeer/config.h"
#include "moonpeer/hooks.h"

struct mp_engine;
struct mp_loop;
struct mp_store;

/* What engine and hooks share. hooks and data are borrowed until the engine's
 * gone hook. */
struct mp_engine_setup {
  struct mp_loop *loop;
  const struct mp_config *config; /* copied */
  struct mp_store *store;         /* borrowed; NULL for one of its own */
  const struct mp_hooks *hooks;
  void *data;
  /* The engine is gone when this returns: the last call. May be NULL. */
  void (*gone)(void *data);
};

/* 0, MP_ECONFIG, MP_ELIMITS or MP_ESTORE. */
int mp_engine_open(struct mp_engine **engine,
                   const struct mp_engine_setup *setup, struct mp_fault *fault);

/* Listens and dials, from the next turn on; holds the loop until it is gone.
 * A listener that fails is told as an event, the engine goes on. MP_ECLOSED
 * after a close. Twice is fine. */
int mp_engine_start(struct mp_engine *engine, struct mp_fault *fault);

/* Stops listening, closes all connections, then is gone; one that was never
 * started is gone at once. Until it is gone twice is fine. */
void mp_engine_close(struct mp_engine *engine);
bool mp_engine_is_closing(const struct mp_engine *engine);

/* hooks->wants or hooks->commands have changed. */
void mp_engine_hooks_changed(struct mp_engine *engine);

/* Where it listens, the real port included; false when it does not. */
bool mp_engine_address(const struct mp_engine *engine,
                       struct mp_address *address);

const struct mp_config *mp_engine_config(const struct mp_engine *engine);
struct mp_store *mp_engine_store(struct mp_engine *engine);

/* The connections, in the order in which they were made: the first, and the
 * one after; NULL at the end. Closing them meanwhile is fine. */
struct mp_connection *mp_engine_first(const struct mp_engine *engine);
struct mp_connection *mp_engine_next(const struct mp_connection *connection);

/* Dials a peer now. 0; MP_ECLOSED when it is not running; MP_ELIMIT when
 * max_connections are there; MP_EDUPLICATE when it is connected; MP_ECANCELLED when it is banned. */
int mp_engine_dial(struct mp_engine *engine, const struct mp_address *to,
                   struct mp_fault *fault);

#endif
