/* store_bench - what benchmarks of stores share. */
#ifndef TESTS_STORE_BENCH_H
#define TESTS_STORE_BENCH_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rand.h"
#include "bench.h"
#include "moonpeer/ban.h"
#include "moonpeer/loop.h"
#include "moonpeer/store.h"

#define T0 (INT64_C(1800000000) * MP_SECOND)

enum { MILLION = 1000000, SMALL = 65536 };

/* Keeps what is computed from being left out. */
static volatile unsigned sink;

static inline void check(int rc, const char *what) {
  if (rc == 0)
    return;
  fprintf(stderr, "store_bench: %s: %s\n", what, mp_error_name(rc));
  exit(1);
}

static inline double thread_time(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The longest of some calls, by the thread's own time: what else runs on the
 * machine is not the store's. */
struct hold {
  double start, longest;
};

static inline void hold_begin(struct hold *hold) {
  hold->start = thread_time();
}

static inline void hold_end(struct hold *hold) {
  double passed = thread_time() - hold->start;
  if (passed > hold->longest)
    hold->longest = passed;
}

/* The i-th of many addresses, spread over groups as the Internet's are. */
static inline struct mp_address nth(uint32_t i, bool is_v6) {
  struct mp_address address = {.port = 8333};
  uint32_t mixed = i * 2654435761u;
  if (is_v6) {
    memcpy(address.ip, "\x24\x01", 2);
    memcpy(address.ip + 3, &mixed, 1); /* 64 K groups */
    address.ip[2] = (uint8_t)(mixed >> 8);
    memcpy(address.ip + 12, &mixed, 4);
  } else {
    memset(address.ip + 10, 0xff, 2);
    address.ip[12] = (uint8_t)(11 + (mixed & 127) % 89);
    memcpy(address.ip + 13, (uint8_t *)&mixed + 1, 3);
    address.port = (uint16_t)(8333 + (mixed & 127) / 89);
  }
  return address;
}

static inline struct mp_address *addresses(uint32_t n, bool is_v6) {
  struct mp_address *list = calloc(n, sizeof *list);
  for (uint32_t i = 0; i < n; i++)
    list[i] = nth(i, is_v6);
  return list;
}

static inline void shuffle(struct mp_address *list, uint32_t n,
                           struct rand *rand) {
  for (uint32_t i = n - 1; i; i--) {
    uint32_t j = (uint32_t)rand_below(rand, i + 1);
    struct mp_address one = list[i];
    list[i] = list[j];
    list[j] = one;
  }
}

static inline struct mp_store *open_store(const char *url, uint32_t capacity) {
  struct mp_store_options options = {.capacity = capacity, .seed = {1, 2, 3}};
  struct mp_store *store;
  struct mp_fault fault = {0};
  if (mp_store_open(&store, url, &options, &fault)) {
    fprintf(stderr, "store_bench: %s\n", fault.text);
    exit(1);
  }
  return store;
}

static inline void create_all(struct mp_store *store,
                              const struct mp_address *list, uint32_t n) {
  struct mp_peer_change change = {.fields = MP_PEER_SERVICES | MP_PEER_SOURCE,
                                  .services = 1};
  for (uint32_t i = 0; i < n; i++) {
    change.source.kind = MP_SOURCE_DNS;
    check(mp_store_create(
              store, NULL,
              &(struct mp_peer_new){.address = list + i, .change = &change}, T0,
              NULL),
          "create");
  }
}

#endif
