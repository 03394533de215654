/* idle_bench - 10,000 connections of one engine that say nothing but pings;
 * their other ends are in another process. The first pings come a minute after
 * the handshakes: that is when we look. */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "bench.h"
#include "moonpeer/connection.h"
#include "moonpeer/engine.h"
#include "moonpeer/loop.h"
#include "moonpeer/message.h"
#include "process.h"

enum { TOTAL = 10000, AT_ONCE = 200, QUIET_SECONDS = 65, IDLE_SECONDS = 60 };

static void forget(void *data, struct mp_connection *connection) {
  (void)data, (void)connection;
}

/* --- the other ends --------------------------------------------------------
 */

struct ends {
  struct mp_loop *loop;
  struct mp_address to;
  struct mp_session_options options;
  int begun;
};

static void dial(struct ends *ends);

static void on_end_event(void *data, const struct mp_event *event) {
  if (event->type == MP_HANDSHAKE_COMPLETE)
    dial(data);
  else
    _exit(1);
}

static const struct mp_hooks end_hooks = {
    .wants = 1u << MP_HANDSHAKE_COMPLETE | 1u << MP_CONNECTION_FAILED,
    .event = on_end_event,
    .closed = forget,
};

static void dial(struct ends *ends) {
  const struct mp_connection_setup setup = {.loop = ends->loop,
                                            .options = &ends->options,
                                            .hooks = &end_hooks,
                                            .data = ends};
  if (ends->begun++ < TOTAL)
    mp_connection_dial(&setup, &ends->to);
}

static void be_the_other_ends(int pipe) {
  struct ends ends = {0};
  if (read(pipe, &ends.to, sizeof ends.to) != sizeof ends.to ||
      mp_loop_open(&ends.loop, NULL) != 0)
    _exit(1);
  mp_session_options_init(&ends.options, mp_network_find("regtest"));
  ends.options.ping_interval = 0;
  for (int i = 0; i < AT_ONCE; i++)
    dial(&ends);
  mp_loop_hold(ends.loop);
  mp_loop_run(ends.loop);
  _exit(0);
}

/* --- the engine ------------------------------------------------------------
 */

struct bench {
  struct mp_loop *loop;
  struct mp_engine *engine;
  struct mp_timer timer;
  int pipe, done;
  double cpu, start, heap;
  uint64_t pongs;
};

static uint64_t pongs(const struct bench *bench) {
  size_t n, at = (size_t)(mp_message_find("pong") - mp_message_list(&n));
  return mp_engine_usage(bench->engine)->traffic[at].messages_in;
}

static void on_idle_over(void *data) {
  struct bench *bench = data;
  double passed = now() - bench->start;
  struct mp_engine_slots slots;
  mp_engine_slots(bench->engine, &slots);
  report("idle: processor", 100 * (cpu() - bench->cpu) / passed, "%", 1);
  report("idle: round trips measured meanwhile",
         (double)(pongs(bench) - bench->pongs) / passed, "pongs/s", 0);
  report("idle: connections at the end", (double)slots.connected, "connections",
         TOTAL);
  mp_loop_stop(bench->loop);
}

static void on_quiet(void *data) {
  struct bench *bench = data;
  report("idle: 10,000 connections, resident", resident() / 1e6, "MB", 30);
  report("idle: heap of each", (heap() - bench->heap) / TOTAL, "bytes", 2048);
  bench->cpu = cpu();
  bench->pongs = pongs(bench);
  bench->start = now();
  mp_timer_init(&bench->timer, on_idle_over, bench);
  mp_timer_start(bench->loop, &bench->timer, IDLE_SECONDS * MP_SECOND);
}

static void on_event(void *data, const struct mp_event *event) {
  struct bench *bench = data;
  struct mp_address address;
  if (event->type == MP_LISTENER_STARTED) {
    mp_engine_address(bench->engine, &address);
    if (write(bench->pipe, &address, sizeof address) != sizeof address)
      exit(1);
  } else if (++bench->done == TOTAL) {
    mp_timer_init(&bench->timer, on_quiet, bench);
    mp_timer_start(bench->loop, &bench->timer, QUIET_SECONDS * MP_SECOND);
  }
}

static bool accept_all(void *data, const struct mp_address *address) {
  (void)data, (void)address;
  return true;
}

static const struct mp_hooks hooks = {
    .wants = 1u << MP_LISTENER_STARTED | 1u << MP_HANDSHAKE_COMPLETE,
    .event = on_event,
    .accept = accept_all,
    .closed = forget,
};

static void open_engine(struct bench *bench) {
  struct mp_config config;
  mp_config_init(&config, mp_network_find("regtest"));
  config.target_connections = 0;
  config.max_connections = 2 * TOTAL;
  config.half_open = TOTAL;
  config.is_fixed = config.has_listen = true;
  mp_address_parse(&config.listen, "127.0.0.1", 0, NULL);
  const struct mp_engine_setup setup = {
      .loop = bench->loop, .config = &config, .hooks = &hooks, .data = bench};
  if (mp_engine_open(&bench->engine, &setup, NULL) != 0 ||
      mp_engine_start(bench->engine, NULL) != 0)
    exit(1);
}

/* As many descriptors as we may have; false when they are too few. */
static int has_descriptors(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur >= TOTAL + 100;
}

int main(void) {
  struct bench bench = {0};
  int ends[2];
  if (!has_descriptors()) {
    fprintf(stderr, "idle_bench: needs %d descriptors (ulimit -n)\n",
            TOTAL + 100);
    return 1;
  }
  if (pipe(ends) != 0)
    return 1;
  pid_t child = fork();
  if (child == 0)
    be_the_other_ends(ends[0]);
  if (mp_loop_open(&bench.loop, NULL) != 0)
    return 1;
  bench.pipe = ends[1];
  bench.heap = heap();
  open_engine(&bench);
  mp_loop_run(bench.loop);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  return 0;
}
