/* bed - what a test of streams lies on: the real loop, or two hosts of a
 * world. The same test must see the same on both. */
#ifndef TESTS_BED_H
#define TESTS_BED_H

#include <stdbool.h>
#include <stdint.h>

#include "moonpeer/loop.h"
#include "moonpeer/stream.h"
#include "moonpeer/world.h"
#include "test.h"

struct bed {
  struct mp_world *world;     /* NULL: the real loop */
  struct mp_loop *near, *far; /* the same on the real one */
  struct mp_address at;       /* where far listens; port 0 at first */
  struct mp_timer limit;      /* no test takes longer */
  bool (*is_done)(struct bed *bed);
  void *data; /* the test's own */
};

static inline void bed_late(void *data) {
  (void)data;
  fprintf(stderr, "the test takes too long\n");
  exit(1);
}

static inline void bed_open(struct bed *bed, bool in_world) {
  struct mp_fault fault = {.text = ""};
  struct mp_address near;
  *bed = (struct bed){0};
  if (in_world) {
    CHECK_INT(mp_address_parse(&near, "10.0.0.1", 0, NULL), 0);
    CHECK_INT(mp_address_parse(&bed->at, "10.0.0.2", 0, NULL), 0);
    CHECK_INT(mp_world_new(&bed->world, NULL, &fault), 0);
    CHECK_INT(mp_world_host(&bed->near, bed->world, &near, &fault), 0);
    CHECK_INT(mp_world_host(&bed->far, bed->world, &bed->at, &fault), 0);
  } else {
    CHECK_INT(mp_address_parse(&bed->at, "127.0.0.1", 0, NULL), 0);
    CHECK_INT(mp_loop_open(&bed->near, &fault), 0);
    bed->far = bed->near;
  }
  mp_timer_init(&bed->limit, bed_late, NULL);
  mp_timer_start(bed->near, &bed->limit, 60 * MP_SECOND);
  mp_loop_hold(bed->near);
}

static inline void bed_close(struct bed *bed) {
  mp_timer_stop(&bed->limit);
  if (bed->world)
    mp_world_free(bed->world);
  else
    mp_loop_close(bed->near);
}

/* To be called at the end of every callback. */
static inline void bed_check(struct bed *bed) {
  if (bed->is_done && bed->is_done(bed))
    mp_loop_stop(bed->near);
}

/* Runs until it is done. */
static inline void bed_run(struct bed *bed, bool (*is_done)(struct bed *bed)) {
  bed->is_done = is_done;
  if (!is_done(bed))
    CHECK_INT(mp_loop_run(bed->near), 0);
  CHECK(is_done(bed));
}

static inline void bed_woken(void *data) {
  mp_loop_stop(data);
}

/* Lets time pass. */
static inline void bed_wait(struct bed *bed, int64_t time) {
  struct mp_timer timer;
  bed->is_done = NULL;
  mp_timer_init(&timer, bed_woken, bed->near);
  mp_timer_start(bed->near, &timer, time);
  CHECK_INT(mp_loop_run(bed->near), 0);
}

/* One test, twice. */
#define BOTH(test)                                                             \
  static void test(struct bed *bed);                                           \
  static void test##_on_sockets(void) {                                        \
    struct bed bed;                                                            \
    bed_open(&bed, false);                                                     \
    test(&bed);                                                                \
    bed_close(&bed);                                                           \
  }                                                                            \
  static void test##_in_a_world(void) {                                        \
    struct bed bed;                                                            \
    bed_open(&bed, true);                                                      \
    test(&bed);                                                                \
    bed_close(&bed);                                                           \
  }                                                                            \
  static void test(struct bed *bed)

#define TESTS(test) TEST(test##_on_sockets), TEST(test##_in_a_world)

#endif
