/* sim_pool - blocks that come and go with every message in a world. */
#ifndef NET_SIM_POOL_H
#define NET_SIM_POOL_H

#include <stddef.h>

enum {
  SIM_POOL_SMALLEST = 6, /* blocks are powers of two, from 2^6 bytes ... */
  SIM_POOL_LARGEST = 16, /* ... to 2^16; larger ones are not kept */
};

struct sim_pool {
  void *free[SIM_POOL_LARGEST + 1];
  size_t in_use; /* bytes handed out */
};

/* A block of at least *n bytes; *n becomes its size, a power of two. Cannot
 * fail. */
void *sim_pool_take(struct sim_pool *pool, size_t *n);

/* Gives back a block that was asked for with that size, or had it; NULL is
 * fine. */
void sim_pool_give(struct sim_pool *pool, void *block, size_t n);

/* Frees what is kept. Everything must have been given back. */
void sim_pool_deinit(struct sim_pool *pool);

#endif
