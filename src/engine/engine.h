/* engine - its struct, for the files that make it up. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "engine/connection.h"
#include "moonpeer/engine.h"
#include "moonpeer/loop.h"
#include "moonpeer/stream.h"

struct mp_engine {
  struct mp_loop *loop;
  struct mp_config config;
  struct mp_address *peers; /* ours: what config.peers points to */
  const struct mp_hooks *hooks;
  void *data;
  void (*gone)(void *data);

  struct mp_store *store;
  bool owns_store;

  struct mp_hooks inner; /* what our connections call: these bookkeep, then
                            pass on to hooks */
  struct mp_connection *first, *last;
  int64_t connections; /* in the list: slots taken */
  struct mp_listener *listener;
  struct mp_later turn; /* start or end, from the top of the loop */
  bool is_started, is_closing, is_listening;
};

/* --- engine.c --------------------------------------------------------------
 */
void engine_tell(struct mp_engine *engine, struct mp_event *event);
void engine_add(struct mp_engine *engine, struct mp_connection *connection);
void engine_remove(struct mp_engine *engine, struct mp_connection *connection);

/* --- engine_hooks.c --------------------------------------------------------
 */

/* Fills inner, and what a new connection is made with. */
void engine_hooks_init(struct mp_engine *engine);
struct mp_connection_setup engine_setup(struct mp_engine *engine);

/* --- memory.c -------------------------------------------------------------- */

/* Takes the given store, or opens one in memory. */
int engine_open_store(struct mp_engine *engine, struct mp_store *given,
                      struct mp_fault *fault);
void engine_close_store(struct mp_engine *engine);
bool engine_is_banned(const struct mp_engine *engine,
                      const struct mp_address *address);

/* A peer of the configuration enters the store. */
void engine_remember(struct mp_engine *engine,
                     const struct mp_address *address);

/* What an event of a connection means for its peer's status. */
void engine_note(struct mp_engine *engine, const struct mp_event *event);

/* Does what a verdict says beyond this connection: discourage or ban. */
void engine_obey(struct mp_engine *engine, struct mp_connection *connection,
                 const struct mp_offence *offence,
                 const struct mp_verdict *verdict);

/* --- listener.c ------------------------------------------------------------
 */
void engine_listen(struct mp_engine *engine);

/* --- dialer.c --------------------------------------------------------------
 */
void engine_dial_all(struct mp_engine *engine);

#endif
