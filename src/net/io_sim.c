/* io_sim - the io table of a simulated world's hosts.
 *
 * The rule that makes a world worth having: nothing above net/ knows about it.
 * What runs on a loop sees loop.h and stream.h only, cannot ask which
 * implementation it has, and is not compiled differently; only what builds
 * worlds includes moonpeer/world.h. And nothing in here looks at a clock, a
 * random source, a socket, an address in memory or the order of a hash table:
 * what happens depends on the seed and on what was asked for, in order. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/sim_names.h"
#include "net/sim_stream.h"
#include "net/sim_world.h"

static struct mp_world *world_of(const struct mp_loop *loop) {
  return sim_host_of(loop)->world;
}

static void close_host(struct mp_loop *loop) {
  sim_host_close(sim_host_of(loop));
}

static int run(struct mp_loop *loop) {
  return sim_world_run_host(sim_host_of(loop));
}

static void stop(struct mp_loop *loop) {
  sim_host_of(loop)->is_stopped = true;
}

static int64_t now(struct mp_loop *loop) {
  return world_of(loop)->now;
}

static int64_t wall_time(struct mp_loop *loop) {
  return world_of(loop)->wall + sim_elapsed(world_of(loop));
}

static void random_bytes(struct mp_loop *loop, void *bytes, size_t n) {
  rand_bytes(&world_of(loop)->rand, bytes, n);
}

/* The world looks at its timers before every event. */
static void alarm_at(struct mp_loop *loop, int64_t due) {
  (void)loop;
  (void)due;
}

static void posted(struct mp_loop *loop) {
  struct sim_host *host = sim_host_of(loop);
  struct mp_world *world = host->world;
  if (host->has_laters)
    return;
  host->has_laters = true;
  host->next_posted = NULL;
  if (world->posted_last)
    world->posted_last->next_posted = host;
  else
    world->posted_first = host;
  world->posted_last = host;
}

/* --- wakeups, signals, descriptors -----------------------------------------
 */
static int wakeup_open(struct mp_wakeup **result, struct mp_loop *loop,
                       void (*fn)(void *), void *data) {
  struct sim_host *host = sim_host_of(loop);
  struct sim_wakeup *wakeup = mem_new(sizeof *wakeup);
  wakeup->wakeup.handle.loop = loop;
  wakeup->fn = fn;
  wakeup->data = data;
  wakeup->next = host->wakeups;
  if (wakeup->next)
    wakeup->next->previous = wakeup;
  host->wakeups = wakeup;
  *result = &wakeup->wakeup;
  return 0;
}

/* Any thread, and a signal handler: nothing but two flags. */
static void wakeup_send(struct mp_wakeup *base) {
  struct sim_wakeup *wakeup = (struct sim_wakeup *)base;
  atomic_store(&wakeup->is_sent, true);
  atomic_store(&world_of(base->handle.loop)->is_woken, true);
}

static void wakeup_finish(struct sim_closing *closing) {
  free((char *)closing - offsetof(struct sim_wakeup, closing));
}

static void wakeup_close(struct mp_wakeup *base) {
  struct sim_wakeup *wakeup = (struct sim_wakeup *)base;
  struct sim_host *host = sim_host_of(base->handle.loop);
  if (wakeup->is_closed)
    return;
  wakeup->is_closed = true;
  if (wakeup->previous)
    wakeup->previous->next = wakeup->next;
  else
    host->wakeups = wakeup->next;
  if (wakeup->next)
    wakeup->next->previous = wakeup->previous;
  wakeup->closing.finish = wakeup_finish;
  sim_world_closing(host->world, &wakeup->closing);
}

/* A world has none: something to close, and that is all. */
static int signal_open(struct mp_signal **signal, struct mp_loop *loop,
                       int number, void (*fn)(void *), void *data) {
  (void)number;
  (void)fn;
  (void)data;
  *signal = mem_new(sizeof **signal);
  (*signal)->handle.loop = loop;
  return 0;
}

static void signal_close(struct mp_signal *signal) {
  free(signal);
}

static int watch_open(struct mp_watch **watch, struct mp_loop *loop,
                      int descriptor, void (*fn)(void *), void *data) {
  (void)loop;
  (void)descriptor;
  (void)fn;
  (void)data;
  *watch = NULL;
  return MP_EIO;
}

static void watch_close(struct mp_watch *watch) {
  (void)watch;
}

static const struct io_handles handles = {
    .wakeup_send = wakeup_send,
    .wakeup_close = wakeup_close,
    .signal_close = signal_close,
    .watch_close = watch_close,
    .read = sim_stream_read,
    .write = sim_stream_write,
    .shutdown = sim_stream_shutdown,
    .stream_close = sim_stream_close,
    .local = sim_stream_local,
    .remote = sim_stream_remote,
    .listener_address = sim_listener_address,
    .listener_close = sim_listener_close,
};

const struct io sim_io = {
    .close = close_host,
    .run = run,
    .stop = stop,
    .now = now,
    .time = wall_time,
    .random = random_bytes,
    .alarm = alarm_at,
    .posted = posted,
    .work = sim_work,
    .resolve = sim_resolve,
    .resolve_cancel = sim_resolve_cancel,
    .wakeup_open = wakeup_open,
    .signal_open = signal_open,
    .watch_open = watch_open,
    .connect = sim_dial,
    .listen = sim_listen,
    .handles = &handles,
};
