/* sim_host - a host of a world: its limits, its work, and its end; and what
 * the world counts and writes down. */
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "net/sim_names.h"
#include "net/sim_stream.h"
#include "net/sim_world.h"

enum {
  DESCRIPTORS = 65536,
  DESCRIPTORS_MAX = 1000000,
  WINDOW = 512 << 10,
  SEND_BUFFER = 256 << 10,
  BUFFER_MAX = 64 << 20,
};

struct mp_world *mp_world_of(const struct mp_loop *loop) {
  return loop && loop->io == &sim_io ? sim_host_of(loop)->world : NULL;
}

int64_t mp_world_time(const struct mp_world *world) {
  return world->wall + sim_elapsed(world);
}

int mp_world_jump(struct mp_world *world, int64_t by, struct mp_fault *fault) {
  const int64_t most = INT64_C(230) * 366 * 86400 * MP_SECOND;
  int64_t now = mp_world_time(world);
  if (by < -now || by > most - now)
    return fault_set(fault, MP_ECONFIG,
                     "jump: expected to stay between 1970 and 2200, got a jump "
                     "by %lld s",
                     (long long)(by / MP_SECOND));
  world->wall += by;
  return 0;
}

uint64_t mp_world_random_u64(struct mp_world *world) {
  uint64_t value;
  rand_bytes(&world->rand, &value, sizeof value);
  return value;
}

/* --- limits ----------------------------------------------------------------
 */
void mp_host_limits_init(struct mp_host_limits *limits) {
  *limits = (struct mp_host_limits){
      .descriptors = DESCRIPTORS, .window = WINDOW, .send_buffer = SEND_BUFFER};
}

static int check(const char *what, uint32_t got, uint32_t most,
                 struct mp_fault *fault) {
  if (got >= 1 && got <= most)
    return 0;
  return fault_set(fault, MP_ECONFIG, "%s: expected 1 to %u, got %u", what,
                   most, got);
}

int mp_world_limit(struct mp_world *world, struct mp_loop *loop,
                   const struct mp_host_limits *limits,
                   struct mp_fault *fault) {
  struct sim_host *host = NULL;
  if ((loop && !(host = sim_world_check(world, loop, fault))) ||
      check("descriptors", limits->descriptors, DESCRIPTORS_MAX, fault) != 0 ||
      check("window", limits->window, BUFFER_MAX, fault) != 0 ||
      check("send_buffer", limits->send_buffer, BUFFER_MAX, fault) != 0)
    return MP_ECONFIG;
  *(host ? &host->limits : &world->limits) = *limits;
  return 0;
}

/* --- work ------------------------------------------------------------------
 */
struct sim_job {
  struct sim_job *next, *previous;
  struct sim_host *host;
  struct mp_work *work;
  struct mp_timer timer;
};

static void finish_job(void *data) {
  struct sim_job *job = data;
  struct mp_work *work = job->work;
  if (job->previous)
    job->previous->next = job->next;
  else
    job->host->jobs = job->next;
  if (job->next)
    job->next->previous = job->previous;
  mp_timer_stop(&job->timer);
  job->host->world->count.works--;
  free(job);
  work->done(work->data);
}

int sim_work(struct mp_loop *loop, struct mp_work *work) {
  struct sim_host *host = sim_host_of(loop);
  struct sim_job *job = mem_new(sizeof *job);
  job->host = host;
  job->work = work;
  job->next = host->jobs;
  if (job->next)
    job->next->previous = job;
  host->jobs = job;
  host->world->count.works++;
  mp_timer_init(&job->timer, finish_job, job);
  mp_timer_start(loop, &job->timer, host->world->work_time);
  work->run(work->data);
  return 0;
}

/* --- the end ---------------------------------------------------------------
 */

/* The owner need not stop his timers before he closes his loop; here the
 * world goes on. One walk through all timers for each batch. */
void sim_timers_drop(struct mp_world *world, const struct sim_host *host) {
  struct mp_timer *batch[256], *timer;
  const size_t size = sizeof batch / sizeof *batch;
  size_t n = size;
  while (!host && (timer = timers_first(&world->timers)))
    timers_remove(&world->timers, timer);
  while (host && n == size) {
    n = 0;
    for (size_t i = 0; i < world->timers.n && n < size; i++)
      if (world->timers.heap[i].timer->loop == &host->loop)
        batch[n++] = world->timers.heap[i].timer;
    for (size_t i = 0; i < n; i++)
      timers_remove(&world->timers, batch[i]);
  }
}

static void close_handles(struct sim_host *host) {
  while (host->listeners)
    sim_listener_close(&host->listeners->listener);
  while (host->streams)
    sim_stream_close(&host->streams->stream,
                     host->streams->phase == SIM_UNACCEPTED);
  while (host->wakeups)
    mp_wakeup_close(&host->wakeups->wakeup);
  sim_names_close(host);
}

/* What was posted runs, as on a real loop: closing connections end there. In
 * a run that is left to the end of the turn, for somebody below us may still
 * look at what was closed. */
void sim_host_close(struct sim_host *host) {
  struct mp_world *world = host->world;
  if (!host->is_open)
    return;
  close_handles(host);
  while (host->jobs)
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the list is no ring */
    finish_job(host->jobs);
  while (!world->is_running &&
         (host->own_laters.first || world->closing_first)) {
    laters_run(&host->own_laters);
    sim_world_finish_closing(world);
    close_handles(host);
  }
  if (!world->is_ending)
    sim_timers_drop(world, host);
  host->is_open = false;
  host->loop.holds = 0;
  world->count.hosts--;
}

/* --- what happened ---------------------------------------------------------
 */
void mp_world_note(struct mp_world *world, const struct mp_loop *loop,
                   const char *text) {
  char ip[MP_ADDRESS_TEXT];
  if (!sim_trace_is_on(&world->trace))
    return;
  sim_trace_start(&world->trace, sim_elapsed(world));
  sim_trace_string(&world->trace, "at",
                   mp_address_format_ip(&sim_host_of(loop)->ip, ip));
  sim_trace_string(&world->trace, "what", "note");
  sim_trace_string(&world->trace, "note", text);
  sim_trace_end(&world->trace);
}

const char *mp_world_trace(struct mp_world *world, size_t *n) {
  return sim_trace_text(&world->trace, n);
}

void mp_world_hash(struct mp_world *world, uint8_t hash[32]) {
  sim_trace_hash(&world->trace, hash);
}

void mp_world_count(const struct mp_world *world,
                    struct mp_world_count *count) {
  *count = world->count;
  count->memory = world->pool.in_use;
  count->bytes = 0;
  for (size_t i = 0; i < world->hosts_n; i++)
    for (const struct sim_stream *stream = world->hosts[i]->streams; stream;
         stream = stream->next)
      count->bytes +=
          stream->in.arrived + stream->in.flying + stream->in.queued;
}

size_t mp_world_break(struct mp_world *world, struct mp_loop *a,
                      struct mp_loop *b) {
  struct sim_host *from = sim_world_check(world, a, NULL);
  struct sim_host *to = sim_world_check(world, b, NULL);
  size_t n = 0;
  for (struct sim_stream *stream = from ? from->streams : NULL; stream;
       stream = stream->next) {
    if (!stream->other || stream->is_doomed || stream->phase != SIM_OPEN ||
        sim_stream_host(stream->other) != to)
      continue;
    sim_stream_break(stream);
    n++;
  }
  return n;
}
