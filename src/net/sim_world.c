/* sim_world - a simulated world: making it, its hosts, and letting time pass.
 */
#include "net/sim_world.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/mem.h"
#include "net/sim_names.h"
#include "net/sim_stream.h"

#define START (INT64_C(1735689600) * MP_SECOND)     /* 2025-01-01 */
#define START_MAX (INT64_C(4102444800) * MP_SECOND) /* 2100-01-01 */
#define WORK_MAX (3600 * MP_SECOND)

enum {
  TRACE_LIMIT = 16 << 20,
  STUCK = 1000000, /* turns without time */
};

/* --- making it -------------------------------------------------------------
 */
static int check_options(const struct mp_world_options *options,
                         struct mp_fault *fault) {
  if (options->start < 0 || options->start > START_MAX)
    return fault_set(fault, MP_ECONFIG,
                     "start: expected a time from 1970 to 2100 in ns, got %lld",
                     (long long)options->start);
  if (options->work_time < 0 || options->work_time > WORK_MAX)
    return fault_set(fault, MP_ECONFIG,
                     "work_time: expected 0 to %lld ns (1 h), got %lld ns",
                     (long long)WORK_MAX, (long long)options->work_time);
  if ((int)options->trace < MP_TRACE_HASH || options->trace > MP_TRACE_TEXT)
    return fault_set(fault, MP_ECONFIG,
                     "trace: expected hash, off or text (0 to %d), got %d",
                     MP_TRACE_TEXT, (int)options->trace);
  return 0;
}

int mp_world_new(struct mp_world **result,
                 const struct mp_world_options *options,
                 struct mp_fault *fault) {
  static const struct mp_world_options defaults;
  if (!options)
    options = &defaults;
  *result = NULL;
  if (check_options(options, fault) != 0)
    return MP_ECONFIG;
  struct mp_world *world = mem_new(sizeof *world);
  size_t limit = options->trace_limit ? options->trace_limit : TRACE_LIMIT;
  if (sim_trace_init(&world->trace, options->trace, limit) != 0) {
    free(world);
    return fault_set(fault, MP_EIO, "OpenSSL has no sha256");
  }
  rand_init(&world->rand, options->seed);
  world->now = SIM_ORIGIN;
  world->wall = options->start ? options->start : START;
  world->work_time = options->work_time ? options->work_time : MP_MILLISECOND;
  world->names = sim_names_new();
  sim_links_init(&world->links);
  mp_host_limits_init(&world->limits);
  *result = world;
  return 0;
}

/* What is closed meanwhile waits for the next turn. */
void sim_world_finish_closing(struct mp_world *world) {
  struct sim_closing *closing = world->closing_first;
  world->closing_first = world->closing_last = NULL;
  while (closing) {
    struct sim_closing *next = closing->next;
    closing->finish(closing);
    closing = next;
  }
}

/* `closed` may close something of another host. */
void mp_world_free(struct mp_world *world) {
  if (!world)
    return;
  world->is_ending = true;
  world->is_running = false; /* nobody returns to a run that is left so */
  for (size_t i = 0; i < world->hosts_n; i++)
    mp_loop_close(&world->hosts[i]->loop);
  while (world->closing_first)
    sim_world_finish_closing(world);
  sim_timers_drop(world, NULL);
  for (size_t i = 0; i < world->hosts_n; i++) {
    free(world->hosts[i]->weather_from);
    free(world->hosts[i]->weather_to);
    free(world->hosts[i]);
  }
  free(world->hosts);
  sim_index_deinit(&world->hosts_by_ip);
  sim_links_deinit(&world->links);
  sim_names_free(world->names);
  timers_deinit(&world->timers);
  sim_trace_deinit(&world->trace);
  hasher_free(world->hasher);
  lending_deinit(&world->lending);
  sim_pool_deinit(&world->pool);
  free(world);
}

void sim_world_closing(struct mp_world *world, struct sim_closing *closing) {
  closing->next = NULL;
  if (world->closing_last)
    world->closing_last->next = closing;
  else
    world->closing_first = closing;
  world->closing_last = closing;
}

void sim_world_arm(struct mp_world *world, struct sim_host *host,
                   struct mp_timer *timer, int64_t at) {
  if (at < world->now)
    at = world->now;
  if (timer->is_set && timer->due <= at)
    return;
  if (timer->is_set)
    timers_remove(&world->timers, timer);
  timer->loop = &host->loop;
  timers_add(&world->timers, timer, at);
}

/* --- time ------------------------------------------------------------------
 * A turn is an instant: the timers that are due and were set before it, in
 * order; then what was posted; then what was closed is told so. Time passes
 * between turns only. A run may end between any two events, and the next one
 * goes on there. */
struct run {
  int64_t until;
  bool (*condition)(void *data);
  void *data;
  bool at_turns; /* asked between turns, not between events */
};

static bool has_pending(const struct mp_world *world) {
  return world->posted_first || world->closing_first ||
         atomic_load_explicit(&world->is_woken, memory_order_relaxed);
}

static void start_turn(struct mp_world *world) {
  world->in_turn = true;
  world->turns++;
  world->turn_before = world->timers.started;
}

static void run_wakeups(struct mp_world *world) {
  if (!atomic_load_explicit(&world->is_woken, memory_order_relaxed) ||
      !atomic_exchange(&world->is_woken, false))
    return;
  for (size_t i = 0; i < world->hosts_n; i++)
    for (struct sim_wakeup *wakeup = world->hosts[i]->wakeups, *next; wakeup;
         wakeup = next) {
      bool is_sent = atomic_exchange(&wakeup->is_sent, false);
      next = wakeup->next;
      if (is_sent && !wakeup->is_closed)
        wakeup->fn(wakeup->data);
    }
}

/* Hosts in the order in which they posted; who posts now waits. */
static void run_posted(struct mp_world *world) {
  struct sim_host *host = world->posted_first;
  world->posted_first = world->posted_last = NULL;
  while (host) {
    struct sim_host *next = host->next_posted;
    host->next_posted = NULL;
    host->has_laters = false;
    if (laters_run(&host->own_laters) && !host->has_laters)
      host->loop.io->posted(&host->loop);
    host = next;
  }
}

static void end_turn(struct mp_world *world) {
  run_wakeups(world);
  run_posted(world);
  sim_world_finish_closing(world);
  world->in_turn = false;
}

/* Goes to when the next thing happens; false when that is after `until`. */
static bool advance(struct mp_world *world, int64_t until) {
  const struct mp_timer *timer = timers_first(&world->timers);
  if (has_pending(world))
    return true;
  if (!timer || timer->due > until || timer->due == MP_FOREVER)
    return false;
  if (timer->due > world->now) {
    world->now = timer->due;
    world->turns = 0;
  }
  return true;
}

/* Lets one thing happen; false when nothing is left up to `until`. */
static bool step(struct mp_world *world, int64_t until) {
  if (!world->in_turn) {
    if (!advance(world, until))
      return false;
    start_turn(world);
  }
  struct mp_timer *timer = timers_first(&world->timers);
  world->count.events++;
  if (timer && timer->due <= world->now && timer->order < world->turn_before) {
    timers_remove(&world->timers, timer);
    timer->fn(timer->data);
    return true;
  }
  end_turn(world);
  return true;
}

static int run(struct mp_world *world, const struct run *run) {
  world->is_stopped = false;
  world->turns = 0;
  for (;;) {
    if (run->condition && (!run->at_turns || !world->in_turn) &&
        run->condition(run->data))
      return MP_WORLD_CONDITION;
    if (world->is_stopped)
      return MP_WORLD_STOPPED;
    if (world->turns > STUCK)
      return MP_WORLD_STUCK;
    if (!step(world, run->until))
      return run->until == MP_FOREVER ? MP_WORLD_IDLE : MP_WORLD_TIME;
  }
}

static int run_all(struct mp_world *world, const struct run *how) {
  world->is_running = true;
  for (size_t i = 0; i < world->hosts_n; i++)
    world->hosts[i]->loop.is_running = true;
  int end = run(world, how);
  world->is_running = false;
  for (size_t i = 0; i < world->hosts_n; i++)
    world->hosts[i]->loop.is_running = false;
  return end;
}

int mp_world_run(struct mp_world *world, int64_t until,
                 bool (*condition)(void *data), void *data,
                 struct mp_fault *fault) {
  struct run how = {.condition = condition, .data = data};
  if (world->is_running)
    return fault_set(fault, MP_ELIMIT,
                     "run: expected a world at rest, got one that runs: runs "
                     "do not nest");
  if (until < sim_elapsed(world))
    return fault_set(fault, MP_ECONFIG,
                     "run: expected a time from now on (%lld ns), got %lld",
                     (long long)sim_elapsed(world), (long long)until);
  how.until = until > MP_FOREVER - SIM_ORIGIN ? MP_FOREVER : until + SIM_ORIGIN;
  int end = run_all(world, &how);
  if (end == MP_WORLD_TIME)
    world->now = how.until;
  return end;
}

static bool is_host_done(void *data) {
  const struct sim_host *host = data;
  return host->loop.holds == 0 || host->is_stopped;
}

int sim_world_run_host(struct sim_host *host) {
  struct run how = {.until = MP_FOREVER,
                    .condition = is_host_done,
                    .data = host,
                    .at_turns = true};
  if (host->world->is_running)
    return MP_ELIMIT;
  host->is_stopped = false;
  int end = run_all(host->world, &how);
  return end == MP_WORLD_CONDITION || end == MP_WORLD_STOPPED ? 0 : MP_ETIMEOUT;
}

void mp_world_stop(struct mp_world *world) {
  world->is_stopped = true;
}

bool mp_world_is_running(const struct mp_world *world) {
  return world->is_running;
}

int64_t mp_world_now(const struct mp_world *world) {
  return sim_elapsed(world);
}

/* --- hosts -----------------------------------------------------------------
 */
struct ip {
  const struct mp_world *world;
  const uint8_t *ip;
};

static bool is_at(const void *data, uint32_t number) {
  const struct ip *ip = data;
  return memcmp(ip->world->hosts[number]->ip.ip, ip->ip, 16) == 0;
}

static uint64_t hash_ip(const struct mp_address *ip) {
  static const uint64_t key[2] = {0, 0};
  return hash_sip(key, ip->ip, sizeof ip->ip);
}

struct sim_host *sim_world_host_at(struct mp_world *world,
                                   const struct mp_address *ip) {
  struct ip data = {.world = world, .ip = ip->ip};
  int64_t found =
      sim_index_find(&world->hosts_by_ip, hash_ip(ip), is_at, &data);
  return found < 0 ? NULL : world->hosts[found];
}

static void add_host(struct mp_world *world, struct sim_host *host) {
  if (world->hosts_n == world->hosts_size) {
    size_t size = world->hosts_size ? world->hosts_size * 2 : 64;
    struct sim_host **list = mem_new(size * sizeof(struct sim_host *));
    if (world->hosts_n)
      memcpy(list, world->hosts, world->hosts_n * sizeof(struct sim_host *));
    free(world->hosts);
    world->hosts = list;
    world->hosts_size = size;
  }
  host->index = (uint32_t)world->hosts_n;
  world->hosts[world->hosts_n++] = host;
  sim_index_add(&world->hosts_by_ip, hash_ip(&host->ip), host->index);
}

/* Unspecified, loopback and multicast addresses are nobody's. */
static bool can_be_host(const struct mp_address *ip) {
  static const uint8_t zero[16];
  if (mp_address_is_loopback(ip))
    return false;
  if (mp_address_is_ipv4(ip))
    return ip->ip[12] != 0 && ip->ip[12] < 224;
  return ip->ip[0] != 0xff && memcmp(ip->ip, zero, sizeof zero) != 0;
}

static struct sim_host *make_host(struct mp_world *world,
                                  const struct mp_address *ip) {
  struct sim_host *host = mem_new(sizeof *host);
  host->world = world;
  host->ip = *ip;
  host->ip.port = 0;
  host->loop.io = &sim_io;
  host->loop.timers = &world->timers;
  host->loop.laters = &host->own_laters;
  host->loop.hasher = &world->hasher;
  host->loop.lending = &world->lending;
  add_host(world, host);
  return host;
}

int mp_world_host(struct mp_loop **loop, struct mp_world *world,
                  const struct mp_address *ip, struct mp_fault *fault) {
  char text[MP_ADDRESS_TEXT];
  struct sim_host *host = sim_world_host_at(world, ip);
  *loop = NULL;
  if (!can_be_host(ip))
    return fault_set(fault, MP_ECONFIG,
                     "host: expected the address of one machine, got %s",
                     mp_address_format_ip(ip, text));
  if (host && host->is_open)
    return fault_set(fault, MP_EDUPLICATE,
                     "host: expected an address that is free, but %s has a "
                     "host already",
                     mp_address_format_ip(ip, text));
  if (!host)
    host = make_host(world, ip);
  host->limits = world->limits;
  host->is_open = true;
  host->loop.holds = 0;
  host->loop.is_running = world->is_running;
  world->count.hosts++;
  *loop = &host->loop;
  return 0;
}

struct mp_loop *mp_world_find(struct mp_world *world,
                              const struct mp_address *ip) {
  struct sim_host *host = sim_world_host_at(world, ip);
  return host && host->is_open ? &host->loop : NULL;
}

void mp_world_host_ip(const struct mp_loop *loop, struct mp_address *ip) {
  *ip = sim_host_of(loop)->ip;
}

struct sim_host *sim_world_check(struct mp_world *world, struct mp_loop *loop,
                                 struct mp_fault *fault) {
  struct sim_host *host = sim_host_of(loop);
  if (loop && loop->io == &sim_io && host->world == world && host->is_open)
    return host;
  fault_set(fault, MP_ECONFIG, "host: expected an open host of this world");
  return NULL;
}
