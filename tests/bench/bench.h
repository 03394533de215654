/* bench - timing a function, and saying what came out. */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds of one call: the best of several rounds of at least 50 ms each, so
 * that what else the machine does counts least. */
static inline double best_time(void (*run)(void *data), void *data) {
  double best = 1e9;
  for (int round = 0; round < 7; round++) {
    double start = now(), passed = 0;
    long n = 0;
    for (long batch = 1; passed < 0.05; batch *= 2) {
      for (long i = 0; i < batch; i++)
        run(data);
      n += batch;
      passed = now() - start;
    }
    if (passed / (double)n < best)
      best = passed / (double)n;
  }
  return best;
}

/* A limit of 0 is none. */
static inline void report(const char *name, double value, const char *unit,
                          double limit) {
  printf("{\"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", \"limit\": ",
         name, value, unit);
  if (limit > 0)
    printf("%.6g}\n", limit);
  else
    printf("null}\n");
  fflush(stdout);
}

#endif
