/* churn_bench - connections that come to nothing, in great number: what they
 * leave behind in memory and descriptors. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "bench.h"
#include "moonpeer/connection.h"
#include "moonpeer/engine.h"
#include "moonpeer/loop.h"
#include "moonpeer/stream.h"
#include "process.h"

enum { REFUSED = 1000000, DROPPED = 200000, AT_ONCE = 128, WARM_UP = 10 };

struct churn {
  struct mp_loop *loop;
  struct mp_engine *engine;
  struct mp_address at;  /* where the engine listens */
  struct mp_address bad; /* where nobody does */
  struct mp_later more;
  int begun, open, total, pipe;
  double start, resident;
  int descriptors;
};

static const struct mp_network *network(void) {
  return mp_network_find("regtest");
}

/* Measured from a tenth on, when all that grows has grown. */
static void note_progress(struct churn *churn, int done) {
  if (done == churn->total / WARM_UP) {
    churn->resident = resident();
    churn->descriptors = descriptors();
  }
}

static void report_churn(struct churn *churn, const char *what) {
  char name[120];
  double passed = now() - churn->start;
  snprintf(name, sizeof name, "churn: %s", what);
  report(name, churn->total / passed, "connections/s", 0);
  snprintf(name, sizeof name, "churn: %s, resident after warm-up", what);
  report(name, (resident() - churn->resident) / 1e6, "MB more", 1);
  snprintf(name, sizeof name, "churn: %s, descriptors left", what);
  report(name, descriptors() - churn->descriptors, "descriptors", 0);
}

/* --- refused dials ---------------------------------------------------------
 */

/* One address each, so that none is dialled twice at once. */
static void dial_more(void *data) {
  struct churn *churn = data;
  while (churn->open < AT_ONCE && churn->begun < churn->total) {
    struct mp_address to = churn->bad;
    to.ip[13] = (uint8_t)(churn->begun >> 16);
    to.ip[14] = (uint8_t)(churn->begun >> 8);
    to.ip[15] = (uint8_t)(churn->begun | 1);
    if (mp_engine_dial(churn->engine, &to, NULL) != 0)
      break; /* the one before it has not ended */
    churn->begun++;
    churn->open++;
  }
  if (churn->open == 0)
    mp_loop_stop(churn->loop);
}

static void on_refused(void *data, struct mp_connection *connection) {
  struct churn *churn = data;
  if (mp_connection_is_inbound(connection))
    return;
  churn->open--;
  note_progress(churn, churn->begun - churn->open);
  mp_later_post(churn->loop, &churn->more);
}

/* --- accepted and dropped --------------------------------------------------
 */

static void on_dropped(void *data, struct mp_connection *connection) {
  struct churn *churn = data;
  (void)connection;
  note_progress(churn, ++churn->begun);
  if (churn->begun == churn->total)
    mp_loop_stop(churn->loop);
}

static void on_event(void *data, const struct mp_event *event) {
  struct churn *churn = data;
  (void)event;
  mp_engine_address(churn->engine, &churn->at);
  if (write(churn->pipe, &churn->at, sizeof churn->at) != sizeof churn->at)
    exit(1);
}

static void on_closed(void *data, struct mp_connection *connection) {
  struct churn *churn = data;
  if (churn->total == REFUSED)
    on_refused(churn, connection);
  else
    on_dropped(churn, connection);
}

static int64_t give_up(void *data, const struct mp_address *address,
                       const struct mp_failure *failure) {
  (void)data, (void)address, (void)failure;
  return -1;
}

static bool accept_all(void *data, const struct mp_address *address) {
  (void)data, (void)address;
  return true;
}

/* --- who dials and drops ---------------------------------------------------
 */

static void dropper_next(struct churn *churn);

static void dropper_connected(void *owner, int rc) {
  struct churn *churn = owner;
  (void)rc;
  mp_later_post(churn->loop, &churn->more);
}

static struct mp_room dropper_room(void *owner) {
  (void)owner;
  return (struct mp_room){0};
}

static void nothing_came(void *owner, size_t n) {
  (void)owner, (void)n;
}

static void nothing_ended(void *owner, int rc) {
  (void)owner, (void)rc;
}

static void nothing_more(void *owner) {
  (void)owner;
}

static struct mp_stream *dropped;

static void dropper_closed(void *owner) {
  dropper_next(owner);
}

static void dropper_reset(void *data) {
  (void)data;
  mp_stream_reset(dropped);
}

static void dropper_next(struct churn *churn) {
  static const struct mp_stream_events events = {
      .connected = dropper_connected,
      .room = dropper_room,
      .received = nothing_came,
      .ended = nothing_ended,
      .drained = nothing_more,
      .closed = dropper_closed,
  };
  dropped = mp_stream_connect(churn->loop, &churn->at, &events, churn);
}

static void drop_many(int pipe) {
  struct churn churn = {0};
  if (read(pipe, &churn.at, sizeof churn.at) != sizeof churn.at ||
      mp_loop_open(&churn.loop, NULL) != 0)
    _exit(1);
  mp_later_init(&churn.more, dropper_reset, &churn);
  mp_loop_hold(churn.loop);
  dropper_next(&churn);
  mp_loop_run(churn.loop);
  _exit(0);
}

/* --- both ------------------------------------------------------------------
 */

static void open_engine(struct churn *churn) {
  static const struct mp_hooks hooks = {.wants = 1u << MP_LISTENER_STARTED,
                                        .event = on_event,
                                        .retry = give_up,
                                        .accept = accept_all,
                                        .closed = on_closed};
  struct mp_config config;
  mp_config_init(&config, network());
  config.target_connections = 0;
  config.max_connections = config.half_open = 2 * AT_ONCE;
  config.max_restarts = 0;
  config.has_listen = config.is_fixed = true;
  config.listen = churn->at;
  const struct mp_engine_setup setup = {
      .loop = churn->loop, .config = &config, .hooks = &hooks, .data = churn};
  if (mp_engine_open(&churn->engine, &setup, NULL) != 0 ||
      mp_engine_start(churn->engine, NULL) != 0)
    exit(1);
}

int main(void) {
  struct churn churn = {.total = DROPPED};
  int ends[2];
  if (pipe(ends) != 0)
    return 1;
  pid_t child = fork();
  if (child == 0)
    drop_many(ends[0]);
  churn.pipe = ends[1];
  if (mp_loop_open(&churn.loop, NULL) != 0)
    return 1;
  mp_address_parse(&churn.at, "127.0.0.1", 0, NULL);
  mp_address_parse(&churn.bad, "127.0.0.1", 1, NULL);
  open_engine(&churn);
  churn.start = now();
  mp_loop_run(churn.loop);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  report_churn(&churn, "200,000 accepted and dropped");

  churn.total = REFUSED;
  churn.begun = churn.open = 0;
  mp_later_init(&churn.more, dial_more, &churn);
  mp_later_post(churn.loop, &churn.more);
  churn.start = now();
  mp_loop_run(churn.loop);
  report_churn(&churn, "1,000,000 refused dials");
  return 0;
}
