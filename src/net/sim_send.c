/* sim_send - from a write into the other end's pipe: windows, segments, and
 * what the weather does to bytes. */
#include <string.h>

#include "net/sim_stream.h"

#define MERGE_WAIT (5 * MP_MILLISECOND)

static struct mp_world *world_of(const struct sim_stream *stream) {
  return sim_stream_host(stream)->world;
}

void sim_send_mark(struct sim_stream *to, enum sim_mark_kind kind, int64_t at) {
  struct sim_mark mark = {.at = at, .kind = kind};
  sim_pipe_mark(&to->in, &world_of(to)->pool, mark);
  sim_stream_schedule(to);
}

/* How many of n bytes travel together. */
static uint32_t cut(struct mp_world *world, const struct mp_weather *weather,
                    uint32_t n) {
  if (weather->bandwidth != UINT64_MAX && n > weather->segment)
    n = weather->segment;
  if (n > 1 && sim_chance(world, weather->split))
    n = 1 + (uint32_t)rand_below(&world->rand, n - 1);
  return n;
}

/* Both ends hear of it when the bytes would have arrived. */
static void lose(struct sim_stream *to, int64_t at) {
  struct sim_stream *from = to->other;
  sim_pipe_drop(&to->in, &world_of(to)->pool, false);
  to->is_doomed = true;
  sim_send_mark(to, SIM_RESET, at);
  if (!from)
    return;
  sim_pipe_drop(&from->in, &world_of(to)->pool, false);
  from->is_doomed = true;
  sim_send_mark(from, SIM_RESET, at);
}

/* Parts of one write stay apart: each arrives later than the one before. */
static void send_part(struct sim_stream *to, uint32_t n, bool is_apart) {
  struct mp_world *world = world_of(to);
  struct sim_lane *lane = &to->link->lane[!to->side];
  struct sim_mark mark = {.n = n, .kind = SIM_BYTES};
  mark.at = sim_link_send(world, to->link, !to->side, n);
  if (sim_chance(world, lane->weather->merge))
    mark.at += MERGE_WAIT;
  if (is_apart && mark.at <= to->in.last_at)
    mark.at = to->in.last_at + 1;
  sim_pipe_mark(&to->in, &world->pool, mark);
  if (sim_chance(world, lane->weather->loss))
    lose(to, mark.at);
}

static void send_end(struct sim_stream *to) {
  to->is_end_wanted = false;
  sim_send_mark(to, SIM_END,
                sim_link_signal(world_of(to), to->link, !to->side));
}

void sim_send(struct sim_stream *to) {
  struct sim_pipe *pipe = &to->in;
  struct mp_world *world = world_of(to);
  bool is_apart = false;
  sim_link_refresh(world, to->link);
  while (pipe->queued && pipe->allowed) {
    const struct mp_weather *weather = to->link->lane[!to->side].weather;
    uint32_t n = pipe->queued < pipe->allowed ? pipe->queued : pipe->allowed;
    uint32_t part = cut(world, weather, n);
    send_part(to, part, is_apart);
    is_apart = weather->bandwidth == UINT64_MAX;
  }
  if (to->is_end_wanted && !pipe->queued)
    send_end(to);
  sim_stream_schedule(to);
}

/* As much as the sender's system takes; returns how much that was. */
static size_t put(struct sim_stream *to, const uint8_t *bytes, size_t n) {
  struct sim_pipe *pipe = &to->in;
  if (!pipe->queued) {
    pipe->allowed += pipe->freed;
    pipe->freed = 0;
  }
  size_t space = sim_pipe_space(pipe);
  if (n > space)
    n = space;
  if (n == 0)
    return 0;
  sim_pipe_put(pipe, &world_of(to)->pool, bytes, n);
  sim_send(to);
  return n;
}

void sim_send_more(struct sim_stream *to) {
  to->in.allowed += to->in.freed;
  to->in.freed = 0;
  to->credit_at = 0;
  sim_send(to);
  struct sim_stream *from = to->other;
  if (!from || !from->borrowed_n)
    return;
  size_t n = put(to, from->borrowed, from->borrowed_n);
  from->borrowed += n;
  from->borrowed_n -= n;
  if (!from->borrowed_n)
    from->stream.events->drained(from->stream.owner);
}

/* The remote's system has forgotten the stream: it answers with a reset. */
static int write_into_the_void(struct sim_stream *stream) {
  struct mp_world *world = world_of(stream);
  if (stream->is_doomed)
    return 1;
  stream->is_doomed = true;
  int64_t there = sim_link_signal(world, stream->link, stream->side);
  int64_t back = sim_link_signal(world, stream->link, !stream->side);
  sim_send_mark(stream, SIM_RESET, there + (back - world->now));
  return 1;
}

int sim_stream_write(struct mp_stream *base, const void *bytes, size_t n) {
  struct sim_stream *stream = sim_stream_of(base);
  if (stream->is_shut || stream->is_closed || stream->phase == SIM_FAILED)
    return MP_ERESET;
  if (stream->phase != SIM_OPEN) { /* goes when the dial has succeeded */
    stream->borrowed = bytes;
    stream->borrowed_n = n;
    return 0;
  }
  if (stream->rc)
    return stream->rc;
  if (!stream->other)
    return write_into_the_void(stream);
  size_t done = put(stream->other, bytes, n);
  if (done == n)
    return 1;
  stream->borrowed = (const uint8_t *)bytes + done;
  stream->borrowed_n = n - done;
  return 0;
}

void sim_stream_shutdown(struct mp_stream *base) {
  struct sim_stream *stream = sim_stream_of(base);
  if (stream->phase != SIM_OPEN || stream->is_shut || stream->is_closed)
    return;
  stream->is_shut = true;
  if (sim_stream_trace(stream, "shutdown", true))
    sim_trace_end(&world_of(stream)->trace);
  if (!stream->other)
    return;
  stream->other->is_end_wanted = true;
  sim_send(stream->other);
}
