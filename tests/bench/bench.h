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

/* Seconds of processor time that this process has used: for what waits for
 * nothing, so that other work of the machine does not count. */
static inline double cpu_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds of one call by a clock: the best of several rounds of at least 50 ms
 * each, so that what else the machine does counts least. */
static inline double best_time_by(double (*clock)(void),
                                  void (*run)(void *data), void *data) {
  double best = 1e9;
  for (int round = 0; round < 7; round++) {
    double start = clock(), passed = 0;
    long n = 0;
    for (long batch = 1; passed < 0.05; batch *= 2) {
      for (long i = 0; i < batch; i++)
        run(data);
      n += batch;
      passed = clock() - start;
    }
    if (passed / (double)n < best)
      best = passed / (double)n;
  }
  return best;
}

static inline double best_time(void (*run)(void *data), void *data) {
  return best_time_by(now, run, data);
}

static inline double best_cpu_time(void (*run)(void *data), void *data) {
  return best_time_by(cpu_now, run, data);
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
