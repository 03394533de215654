/* io_test - streams and listeners: the same on sockets and in a world. */
#include "ends.h"

static bool both_are_told(struct bed *bed) {
  struct pair *pair = bed->data;
  return pair->near.n >= 4 && pair->far.n >= 4;
}

BOTH(bytes_go_both_ways) {
  struct pair pair;
  pair_open(&pair, bed);
  CHECK_INT(pair.near.ended, NOT_YET);
  mp_stream_read(pair.near.stream, true);
  mp_stream_read(pair.far.stream, true);
  end_write(&pair.near, "ping");
  end_write(&pair.far, "pong");
  bed_run(bed, both_are_told);
  CHECK_TEXT(pair.near.first, "pong");
  CHECK_TEXT(pair.far.first, "ping");
  pair_close(&pair);
}

BOTH(the_two_ends_know_their_addresses) {
  struct pair pair;
  struct mp_address local, remote;
  pair_open(&pair, bed);
  CHECK(bed->at.port != 0);
  mp_stream_remote(pair.near.stream, &remote);
  CHECK(mp_address_equal(&remote, &bed->at));
  mp_stream_local(pair.far.stream, &local);
  CHECK(mp_address_equal(&local, &bed->at));
  mp_stream_local(pair.near.stream, &local);
  mp_stream_remote(pair.far.stream, &remote);
  CHECK(mp_address_equal(&local, &remote));
  CHECK(local.port != 0);
  pair_close(&pair);
}

static bool near_has_failed(struct bed *bed) {
  return ((struct pair *)bed->data)->near.connected < 0;
}

static bool listener_is_closed(struct bed *bed) {
  return ((struct pair *)bed->data)->listener_closed;
}

BOTH(a_dial_to_a_port_without_listener_is_refused) {
  struct pair pair;
  pair_listen(&pair, bed);
  mp_listener_close(pair.listener);
  mp_listener_close(pair.listener); /* twice is fine */
  bed_run(bed, listener_is_closed);
  pair.listener = NULL;
  pair_dial(&pair);
  CHECK_INT(pair.near.connected, NOT_YET);
  bed_run(bed, near_has_failed);
  CHECK_INT(pair.near.connected, MP_EREFUSED);
  pair_close(&pair);
}

static bool far_has_ended(struct bed *bed) {
  return ((struct pair *)bed->data)->far.ended != NOT_YET;
}

static bool near_has_ended(struct bed *bed) {
  return ((struct pair *)bed->data)->near.ended != NOT_YET;
}

BOTH(after_a_half_close_the_other_way_stays_open) {
  struct pair pair;
  pair_open(&pair, bed);
  mp_stream_read(pair.near.stream, true);
  mp_stream_read(pair.far.stream, true);
  end_write(&pair.near, "question");
  mp_stream_shutdown(pair.near.stream);
  bed_run(bed, far_has_ended);
  CHECK_TEXT(pair.far.first, "question");
  CHECK_INT(pair.far.ended, MP_ECLOSED);
  CHECK_INT(mp_stream_write(pair.near.stream, "x", 1), MP_ERESET);
  end_write(&pair.far, "answer");
  mp_stream_close(pair.far.stream);
  bed_run(bed, near_has_ended);
  CHECK_TEXT(pair.near.first, "answer");
  CHECK_INT(pair.near.ended, MP_ECLOSED);
  pair_close(&pair);
}

BOTH(bytes_sent_before_a_close_arrive_before_it) {
  struct pair pair;
  pair_open(&pair, bed);
  end_write(&pair.near, "last words");
  mp_stream_close(pair.near.stream);
  mp_stream_read(pair.far.stream, true);
  bed_run(bed, far_has_ended);
  CHECK_TEXT(pair.far.first, "last words");
  CHECK_INT(pair.far.ended, MP_ECLOSED);
  pair_close(&pair);
}

BOTH(a_reset_is_told_after_what_had_arrived) {
  struct pair pair;
  pair_open(&pair, bed);
  end_write(&pair.near, "sent");
  mp_stream_reset(pair.near.stream);
  mp_stream_reset(pair.near.stream); /* twice is fine */
  mp_stream_close(pair.near.stream);
  mp_stream_read(pair.far.stream, true);
  bed_run(bed, far_has_ended);
  CHECK_TEXT(pair.far.first, "sent");
  CHECK_INT(pair.far.ended, MP_ERESET);
  CHECK_INT(mp_stream_write(pair.far.stream, "x", 1), MP_ERESET);
  pair_close(&pair);
}

BOTH(a_close_with_unread_bytes_resets_the_other_end) {
  struct pair pair;
  pair_open(&pair, bed);
  mp_stream_read(pair.far.stream, true);
  end_write(&pair.far, "unread");
  bed_wait(bed, 50 * MP_MILLISECOND);
  mp_stream_close(pair.near.stream);
  bed_run(bed, far_has_ended);
  CHECK_INT(pair.far.ended, MP_ERESET);
  pair_close(&pair);
}

BOTH(writing_to_a_closed_end_fails_a_little_later) {
  struct pair pair;
  pair_open(&pair, bed);
  mp_stream_close(pair.far.stream);
  bed_wait(bed, 50 * MP_MILLISECOND);
  CHECK_INT(mp_stream_write(pair.near.stream, "x", 1), 1);
  bed_wait(bed, 50 * MP_MILLISECOND);
  CHECK_INT(mp_stream_write(pair.near.stream, "y", 1), MP_ERESET);
  pair_close(&pair);
}

/* --- much ------------------------------------------------------------------
 */
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

static bool is_through(struct bed *bed) {
  struct pair *pair = bed->data;
  return pair->far.n == MUCH && pair->near.drained;
}

BOTH(a_write_is_borrowed_until_a_slow_reader_has_made_room) {
  struct pair pair;
  uint64_t sum;
  char *bytes = much(&sum);
  pair_open(&pair, bed);
  CHECK_INT(mp_stream_write(pair.near.stream, bytes, MUCH), 0);
  bed_wait(bed, 50 * MP_MILLISECOND);
  CHECK_INT(pair.near.drained, 0);
  CHECK_INT(pair.far.n, 0);
  mp_stream_read(pair.far.stream, true);
  bed_run(bed, is_through);
  CHECK_INT(pair.near.drained, 1);
  CHECK(pair.far.sum == sum);
  end_write(&pair.near, "more");
  free(bytes);
  pair_close(&pair);
}

static void stop_at_1000(struct end *end, enum what what) {
  if (what == RECEIVED && end->n >= 1000)
    mp_stream_read(end->stream, false);
}

static bool far_has_1000(struct bed *bed) {
  return ((struct pair *)bed->data)->far.n >= 1000;
}

BOTH(reading_off_holds_bytes_back_and_on_brings_them) {
  struct pair pair;
  uint64_t sum;
  char *bytes = much(&sum);
  pair_open(&pair, bed);
  pair.far.on = stop_at_1000;
  pair.far.room_size = 100;
  mp_stream_read(pair.far.stream, true);
  CHECK_INT(mp_stream_write(pair.near.stream, bytes, MUCH), 0);
  bed_run(bed, far_has_1000);
  bed_wait(bed, 50 * MP_MILLISECOND);
  CHECK_INT(pair.far.n, 1000);
  pair.far.on = NULL;
  pair.far.room_size = ROOM_SIZE;
  mp_stream_read(pair.far.stream, true);
  bed_run(bed, is_through);
  CHECK(pair.far.sum == sum);
  free(bytes);
  pair_close(&pair);
}

static bool far_was_asked(struct bed *bed) {
  return ((struct pair *)bed->data)->far.calls > 1;
}

static bool far_has_four(struct bed *bed) {
  return ((struct pair *)bed->data)->far.n >= 4;
}

BOTH(no_room_turns_reading_off) {
  struct pair pair;
  pair_open(&pair, bed);
  pair.far.room_size = 0;
  mp_stream_read(pair.far.stream, true);
  end_write(&pair.near, "ping");
  bed_run(bed, far_was_asked);
  bed_wait(bed, 50 * MP_MILLISECOND);
  CHECK_INT(pair.far.calls, 2); /* accepted and asked, once */
  pair.far.room_size = ROOM_SIZE;
  mp_stream_read(pair.far.stream, true);
  bed_run(bed, far_has_four);
  pair_close(&pair);
}

static void read_off_in_room(struct end *end, enum what what) {
  if (what == ROOM)
    mp_stream_read(end->stream, false);
}

BOTH(reading_turned_off_in_room_reads_no_more) {
  struct pair pair;
  pair_open(&pair, bed);
  pair.far.on = read_off_in_room;
  mp_stream_read(pair.far.stream, true);
  end_write(&pair.near, "ping");
  bed_run(bed, far_was_asked);
  bed_wait(bed, 50 * MP_MILLISECOND);
  CHECK_INT(pair.far.calls, 2);
  pair.far.on = NULL;
  mp_stream_read(pair.far.stream, true);
  bed_run(bed, far_has_four);
  pair_close(&pair);
}

BOTH(a_write_under_way_fails_when_the_remote_resets) {
  struct pair pair;
  uint64_t sum;
  char *bytes = much(&sum);
  pair_open(&pair, bed);
  CHECK_INT(mp_stream_write(pair.near.stream, bytes, MUCH), 0);
  mp_stream_reset(pair.far.stream);
  bed_run(bed, near_has_ended);
  CHECK_INT(pair.near.ended, MP_ERESET);
  CHECK_INT(pair.near.drained, 0);
  free(bytes);
  pair_close(&pair);
}

BOTH(what_a_closing_end_had_not_sent_is_lost) {
  struct pair pair;
  uint64_t sum;
  char *bytes = much(&sum);
  pair_open(&pair, bed);
  CHECK_INT(mp_stream_write(pair.near.stream, bytes, MUCH), 0);
  mp_stream_close(pair.near.stream);
  memset(bytes, 0, MUCH); /* no longer borrowed once closed */
  mp_stream_read(pair.far.stream, true);
  bed_run(bed, far_has_ended);
  CHECK_INT(pair.far.ended, MP_ECLOSED);
  CHECK(pair.far.n > 0 && pair.far.n < MUCH);
  free(bytes);
  pair_close(&pair);
}

TEST_MAIN(TESTS(bytes_go_both_ways), TESTS(the_two_ends_know_their_addresses),
          TESTS(a_dial_to_a_port_without_listener_is_refused),
          TESTS(after_a_half_close_the_other_way_stays_open),
          TESTS(bytes_sent_before_a_close_arrive_before_it),
          TESTS(a_reset_is_told_after_what_had_arrived),
          TESTS(a_close_with_unread_bytes_resets_the_other_end),
          TESTS(writing_to_a_closed_end_fails_a_little_later),
          TESTS(a_write_is_borrowed_until_a_slow_reader_has_made_room),
          TESTS(reading_off_holds_bytes_back_and_on_brings_them),
          TESTS(no_room_turns_reading_off),
          TESTS(reading_turned_off_in_room_reads_no_more),
          TESTS(a_write_under_way_fails_when_the_remote_resets),
          TESTS(what_a_closing_end_had_not_sent_is_lost))
