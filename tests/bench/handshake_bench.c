/* handshake_bench - whole handshakes a second over loopback: this process
 * dials, an engine in another answers. Beside it a bare epoll pair. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bare.h"
#include "bench.h"
#include "moonpeer/connection.h"
#include "moonpeer/engine.h"
#include "moonpeer/loop.h"
#include "process.h"

enum { ADDRESSES = 8, AT_ONCE = 256, TOTAL = 100000 };

static const struct mp_network *network(void) {
  return mp_network_find("regtest");
}

/* --- the answering process -------------------------------------------------
 */

struct answers {
  struct mp_loop *loop;
  struct mp_engine *engines[ADDRESSES];
  int pipe;
};

static void nothing(void *data, const struct mp_event *event) {
  (void)data, (void)event;
}

static void forget(void *data, struct mp_connection *connection) {
  (void)data, (void)connection;
}

/* The first listener's port is chosen, the others take the same. */
static void listen_at(struct answers *answers, int i, uint16_t port) {
  static const struct mp_hooks hooks = {.event = nothing, .closed = forget};
  struct mp_config config;
  mp_config_init(&config, network());
  config.session.ping_interval = 0;
  config.target_connections = 0;
  config.max_connections = config.half_open = 4 * AT_ONCE;
  config.has_listen = true;
  mp_address_parse(&config.listen, "127.0.0.1", port, NULL);
  config.listen.ip[15] = (uint8_t)(i + 1);
  const struct mp_engine_setup setup = {
      .loop = answers->loop, .config = &config, .hooks = &hooks};
  if (mp_engine_open(&answers->engines[i], &setup, NULL) == 0)
    mp_engine_start(answers->engines[i], NULL);
}

static void tell_ports(void *data) {
  struct answers *answers = data;
  struct mp_address ports[ADDRESSES];
  for (int i = 0; i < ADDRESSES; i++)
    if (!mp_engine_address(answers->engines[i], &ports[i]))
      _exit(1);
  if (write(answers->pipe, ports, sizeof ports) != sizeof ports)
    _exit(1);
}

static void answer(int pipe) {
  struct answers answers = {.pipe = pipe};
  struct mp_timer timer;
  if (mp_loop_open(&answers.loop, NULL) != 0)
    _exit(1);
  for (int i = 0; i < ADDRESSES; i++)
    listen_at(&answers, i, 0);
  mp_timer_init(&timer, tell_ports, &answers);
  mp_timer_start(answers.loop, &timer, MP_MILLISECOND);
  mp_loop_run(answers.loop);
  _exit(0);
}

/* --- the dialling process --------------------------------------------------
 */

struct dials {
  struct mp_loop *loop;
  struct mp_address to[ADDRESSES];
  struct mp_session_options options;
  int begun, open, done;
};

static void dial(struct dials *dials);

static void on_event(void *data, const struct mp_event *event) {
  struct dials *dials = data;
  if (event->type == MP_HANDSHAKE_COMPLETE)
    dials->done++;
  mp_connection_reset(event->connection);
}

static void on_closed(void *data, struct mp_connection *connection) {
  struct dials *dials = data;
  (void)connection;
  dials->open--;
  mp_loop_release(dials->loop);
  dial(dials);
}

static const struct mp_hooks hooks = {
    .wants = 1u << MP_HANDSHAKE_COMPLETE | 1u << MP_CONNECTION_FAILED,
    .event = on_event,
    .closed = on_closed,
};

static void dial(struct dials *dials) {
  const struct mp_connection_setup setup = {.loop = dials->loop,
                                            .options = &dials->options,
                                            .hooks = &hooks,
                                            .data = dials};
  while (dials->open < AT_ONCE && dials->begun < TOTAL) {
    mp_connection_dial(&setup, &dials->to[dials->begun % ADDRESSES]);
    mp_loop_hold(dials->loop);
    dials->begun++;
    dials->open++;
  }
}

/* --- both pairs ------------------------------------------------------------
 */

/* By the clock, and by the processor time of who dials, which depends less on
 * what else the machine does. */
struct rates {
  double clock, processor;
};

static struct rates bare_rates(void) {
  struct sockaddr_in to[ADDRESSES];
  int ends[2];
  if (pipe(ends) != 0)
    exit(1);
  pid_t child = fork();
  if (child == 0)
    bare_answer(ends[1], ADDRESSES);
  for (int i = 0; i < ADDRESSES; i++)
    if (read(ends[0], &to[i], sizeof to[i]) != sizeof to[i])
      exit(1);
  double start = now(), worked = cpu();
  int done = bare_handshakes(to, ADDRESSES, AT_ONCE, TOTAL);
  double passed = now() - start;
  worked = cpu() - worked;
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  if (done != TOTAL)
    exit(1);
  return (struct rates){done / passed, done / worked};
}

static struct rates our_rates(void) {
  struct dials dials = {0};
  int ends[2];
  if (pipe(ends) != 0)
    exit(1);
  pid_t child = fork();
  if (child == 0)
    answer(ends[1]);
  if (read(ends[0], dials.to, sizeof dials.to) != sizeof dials.to ||
      mp_loop_open(&dials.loop, NULL) != 0)
    exit(1);
  mp_session_options_init(&dials.options, network());
  dials.options.ping_interval = 0;
  double start = now(), worked = cpu();
  dial(&dials);
  mp_loop_run(dials.loop);
  double passed = now() - start;
  worked = cpu() - worked;
  mp_loop_close(dials.loop);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  if (dials.done != TOTAL) {
    fprintf(stderr, "handshake_bench: %d of %d came to nothing\n",
            TOTAL - dials.done, TOTAL);
    exit(1);
  }
  return (struct rates){TOTAL / passed, TOTAL / worked};
}

int main(void) {
  struct rates bare = bare_rates(), ours = our_rates();
  report("100,000 handshakes over loopback, 8 addresses, another process",
         ours.clock, "handshakes/s", bare.clock);
  report("the same by a bare epoll pair", bare.clock, "handshakes/s", 0);
  report("handshakes in a second of processor time of who dials",
         ours.processor, "handshakes/s", bare.processor);
  return 0;
}
