/* sim_pool - blocks that come and go with every message in a world. */
#include "net/sim_pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int class_of(size_t n) {
  int class = SIM_POOL_SMALLEST;
  while ((size_t)1 << class < n)
    class ++;
  return class;
}

/* A free block begins with the pointer to the next one. */
void *sim_pool_take(struct sim_pool *pool, size_t *n) {
  int class = class_of(*n);
  *n = (size_t)1 << class;
  pool->in_use += *n;
  if (class > SIM_POOL_LARGEST || !pool->free[class])
    return mem_new(*n);
  void *block = pool->free[class];
  memcpy(&pool->free[class], block, sizeof(void *));
  return block;
}

void sim_pool_give(struct sim_pool *pool, void *block, size_t n) {
  int class = class_of(n);
  if (!block)
    return;
  pool->in_use -= (size_t)1 << class;
  if (class > SIM_POOL_LARGEST) {
    free(block);
    return;
  }
  memcpy(block, &pool->free[class], sizeof(void *));
  pool->free[class] = block;
}

void sim_pool_deinit(struct sim_pool *pool) {
  for (int class = SIM_POOL_SMALLEST; class <= SIM_POOL_LARGEST; class ++)
    while (pool->free[class]) {
      void *block = pool->free[class];
      memcpy(&pool->free[class], block, sizeof(void *));
      free(block);
    }
}
