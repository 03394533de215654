/* sim_world - inside a simulated world: hosts, time, and what its other parts
 * (link, pipe, stream, dial, listener, names) share. */
#ifndef NET_SIM_WORLD_H
#define NET_SIM_WORLD_H

#include <stdatomic.h>

#include "base/rand.h"
#include "moonpeer/world.h"
#include "net/io.h"
#include "net/sim_index.h"
#include "net/sim_link.h"
#include "net/sim_pool.h"
#include "net/sim_trace.h"

struct sim_stream;
struct sim_listener;
struct sim_query;
struct sim_job;

/* A loop's clock when the world begins: like a machine's that is up for a
 * day, so that "never" may be 0. */
#define SIM_ORIGIN (86400 * MP_SECOND)

/* What was closed and is told so, and freed, at the end of the turn. */
struct sim_closing {
  struct sim_closing *next;
  void (*finish)(struct sim_closing *closing);
};

struct sim_wakeup {
  struct mp_wakeup wakeup;
  void (*fn)(void *data);
  void *data;
  atomic_bool is_sent;
  bool is_closed;
  struct sim_closing closing;
  struct sim_wakeup *next, *previous;
};

struct sim_host {
  struct mp_loop loop;
  struct laters own_laters;
  struct mp_world *world;
  struct mp_address ip; /* port 0 */
  uint32_t index;       /* in the order of their making */
  bool is_open, is_stopped, has_laters;
  uint16_t next_port;
  size_t descriptors;
  struct mp_host_limits limits;
  struct sim_host *next_posted;
  struct sim_stream *streams;
  struct sim_listener *listeners;
  struct sim_query *queries;
  struct sim_job *jobs;
  struct sim_wakeup *wakeups;
  struct mp_weather *weather_from, *weather_to; /* NULL: nothing was said */
};

struct mp_world {
  struct timers timers; /* all that will happen, whoever's it is */
  int64_t now;          /* the loops' */
  int64_t wall;         /* the wall time at SIM_ORIGIN */
  int64_t work_time;
  struct rand rand;
  struct hasher *hasher; /* the hosts', when asked for */
  struct lending lending;
  struct sim_pool pool;
  struct sim_trace trace;
  struct sim_links links;
  struct sim_names *names;
  struct sim_host **hosts;
  size_t hosts_n, hosts_size;
  struct sim_index hosts_by_ip;
  struct mp_host_limits limits;
  struct sim_host *posted_first, *posted_last;
  struct sim_closing *closing_first, *closing_last;
  uint64_t turn_before; /* timers with this order wait for the next turn */
  uint64_t turns;       /* since time has passed */
  bool is_running, is_stopped, in_turn, is_ending;
  atomic_bool is_woken;
  struct mp_world_count count;
};

static inline struct sim_host *sim_host_of(const struct mp_loop *loop) {
  union {
    const struct mp_loop *given;
    struct sim_host *host;
  } as = {.given = loop};
  return as.host;
}

/* Since the beginning, as people count. */
static inline int64_t sim_elapsed(const struct mp_world *world) {
  return world->now - SIM_ORIGIN;
}

/* The host, open or not, that has an ip, or NULL. */
struct sim_host *sim_world_host_at(struct mp_world *world,
                                   const struct mp_address *ip);

/* This loop if it is an open host of this world, else NULL and words. */
struct sim_host *sim_world_check(struct mp_world *world, struct mp_loop *loop,
                                 struct mp_fault *fault);

/* Calls finish at the end of this turn. Once. */
void sim_world_closing(struct mp_world *world, struct sim_closing *closing);

/* Does that now, between turns, for all that is closed so far. */
void sim_world_finish_closing(struct mp_world *world);

/* Events are timers. Sets one to `at` if it is not set to that or earlier: a
 * call too early is harmless. */
void sim_world_arm(struct mp_world *world, struct sim_host *host,
                   struct mp_timer *timer, int64_t at);

/* What mp_loop_run promises of a host. */
int sim_world_run_host(struct sim_host *host);

int sim_work(struct mp_loop *loop, struct mp_work *work);

/* What mp_loop_close promises of a host; within a run, `closed` is called at
 * the end of the turn. Twice is fine. */
void sim_host_close(struct sim_host *host);

/* Unsets a host's timers, or with NULL everybody's. */
void sim_timers_drop(struct mp_world *world, const struct sim_host *host);

/* io_sim's table: what every host's loop begins with. */
extern const struct io sim_io;

#endif
