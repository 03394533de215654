/* sim_pipe - bytes on their way to one end of a stream. */
#include "net/sim_pipe.h"

#include <assert.h>
#include <string.h>

void sim_pipe_init(struct sim_pipe *pipe, uint32_t window,
                   uint32_t send_buffer) {
  *pipe = (struct sim_pipe){.allowed = window, .send_buffer = send_buffer};
}

static uint32_t length(const struct sim_pipe *pipe) {
  return pipe->arrived + pipe->flying + pipe->queued;
}

static void release(struct sim_pipe *pipe, struct sim_pool *pool) {
  if (length(pipe) == 0) {
    sim_pool_give(pool, pipe->bytes, pipe->size);
    pipe->bytes = NULL;
    pipe->size = pipe->head = 0;
  }
  if (pipe->marks_n == 0) {
    sim_pool_give(pool, pipe->marks,
                  pipe->marks_size * sizeof(struct sim_mark));
    pipe->marks = NULL;
    pipe->marks_size = pipe->marks_first = 0;
  }
}

void sim_pipe_deinit(struct sim_pipe *pipe, struct sim_pool *pool) {
  pipe->arrived = pipe->flying = pipe->queued = pipe->marks_n = 0;
  release(pipe, pool);
}

/* Queued bytes mean that nothing more is allowed: what is, flies at once. */
size_t sim_pipe_space(const struct sim_pipe *pipe) {
  if (pipe->queued)
    return pipe->send_buffer - pipe->queued;
  return (size_t)pipe->send_buffer + pipe->allowed;
}

/* Copies the first n bytes from a place in the ring on. */
static void copy_out(const struct sim_pipe *pipe, uint8_t *to, uint32_t n) {
  uint32_t part = pipe->size - pipe->head;
  if (part > n)
    part = n;
  memcpy(to, pipe->bytes + pipe->head, part);
  memcpy(to + part, pipe->bytes, n - part);
}

static void reserve(struct sim_pipe *pipe, struct sim_pool *pool, size_t n) {
  size_t size = length(pipe) + n;
  if (size <= pipe->size)
    return;
  uint8_t *bytes = sim_pool_take(pool, &size);
  if (pipe->bytes)
    copy_out(pipe, bytes, length(pipe));
  sim_pool_give(pool, pipe->bytes, pipe->size);
  pipe->bytes = bytes;
  pipe->size = (uint32_t)size;
  pipe->head = 0;
}

void sim_pipe_put(struct sim_pipe *pipe, struct sim_pool *pool,
                  const void *bytes, size_t n) {
  assert(n <= sim_pipe_space(pipe));
  reserve(pipe, pool, n);
  uint32_t start = (pipe->head + length(pipe)) & (pipe->size - 1);
  size_t part = pipe->size - start;
  if (part > n)
    part = n;
  memcpy(pipe->bytes + start, bytes, part);
  memcpy(pipe->bytes, (const uint8_t *)bytes + part, n - part);
  pipe->queued += (uint32_t)n;
}

static struct sim_mark *mark_at(const struct sim_pipe *pipe, uint32_t i) {
  return &pipe->marks[(pipe->marks_first + i) & (pipe->marks_size - 1)];
}

static void push_mark(struct sim_pipe *pipe, struct sim_pool *pool,
                      struct sim_mark mark) {
  if (pipe->marks_n == pipe->marks_size) {
    size_t size = (pipe->marks_n + 1) * sizeof mark;
    struct sim_mark *marks = sim_pool_take(pool, &size);
    for (uint32_t i = 0; i < pipe->marks_n; i++)
      marks[i] = *mark_at(pipe, i);
    sim_pool_give(pool, pipe->marks, pipe->marks_size * sizeof mark);
    pipe->marks = marks;
    pipe->marks_size = (uint32_t)(size / sizeof mark);
    pipe->marks_first = 0;
  }
  *mark_at(pipe, pipe->marks_n++) = mark;
}

void sim_pipe_mark(struct sim_pipe *pipe, struct sim_pool *pool,
                   struct sim_mark mark) {
  if (mark.at < pipe->last_at)
    mark.at = pipe->last_at;
  pipe->last_at = mark.at;
  if (mark.kind == SIM_BYTES) {
    pipe->queued -= mark.n;
    pipe->flying += mark.n;
    pipe->allowed -= mark.n;
  }
  struct sim_mark *last =
      pipe->marks_n ? mark_at(pipe, pipe->marks_n - 1) : NULL;
  if (last && mark.kind == SIM_BYTES && last->kind == SIM_BYTES &&
      last->at == mark.at)
    last->n += mark.n;
  else
    push_mark(pipe, pool, mark);
}

struct sim_mark *sim_pipe_next(const struct sim_pipe *pipe) {
  return pipe->marks_n ? mark_at(pipe, 0) : NULL;
}

struct sim_mark sim_pipe_arrive(struct sim_pipe *pipe, struct sim_pool *pool) {
  struct sim_mark mark = *mark_at(pipe, 0);
  pipe->marks_first++;
  pipe->marks_n--;
  pipe->flying -= mark.n;
  pipe->arrived += mark.n;
  release(pipe, pool);
  return mark;
}

void sim_pipe_get(struct sim_pipe *pipe, struct sim_pool *pool, void *bytes,
                  size_t n) {
  assert(n <= pipe->arrived);
  copy_out(pipe, bytes, (uint32_t)n);
  pipe->head = (pipe->head + (uint32_t)n) & (pipe->size - 1);
  pipe->arrived -= (uint32_t)n;
  pipe->freed += (uint32_t)n;
  release(pipe, pool);
}

void sim_pipe_drop(struct sim_pipe *pipe, struct sim_pool *pool, bool all) {
  pipe->queued = 0;
  if (all) {
    pipe->flying = 0;
    pipe->marks_n = 0;
  }
  release(pipe, pool);
}

void sim_pipe_delay(struct sim_pipe *pipe, int64_t at) {
  if (pipe->last_at < at)
    pipe->last_at = at;
  for (uint32_t i = 0; i < pipe->marks_n; i++)
    if (mark_at(pipe, i)->at < at)
      mark_at(pipe, i)->at = at;
}
