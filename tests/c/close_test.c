/* close_test - closing in every callback, and with the loop: the same on
 * sockets and in a world. */
#include "ends.h"

enum { MUCH = 16 << 20 };

static char *much(uint64_t *sum) {
  char *bytes = malloc(MUCH);
  CHECK(bytes);
  *sum = 0;
  for (size_t i = 0; i < MUCH; i++) {
    bytes[i] = (char)(i * 31 + i / 251);
    *sum += (uint8_t)bytes[i] * (uint64_t)(i + 1);
  }
  return bytes;
}

static enum what close_at;

static void close_here(struct end *end, enum what what) {
  if (what == close_at)
    mp_stream_close(end->stream);
}

static bool all_is_closed(struct bed *bed) {
  struct pair *pair = bed->data;
  return pair->near.closed && (pair->far.closed || !pair->accepted);
}

static void close_other_on_end(struct end *end, enum what what) {
  if (what == ENDED)
    mp_stream_close(end->stream);
}

/* ends.h checks that nothing but `closed` is called after a close only once
 * `closed` was; here calls are counted from the close on. */
static int calls_at_close;

static void close_and_count(struct end *end, enum what what) {
  CHECK(calls_at_close == 0 || what == CLOSED);
  if (what == close_at) {
    mp_stream_close(end->stream);
    calls_at_close = end->calls;
  }
}

static void close_in(struct bed *bed, enum what what) {
  struct pair pair;
  char bytes[] = "a few bytes";
  uint64_t sum;
  char *many = much(&sum);
  close_at = what;
  calls_at_close = 0;
  pair_listen(&pair, bed);
  pair.far_reads = true;
  pair.near.on = what == ACCEPTED ? close_other_on_end : close_and_count;
  pair.on_far = what == ACCEPTED ? close_here : close_other_on_end;
  pair_dial(&pair);
  mp_stream_read(pair.near.stream, what != CONNECTED);
  if (what != CONNECTED) {
    bed_run(bed, pair_is_open);
    if (what == DRAINED)
      CHECK_INT(mp_stream_write(pair.near.stream, many, MUCH), 0);
    else if (pair.far.stream && what != ACCEPTED)
      mp_stream_write(pair.far.stream, bytes, sizeof bytes);
    if (what == ENDED)
      mp_stream_close(pair.far.stream);
  }
  bed_run(bed, all_is_closed);
  if (what != ACCEPTED)
    CHECK_INT(pair.near.calls, calls_at_close + 1);
  pair_close(&pair);
  free(many);
}

BOTH(a_close_in_connected_is_the_last_but_closed) {
  close_in(bed, CONNECTED);
}

BOTH(a_close_in_room_is_the_last_but_closed) {
  close_in(bed, ROOM);
}

BOTH(a_close_in_received_is_the_last_but_closed) {
  close_in(bed, RECEIVED);
}

BOTH(a_close_in_ended_is_the_last_but_closed) {
  close_in(bed, ENDED);
}

BOTH(a_close_in_drained_is_the_last_but_closed) {
  close_in(bed, DRAINED);
}

BOTH(a_close_in_accepted_is_the_last_but_closed) {
  close_in(bed, ACCEPTED);
}

static bool near_is_closed(struct bed *bed) {
  return ((struct pair *)bed->data)->near.closed;
}

BOTH(a_dial_closed_at_once_says_nothing_but_closed) {
  struct pair pair;
  pair_listen(&pair, bed);
  pair_dial(&pair);
  mp_stream_close(pair.near.stream);
  CHECK_INT(pair.near.closed, 0);
  bed_run(bed, near_is_closed);
  CHECK_INT(pair.near.calls, 1);
  bed_wait(bed, 50 * MP_MILLISECOND);
  mp_stream_close(pair.far.stream); /* the system may have accepted it */
  pair_close(&pair);
}

static void closing_a_loop_closes_what_is_open(bool in_world) {
  struct bed bed;
  struct pair pair;
  bed_open(&bed, in_world);
  pair_open(&pair, &bed);
  bed.is_done = NULL;
  bed_close(&bed);
  CHECK_INT(pair.near.closed, 1);
  CHECK_INT(pair.far.closed, 1);
  CHECK_INT(pair.listener_closed, 1);
}

static void closing_the_loop_closes_what_is_open(void) {
  closing_a_loop_closes_what_is_open(false);
}

static void freeing_the_world_closes_what_is_open(void) {
  closing_a_loop_closes_what_is_open(true);
}

TEST_MAIN(TESTS(a_close_in_connected_is_the_last_but_closed),
          TESTS(a_close_in_room_is_the_last_but_closed),
          TESTS(a_close_in_received_is_the_last_but_closed),
          TESTS(a_close_in_ended_is_the_last_but_closed),
          TESTS(a_close_in_drained_is_the_last_but_closed),
          TESTS(a_close_in_accepted_is_the_last_but_closed),
          TESTS(a_dial_closed_at_once_says_nothing_but_closed),
          TEST(closing_the_loop_closes_what_is_open),
          TEST(freeing_the_world_closes_what_is_open))
