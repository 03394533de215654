/* sim_trace - what happens in a world, as lines of JSON: hashed, and kept if
 * wanted. */
#ifndef NET_SIM_TRACE_H
#define NET_SIM_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "moonpeer/world.h"
#include "net/sim_pool.h"

enum {
  SIM_TRACE_LINE = 32768,   /* no line is longer */
  SIM_TRACE_BUFFER = 32768, /* hashed at once */
  SIM_TRACE_NOTE = 1000,    /* bytes of a string that are written */
};

struct sim_trace {
  enum mp_trace mode;
  struct hasher *hasher;
  char *buffer; /* lines that are not hashed yet */
  size_t n;
  struct buf text;
  size_t limit;
  bool is_cut;
};

/* 0, or MP_EIO when there is no sha256. */
int sim_trace_init(struct sim_trace *trace, enum mp_trace mode, size_t limit);
void sim_trace_deinit(struct sim_trace *trace);

/* A line is started, given members in order, and ended; only when is_on. */
bool sim_trace_is_on(const struct sim_trace *trace);
void sim_trace_start(struct sim_trace *trace, int64_t time);
void sim_trace_string(struct sim_trace *trace, const char *key,
                      const char *text);
void sim_trace_number(struct sim_trace *trace, const char *key, uint64_t n);
void sim_trace_hex(struct sim_trace *trace, const char *key, const void *bytes,
                   size_t n);
/* Members that are JSON already, with their comma before. */
void sim_trace_raw(struct sim_trace *trace, const char *text, size_t n);
void sim_trace_end(struct sim_trace *trace);

/* The members from and to, twice: from a to b, then from b to a. A block of
 * the pool; *n is its content's length. */
char *sim_trace_label(struct sim_trace *trace, struct sim_pool *pool,
                      const char *a, const char *b, size_t *n);

const char *sim_trace_text(struct sim_trace *trace, size_t *n);
void sim_trace_hash(struct sim_trace *trace, uint8_t hash[HASH_SIZE]);

#endif
