/* sim_pipe - bytes on their way to one end of a stream: a ring of what has
 * arrived, what is flying and what waits to be sent, and when it arrives. */
#ifndef NET_SIM_PIPE_H
#define NET_SIM_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/sim_pool.h"

enum sim_mark_kind {
  SIM_BYTES, /* n of them */
  SIM_END,   /* the other end is done writing */
  SIM_RESET,
};

/* Something that arrives. */
struct sim_mark {
  int64_t at;
  uint32_t n;
  enum sim_mark_kind kind;
};

/* The ring's content is, in this order, arrived, flying and queued bytes.
 * Blocks are there only while there is content. */
struct sim_pipe {
  uint8_t *bytes;
  struct sim_mark *marks;
  uint32_t size, head; /* of bytes; the size is a power of two */
  uint32_t arrived, flying, queued;
  uint32_t marks_size, marks_first, marks_n;
  uint32_t allowed; /* bytes that the window lets the sender send */
  uint32_t freed;   /* bytes read that the sender does not know about */
  uint32_t send_buffer;
  int64_t last_at; /* nothing arrives earlier than what was sent before */
};

void sim_pipe_init(struct sim_pipe *pipe, uint32_t window,
                   uint32_t send_buffer);
void sim_pipe_deinit(struct sim_pipe *pipe, struct sim_pool *pool);

/* How many more bytes the sender's system takes. */
size_t sim_pipe_space(const struct sim_pipe *pipe);

/* Appends n <= space bytes as queued. */
void sim_pipe_put(struct sim_pipe *pipe, struct sim_pool *pool,
                  const void *bytes, size_t n);

/* Says that something arrives at `at`, or when what is before it does, if
 * that is later. Bytes are taken from the queued ones, and join those that
 * arrive at the same time. */
void sim_pipe_mark(struct sim_pipe *pipe, struct sim_pool *pool,
                   struct sim_mark mark);

/* The first mark, or NULL. */
struct sim_mark *sim_pipe_next(const struct sim_pipe *pipe);

/* Takes the first mark away: its bytes have arrived. */
struct sim_mark sim_pipe_arrive(struct sim_pipe *pipe, struct sim_pool *pool);

/* Takes n <= arrived bytes into a place of that size. */
void sim_pipe_get(struct sim_pipe *pipe, struct sim_pool *pool, void *bytes,
                  size_t n);

/* Forgets queued bytes; with all, also those that fly, and all marks. */
void sim_pipe_drop(struct sim_pipe *pipe, struct sim_pool *pool, bool all);

/* Nothing arrives before `at`. */
void sim_pipe_delay(struct sim_pipe *pipe, int64_t at);

#endif
