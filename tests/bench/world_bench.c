/* world_bench - what a simulated message costs, beside a real one; and how
 * many hosts fit. One JSON object a line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench.h"
#include "moonpeer/loop.h"
#include "moonpeer/stream.h"
#include "moonpeer/world.h"

enum { PAIRS = 1000, MESSAGE = 32, ROOM = 4096 };

static char room[ROOM]; /* nobody looks at what comes */
static const char message[MESSAGE] = "a message of thirty-two bytes..";

struct end {
  struct mp_stream *stream;
  struct mp_timer timer; /* of those that ask by the clock */
  struct mp_loop *loop;
  int64_t period; /* 0: ask again as soon as there is an answer */
  bool asks;
};

struct bench {
  struct mp_loop *running; /* stopped when there are enough messages */
  uint64_t messages, wanted;
  size_t open;
};

static struct bench bench;

static void die(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static void say(const char *end) {
  if (strcmp(end, "") != 0)
    die(end);
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double megabytes(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)usage.ru_maxrss / 1024;
}

/* --- ends that ask and answer ----------------------------------------------
 */
static void put(struct end *end) {
  if (mp_stream_write(end->stream, message, sizeof message) != 1)
    die("a message does not fit");
}

static void on_time(void *data) {
  struct end *end = data;
  put(end);
  mp_timer_start(end->loop, &end->timer, end->period);
}

static void connected(void *owner, int rc) {
  struct end *end = owner;
  if (rc != 0)
    die("a dial has failed");
  bench.open++;
  mp_stream_read(end->stream, true);
  if (end->period)
    mp_timer_start(end->loop, &end->timer, end->period);
  else
    put(end);
}

static struct mp_room find_room(void *owner) {
  (void)owner;
  return (struct mp_room){.bytes = room, .size = sizeof room};
}

static void received(void *owner, size_t n) {
  struct end *end = owner;
  bench.messages += n / MESSAGE;
  if (bench.messages >= bench.wanted && bench.running) {
    mp_loop_stop(bench.running);
    return;
  }
  if (!end->asks || !end->period)
    put(end);
}

static void ended(void *owner, int rc) {
  (void)rc;
  mp_stream_close(((struct end *)owner)->stream);
}

static void drained(void *owner) {
  (void)owner;
}

static void closed(void *owner) {
  mp_timer_stop(&((struct end *)owner)->timer);
  free(owner);
}

static const struct mp_stream_events events = {
    .connected = connected,
    .room = find_room,
    .received = received,
    .ended = ended,
    .drained = drained,
    .closed = closed,
};

static void accepted(void *owner, struct mp_stream *stream) {
  struct end *end = calloc(1, sizeof *end);
  (void)owner;
  end->stream = stream;
  mp_timer_init(&end->timer, on_time, end);
  mp_stream_own(stream, &events, end);
  mp_stream_read(stream, true);
}

static void failed(void *owner, int rc) {
  (void)owner;
  (void)rc;
  die("accepting has failed");
}

static void listener_closed(void *owner) {
  (void)owner;
}

static const struct mp_listener_events listener_events = {
    .accepted = accepted,
    .failed = failed,
    .closed = listener_closed,
};

static void dial(struct mp_loop *loop, const struct mp_address *to,
                 int64_t period) {
  struct end *end = calloc(1, sizeof *end);
  end->loop = loop;
  end->period = period;
  end->asks = true;
  mp_timer_init(&end->timer, on_time, end);
  end->stream = mp_stream_connect(loop, to, &events, end);
}

static void listen_at(struct mp_loop *loop, struct mp_address *at) {
  struct mp_listener *listener;
  struct mp_fault fault = {.text = ""};
  mp_listener_open(&listener, loop, at, &listener_events, NULL, &fault);
  say(fault.text);
  mp_listener_address(listener, at);
}

/* --- the two places --------------------------------------------------------
 */
static struct mp_world *make_world(enum mp_trace trace) {
  struct mp_world_options options = {.trace = trace};
  struct mp_fault fault = {.text = ""};
  struct mp_world *world;
  mp_world_new(&world, &options, &fault);
  say(fault.text);
  return world;
}

static struct mp_loop *make_host(struct mp_world *world, size_t i,
                                 struct mp_address *at) {
  struct mp_fault fault = {.text = ""};
  struct mp_loop *loop;
  char text[32];
  snprintf(text, sizeof text, "10.%zu.%zu.1:8333", i / 256, i % 256);
  mp_address_parse(at, text, 0, &fault);
  mp_world_host(&loop, world, at, &fault);
  say(fault.text);
  return loop;
}

/* ns of CPU a message. */
static double ping_pong(struct mp_loop *loop) {
  double before = cpu_seconds();
  mp_loop_hold(loop);
  bench.running = loop;
  mp_loop_run(loop);
  bench.running = NULL;
  return (cpu_seconds() - before) * 1e9 / (double)bench.messages;
}

static double ping_pong_in_a_world(enum mp_trace trace) {
  struct mp_world *world = make_world(trace);
  struct mp_loop *first = NULL;
  bench = (struct bench){.wanted = 1000000};
  for (size_t i = 0; i < PAIRS; i++) {
    struct mp_address near, far;
    struct mp_loop *loop = make_host(world, 2 * i, &near);
    listen_at(make_host(world, 2 * i + 1, &far), &far);
    dial(loop, &far, 0);
    if (!first)
      first = loop;
  }
  double cost = ping_pong(first);
  mp_world_free(world);
  return cost;
}

static double ping_pong_on_loopback(void) {
  struct mp_fault fault = {.text = ""};
  struct mp_address at;
  struct mp_loop *loop;
  bench = (struct bench){.wanted = 300000};
  mp_address_parse(&at, "127.0.0.1", 0, NULL);
  mp_loop_open(&loop, &fault);
  say(fault.text);
  listen_at(loop, &at);
  for (size_t i = 0; i < PAIRS; i++)
    dial(loop, &at, 0);
  double cost = ping_pong(loop);
  mp_loop_close(loop);
  return cost;
}

/* Hosts that hold 8 streams each to the next ones, and ask once a minute. */
static void live(size_t hosts, int64_t time, enum mp_trace trace) {
  struct mp_world *world = make_world(trace);
  struct mp_address *at = calloc(hosts, sizeof *at);
  struct mp_loop **loops = calloc(hosts, sizeof(struct mp_loop *));
  bench = (struct bench){.wanted = UINT64_MAX};
  for (size_t i = 0; i < hosts; i++) {
    loops[i] = make_host(world, i, &at[i]);
    listen_at(loops[i], &at[i]);
  }
  for (size_t i = 0; i < hosts; i++)
    for (size_t k = 1; k <= 8; k++)
      dial(loops[i], &at[(i + k * k) % hosts],
           60 * MP_SECOND + (int64_t)(i * 997 % 1000) * MP_MILLISECOND);
  mp_world_run(world, time, NULL, NULL, NULL);
  mp_world_free(world);
  free(at);
  free(loops);
}

static void raise_descriptor_limit(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int main(void) {
  raise_descriptor_limit();
  double real = ping_pong_on_loopback();
  report("loopback.cpu_per_message", real, "ns", 0);
  double cost = ping_pong_in_a_world(MP_TRACE_OFF);
  report("world.cpu_per_message", cost, "ns", real);
  report("world.messages_per_second", 1e9 / cost, "1/s", 0);
  cost = ping_pong_in_a_world(MP_TRACE_HASH);
  report("world.cpu_per_message_hashed", cost, "ns", real);
  double before = cpu_seconds();
  live(1000, 3600 * MP_SECOND, MP_TRACE_HASH);
  report("world.hour_of_1000_hosts", cpu_seconds() - before, "s", 5);
  report("world.hour_of_1000_hosts_messages", (double)bench.messages, "", 0);
  live(10000, 180 * MP_SECOND, MP_TRACE_HASH);
  report("world.memory_of_10000_hosts", megabytes(), "MB", 2048);
  return 0;
}
